"""Which time inputs are planned of, and which of them have rows that a wider time asks for."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from migrate.workdir import renewal, windows
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import ALWAYS, Numbers, Window

FIRST, SECOND, THIRD = (datetime(2024, 4, day, tzinfo=UTC) for day in (1, 2, 3))


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as made:
        yield made


def plan(checkpoint, window, *names, **filtered):
    """Plan inputs together."""
    checkpoint.register(names)
    first, *beside = (checkpoint.inputs()[name]._replace(window=window) for name in names)
    checkpoint.note_planned(first, Numbers(filtered=Counter(filtered)), [], beside=beside)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Window(FIRST, SECOND), Window(SECOND, THIRD), Window(FIRST, THIRD)),
        (Window(SECOND, None), Window(FIRST, THIRD), Window(FIRST, None)),
        (ALWAYS, Window(FIRST, THIRD), ALWAYS),
    ],
)
def test_the_wider_of_two_ends_counts(one, other, both):
    """Whichever is named first; and it is the same when it is written down."""
    assert one | other == other | one == both
    assert Window.of(*both.texts()) == both


def test_inputs_of_which_rows_were_left_out_are_found(checkpoint):
    """Where the window asked for holds any, also of what was planned together; what is narrower asks for nothing."""
    plan(checkpoint, Window(SECOND), "a", "b", before_since=3)
    plan(checkpoint, Window(SECOND), "c", after_until=1, other=2)
    plan(checkpoint, Window(None, SECOND), "d", after_until=1)
    numbers = Numbers(filtered=Counter(session=2), untold=Counter(after_until=1))
    checkpoint.register("e")
    checkpoint.note_planned(checkpoint.inputs()["e"]._replace(window=Window(SECOND, THIRD)), numbers, [])
    assert windows.left_out(checkpoint, Window(SECOND)) == ["d", "e"]
    assert windows.left_out(checkpoint, Window(THIRD, THIRD)) == ["d"]
    assert windows.left_out(checkpoint, Window(FIRST, THIRD)) == ["a", "b", "d"]
    assert windows.left_out(checkpoint, Window(SECOND, SECOND)) == []
    assert windows.known(checkpoint.inputs(), "abcd") == {
        "a": Window(SECOND),
        "b": Window(SECOND),
        "c": Window(SECOND),
        "d": Window(None, SECOND),
    }


def test_what_is_to_be_planned_anew_was_planned_of_its_time(checkpoint):
    """So that it is not planned of less, though a process was killed between."""
    plan(checkpoint, Window(SECOND), "a", before_since=3)
    renewal.supersede(checkpoint, ["a"])
    assert windows.known(checkpoint.inputs(), "abcd") == {"a": Window(SECOND)}
    assert windows.left_out(checkpoint, ALWAYS) == []
