"""Whatever is written to stderr is an object a line."""

import io
import json
import sys

from migrate.jsonlines import JsonLines, speak_json, spoken
from migrate.logline import Record


def told(stream):
    """What was written, as event, level and message."""
    found = map(json.loads, stream.getvalue().splitlines())
    return [(one["event"], one["level"], one["message"]) for one in found]


def test_each_line_is_an_object_however_it_is_written():
    """In pieces, several at once, with colours, with no end; empty ones are none."""
    stream = io.StringIO()
    lines = JsonLines(stream)
    for piece in ("warn", "ing: a\n\nb\n", "\x1b[33mcareful\x1b[0m\n", "", "error: c"):
        lines.write(piece)
    lines.tell_last(Record("ended", "ended: exit code 5"))
    lines.tell(Record("request", "request 1"))
    lines.settle()
    assert told(stream) == [
        ("warning", "warning", "warning: a"),
        ("screen", "info", "b"),
        ("screen", "info", "careful"),
        ("request", "info", "request 1"),
        ("error", "error", "error: c"),
        ("ended", "info", "ended: exit code 5"),
    ]
    assert not lines.isatty()


def test_a_bug_is_one_object(monkeypatch):
    """With its traceback; the hook is set once, with the voice."""
    monkeypatch.setattr(sys, "excepthook", None)
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    assert spoken() is None
    lines = speak_json()
    assert speak_json() is spoken() is lines is sys.stderr
    lines.context = {"command": "plan"}
    try:
        sys.stderr.write("of a mapping\n")
        {}["gone"]
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    first, bug = map(json.loads, stream.getvalue().splitlines())
    assert (first["message"], first["command"]) == ("of a mapping", "plan")
    assert (bug["event"], bug["level"], bug["message"]) == ("bug", "critical", "KeyError: 'gone'")
    assert bug["traceback"].startswith("Traceback (most recent call last):\n")
