"""The kinds of values in a column of text → JSON: numbers in their digits, Booleans, JSON itself, else text."""

import json
import math
from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

import polars as pl

from migrate.kit import expr, objects

_PLAIN_NUMBER: Final = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$"
"""What is a finite number at first sight."""
_NUMBER: Final = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"


def _is_json(text: str) -> bool:
    """Return whether the text is JSON that PostHog can read."""
    try:
        json.loads(text, strict=False, parse_float=_double, parse_constant=_double)
    except (ValueError, RecursionError):
        return False
    return True


def _double(text: str) -> float:
    """Return the number; raise a `ValueError` where no finite double holds it."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _json_alone(texts: pl.Series) -> pl.Series:
    """Return the texts that are JSON, null for the others."""
    kept = [text if text is not None and _is_json(text) else None for text in texts]
    return pl.Series(texts.name, kept, dtype=pl.String)


def _numbers(texts: pl.Series) -> pl.Series:
    """Return the texts that are numbers, in their own digits, null for the others."""
    if texts.str.contains(_PLAIN_NUMBER).all():
        return texts
    text = pl.col("text").str.strip_chars()
    number = pl.when(text.str.contains(_NUMBER) & expr.number(text).is_not_null()).then(text)
    return texts.to_frame("text").select_seq(number).to_series()


def _booleans(texts: pl.Series) -> pl.Series:
    """Return `true` and `false` for the texts that mean one, null for the others."""
    if texts.is_in(["true", "false"]).all():
        return texts
    return texts.to_frame("text").select_seq(expr.boolean(pl.col("text")).cast(pl.String)).to_series()


_VALUES: Final = {"json": _json_alone, "numbers": _numbers, "booleans": _booleans}


def valued(texts: pl.Series, kind: str) -> pl.Series:
    """Return texts as JSON values of their kind, as JSON strings where they are not of it; a JSON null is none."""
    values = _VALUES[kind](texts)
    where = (values.is_null() & texts.is_not_null()).arg_true()
    if where.len():
        odd = pl.select(objects.quoted(pl.lit(texts.gather(where)))).to_series()
        values = values.scatter(where, odd)
    if kind == "json":
        return values.set(values.str.strip_chars() == "null", None)
    return values


def object_of(
    columns: Mapping[str, pl.Expr],
    kinds: Mapping[str, str],
    *,
    json: Collection[str] = (),
    rest: pl.Expr | None = None,
) -> pl.Expr:
    """Return properties as a JSON object: the text, or what it says where it is of the kind that was declared.

    Those named in `json` are JSON text already.
    """
    values = {
        name: text.map_batches(partial(valued, kind=kinds[name]), return_dtype=pl.String, is_elementwise=True)
        if name in kinds
        else text
        for name, text in columns.items()
    }
    return objects.text_with(values, json={*kinds, *json}, rest=rest)
