"""Cells of declared types: text cast to what the table declares, JSON columns checked to hold objects."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from migrate.mapping import ROW, Table
from migrate.readers.care import Anything, BadJSON, members, risky, scrubbed
from migrate.readers.records import Chunk, Part, Reject, reject

_is_object: Final = msgspec.json.Decoder(Anything).decode
_text: Final = msgspec.json.Decoder(str).decode
_EMPTY: Final = ("", "null", "[]")
_WORDS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def finished(part: Part, table: Table) -> Chunk:
    """Return the chunk a part comes to: JSON objects checked, declared types cast, columns in their order."""
    rows, rejects, counts = part.rows, list(part.rejects), part.counts
    for column in () if part.sound else table.objects:
        rows = _objects(rows, column, rejects, counts)
    for column, dtype in table.columns.items():
        if dtype != pl.String:
            rows = _cast(rows, column, dtype, counts)
    rejects.sort(key=lambda one: -1 if one.row is None else one.row)
    return Chunk(rows, rejects, counts)


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


def _objects(rows: pl.DataFrame, column: str, rejects: list[Reject], counts: Counter[str]) -> pl.DataFrame:
    """Return the rows whose cell holds an object or nothing; the others become rejects."""
    cells = rows[column]
    if cells.null_count() == cells.len():
        return rows
    texts: list[str | None] = cells.to_list()
    suspects = _suspects(cells, texts)
    if not suspects:
        return rows
    kept = [True] * len(texts)
    numbers = rows[ROW]
    for index in suspects:
        text = texts[index]
        try:
            texts[index] = None if text is None else _object(text, counts)
        except BadJSON:
            kept[index] = False
            rejects.append(reject(numbers[index], "bad_json", f"{column}: {text}"))
    rows = rows.with_columns_seq(pl.Series(column, texts, dtype=pl.String))
    return rows if all(kept) else rows.filter(pl.Series(kept))


def _suspects(cells: pl.Series, texts: Sequence[str | None]) -> list[int]:
    """Return where the cells are not simply objects."""
    found = set(risky(cells).arg_true().to_list())
    cell = iter(enumerate(texts))
    while True:
        index = 0
        try:
            for index, text in cell:  # noqa: B007 - where it stopped
                if text is not None:
                    _is_object(text)
        except (msgspec.DecodeError, RecursionError):
            found.add(index)
        else:
            return sorted(found)


def _object(text: str, counts: Counter[str]) -> str | None:
    """Return the object a cell holds, perhaps as JSON inside a JSON string; None for an empty one."""
    text = text.strip()
    if text.startswith('"'):
        try:
            text = _text(text).strip()
        except msgspec.DecodeError as error:
            raise BadJSON("malformed_json") from error
    if text in _EMPTY:
        return None
    members(text.encode(), counts)
    return scrubbed(text.encode())[0].decode()
