"""CONTRIBUTING.md: the mapping that it teaches with does what the page shows."""

import os
import subprocess
import sys

import pytest
from commands import summary
from markdown import ROOT, blocks

PAGE = ROOT / "CONTRIBUTING.md"
START = """
import runpy, sys, mappings
mappings.__path__.append(sys.argv.pop(1))
runpy.run_module("migrate", run_name="__main__", alter_sys=True)
"""
"""The command line with one more folder of mappings."""


@pytest.fixture
def acorn(tmp_path):
    """The page's mapping and sample as files, and the command line that knows the mapping."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "acorn.py").write_text(blocks(PAGE, "python")[0])
    (tmp_path / "acorn.jsonl").write_text(blocks(PAGE, "json")[0])

    def run(command, *words):
        return subprocess.run(
            [sys.executable, "-c", START, "mappings", command, "acorn", "acorn.jsonl", *words],
            cwd=tmp_path,
            # A slip may leave the file's size and its second as they were: nothing compiled is to be found then.
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_teaching_mapping_makes_what_the_page_shows(acorn):
    """Byte for byte, as a golden."""
    assert acorn("preview").stdout == blocks(PAGE, "json")[1]


def test_teaching_mapping_plans_its_sample(acorn):
    """Every row is accounted for, as the page says: two events and a merge, one filtered, one rejected."""
    done = acorn("run", "--host", "sandbox", "--json")
    assert done.returncode == 3, done.stderr
    told = summary(done)
    assert told["rows"] == {
        "read": 4,
        "mapped": 2,
        "filtered": {"heartbeats": 1},
        "rejected": {"bad_timestamp": 1},
    }
    assert (told["events"]["planned"], told["events"]["accepted"]) == (3, 3)
    assert told["dropped_columns"] == {"shard": 1}


def test_a_slip_in_a_mapping_is_said_before_a_row_is_read(acorn, tmp_path):
    """A column that is misspelled in an expression, and one in a field; with no traceback."""
    path = tmp_path / "mappings" / "acorn.py"
    sound = path.read_text()
    for good, bad, said in (
        (
            'pl.col("what"), NAMES',
            'pl.col("wat"), NAMES',
            "error: acorn: events: to_events asks for a column 'wat' ",
        ),
        (
            'times=("at",)',
            'times=("at")',
            "error: Acorn: events: times: expected a tuple of names, found the text ",
        ),
    ):
        assert good in sound
        path.write_text(sound.replace(good, bad))
        done = acorn("preview")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(said)
        assert done.stderr.count("\n") == 1


def test_teaching_mapping_is_short():
    """It is read as a whole."""
    assert len([line for line in blocks(PAGE, "python")[0].splitlines() if line.strip()]) <= 50
