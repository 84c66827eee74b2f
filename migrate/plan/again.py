"""Sources that are planned anew: what was harmed is put back where it is the same, what was not sent is replaced."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import polars as pl

from migrate.plan.changes import Changes, Versions, compare
from migrate.plan.fates import divided, left
from migrate.plan.progress import Progress
from migrate.screen import counted
from migrate.workdir import dayfile, light, parked, renewal
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.disk import sync
from migrate.workdir.records import Part
from migrate.workdir.rejects import renew
from migrate.workdir.seals import Kept

_OF_DAY: Final[dict[str, Any]] = {"day": pl.Date, "events": pl.Int64, "first": pl.Int64, "last": pl.Int64}
_SHOWN: Final = 3
_EVENTS: Final = pl.len().cast(pl.Int64).alias("events")
_FIRST: Final = pl.col("time").min().alias("first")
_LAST: Final = pl.col("time").max().alias("last")
Pair = tuple[Part, Part]
"""A part that was planned before, and the one that was planned now."""
OnProgress = Callable[[Progress], object]
"""Told how far it is; it may raise what ends it."""


def settle(
    checkpoint: Checkpoint,
    *,
    resend: bool = False,
    on_progress: OnProgress = lambda _: None,
    on_remark: Callable[[str], object] = lambda _: None,
) -> None:
    """Settle what was planned anew, as far as it is planned whole; again, if it is killed on the way.

    Where a source is what it was, or comes to the very files that it came to before, those that are harmed are put back
    and all goes on where it was: what was sent counts, also of rows that would now go under another id. Where not, or
    where sources that were planned together are planned apart by now, what was planned of them and not sent gives way;
    what was sent stays, and what is the same in both is a duplicate. Of rows that changed after they were sent see
    `changes.compare`; with `resend` they are sent again where they may be. `on_remark` is told where that is not known.
    """
    found = renewal.superseded(checkpoint)
    other: list[tuple[str, int, int]] = []
    restored = dict[tuple[int, int], bool]()
    times = Counter(before for before, _ in {(before, now) for _, before, now in found})
    for name, before, now in found:
        leads = before, now
        if leads not in restored:
            restored[leads] = times[before] == 1 and _restored(checkpoint, leads)
        if not restored[leads]:
            other.append((name, before, now))
    if other:
        changes = _replace(checkpoint, other, on_progress, resend=resend)
        if changes.unread:
            on_remark(_said_of([*changes.unread.values()]))


def _restored(checkpoint: Checkpoint, leads: tuple[int, int]) -> bool:
    """Put back what was planned before, if it is the same; return whether it is."""
    before, now = leads
    old, new = checkpoint.parts_of(before), checkpoint.parts_of(now)
    renewed = renewal.renewed(checkpoint, before, now)
    is_whole = _is_same(checkpoint, leads, (old, new))
    # where the numbers of before are those of others, too, what is counted otherwise now has to stand beside them
    is_bound = not is_whole or bool(renewal.standing(checkpoint, before))
    if is_bound and not all(one.is_same and one.is_same_time for one in renewed):
        return False
    is_within = is_whole or (
        bool(old) and _are_within(checkpoint, renewal.names_of(checkpoint, now), (old, new))
    )
    if not is_within:
        return False
    with checkpoint.depot.near(part.path for part in [*old, *new]):
        put_back = _put_back(checkpoint, [*zip(old, new, strict=True)]) if is_whole else []
        events = _events(checkpoint, new)
    with checkpoint.change() as db:
        renew(db, renewed, is_restored=True)
        names = renewal.names(db, now)
        renewal.restore(db, before, now, events, put_back)
        renewal.forget_superseded(db, names)
    _remove(checkpoint, new)
    return True


def _replace(
    checkpoint: Checkpoint, found: Sequence[tuple[str, int, int]], on_progress: OnProgress, *, resend: bool
) -> Changes:
    """Let what was planned before and not sent of inputs (name, lead before, lead now) give way to what is planned."""
    depot, names = checkpoint.depot, [name for name, _, _ in found]
    pairs = [*dict.fromkeys((before, now) for _, before, now in found)]
    old = renewal.unsent(checkpoint, dict.fromkeys(before for before, _ in pairs))
    new = [part for now in dict.fromkeys(now for _, now in pairs) for part in checkpoint.parts_of(now)]
    sent, stayed = renewal.sent(checkpoint, names)
    versions = Versions(sent, old, new, names, stayed, parked.every_key(checkpoint))
    comparing = _Far("comparing with what was planned before:", on_progress, [*sent, *old, *new, *stayed])
    changes = compare(depot, versions, resend=resend, tell=comparing.tell)
    stand = {before: renewal.standing(checkpoint, before) for before, _ in pairs}
    fates = changes.fates
    days = set(fates["day"])
    other = [part for part in new if part.day in days]
    writing = _Far("writing changed days:", on_progress, [*other, *old])
    parts = divided(depot, other, fates, writing.tell)
    rest = left(depot, old, stand, writing.tell)
    renewed = [renewal.renewed(checkpoint, *pair) for pair in pairs]
    named = {before: _named(checkpoint, before, [*sent, *stayed]) for before in stand}
    with checkpoint.change() as db:
        for one in renewed:
            renew(db, one, is_restored=False)
        renewal.uncount(db, rest.gone)
        for before in stand:
            its = [part for part in rest.parts if part.input == before]
            renewal.replace(db, before, its, named[before])
        for part, into in parts:
            renewal.divide(db, part, into)
        renewal.count(db, changes.counts, sum(not one.is_same for pair in renewed for one in pair))
        renewal.forget_superseded(db, names)
    stay = {part.path for part in rest.parts}
    _remove(checkpoint, [*(part for part in old if part.path not in stay), *(part for part, _ in parts)])
    return changes


def _said_of(unread: Sequence[Part]) -> str:
    """Return what is said of parts that were sent and cannot be read."""
    days = [*dict.fromkeys(part.day for part in sorted(unread, key=lambda part: part.day))]
    shown = ", ".join(days[:_SHOWN]) + (", …" if len(days) > _SHOWN else "")
    return (
        f"planned anew: {counted(len(unread), 'file')} of what was sent before cannot be "
        f"read, of {shown}: which of their {sum(part.events for part in unread):,} events changed is not known"
    )


class _Far:
    """How far something is that is done with parts: told of those that are at hand, it tells of those before them."""

    def __init__(self, phase: str, on_progress: OnProgress, parts: Sequence[Part]) -> None:
        self._phase, self._on_progress = phase, on_progress
        self._of_bytes, self._of_days = sum(map(light.weight, parts)), len({part.day for part in parts})
        self._of_events = sum(part.events for part in parts)
        self._bytes = self._events = 0
        self._days = set[str]()

    def tell(self, parts: Sequence[Part]) -> None:
        """Tell that these are at hand; what is done once more counts once."""
        far = min(self._bytes, self._of_bytes), self._of_bytes, len(self._days), self._of_days
        events = min(self._events, self._of_events)
        self._on_progress(Progress(self._phase, *far, events, counts=("event", "day")))
        self._bytes += sum(map(light.weight, parts))
        self._events += sum(part.events for part in parts)
        self._days.update(part.day for part in parts)


def _remove(checkpoint: Checkpoint, parts: Iterable[Part]) -> None:
    """Remove the files of parts that the checkpoint knows no more."""
    checkpoint.depot.remove([part.path for part in parts])


def _is_same(checkpoint: Checkpoint, leads: tuple[int, int], parts: tuple[list[Part], list[Part]]) -> bool:
    """Return whether what was planned before and now are the same events."""
    old, new = parts
    if [_extent(part) for part in old] != [_extent(part) for part in new]:
        return False
    before, now = (renewal.digests(checkpoint, lead) for lead in leads)
    return before == now or (bool(old) and [part.seal for part in old] == [part.seal for part in new])


def _are_within(checkpoint: Checkpoint, names: Sequence[str], parts: tuple[list[Part], list[Part]]) -> bool:
    """Return whether parts that sources share with others hold as many events of theirs a day, of the same time.

    Those parts are unharmed: where one is not, all sources that share it are planned anew.
    """
    mine = pl.col("file").is_in(list(names))
    day = pl.from_epoch("time", "us").dt.date().alias("day")
    found = []
    for some in parts:
        days = [pl.DataFrame(schema=_OF_DAY)]
        try:
            for frame in light.frames(checkpoint.depot, some, ["timestamp", "file"]):
                its = frame.filter(mine).select_seq(pl.col("timestamp").to_physical().alias("time"))
                days.append(its.group_by(day).agg(_EVENTS, _FIRST, _LAST))
        except dayfile.UNREADABLE:
            return False
        summed = pl.col("events").sum(), pl.col("first").min(), pl.col("last").max()
        found.append(pl.concat(days).group_by("day").agg(*summed).sort("day"))
    before, now = found
    return before.equals(now)


def _extent(part: Part) -> tuple[object, ...]:
    """Return of which events a part is, whoever they are of."""
    return part.day, part.events, part.first, part.last, part.leads


def _put_back(checkpoint: Checkpoint, pairs: Sequence[Pair]) -> list[Pair]:
    """Put files in the place of those that are harmed, durably; return which."""
    workdir = checkpoint.workdir
    harmed = [(old, new) for old, new in pairs if not Kept(workdir / old.path, old.seal).is_sound()]
    for old, new in harmed:
        path = workdir / old.path
        beside = path.with_suffix(".new")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes((workdir / new.path).read_bytes())
        sync(beside)
        if path.is_dir():
            path.rmdir()
        beside.replace(path)
        sync(path.parent)
    checkpoint.depot.keep({old.path: workdir / old.path for old, _ in harmed})
    return harmed


def _named(checkpoint: Checkpoint, home: int, sent: Sequence[Part]) -> set[str] | None:
    """Return the sources with events in those of these parts that several inputs share; None of an input by itself."""
    sql = "SELECT count(DISTINCT lead) FROM inputs WHERE home = ?"
    if checkpoint.query(sql, (home,)).fetchone()[0] <= 1:
        return None
    found = set[str]()
    try:
        for frame in light.frames(checkpoint.depot, [part for part in sent if part.input == home], ["file"]):
            found.update(frame["file"].unique())
    except dayfile.UNREADABLE:
        return None
    return found


def _events(checkpoint: Checkpoint, parts: Sequence[Part]) -> Counter[str]:
    """Return how many events of each name these parts hold."""
    return left(checkpoint.depot, parts, dict.fromkeys((part.input for part in parts), ())).gone
