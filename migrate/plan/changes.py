"""What sources came to before and what they come to now → which events changed, and what is to become of those.

PostHog tells events apart by uuid, event name, distinct_id and day; `versions` says which of two is the other, changed.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from migrate.plan import versions as known
from migrate.workdir import dayfile
from migrate.workdir.depot import Depot
from migrate.workdir.parked import Key
from migrate.workdir.records import Change, Fate, Part

_ROWS: Final = 2_000_000
"""Events of a day compared at once; some 150 bytes each."""
_COLUMNS: Final = ("timestamp", "event", "distinct_id", "uuid", "payload", "file")
_OF_PART: Final[dict[str, Any]] = {"file": pl.String, "input": pl.Int64, "increment": pl.Int64}
_KEYED: Final[dict[str, Any]] = {"key": pl.UInt64, "id": pl.UInt64, "is_sent": pl.Boolean}


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

    def days(self) -> list[str]:
        """Return the days of all of them."""
        return sorted({part.day for parts in self.parts for part in parts})

    def of(self, day: str) -> "Versions":
        """Return those of a day."""
        sent, unsent, now, stayed = ([one for one in parts if one.day == day] for parts in self.parts)
        refused = [one for one in self.refused if one.day == day]
        return Versions(sent, unsent, now, self.names, stayed, refused)


@dataclass
class Changes:
    """What became of the events of sources that are planned anew."""

    counts: Counter[Change] = field(default_factory=Counter)
    fates: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Day -> `id` and `fate` of the events that are not sent as others are; an id as `ids` makes it."""

    def mark(self, day: str, marked: pl.Series, fate: Fate) -> None:
        """Note what is to become of events of a day."""
        if marked.len():
            more = pl.DataFrame({"id": marked}).with_columns(pl.lit(fate.value).alias("fate"))
            self.fates[day] = pl.concat([self.fates[day], more]) if day in self.fates else more


class _Slice(NamedTuple):
    """Events of a day, each once: as they were, as they are, and those that stayed as they were before."""

    old: pl.DataFrame
    now: pl.DataFrame
    stayed: pl.DataFrame

    def left(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the events that are gone by now, and those that were not there before."""
        return self.old.join(self.now, on="id", how="anti"), self.now.join(self.old, on="id", how="anti")


def compare(depot: Depot, versions: Versions, *, resend: bool) -> Changes:
    """Return what changed between the versions.

    An event that was sent and is another now is not sent: under another name, of another person or on another day
    PostHog would keep both. With `resend` it is, where these are the same. What is left out is counted, event by event,
    and each event that is gone answers for one that is new at the most.
    """
    found = Changes()
    gone, stayed, is_new = [pl.DataFrame(schema=_KEYED)], [pl.DataFrame(schema=_KEYED)], False
    for day in versions.days():
        for one in _slices(depot, versions.of(day)):
            _mark_changed(day, one.old, one.now, found, resend=resend)
            pairs, vanished, new = known.renamed(*one.left())
            _mark_versions(day, pairs, found)
            gone.append(vanished.select_seq(*_KEYED))
            stayed.append(one.stayed.select_seq(*_KEYED))
            is_new = is_new or new.height > 0
    vanished, before = pl.concat(gone), pl.concat(stayed)
    if is_new and (vanished.height or before.height):
        vanished = _mark_moved(depot, versions, (vanished, before), found)
    sent = int(vanished["is_sent"].sum())
    found.counts[Change.VANISHED_SENT] += sent
    found.counts[Change.VANISHED] += vanished.height - sent
    return found


def _mark_changed(day: str, old: pl.DataFrame, now: pl.DataFrame, found: Changes, *, resend: bool) -> None:
    """Note what is to become of a day's events that are there in both versions, and differ."""
    is_same_time = pl.col("time") == pl.col("time_old")
    is_same = is_same_time & (pl.col("told") == pl.col("told_old").fill_null(pl.col("told")))
    both = now.join(old, on="id", suffix="_old").filter(~is_same)
    sent = both.filter("is_sent_old")
    found.counts[Change.REPLACED] += both.height - sent.height
    same, other = sent.filter(is_same_time), sent.filter(~is_same_time)
    if resend:
        found.mark(day, same["id"], Fate.AGAIN)
    found.mark(day, other["id"], Fate.STAYS)
    found.counts[Change.RESENT if resend else Change.KEPT] += same.height
    found.counts[Change.KEPT] += other.height


def _mark_versions(day: str, pairs: pl.DataFrame, found: Changes) -> None:
    """Note what is to become of a day's events (`id`) that are versions of others, which were sent or not."""
    kept = pairs.filter("is_sent")
    found.mark(day, kept["id"], Fate.STAYS)
    found.counts[Change.KEPT] += kept.height
    found.counts[Change.REPLACED] += pairs.height - kept.height


def _mark_moved(
    depot: Depot, versions: Versions, before: tuple[pl.DataFrame, pl.DataFrame], found: Changes
) -> pl.DataFrame:
    """Note what is to become of events that are there at another time by now, given those that are gone, or stayed.

    Return those of the gone that are not there. What stayed is a version where no other that was planned is.
    """
    gone, stayed = before
    asked = pl.concat([gone["key"], stayed["key"]]).unique().to_frame()
    fresh, *counted = ([pl.DataFrame(schema=_KEYED)] for _ in range(3))
    days = [pl.Series("day", [], pl.String)]
    for day in versions.days():
        for one in _slices(depot, versions.of(day)):
            _, _, new = known.renamed(*one.left())
            for all_, frame in zip((fresh, *counted), (new, one.old, one.now), strict=True):
                all_.append(frame.join(asked, on="key", how="semi").select_seq(*_KEYED))
            days.append(pl.repeat(day, fresh[-1].height, eager=True).alias("day"))
    was, is_ = (pl.concat(all_) for all_ in counted)
    new = pl.concat(fresh).with_columns(pl.concat(days)).join(known.single(is_), on="key", how="semi")
    pairs = new.drop("is_sent").join(gone.join(known.single(was), on="key", how="semi"), on="key")
    other = known.single(stayed.unique("id").join(was, on="key", how="anti"))
    again = new.join(other, on="key", how="semi").with_columns(pl.lit(True).alias("is_sent"))
    for (day,), of_day in pl.concat([pairs.select_seq(again.columns), again]).group_by("day"):
        _mark_versions(str(day), of_day, found)
    return gone.join(pairs, on="key", how="anti")


def _slices(depot: Depot, day: Versions) -> Iterator[_Slice]:
    """Yield a day's events, so many at a time."""
    with depot.near(part.path for parts in day.parts for part in parts):
        yield from _read(depot.workdir, day)


def _read(workdir: Path, day: Versions) -> Iterator[_Slice]:
    slices = max(1, math.ceil(sum(part.events for part in [*day.sent, *day.unsent, *day.now]) / _ROWS))
    for number in range(slices):
        mine = (pl.col("uuid") % slices == number) & pl.col("file").is_in(day.names)
        sent, unsent, now, stayed = (
            _hashes(workdir, sorted(parts, key=lambda part: (part.input, part.path)), mine)
            for parts in day.parts
        )
        is_sent = known.accepted(sent, day.refused)
        old = pl.concat([unsent.with_columns(pl.lit(False).alias("is_sent")), sent.with_columns(is_sent)])
        yield _Slice(
            _chosen(old),
            _chosen(now.with_columns(pl.lit(None, pl.Boolean).alias("is_sent"))),
            stayed.drop(_OF_PART).with_columns(pl.lit(True).alias("is_sent")),
        )


def _chosen(events: pl.DataFrame) -> pl.DataFrame:
    """Return each event once: that of the last plan of its source, and of those the earliest, as it is sent.

    Of several increments it is that of the last.
    """
    newest = pl.col("input") == pl.col("input").max().over("id", "file", "is_sent")
    order, descending = ["is_sent", "increment", "time"], [True, True, False]
    chosen = events.filter(newest).sort(order, descending=descending, maintain_order=True)
    return chosen.unique("id", keep="first", maintain_order=True).drop(_OF_PART)


def _hashes(workdir: Path, parts: Sequence[Part], mine: pl.Expr) -> pl.DataFrame:
    """Return the hashes of the events of some parts that are `mine`; none of those that cannot be read."""
    found = [pl.DataFrame(schema=known.HASHES | _OF_PART)]
    for part in parts:
        try:
            frames = dayfile.frames(workdir / part.path, _COLUMNS)
            its = [pl.lit(getattr(part, name), pl.Int64).alias(name) for name in ("input", "increment")]
            found += [known.hashed(frame).filter(mine).with_columns(its) for frame in frames]
        except dayfile.UNREADABLE:
            continue  # harmed: which of its events changed cannot be known
    return pl.concat(found)
