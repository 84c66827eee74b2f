"""docs/mappings.md: the mapping of one's own that it shows does what the page says."""

import pytest
from commands import migrate
from markdown import ROOT, blocks, rows

from migrate.laws.proof import GOLDEN, LAWS

PAGE = ROOT / "docs" / "mappings.md"


@pytest.fixture
def acme(tmp_path):
    """The page's files."""
    mapping, names = blocks(PAGE, "python")
    (tmp_path / "acme.py").write_text(mapping)
    (tmp_path / "_acme_names.py").write_text(names)
    (tmp_path / "acme.sample.jsonl").write_text(blocks(PAGE, "json")[0])
    return tmp_path


def test_commands_of_the_page_run_and_make_what_it_shows(acme):
    """In their order: the payloads, byte for byte; all laws hold, once the golden is kept; nothing is sent."""
    preview, test, run = blocks(PAGE, "sh")[0].splitlines()
    shown = migrate(*preview.split()[1:], cwd=acme).stdout
    assert shown == blocks(PAGE, "json")[1]
    done = migrate(*test.split()[1:], cwd=acme)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "5 laws of 5 hold")
    assert (acme / "acme.golden.jsonl").read_text() == shown
    done = migrate(*run.split()[1:], cwd=acme)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "nothing was sent")


def test_laws_are_told_as_the_command_tells_them():
    """Each with what it means, in its order."""
    told = {name.strip("`"): means for name, means in rows(PAGE, "`migrate test`")}
    known = {name: means for name, (means, _) in LAWS.items()}
    assert told == known | dict([GOLDEN])
