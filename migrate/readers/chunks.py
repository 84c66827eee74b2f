"""A part of a file → the chunk it comes to: objects opened, ids judged, declared types cast, columns computed."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import polars as pl

from migrate.jsontext.parse import raw_object
from migrate.kit import nulls
from migrate.kit.declare import REST, ROW, Table
from migrate.readers.computed import with_computed
from migrate.readers.opener import Opener
from migrate.readers.records import (
    ROUNDED,
    Chunk,
    Part,
    reject,
)

_WORDS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def chunk_of(part: Part, table: Table, opener: Opener) -> Chunk:
    """Return the chunk a part comes to: objects opened, declared types cast, columns computed."""
    rows = _with_ids(opener.open(part), table.ids, part)
    if table.left_out is not None:
        _note_left_out(rows, table.left_out, part)
    for column, dtype in table.columns.items():
        if dtype != pl.String:
            rows = _cast(rows, column, dtype, part.counts)
    chunk = _chunk(rows, part)
    return chunk if table.joins else computed_chunk(chunk, table)


def computed_chunk(chunk: Chunk, table: Table) -> Chunk:
    """Return a chunk with the columns that are computed; where a table has joins these come first."""
    if not table.computed:
        return chunk
    part = Part(chunk.rows, [*chunk.rejects], Counter(chunk.counts))
    rows = with_computed(chunk.rows, table, part.counts)
    return _chunk(_with_ids(rows, [name for name in table.ids if name in table.computed], part), part)


def _chunk(rows: pl.DataFrame, part: Part) -> Chunk:
    """Return rows and a part's rejects, these in order."""
    rejects = sorted(part.rejects, key=lambda one: -1 if one.row is None else one.row)
    return Chunk(rows, rejects, part.counts)


def _note_left_out(rows: pl.DataFrame, is_left_out: Callable[[str], object], part: Part) -> None:
    """Count what rows have in columns that go nowhere."""
    for rest in rows[REST].drop_nulls():
        for name in raw_object(rest):
            if is_left_out(name):
                part.counts[f"column_left_out.{name}"] += 1


def _with_ids(rows: pl.DataFrame, ids: Iterable[str], part: Part) -> pl.DataFrame:
    """Return the rows with nothing in the place of ids that mean nothing, which are counted.

    Rows with an id that was rounded, or of which a part could not be read, are rejects: each stands for many.
    """
    names = [
        name for name in ids if rows.schema.get(name) == pl.String and rows[name].null_count() < rows.height
    ]
    if not names:
        return rows
    is_word = nulls.means_nothing(pl.col(names))
    rules: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "invalid_text": lambda text: text.str.contains("\ufffd", literal=True),
        "rounded_id": lambda text: text.str.starts_with(ROUNDED),
    }
    found = {"word": is_word} | {reason: rule(pl.col(names)) for reason, rule in rules.items()}
    odd = rows.select_seq(
        pl.any_horizontal(one.fill_null(value=False)).alias(name) for name, one in found.items()
    )
    if odd["word"].any():
        part.counts["null_text"] += int(odd["word"].sum())
        rows = rows.with_columns(pl.when(~is_word).then(pl.col(names)))
    for reason, rule in rules.items():
        if not odd[reason].any():
            continue
        first = pl.coalesce(pl.when(rule(pl.col(name))).then(pl.col(name)) for name in names)
        for number, text in rows.filter(odd[reason]).select_seq(ROW, first).iter_rows():
            part.rejects.append(reject(number, reason, text.removeprefix(ROUNDED)))
        rows, odd = rows.filter(~odd[reason]), odd.filter(~odd[reason])
    return rows


def _cast(
    rows: pl.DataFrame, column: str, dtype: pl.DataType | type[pl.DataType], counts: Counter[str]
) -> pl.DataFrame:
    text = pl.col(column).str.strip_chars()
    if dtype == pl.Boolean:
        value = text.str.to_lowercase().replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    elif dtype.is_float():
        number = text.cast(dtype, strict=False)
        value = pl.when(number.is_finite()).then(number)
    elif dtype.is_integer():
        number = text.cast(pl.Float64, strict=False)
        whole = pl.when(number == number.floor()).then(number).cast(dtype, strict=False)
        value = pl.coalesce(text.cast(dtype, strict=False), whole)
    else:
        value = text.cast(dtype, strict=False)
    cast = rows.with_columns_seq(value.alias(column))
    lost = cast[column].null_count() - rows[column].null_count()
    if lost:
        counts[f"wrong_type.{column}"] += lost
    return cast
