"""What each command did in a workdir is kept."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from workdirs import events, planned

from migrate.workdir.history import Entry, Keeper, entries

BEGUN = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
NOTHING = dict.fromkeys(("planned", "accepted", "duplicate", "parked", "rejected", "held", "set_aside"), 0)
FOUND = {**NOTHING, "planned": 100, "accepted": 10, "held": 3}
DONE = {**NOTHING, "planned": 1, "accepted": 2, "duplicate": 3, "parked": 4, "rejected": 5}
LEFT = {"held": 6, "set_aside": 7}
NOW = {name: FOUND[name] + n for name, n in DONE.items()} | LEFT


@pytest.fixture
def checkpoint(tmp_path):
    """A workdir in which a file is planned."""
    with planned(tmp_path, events(3)) as checkpoint:
        yield checkpoint


def test_a_command_has_a_line_from_its_beginning_on(checkpoint):
    """A killed one did what the next one found."""
    Keeper(checkpoint, "plan", BEGUN, NOTHING)
    keeper = Keeper(checkpoint, "run", BEGUN + timedelta(days=1), FOUND)
    keeper.end(BEGUN + timedelta(days=1, seconds=90), 3, NOW)
    killed, ended = entries(checkpoint, NOW)
    assert killed == Entry("2026-11-28T02:30:00+00:00", "plan", files=0, **FOUND)
    assert (killed.seconds, killed.exit_code) == (None, None)
    begun, end = "2026-11-29T02:30:00+00:00", "2026-11-29T02:31:30+00:00"
    assert ended == Entry(begun, "run", end, files=0, exit_code=3, **DONE | LEFT)
    assert ended.seconds == 90.0


def test_one_that_works_now_has_done_what_there_is(checkpoint):
    """As far as it has noted it; one that left at once, too, with how it ended."""
    keeper = Keeper(checkpoint, "apply", BEGUN, FOUND)
    [works] = entries(checkpoint, NOW)
    assert works == Entry("2026-11-28T02:30:00+00:00", "apply", files=0, **DONE | LEFT)
    keeper.end(BEGUN, 130)
    assert entries(checkpoint, NOW) == [replace(works, ended=works.begun, exit_code=130)]


def test_lines_of_before_are_shown_as_they_were_kept(checkpoint):
    """Of a killed one nothing is known."""
    kept = vars(Entry("2026-11-27T02:30:00+00:00", "run", files=1, **NOW))
    lines = [kept | {"ended": "2026-11-27T02:31:00+00:00", "exit_code": 0}, kept]
    with checkpoint.change() as db:
        db.executemany("INSERT INTO history (line) VALUES (?)", [(json.dumps(line),) for line in lines])
    Keeper(checkpoint, "apply", BEGUN, FOUND)
    ended, killed, _ = entries(checkpoint, NOW)
    assert ended == Entry(**lines[0])
    assert killed == Entry(kept["begun"], "run")
