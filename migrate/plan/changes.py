"""What sources came to before and what they come to now → which events changed, and what is to become of those.

An event is known again by its uuid; where it has another time, by what its uuid is made of beside that.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from migrate.workdir import dayfile
from migrate.workdir.records import Change, Fate, Part

_ROWS: Final = 2_000_000
"""Events of a day compared at once; some 150 bytes each."""
_BEHIND_TIME: Final = 15
"""Where, in the text of a version-7 uuid, its time and its version end."""
_OF_RELEASE: Final = r',"\$lib_version":"[^"]*"'
"""What a payload says of who made it, and not of its row."""
_COLUMNS: Final = ("timestamp", "event", "distinct_id", "uuid", "payload", "file")
_HASHES: Final = dict.fromkeys(("id", "key", "who", "told"), pl.UInt64)
"""Of the uuid; of what it is made of; of event, distinct_id and time; of the payload, null where it is not kept."""
_GONE: Final = {"key": pl.UInt64, "is_sent": pl.Boolean}


@dataclass(frozen=True)
class Versions:
    """Parts of the same sources, as they were planned before (`sent`: or being sent) and as they are `now`."""

    sent: Sequence[Part]
    unsent: Sequence[Part]
    now: Sequence[Part]
    names: Sequence[str]
    """Of the sources; parts may hold events of others, which were planned together with them."""

    @property
    def parts(self) -> tuple[Sequence[Part], Sequence[Part], Sequence[Part]]:
        """All of them."""
        return self.sent, self.unsent, self.now

    def days(self) -> list[str]:
        """Return the days of all of them."""
        return sorted({part.day for parts in self.parts for part in parts})

    def of(self, day: str) -> "Versions":
        """Return those of a day."""
        sent, unsent, now = ([one for one in parts if one.day == day] for parts in self.parts)
        return Versions(sent, unsent, now, self.names)


@dataclass
class Changes:
    """What became of the events of sources that are planned anew."""

    counts: Counter[Change] = field(default_factory=Counter)
    fates: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Day -> `id` and `fate` of the events that are not sent as others are; an id as `ids` makes it."""

    def mark(self, day: str, ids: pl.Series, fate: Fate) -> None:
        """Note what is to become of events of a day."""
        if ids.len():
            more = pl.DataFrame({"id": ids}).with_columns(pl.lit(fate.value).alias("fate"))
            self.fates[day] = pl.concat([self.fates[day], more]) if day in self.fates else more


def compare(workdir: Path, versions: Versions, *, resend: bool, refused: Sequence[str] = ()) -> Changes:
    """Return what changed between the versions.

    An event that was sent and is another now is not sent: under another name, of another person or on another day
    PostHog would keep both. With `resend` it is, where these are the same. What was sent of `refused` uuids was refused
    by PostHog, and counts as not sent.
    """
    found = Changes()
    no = ids(pl.Series("uuid", refused, dtype=pl.String))
    gone = [pl.DataFrame(schema=_GONE)]
    for day in versions.days():
        for old, now in _pairs(workdir, versions.of(day), no):
            _mark_changed(day, old, now, found, resend=resend)
            gone.append(old.join(now, on="id", how="anti").select_seq(*_GONE))
    vanished = pl.concat(gone).group_by("key").agg(pl.col("is_sent").any(), pl.len().alias("many"))
    moved = [pl.DataFrame(schema=_GONE)]
    for day in versions.days() if vanished.height else ():
        for old, now in _pairs(workdir, versions.of(day), no):
            fresh = now.join(old, on="id", how="anti").join(vanished, on="key")
            found.mark(day, fresh.filter("is_sent")["id"], Fate.STAYS)
            moved.append(fresh.select_seq(*_GONE))
    back = pl.concat(moved).group_by("key").agg(pl.len().alias("back"))
    counted = vanished.join(back, on="key", how="left").with_columns(pl.col("back").fill_null(0))
    met = pl.min_horizontal("many", "back")
    for is_sent, change, left in (
        (True, Change.KEPT, Change.VANISHED_SENT),
        (False, Change.REPLACED, Change.VANISHED),
    ):
        of = counted.filter(pl.col("is_sent") == is_sent)
        found.counts[change] += int(of.select_seq(met.sum()).item())
        found.counts[left] += int(of.select_seq((pl.col("many") - met).sum()).item())
    return found


def ids(uuids: pl.Series) -> pl.Series:
    """Return what events are known by here, of their uuids; the same within one process."""
    return uuids.hash(seed=1)


def _mark_changed(day: str, old: pl.DataFrame, now: pl.DataFrame, found: Changes, *, resend: bool) -> None:
    """Note what is to become of a day's events that are there in both versions, and differ."""
    is_same_event = pl.col("who") == pl.col("who_old")
    is_same = is_same_event & (pl.col("told") == pl.col("told_old").fill_null(pl.col("told")))
    both = now.join(old, on="id", suffix="_old").filter(~is_same)
    sent = both.filter("is_sent")
    found.counts[Change.REPLACED] += both.height - sent.height
    same, other = sent.filter(is_same_event), sent.filter(~is_same_event)
    if resend:
        found.mark(day, same["id"], Fate.AGAIN)
    found.mark(day, other["id"], Fate.STAYS)
    found.counts[Change.RESENT if resend else Change.KEPT] += same.height
    found.counts[Change.KEPT] += other.height


def _pairs(workdir: Path, day: Versions, no: pl.Series) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield a day's events as they were and as they are, each once, so many at a time; `no` are ids not sent."""
    slices = max(1, math.ceil(sum(part.events for parts in day.parts for part in parts) / _ROWS))
    for number in range(slices):
        mine = (pl.col("id") % slices == number) & pl.col("file").is_in(day.names)
        sent, unsent, now = (
            _hashes(workdir, sorted(parts, key=lambda part: (part.input, part.path)), mine)
            for parts in day.parts
        )
        is_sent = ~pl.col("id").is_in(no.implode())
        old = pl.concat(
            [unsent.with_columns(pl.lit(False).alias("is_sent")), sent.with_columns(is_sent.alias("is_sent"))]
        )
        yield (
            old.unique("id", keep="last", maintain_order=True),
            now.unique("id", keep="first", maintain_order=True),
        )


def _hashes(workdir: Path, parts: Sequence[Part], mine: pl.Expr) -> pl.DataFrame:
    """Return the hashes of the events of some parts that are `mine`; none of those that cannot be read."""
    found = [pl.DataFrame(schema=_HASHES)]
    for part in parts:
        try:
            frames = dayfile.frames(workdir / part.path, _COLUMNS)
            found += [_hashed(frame).filter(mine).drop("file") for frame in frames]
        except dayfile.UNREADABLE:
            continue  # harmed: which of its events changed cannot be known
    return pl.concat(found)


def _hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the hashes of events."""
    uuid, payload = pl.col("uuid"), pl.col("payload")
    told = pl.when(payload != dayfile.STRIPPED).then(payload.str.replace(_OF_RELEASE, "").hash())
    who = pl.concat_str(pl.col("timestamp").dt.epoch("us"), "event", "distinct_id", separator="\x1f")
    return frame.select_seq(
        pl.lit(ids(frame["uuid"])).alias("id"),
        uuid.str.slice(_BEHIND_TIME).hash().alias("key"),
        who.hash().alias("who"),
        told.alias("told"),
        "file",
    )
