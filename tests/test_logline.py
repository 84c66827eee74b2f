"""A line of a log is text, or an object that every reader of JSON takes; each tells the same."""

import json
import re

import pytest

from migrate.logline import Record, as_json, as_text, begins_log, of_screen

KEY = "phc_" + "x" * 40


@pytest.mark.parametrize(
    ("line", "event", "level"),
    [
        ("error: w: no", "error", "error"),
        ("warning: w: careful", "warning", "warning"),
        ("note: so it is", "note", "info"),
        ("warning  1 long_text: it is cut", "screen", "info"),
        ("rows     3 read", "screen", "info"),
    ],
)
def test_a_line_of_the_screen_says_what_it_is(line, event, level):
    """By the word before its colon."""
    assert of_screen(line) == Record(event, line, level=level)


def test_whatever_is_told_is_an_object_on_a_line():
    """In ASCII: no half of a surrogate, no control character, no secret, at any depth; first what every line has."""
    nasty = f"a\n\x1b[31m\u2028\udc80é {KEY}"
    record = Record(
        "x", nasty, {"file": nasty, "counts": {nasty: 1, "none": None}, "all": [nasty, 2.5, True]}
    )
    line = as_json(record, {"command": "run"})
    assert re.fullmatch(r"[ -~]+\n", line)
    assert begins_log(line.encode())
    assert begins_log(as_text(record))
    told = json.loads(line)
    clean = "a\n\\x1b[31m\\u2028\\udc80é phc_***"
    assert [*told] == [
        *("time", "logger", "pid", "level", "event", "message"),
        *("command", "file", "counts", "all"),
    ]
    assert told["message"] == told["file"] == clean
    assert (told["counts"], told["all"]) == ({clean: 1, "none": None}, [clean, 2.5, True])
    json.dumps(told, ensure_ascii=False).encode()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["time"])
    assert as_text(record).decode().partition("]: ")[2] == clean.replace("\n", "\\n") + "\n"
