"""docs/inspect.md says what `migrate inspect` shows, and names what its JSON has."""

import json
import re

from commands import migrate, rows
from markdown import ROOT, blocks
from screens import GOLDENS

PAGE = ROOT / "docs" / "inspect.md"


def test_the_example_is_what_is_shown():
    """Line by line, of the golden."""
    golden = (GOLDENS / "inspect-table.txt").read_text(encoding="utf-8")
    shown = [line for block in blocks(PAGE, "") for line in block.splitlines()]
    assert len(shown) > 5
    assert [line for line in shown if line not in golden.splitlines()] == []


def test_every_key_of_the_object_is_named(tmp_path):
    """Of the whole, and of a kind."""
    rows(tmp_path / "a.jsonl")
    found = json.loads(migrate("inspect", tmp_path, "--json").stdout)
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8").partition("## For programs")[2]))
    assert {*found} - {"inputs"} <= named
    assert {*found["kinds"][0]} - {"bytes", "inside"} <= named
