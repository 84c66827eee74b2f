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
from migrate.workdir import cleaning, daynames, halves, renewal, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, fact, note_facts
from migrate.workdir.depot import Depot, Left, Over, never
from migrate.workdir.halves import Half
from migrate.workdir.seals import Kept, Seal

LOST: Final = "lost"
"""The fact that says how many `files` are given up, how many `events` of them were sent, and how many were `unsent`."""
UNDER_WAY: Final = "NOT done AND input IN (SELECT id FROM inputs WHERE substr(name, 1, 1) <> '(')"
"""Of a row of parts with its round: it is of sources, and being sent.

What all sources together say of people is not given up half sent: no source planned anew tells it once more.
"""
_NEEDED: Final = f"""
    SELECT parts.day, path, events, size, sums, iif(done, 0, round) FROM parts JOIN rounds USING (day, round)
    WHERE {UNDER_WAY} OR done AND parts.day IN (
        SELECT parts.day FROM parts LEFT JOIN rounds USING (day, round)
        WHERE NOT coalesce(done, 0) AND fate <> 'again'
    )
    ORDER BY parts.day, path
"""  # noqa: S608 - our own words


class File(NamedTuple):
    """A file that was sent: its UTC day, its path within the workdir, how many events it holds."""

    day: str
    path: str
    events: int
    kept: Kept
    under_way: int = 0
    """The number of its round, where that is half sent."""


def needed(checkpoint: Checkpoint) -> Iterator[File]:
    """Yield the files that are half sent, and those that others, not settled yet, are held against; oldest day first.

    What is sent again, though it was sent, is held against none.
    """
    for day, path, events, size, sums, number in checkpoint.query(_NEEDED).fetchall():
        yield File(day, path, events, Kept(checkpoint.workdir / path, Seal(size, sums)), number)


def is_sent(checkpoint: Checkpoint, path: str) -> bool:
    """Return whether all events of a file are sent."""
    sql = "SELECT 1 FROM parts JOIN rounds USING (day, round) WHERE path = ? AND done"
    return checkpoint.query(sql, (path,)).fetchone() is not None


def is_under_way(checkpoint: Checkpoint, path: str) -> bool:
    """Return whether events of a file of sources are being sent."""
    sql = f"SELECT 1 FROM parts JOIN rounds USING (day, round) WHERE path = ? AND {UNDER_WAY}"  # noqa: S608 - our own
    return checkpoint.query(sql, (path,)).fetchone() is not None


class Given(NamedTuple):
    """What is given up: files, and what of rounds that were half sent is to be sent from the first event on."""

    files: Sequence[File]
    anew: Half
    unsent: int = 0
    """How many of their events do not count as planned any more, as it is not known that they were sent."""

    def remarks(self) -> Iterator[str]:
        """Yield what is to be said of it."""
        if not self.files:
            return
        first, last = self.files[0].day, self.files[-1].day
        events = counted(sum(one.events for one in self.files) - self.unsent, "event")
        yield (
            f"lost: {counted(len(self.files), 'file')} with {events} that were sent, of "
            f"{first if first == last else f'{first} to {last}'}: what is planned of them is sent again, and PostHog "
            "keeps the same event once"
        )
        if self.unsent:
            yield (
                f"lost: {counted(self.unsent, 'event')} more of these files, of days that were half sent, count as "
                "planned no more, and go only where their source is planned anew, with --again"
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

    What was sent of them counts as it did; of those that are half sent see `_end`. Raises Left as soon as it `is_over`,
    Stopped where a storage gives no answer.
    """
    found, anew, unsent = list(_lost(checkpoint, is_over)), Half(), 0
    check(found)
    if found:
        days = [*dict.fromkeys(one.day for one in found)]
        anew = halves.of_days(checkpoint, days, {one.path for one in found}, is_over)
        with checkpoint.change() as db:
            under_way = sorted((one for one in found if one.under_way), key=_round_of)
            unsent = sum(_end(db, checkpoint.depot, [*its]) for _, its in groupby(under_way, _round_of))
            cleaning.let_go(db, checkpoint.depot, [one.path for one in found if not one.under_way])
            halves.begin_anew(db, days, anew)
            counts = Counter(json.loads(fact(db, LOST, "{}")))
            counts.update(files=len(found), events=sum(one.events for one in found) - unsent)
            counts.update({"unsent": unsent} if unsent else {})
            note_facts(db, {LOST: counts})
        checkpoint.depot.remove([one.path for one in found])
    return Given(found, anew, unsent)


def _round_of(one: File) -> tuple[str, int]:
    return one.day, one.under_way


def _end(db: Database, depot: Depot, lost: Sequence[File]) -> int:
    """Give up files of a round that is half sent, within a transaction; return how many events are planned no more.

    Where they are all of the round, it ends with what is settled; else which of that was theirs is not known, and none
    of it counts as such.
    """
    first, *others = lost
    day, number = which = _round_of(first)
    names = Counter[str]()
    for one in lost:
        names.update(daynames.of_part(db, depot, one.path))
    db.executemany("DELETE FROM parts WHERE path = ?", ((one.path,) for one in others))
    (more,) = db.execute("SELECT count(*) FROM parts WHERE day = ? AND round = ?", which).fetchone()
    settled, its = (0, None) if more > 1 else rounds.end(db, day, number)
    if settled:
        stay = Counter({} if its is None else daynames.unpacked(its))
        sql = "UPDATE parts SET bytes = bytes * ?1 / events, events = ?1, names = ?2 WHERE path = ?3"
        db.execute(sql, (settled, daynames.packed(stay), first.path))
        cleaning.let_go(db, depot, [first.path])
        names -= stay
    else:
        db.execute("DELETE FROM parts WHERE path = ?", (first.path,))
    renewal.uncount(db, names)
    return sum(one.events for one in lost) - settled


def _lost(checkpoint: Checkpoint, is_over: Over) -> Iterator[File]:
    """Yield the needed files that are not what was written."""
    for _, of_day in groupby(needed(checkpoint), lambda one: one.day):
        if is_over():
            raise Left
        files = [*of_day]
        with checkpoint.depot.near((one.path for one in files), is_over=is_over):
            yield from (one for one in files if not one.kept.is_sound())
