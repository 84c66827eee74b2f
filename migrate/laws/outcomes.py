"""Rows → what becomes of each, and what all of them tell together: all that a mapping can make of them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl

from migrate.inputs.listing import sources
from migrate.jsontext.parse import encoded
from migrate.kit import events
from migrate.kit.declare import FILE, ROW, Options, Table
from migrate.kit.schemas import FRAMEWORK
from migrate.laws.sample import Row, Rows
from migrate.payload.payloads import Imprint
from migrate.people.states import FIRST, LAST, PLACE_SEEN
from migrate.plan.finished import finished
from migrate.plan.transform import Transform
from migrate.readers.files import read_chunks
from migrate.readers.records import Header
from migrate.workdir.records import Numbers

LATER: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""When it is tried: no event is of the future."""
_OF_EVENTS: Final = (FIRST, LAST, PLACE_SEEN)
"""States that one of many rows stands for: they say nothing that no event says."""
_LEFT_OUT: Final = "column_left_out."
_NO_ONE: Final = re.compile(r"no-id-[0-9a-f-]{36}")
"""An id that is made of a key."""


@dataclass(frozen=True)
class Outcomes:
    """What became of rows, by their place."""

    of_rows: Sequence[Sequence[str]]
    """Payloads, what is told of persons and groups, why it is rejected."""
    events: Sequence[Sequence[Mapping[str, Any]]]
    together: Sequence[str]
    """What was counted, and who is who."""
    linked: frozenset[str]
    """The ids that are told to be someone's, or someone else's, too."""


def outcomes(of: Rows, rows: Sequence[Row], options: Options, *, is_keyed: bool = False) -> Outcomes:
    """Return what becomes of rows of this table. Unless `is_keyed`, all have the same key.

    For nobody reads out of a uuid what a column said.
    """
    table = of.table if is_keyed else _with_one_key(of.table)
    transform = Transform(
        table=table,
        imprint=Imprint(platform="platform", import_id="import"),
        options=options,
        file=of.stem,
        profiled=True,
    )
    found: list[list[str]] = [[] for _ in rows]
    made: list[list[Mapping[str, Any]]] = [[] for _ in rows]
    together: list[str] = []
    linked: set[str] = set()
    if not rows:
        return Outcomes(found, made, together, frozenset())
    names = dict.fromkeys(name for row in (*of.rows, *rows) for name in row)
    with TemporaryDirectory(prefix="migrate-laws-") as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b"".join(encoded(dict.fromkeys(names) | dict(row)) + b"\n" for row in rows))
        (source,) = sources([str(path)]).sources
        for chunk in read_chunks(source, table, Header("jsonl", tuple(names))):
            done = finished(chunk, transform, LATER)
            for number, payload in done.frame.select("row", "payload").iter_rows():
                found[number - 1].append(_NO_ONE.sub("no-id", payload))
                made[number - 1].append(json.loads(payload))
            for row in done.states.filter(~pl.col("what").is_in(_OF_EVENTS)).iter_rows(named=True):
                found[row.pop(ROW) - 1].append(str(row))
            for line in done.rejects:
                found[line["row"] - 1].append(f"{line['reason']} {line['value']}")
            together += [json.dumps(sorted(one.items())) for one in _counts(table, done.numbers)]
            told = _told(table, of.stem, chunk.rows, options)
            together += sorted(map(str, told))
            linked |= {str(cell) for row in told for cell in row}
    return Outcomes(found, made, together, frozenset(linked))


def _counts(table: Table, numbers: Numbers) -> Iterator[Mapping[str, int]]:
    """Yield what a mapping has counted of all rows together; what the framework counts by itself is not of it."""
    yield numbers.filtered
    yield {name: count for name, count in numbers.warnings.items() if name in table.warnings}
    yield {name: count for name, count in numbers.repairs.items() if name.startswith(_LEFT_OUT)}


def _with_one_key(table: Table) -> Table:
    """Return the table with the same key for all rows."""
    if table.to_events is events.none:
        return table
    function = table.to_events

    def to_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
        return function(rows, options).with_columns(dedup_key=pl.lit("key"))

    return replace(table, to_events=to_events)


def _told(table: Table, stem: str, rows: pl.DataFrame, options: Options) -> list[tuple[Any, ...]]:
    """Return what rows tell of ids and of other rows."""
    unknown = {name: pl.lit(None, kind) for name, kind in FRAMEWORK.items() if name not in rows.columns}
    whole = rows.with_columns(**unknown | {FILE: pl.lit(stem)})
    functions = [one for one in (table.to_links, table.to_recoveries, table.clock) if one is not None]
    told = [row for one in functions for row in one(whole.lazy(), options).collect().rows()]
    resolving = [] if table.resolve is None else [table.resolve]
    keys = [one.cast(pl.String).alias("key") for one in (*resolving, *table.recover_keys)]
    return told + [row for key in keys for row in whole.select(ROW, key).rows()]
