"""What is asked is answered as the page has it; and whoever answers ends with whoever asks."""

import json

import pytest
from served import SPEC, table

from migrate.plan.begun import begun
from migrate.plan.handing import packed
from migrate.plan.interrupted import Interrupted
from migrate.serving import bench
from migrate.serving.bench import MOOT, Compile, Rows, Try, answered
from migrate.serving.rows import View
from migrate.serving.trial import READING, ROWS, TEXT, Trial


def test_what_is_asked_is_answered(tmp_path):
    """With what is done on the way; where it is told to stop there, the answer is moot, and the next one is not."""
    done, stops = [], []

    def way(*at):
        done.append(at)
        if at in stops:
            raise Interrupted

    trial = Trial(table(tmp_path), None, way)
    first = answered(Try(SPEC, SPEC, View(count=1), 5, is_saved=True), trial)
    found = json.loads(first.said)
    assert (found["number"], len(found["page"]["rows"]), first.outcomes) == (5, 1, trial.saved)
    file = str(tmp_path / "rows.csv")
    reads = [(READING, file), (ROWS, "")]
    assert done[:6] == [(TEXT, ""), (READING, ""), (ROWS, ""), *reads, (ROWS, "")]
    assert json.loads(answered(Rows(View("rejected")), trial).said)["of"] == 1
    stops.append((READING, ""))
    assert answered(Try(SPEC, SPEC, View(), 6), trial).said == MOOT
    stops.clear()
    wrong = answered(Try(None, "event = 1\n", View(), 7), Trial(table(tmp_path, "event = \n")))
    assert (wrong.is_fine, json.loads(wrong.said)["error"]["line"]) == (False, 1)
    assert answered(Try(SPEC, SPEC, View(), 8), trial).outcomes == first.outcomes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = 1\n", {"compiled": True}),
        ("\ndef (", {"error": {"said": "a.py:2: no Python, invalid syntax; mend it there", "line": 2}}),
        (
            "(" * 5_000 + ")" * 5_000,
            {"error": {"said": "a.py:1: no Python, too many nested parentheses; mend it there", "line": 1}},
        ),
    ],
    ids=["python", "none", "nested"],
)
def test_a_mapping_is_compiled(text, found):
    """And never run."""
    assert json.loads(answered(Compile(text, "a.py"), None).said) == found


def test_it_ends_with_whoever_began_it(tmp_path):
    """When the connection does, as after a kill of the server, whatever it is at."""
    process, connection = begun(bench.__name__, 2)
    connection.send_bytes(packed((bench.SETUP, packed((table(tmp_path), None)))))
    connection.close()
    assert process.wait(60) == 1
