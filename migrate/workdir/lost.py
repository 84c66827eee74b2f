"""Files of the plan that were sent and are lost: which of them is missed, and how sending goes on without them.

A day's later events are held against what was sent of it before, so that none is sent twice. Without such a file they
cannot be, and what it held may be sent again: that is done only where it is asked for.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from migrate.screen import counted
from migrate.workdir import cleaning, halves
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import fact, note_facts
from migrate.workdir.depot import Left, Over, never
from migrate.workdir.halves import Half
from migrate.workdir.seals import Kept, Seal

LOST: Final = "lost"
"""The fact that says how many `files` are given up, and how many `events` they held."""
_NEEDED: Final = """
    SELECT parts.day, path, events, size, sums FROM parts JOIN rounds USING (day, round)
    WHERE done AND parts.day IN (
        SELECT parts.day FROM parts LEFT JOIN rounds USING (day, round)
        WHERE NOT coalesce(done, 0) AND fate <> 'again'
    )
    ORDER BY parts.day, path
"""


class File(NamedTuple):
    """A file that was sent: its UTC day, its path within the workdir, how many events it holds."""

    day: str
    path: str
    events: int
    kept: Kept


def needed(checkpoint: Checkpoint) -> Iterator[File]:
    """Yield the files of sent events that others of their day, not settled yet, are held against; oldest day first.

    What is sent again, though it was sent, is held against none.
    """
    for day, path, events, size, sums in checkpoint.query(_NEEDED).fetchall():
        yield File(day, path, events, Kept(checkpoint.workdir / path, Seal(size, sums)))


def is_sent(checkpoint: Checkpoint, path: str) -> bool:
    """Return whether all events of a file are sent."""
    sql = "SELECT 1 FROM parts JOIN rounds USING (day, round) WHERE path = ? AND done"
    return checkpoint.query(sql, (path,)).fetchone() is not None


class Given(NamedTuple):
    """What is given up: files, and what of rounds that were half sent is to be sent from the first event on."""

    files: Sequence[File]
    anew: Half

    def remarks(self) -> Iterator[str]:
        """Yield what is to be said of it."""
        if not self.files:
            return
        first, last = self.files[0].day, self.files[-1].day
        events = counted(sum(one.events for one in self.files), "event")
        yield (
            f"lost: {counted(len(self.files), 'file')} with {events} that were sent, of "
            f"{first if first == last else f'{first} to {last}'}: what is planned of them is sent again, and PostHog "
            "keeps the same event once"
        )
        if self.anew.settled:
            yield (
                f"lost: of these days {counted(self.anew.settled, 'event')} that were settled when sending stopped in "
                "the middle of a day are sent again, too, and count as pending until then"
            )
        if self.anew.refused:
            yield (
                f"lost: PostHog had refused {counted(self.anew.refused, 'event')} of these, which are sent as they are "
                "planned: not as they were mended since then, nor left out where they were dismissed"
            )


def give_up(
    checkpoint: Checkpoint,
    is_over: Over = never,
    *,
    check: Callable[[Sequence[File]], object] = lambda _: None,
) -> Given:
    """Go on without those of them that are lost or harmed, all of it or nothing, unless `check` refuses; return which.

    Their events count as they did. Raises Left as soon as it `is_over`, Stopped where a storage gives no answer.
    """
    found, anew = list(_lost(checkpoint, is_over)), Half()
    check(found)
    if found:
        days = [*dict.fromkeys(one.day for one in found)]
        anew = halves.of_days(checkpoint, days, is_over)
        with checkpoint.change() as db:
            cleaning.let_go(db, checkpoint.depot, [one.path for one in found])
            halves.begin_anew(db, days, anew)
            counts = Counter(json.loads(fact(db, LOST, "{}")))
            counts.update(files=len(found), events=sum(one.events for one in found))
            note_facts(db, {LOST: counts})
        checkpoint.depot.remove([one.path for one in found])
    return Given(found, anew)


def _lost(checkpoint: Checkpoint, is_over: Over) -> Iterator[File]:
    """Yield the needed files that are not what was written."""
    for _, of_day in groupby(needed(checkpoint), lambda one: one.day):
        if is_over():
            raise Left
        files = [*of_day]
        with checkpoint.depot.near((one.path for one in files), is_over=is_over):
            yield from (one for one in files if not one.kept.is_sound())
