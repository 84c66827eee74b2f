"""What sources came to before and what they come to now → which events changed, and what is to become of those.

PostHog tells events apart by uuid, event name, distinct_id and day; `versions` says which of two is the other, changed.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import polars as pl

from migrate.plan import versions as known
from migrate.workdir import dayfile, light
from migrate.workdir.depot import Depot
from migrate.workdir.parked import Key
from migrate.workdir.records import Change, Fate, Part
from migrate.workdir.seals import Harmed, Kept

_ROWS: Final = 2_000_000
"""Events compared at once; some 150 bytes each."""
_COLUMNS: Final = ("timestamp", "event", "distinct_id", "uuid", "payload", "file")
_OF_PART: Final = ("file", "input", "increment")
_KEYED: Final[dict[str, Any]] = {
    "key": pl.UInt64,
    "id": pl.UInt64,
    "undated": pl.UInt64,
    "time": pl.Int64,
    "is_sent": pl.Boolean,
}
_PLACED: Final[dict[str, Any]] = {"input": pl.Int64, "increment": pl.Int64}
_T = TypeVar("_T", Part, Key)
_FATES: Final[dict[str, Any]] = {"day": pl.String, "id": pl.UInt64, "fate": pl.String}
Tell = Callable[[Sequence[Part]], object]
"""Told of which parts something is about to be done."""


@dataclass(frozen=True)
class Versions:
    """Parts of the same sources, as they were planned before (`sent`: or being sent) and as they are `now`."""

    sent: Sequence[Part]
    unsent: Sequence[Part]
    now: Sequence[Part]
    names: Sequence[str]
    """Of the sources; parts may hold events of others, which were planned together with them."""
    stayed: Sequence[Part] = ()
    """Planned before, and not sent, as PostHog has them otherwise."""
    refused: Sequence[Key] = ()
    """What PostHog refused of what was sent: it counts as not sent."""

    @property
    def parts(self) -> tuple[Sequence[Part], Sequence[Part], Sequence[Part], Sequence[Part]]:
        """All of them."""
        return self.sent, self.unsent, self.now, self.stayed

    def stretches(self) -> Iterator["Versions"]:
        """Yield those of some days at a time, as many as are to be in memory, oldest first."""
        of_days = [_by_day(parts) for parts in self.parts]
        refused = _by_day(self.refused)
        weighed = (
            (day, sum(light.weight(part) for its in of_days for part in its.get(day, [])))
            for day in sorted(set().union(*of_days))
        )
        for days in light.batches(weighed):
            sent, unsent, now, stayed = (
                [part for day in days for part in its.get(day, [])] for its in of_days
            )
            its_refused = [one for day in days for one in refused.get(day, [])]
            yield Versions(sent, unsent, now, self.names, stayed, its_refused)


@dataclass
class Changes:
    """What became of the events of sources that are planned anew."""

    counts: Counter[Change] = field(default_factory=Counter)
    unread: dict[str, Part] = field(default_factory=dict)
    """What is sent and cannot be read, by its path: which of its events changed is not known."""
    _marked: list[pl.DataFrame] = field(default_factory=list)

    def mark(self, marked: pl.DataFrame, fate: Fate) -> None:
        """Note what is to become of events, of which the `id` and the `time` are given."""
        if marked.height:
            day = pl.from_epoch("time", "us").dt.date().dt.to_string("iso").alias("day")
            self._marked.append(marked.select_seq(day, "id", pl.lit(fate.value).alias("fate")))

    @property
    def fates(self) -> pl.DataFrame:
        """The `day`, `id` and `fate` of the events that are not sent as others are; an id as `ids` makes it."""
        return pl.concat([pl.DataFrame(schema=_FATES), *self._marked])


class _Slice(NamedTuple):
    """Events of some days, each once: as they were, as they are, and those that stayed as they were before."""

    old: pl.DataFrame
    now: pl.DataFrame
    stayed: pl.DataFrame
    unread: Sequence[Part]
    """Sent parts, or parts that stayed, of which no event is known."""

    def left(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the events that are gone by now, and those that were not there before."""
        return self.old.join(self.now, on="id", how="anti"), self.now.join(self.old, on="id", how="anti")


def compare(depot: Depot, versions: Versions, *, resend: bool, tell: Tell = lambda _: None) -> Changes:
    """Return what changed between the versions, some days at a time.

    An event that was sent and is another now is not sent: under another name, of another person or on another day
    PostHog would keep both. With `resend` it is, where these are the same. What is left out is counted, event by event,
    and each event that is gone answers for one that is new at the most.
    """
    found = Changes()
    if not any((versions.sent, versions.unsent, versions.stayed)):
        return found
    gone, stayed, is_new = [pl.DataFrame(schema=_KEYED)], [pl.DataFrame(schema=_KEYED)], False
    for some in versions.stretches():
        for one in _slices(depot, some, tell):
            _mark_changed(one.old, one.now, found, resend=resend)
            found.unread.update((part.path, part) for part in one.unread)
            pairs, vanished, new = known.renamed(*one.left())
            _mark_versions(pairs, found)
            gone.append(vanished.select_seq(*_KEYED))
            stayed.append(one.stayed.select_seq(*_KEYED))
            is_new = is_new or new.height > 0
    vanished, before = pl.concat(gone), pl.concat(stayed)
    if is_new and (vanished.height or before.height):
        vanished = _mark_moved(depot, versions, (vanished, before), found, tell)
    found.counts[Change.UNKNOWN] += sum(part.events for part in found.unread.values())
    sent = int(vanished["is_sent"].sum())
    found.counts[Change.VANISHED_SENT] += sent
    found.counts[Change.VANISHED] += vanished.height - sent
    return found


def _mark_changed(old: pl.DataFrame, now: pl.DataFrame, found: Changes, *, resend: bool) -> None:
    """Note what is to become of events that are there in both versions, and differ."""
    is_same_time = pl.col("time") == pl.col("time_old")
    is_same = is_same_time & (pl.col("told") == pl.col("told_old").fill_null(pl.col("told")))
    both = now.join(old, on="id", suffix="_old").filter(~is_same)
    sent = both.filter("is_sent_old")
    found.counts[Change.REPLACED] += both.height - sent.height
    same, other = sent.filter(is_same_time), sent.filter(~is_same_time)
    if resend:
        found.mark(same, Fate.AGAIN)
    found.mark(other, Fate.STAYS)
    found.counts[Change.RESENT if resend else Change.KEPT] += same.height
    found.counts[Change.KEPT] += other.height


def _mark_versions(pairs: pl.DataFrame, found: Changes) -> None:
    """Note what is to become of events that are versions of others, which were sent or not."""
    kept = pairs.filter("is_sent")
    found.mark(kept, Fate.STAYS)
    found.counts[Change.KEPT] += kept.height
    found.counts[Change.REPLACED] += pairs.height - kept.height


def _mark_moved(
    depot: Depot, versions: Versions, before: tuple[pl.DataFrame, pl.DataFrame], found: Changes, tell: Tell
) -> pl.DataFrame:
    """Note what is to become of events that are there at another time by now, given those that are gone, or stayed.

    Return those of the gone that are not there. What stayed is a version where no other that was planned is.
    """
    gone, stayed = before
    asked = pl.concat([gone["key"], stayed["key"]]).unique().to_frame()
    fresh, *counted = ([pl.DataFrame(schema=_KEYED)] for _ in range(3))
    for some in versions.stretches():
        for one in _slices(depot, some, tell):
            _, _, new = known.renamed(*one.left())
            for all_, frame in zip((fresh, *counted), (new, one.old, one.now), strict=True):
                all_.append(frame.join(asked, on="key", how="semi").select_seq(*_KEYED))
    was, is_ = (pl.concat(all_) for all_ in counted)
    new = pl.concat(fresh).join(known.single(is_), on="key", how="semi")
    pairs = new.drop("is_sent").join(gone.join(known.single(was), on="key", how="semi"), on="key")
    other = known.single(stayed.unique("undated").join(was, on="key", how="anti"))
    again = new.join(other, on="key", how="semi").with_columns(pl.lit(True).alias("is_sent"))
    _mark_versions(pl.concat([pairs.select_seq(again.columns), again]), found)
    return gone.join(pairs, on="key", how="anti")


def _slices(depot: Depot, some: Versions, tell: Tell) -> Iterator[_Slice]:
    """Yield the events of some days, so many at a time."""
    parts = [part for its in some.parts for part in its]
    tell(parts)
    with depot.near(part.path for part in parts):
        yield from _read(depot.workdir, some)


def _read(workdir: Path, some: Versions) -> Iterator[_Slice]:
    slices = max(1, math.ceil(sum(part.events for part in [*some.sent, *some.unsent, *some.now]) / _ROWS))
    for number in range(slices):
        mine = pl.col("uuid") % slices == number if slices > 1 else None
        of_each = [
            _hashes(workdir, sorted(parts, key=lambda part: (part.input, part.path)), some.names, mine)
            for parts in some.parts
        ]
        sent, unsent, now, stayed = (events for events, _ in of_each)
        is_sent = known.accepted(sent, some.refused)
        old = pl.concat([unsent.with_columns(pl.lit(False).alias("is_sent")), sent.with_columns(is_sent)])
        yield _Slice(
            _chosen(old),
            _chosen(now.with_columns(pl.lit(None, pl.Boolean).alias("is_sent"))),
            stayed.drop(_OF_PART).with_columns(pl.lit(True).alias("is_sent")),
            [*of_each[0][1], *of_each[-1][1]],
        )


def _chosen(events: pl.DataFrame) -> pl.DataFrame:
    """Return each event once: that of the last plan of its source, and of those the earliest, as it is sent.

    Of several increments it is that of the last.
    """
    newest = pl.col("input") == pl.col("input").max().over("id", "file", "is_sent")
    order, descending = ["is_sent", "increment", "time"], [True, True, False]
    chosen = events.filter(newest).sort(order, descending=descending, maintain_order=True)
    return chosen.unique("id", keep="first", maintain_order=True).drop(_OF_PART)


def _hashes(
    workdir: Path, parts: Sequence[Part], names: Sequence[str], mine: pl.Expr | None
) -> tuple[pl.DataFrame, list[Part]]:
    """Return the hashes of the events of these files in some parts, or of those that are `mine`.

    Of a part that cannot be read there are none: it is harmed, and is returned, too.
    """
    is_asked = pl.col("file").is_in(list(names))

    def hashed(frame: pl.DataFrame) -> pl.DataFrame:
        its = frame.filter(is_asked)
        every = known.hashed(its).with_columns(its["part"])
        return every if mine is None else every.filter(mine)

    lot = light.read(workdir, parts, _COLUMNS)
    found, unread = [hashed(lot.frame)], list[Part]()
    for place in lot.others:
        part = pl.lit(place, pl.UInt32).alias("part")
        try:
            frames = dayfile.frames(Kept(workdir / parts[place].path, parts[place].seal), _COLUMNS)
            found += [hashed(frame.with_columns(part)) for frame in frames]
        except (Harmed, *dayfile.UNREADABLE):
            unread.append(parts[place])
    every = pl.concat(found)
    if lot.others:
        every = every.sort("part", maintain_order=True)
    of_parts = pl.DataFrame([(one.input, one.increment) for one in parts], _PLACED, orient="row")
    return pl.concat([every.drop("part"), of_parts[every["part"]]], how="horizontal"), unread


def _by_day(some: Iterable[_T]) -> dict[str, list[_T]]:
    """Return parts, or what was refused, by their days."""
    found = defaultdict[str, list[_T]](list)
    for one in some:
        found[one.day].append(one)
    return found
