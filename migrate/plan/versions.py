"""Which of two events of a row is the other, changed: told by hashes of what PostHog tells events apart by."""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from migrate.workdir import dayfile
from migrate.workdir.parked import Key

_BEHIND_TIME: Final = 15
"""Where, in the text of a version-7 uuid, its time and its version end."""
_OF_RELEASE: Final = r',"\$lib_version":"[^"]*"'
"""What a payload says of who made it, and not of its row."""
_DAY: Final = pl.col("timestamp").dt.date()
_ODD: Final = 0x9E3779B97F4A7C15
"""Times this, and the next added, several hashes are one."""
HASHES: Final[dict[str, Any]] = {
    "id": pl.UInt64,
    "uuid": pl.UInt64,
    "event": pl.UInt64,
    "owner": pl.UInt64,
    "key": pl.UInt64,
    "undated": pl.UInt64,
    "time": pl.Int64,
    "told": pl.UInt64,
}
"""`id`: of the next three together; `uuid`: of that and its UTC day; `key`: what is the same at another time;
`undated`: the `id` it would be on any day; `told`: of the payload, null where it is not kept. `time` is no hash."""
_PAIRED: Final = {("uuid", "event"): pl.col("many_now") <= pl.col("many")} | dict.fromkeys(
    [("uuid", "owner"), ("uuid",)], pl.col("many_now") == pl.col("many")
)
"""What two versions of an event have in common, and when they are so: two persons may have become one; else as many new
ones are there as are gone."""


def ids(frame: pl.DataFrame) -> pl.Series:
    """Return what events are known by here: uuid, UTC day, event and distinct_id; the same within one process."""
    return frame.select_seq(_mixed(*_three(_DAY)).alias("id")).to_series()


def hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the hashes of events, as `HASHES` has them, and their `file`.

    The text behind the time of a uuid is what it is made of only where migrate made it: of one of version 1 all events
    of a machine have the same. Whether it did is told by its version and the last 16 bits of its time, which is the
    event's own. (What other programs make of that time is random behind it: nothing else has the same.)
    """
    uuid, payload = pl.col("uuid"), pl.col("payload")
    told = pl.when(payload != dayfile.STRIPPED).then(payload.str.replace(_OF_RELEASE, "").hash())
    time = uuid.str.slice(9, 4).str.to_integer(base=16, strict=False)
    is_ours = (uuid.str.slice(_BEHIND_TIME - 1, 1) == "7") & (
        time == pl.col("timestamp").dt.epoch("ms").clip(0, (1 << 48) - 1) % (1 << 16)
    )
    one, event, owner = _three(_DAY)
    behind = uuid.str.slice(_BEHIND_TIME).hash(seed=4)
    found = frame.select_seq(
        one.alias("uuid"),
        _uuid().alias("plain"),
        event.alias("event"),
        owner.alias("owner"),
        behind.alias("behind"),
        is_ours.fill_null(False).alias("is_ours"),
        pl.col("timestamp").dt.epoch("us").alias("time"),
        told.alias("told"),
        "file",
    )
    of_row = (
        pl.when("is_ours").then(_mixed(pl.col("behind"), pl.col("event"), pl.col("owner"))).otherwise("plain")
    )
    return found.select_seq(
        _mixed(pl.col("uuid"), pl.col("event"), pl.col("owner")).alias("id"),
        "uuid",
        "event",
        "owner",
        of_row.alias("key"),
        _mixed(pl.col("plain"), pl.col("event"), pl.col("owner")).alias("undated"),
        "time",
        "told",
        "file",
    )


def accepted(sent: pl.DataFrame, refused: Sequence[Key]) -> pl.Series:
    """Return, as `is_sent`, which events that were sent are not among those `refused` of their days.

    Of a uuid that stands for one event alone, what was refused is that one, whatever people have mended in it since.
    """
    if not refused:
        return pl.repeat(True, sent.height, eager=True).alias("is_sent")
    given = pl.DataFrame(
        {name: [getattr(one, name) for one in refused] for name in Key._fields},
        schema=dict.fromkeys(Key._fields, pl.String),
    )
    three = _three(pl.col("day").str.to_date())
    meant = given.select_seq(_mixed(*three).alias("id"), three[0].alias("uuid"))
    is_exact = pl.col("id").is_in(meant["id"].implode())
    is_other = pl.col("uuid").is_in(meant["uuid"].implode()) & ~is_exact.any().over("uuid")
    return sent.select_seq((~(is_exact | is_other)).alias("is_sent")).to_series()


def renamed(gone: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return which events that were not there are versions of those that are gone, and what is left of both.

    They have the same uuid on the same day, and another name or another person. Where one uuid stands for several
    events, and more are there than are gone, it cannot be told which are versions: all are new.
    """
    pairs = [new.clear()]
    for common, is_so in _PAIRED.items() if gone.height and new.height else ():
        old, now = (
            frame.sort("is_sent", descending=True, maintain_order=True).with_columns(
                pl.len().over(common).alias("many"), pl.int_range(pl.len()).over(common).alias("place")
            )
            for frame in (
                gone.join(new, on="uuid", how="semi"),
                new.join(gone, on="uuid", how="semi"),
            )
        )
        met = now.join(old, on=[*common, "place"], suffix="_old").rename(
            {"many": "many_now", "many_old": "many"}
        )
        met = met.filter(is_so)
        pairs.append(met.with_columns(pl.col("is_sent_old").alias("is_sent")).select_seq(new.columns))
        gone = gone.join(met, left_on="id", right_on="id_old", how="anti")
        new = new.join(met, on="id", how="anti")
    return pl.concat(pairs), gone, new


def single(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the keys that stand there once."""
    return frame.group_by("key").agg(pl.len().alias("many")).filter(pl.col("many") == 1).select_seq("key")


def _three(day: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return the hashes of what PostHog tells events apart by: their uuid and day, name, and person."""
    uuid = _mixed(_uuid(), day.hash(seed=5))
    return uuid, pl.col("event").hash(seed=2), pl.col("distinct_id").hash(seed=3)


def _uuid() -> pl.Expr:
    return pl.col("uuid").hash(seed=1)


def _mixed(*hashes: pl.Expr) -> pl.Expr:
    """Return one hash of several."""
    first, *others = hashes
    for other in others:
        first = first * pl.lit(_ODD, pl.UInt64) + other
    return first
