"""Before the first event is sent: all files are there, and what is parked gives way to what is planned anew.

Days that an earlier version has sent half begin anew.
"""

from contextlib import closing

from migrate.apply.merge import texts
from migrate.workdir import halves, outdated, parked, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.depot import Over, never
from migrate.workdir.harm import unsent


def make_ready(checkpoint: Checkpoint, is_over: Over = never) -> None:
    """Make a workdir ready to be sent. Raises Harmed where a file is not there as written, Left once it `is_over`."""
    check(checkpoint, is_over)
    halves.begin_noted(checkpoint, is_over)
    for day in rounds.days(checkpoint):
        if parked.any_of(checkpoint, day):
            _outdate(checkpoint, day, is_over)


def check(checkpoint: Checkpoint, is_over: Over = never, *, under_way: bool = True) -> None:
    """Raise Harmed where a file that is not sent is not there, or of another size, Left once it `is_over`.

    Those that are `under_way` are left out where that is said.
    """
    with closing(unsent(checkpoint, under_way=under_way)) as files:
        checkpoint.depot.check(files, is_over)


def _outdate(checkpoint: Checkpoint, day: str, is_over: Over) -> None:
    """Drop a day's parked events of which a newer version is planned: that is sent instead.

    What is told in a round that is begun stays as it is: some of it is settled, and is not looked at again.
    """
    new = [one for one in rounds.of_day(checkpoint, day) if not one.position]
    parts = [part for one in new for part in one.parts]
    with checkpoint.depot.near((part.path for part in parts), is_over=is_over):
        planned = texts(checkpoint.workdir, parts)
        outdated.outdate(checkpoint, day, planned, new[0].number if new else 0)
