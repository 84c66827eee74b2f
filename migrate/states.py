"""What rows tell of whole persons and groups: kept aside while events are planned, told once in the end.

Of all that is told of a person, the latest is planned; of a group, whatever differs from what was told before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from migrate import checks, events, expr, jsontext, special
from migrate.mapping import ROW, Options, Schema, Table
from migrate.people import People
from migrate.seals import Kept

_COLUMNS: Final[Schema] = {
    "owner": pl.String,
    "timestamp": events.TIMESTAMP,
    "distinct_id": pl.String,
    "properties": pl.String,
    "set_once": pl.String,
}
SCHEMA: Final = pl.Schema(_COLUMNS)
_PERSON: Final = "p"
_GROUP: Final = "g"
_BETWEEN: Final = "\x1f"
_BUCKET_BYTES: Final = 64 * 2**20
"""What the states of one bucket may take, uncompressed, while they are put in order."""
_MOST_BUCKETS: Final = 256
_ASKED: Final = 20_000
_REJECTS: Final = special.REJECTS


@dataclass(frozen=True)
class Told:
    """`frame`: `SCHEMA` and `_row`; `rejects`: `_row`, `reason`, `value`."""

    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_REJECTS))
    warnings: Counter[str] = field(default_factory=Counter)


def told(rows: pl.LazyFrame, table: Table, options: Options, people: People | None) -> Told:
    """Return the states that rows tell. What is told of an id that is no one's is left out and counted.

    A profile goes to the person whose id it is in the end, where rows have not been asked for theirs already.
    """
    found = []
    if table.to_profiles and options.person_properties != "none":
        profiles = table.to_profiles(rows, options)
        if people and table.resolve is None:
            whole = profiles.collect()
            persons = people.persons(whole["distinct_id"])
            profiles = whole.with_columns_seq(
                persons.fill_null(whole["distinct_id"]).alias("distinct_id")
            ).lazy()
        found.append(_profiles(profiles))
    if table.to_groups:
        found.append(_groups(table.to_groups(rows, options)))
    if not found:
        return Told(pl.DataFrame(schema={ROW: pl.Int64, **_COLUMNS}))
    frame = pl.concat(pl.collect_all(found))
    is_person = pl.col("owner").str.starts_with(_PERSON)
    nobody = is_person & checks.junk(pl.col("distinct_id"))
    reason = (
        pl.when(is_person & (pl.col("distinct_id").str.len_bytes() > checks.MAX_DISTINCT_ID_BYTES))
        .then(pl.lit("distinct_id_too_long"))
        .when(~is_person & (pl.col("owner").str.len_chars() > special.MAX_GROUP_KEY))
        .then(pl.lit("group_key_too_long"))
    )
    judged = frame.with_columns_seq(nobody.alias("nobody"), reason.alias("reason"))
    rejects = judged.filter(pl.col("reason").is_not_null()).select_seq(
        ROW, "reason", pl.col("owner").str.slice(1, 200).alias("value")
    )
    kept = judged.filter(~pl.col("nobody") & pl.col("reason").is_null()).drop("nobody", "reason")
    return Told(kept, rejects, +Counter({"profile_of_no_one": int(judged["nobody"].sum())}))


def seen(frame: pl.DataFrame) -> pl.DataFrame:
    """Return until when the people of these events were seen, as states that say nothing else: `SCHEMA` and `_row`."""
    last = (
        frame.lazy()
        .group_by("distinct_id", maintain_order=True)
        .agg(pl.col(ROW, "timestamp").sort_by("timestamp").last())
    )
    nothing = pl.lit(None, pl.String)
    owner = pl.concat_str(pl.lit(_PERSON), "distinct_id").alias("owner")
    return last.select_seq(
        ROW, owner, "timestamp", "distinct_id", nothing.alias("properties"), nothing.alias("set_once")
    ).collect()


def _profiles(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return profiles as states."""
    person = pl.col("distinct_id").str.strip_chars()
    return frame.with_columns_seq(person).select_seq(
        ROW,
        pl.concat_str(pl.lit(_PERSON), "distinct_id").alias("owner"),
        "timestamp",
        "distinct_id",
        pl.col("set").alias("properties"),
        "set_once",
    )


def _groups(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return group states; of one time and group the first row's person tells it."""
    owner = pl.concat_str(pl.lit(_GROUP), "group_type", pl.lit(_BETWEEN), "group_key")
    return frame.select_seq(
        ROW,
        owner.alias("owner"),
        "timestamp",
        "distinct_id",
        pl.col("properties").fill_null("{}"),
        pl.lit(None, pl.String).alias("set_once"),
    )


class States:
    """The states of one input, written aside as they are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Take states. Of each person the latest of these is enough; of groups all are needed.

        What lies between two states of a group may stand in another file.
        """
        if not frame.height:
            return
        is_person = pl.col("owner").str.starts_with(_PERSON)
        ordered = frame.drop(ROW).sort(*_order())
        persons = ordered.filter(is_person).with_columns_seq(_says_nothing().alias("nothing"))
        latest = persons.unique(["owner", "nothing"], keep="last", maintain_order=True).drop("nothing")
        groups = ordered.filter(~is_person).unique(maintain_order=True)
        table = pl.concat([latest, groups]).select_seq(SCHEMA.names()).to_arrow()
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> bool:
        """Write the file's end; return whether there is a file."""
        if self._writer is None:
            return False
        self._writer.close()
        return True


def _says_nothing() -> pl.Expr:
    """Return whether a person's state says only until when the person was seen."""
    return pl.col("properties").is_null() & pl.col("set_once").is_null()


def _order() -> list[pl.Expr]:
    """Return what states are put in order by: whose, when (what is of the export last), and then by what they say."""
    time = pl.col("timestamp")
    return [
        pl.col("owner"),
        time.is_null(),
        time,
        pl.col("properties"),
        pl.col("set_once"),
        pl.col("distinct_id"),
    ]


@dataclass(frozen=True)
class News:
    """`frame`: an event frame of what is to be told; `told`: owner, time in microseconds and digest of it, to keep."""

    frame: pl.DataFrame
    told: list[tuple[str, int, str]]


def news(files: Sequence[Kept], people: People, end: datetime | None, aside: Path) -> Iterator[News]:
    """Yield what these files tell that was not told before, some owners at a time.

    A person is told of when the last of that history is seen, or the time of the state if that is later; a state as
    of the export, of a person without events, at `end`. `aside` is a folder for what does not fit into memory; one
    bucket of owners is held at a time.
    """
    for bucket in _buckets(files, aside):
        fresh = _fresh(bucket, people, end)
        last = fresh.unique("owner", keep="last", maintain_order=True)
        kept = last.select_seq("owner", pl.col("timestamp").dt.epoch("us"), "digest").rows()
        for some in fresh.iter_slices(_ASKED):
            yield News(_events(some), kept)
            kept = []


def _buckets(files: Sequence[Kept], aside: Path) -> Iterator[pl.DataFrame]:
    """Yield the states, all of one owner in the same frame."""
    size = sum(_bytes(file) for file in files)
    count = min(_MOST_BUCKETS, size // _BUCKET_BYTES + 1)
    if count == 1:
        yield pl.concat([_read(file) for file in files], rechunk=False)
        return
    aside.mkdir(parents=True, exist_ok=True)
    buckets = [aside / f"bucket-{number:03d}.parquet" for number in range(count)]
    with ExitStack() as stack:
        schema = pl.DataFrame(schema=SCHEMA).to_arrow().schema
        writers = [stack.enter_context(pq.ParquetWriter(path, schema, compression="lz4")) for path in buckets]
        for file in files:
            for frame in _pieces(file):
                number = (pl.col("owner").hash() % count).alias("bucket")
                for (bucket,), part in (
                    frame.with_columns_seq(number).partition_by("bucket", as_dict=True).items()
                ):
                    writers[bucket].write_table(part.drop("bucket").to_arrow().cast(schema))
    for kept in map(Kept.of, buckets):
        yield _read(kept)
        kept.path.unlink()


def _read(file: Kept) -> pl.DataFrame:
    """Return all states of a file."""
    return pl.concat([pl.DataFrame(schema=SCHEMA), *_pieces(file)])


def _pieces(file: Kept) -> Iterator[pl.DataFrame]:
    """Yield a file's states, some at a time."""
    with file.opened() as source, pq.ParquetFile(source, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(_ASKED):
            yield pl.DataFrame(pa.table(batch)).select_seq(SCHEMA.names()).cast(SCHEMA)


def _bytes(file: Kept) -> int:
    """Return what a file takes, uncompressed."""
    with file.opened() as source:
        metadata = pq.read_metadata(source)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))


def _fresh(states: pl.DataFrame, people: People, end: datetime | None) -> pl.DataFrame:
    """Return what of these states was not told before, in order, with its `digest`."""
    known = people.told(states["owner"].unique().to_list())
    before = pl.DataFrame(known, {"owner": pl.String, "told_time": pl.Int64, "told": pl.String}, orient="row")
    is_person = pl.col("owner").str.starts_with(_PERSON)
    until = pl.col("timestamp").filter(_says_nothing()).max().over("owner")
    ordered = (
        states.sort(*_order())
        .with_columns_seq(
            pl.when(is_person)
            .then(pl.max_horizontal("timestamp", until))
            .otherwise("timestamp")
            .alias("timestamp")
        )
        .filter(~(is_person & _says_nothing()))
        .with_columns_seq(
            pl.col("timestamp").fill_null(pl.lit(end, events.TIMESTAMP)),
            expr.digest(*(expr.canonical(pl.col(name)) for name in ("properties", "set_once"))).alias(
                "digest"
            ),
        )
        .join(before, on="owner", how="left", maintain_order="left")
        .filter(pl.col("told_time").is_null() | (pl.col("timestamp").dt.epoch("us") >= pl.col("told_time")))
    )
    latest = ordered.filter(is_person).unique("owner", keep="last", maintain_order=True)
    others = ordered.filter(~is_person)
    previous = pl.coalesce(pl.col("digest").shift().over("owner"), pl.col("told"))
    return pl.concat(
        [
            latest.filter(pl.col("digest").ne_missing(pl.col("told"))),
            others.filter(pl.col("digest").ne_missing(previous)),
        ]
    )


def _events(fresh: pl.DataFrame) -> pl.DataFrame:
    """Return the event frame that tells these states."""
    numbered = fresh.with_row_index(ROW, 1).with_columns_seq(pl.col(ROW).cast(pl.Int64)).lazy()
    is_person = pl.col("owner").str.starts_with(_PERSON)
    persons, groups = numbered.filter(is_person), numbered.filter(~is_person)
    return events.concat([_persons(persons), _group_events(groups)]).collect()


def _persons(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$set` event for each person."""
    return events.events(
        states,
        event=pl.lit("$set"),
        distinct_id=pl.col("distinct_id"),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("profile"), pl.col("owner"), pl.col("digest")),
        set=pl.col("properties"),
        set_once=pl.col("set_once"),
    )


def _group_events(states: pl.LazyFrame) -> pl.LazyFrame:
    """Return a `$groupidentify` event for each state; without a person it has the id server libraries give it."""
    parts = pl.col("owner").str.slice(1).str.split_exact(_BETWEEN, 1).struct
    kind, key = parts.field("field_0"), parts.field("field_1")
    named = {"$group_type": kind, "$group_key": key}
    return events.events(
        states,
        event=pl.lit("$groupidentify"),
        distinct_id=pl.coalesce(pl.col("distinct_id"), pl.format("${}_{}", kind, key)),
        timestamp=pl.col("timestamp"),
        dedup_key=expr.key(pl.lit("groupidentify"), pl.col("owner"), pl.col("digest")),
        properties=jsontext.object_text(named, json={"$group_set": pl.col("properties")}),
    )
