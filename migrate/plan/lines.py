"""Rows that are rejected → lines of rejects.jsonl, each with the row as its file had it."""

from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR
from typing import Any

import polars as pl

from migrate.jsontext.parse import raw_object
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.records import Reject


def unread(rejects: list[Reject]) -> Iterator[dict[str, Any]]:
    """Yield the lines of what the reader could not read."""
    for reject in rejects:
        line: dict[str, object] = {"row": reject.row, "reason": reject.reason, "value": reject.value}
        yield line if reject.why is None else line | {"why": reject.why}


def rejected_rows(rejects: pl.DataFrame, rows: pl.DataFrame, table: Table) -> Iterator[dict[str, Any]]:
    """Yield the lines of rejected rows, each with the row itself, so that it can be mended and planned again."""
    if not rejects.height:
        return
    sources = rows.filter(pl.col(ROW).is_in(rejects[ROW].implode()))
    by_row = {row[ROW]: row for row in python_rows(sources)}
    for number, reason, value in rejects.sort(ROW).iter_rows():
        shown = None if value is None else value[:500]
        yield {"row": number, "reason": reason, "value": shown, "source": as_read(by_row[number], table)}


def in_order(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines in the order of their rows, so that it is the same wherever chunks end; those of none come last."""
    return sorted(lines, key=lambda line: (line["row"] is None, line["row"] or 0))


def python_rows(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield rows as Python has them; a day or time in a year that Python has none for is told as text."""
    years = {
        name: rows[name].dt.year() for name, dtype in rows.schema.items() if dtype in (pl.Date, pl.Datetime)
    }
    far = [name for name, year in years.items() if not year.is_between(MINYEAR, MAXYEAR).all()]
    return rows.with_columns(pl.col(far).dt.to_string("iso")).iter_rows(named=True)


def as_read(row: dict[str, Any], table: Table) -> dict[str, Any]:
    """Return a row as its file had it: declared columns and the rest, as JSON text (`msgspec.Raw`), without nulls."""
    rest = raw_object(row.get(REST) or "{}")
    known = {name: value for name, value in row.items() if value is not None and name in table.columns}
    return known | rest
