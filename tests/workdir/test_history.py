"""What each command did in a workdir is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from workdirs import events, planned

from migrate.workdir.history import Entry, Keeper, entries

BEGUN = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
DONE = {"planned": 1, "accepted": 2, "duplicate": 3, "parked": 4, "rejected": 5, "held": 6, "set_aside": 7}


@pytest.fixture
def checkpoint(tmp_path):
    """A workdir in which a file is planned."""
    with planned(tmp_path, events(3)) as checkpoint:
        yield checkpoint


def test_a_command_has_a_line_from_its_beginning_on(checkpoint):
    """One that is killed has it, too, without an end."""
    Keeper(checkpoint, "plan", BEGUN)
    keeper = Keeper(checkpoint, "run", BEGUN + timedelta(days=1))
    keeper.end(BEGUN + timedelta(days=1, seconds=90), DONE | {"exit_code": 3})
    killed, ended = entries(checkpoint)
    assert killed == Entry("2026-11-28T02:30:00+00:00", "plan")
    assert (killed.seconds, killed.exit_code) == (None, None)
    begun, end = "2026-11-29T02:30:00+00:00", "2026-11-29T02:31:30+00:00"
    assert ended == Entry(begun, "run", end, files=0, exit_code=3, **DONE)
    assert ended.seconds == 90.0
