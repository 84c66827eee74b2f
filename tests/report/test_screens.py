"""What the commands show, byte for byte: each golden was read by a person; `python tests/screens.py` renews them."""

import re
from pathlib import Path

import pytest
import screens


@pytest.mark.parametrize("story", screens.STORIES, ids=lambda story: story.__name__)
def test_screens_are_their_goldens(tmp_path, story):
    """Every number and every line of them."""
    for name, text in story(tmp_path).items():
        assert text == (screens.GOLDENS / f"{name}.txt").read_text(encoding="utf-8"), name


def test_every_golden_has_a_screen():
    """A golden that no story shows any more would say nothing."""
    text = Path(screens.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'story\.run\("([^"]+)"', text))
    assert {path.stem for path in screens.GOLDENS.glob("*.txt")} == named
