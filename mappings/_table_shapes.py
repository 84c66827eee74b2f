"""Objects and lists that `[properties]` lays out → JSON: which column, SQL or fixed value stands where in them."""

import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import polars as pl

from mappings._table_columns import Columns
from mappings._table_spec import Shape, wrong
from mappings._table_values import valued
from migrate.kit import objects

Source = Callable[[str, object, str, str], str]
"""The key, what stands there, what is expected and what to write -> the column, or what stands for the SQL."""
_LEAVES: Final = ({"column"}, {"sql"}, {"column", "json"}, {"sql", "json"}, {"constant"})
_USE: Final = 'name = "column", name = {sql = "…", json = true}, name = {constant = "…"} or name = [{…}]'


def is_shape(value: object) -> bool:
    """Return whether this is more than a column or SQL."""
    return isinstance(value, list) or (isinstance(value, Mapping) and set(value) != {"sql"})


def read_shape(key: str, value: object, source: Source) -> Shape:
    """Return what stands under a key; raise a `UsageError` that names the key, and the place, where it is wrong."""
    if isinstance(value, list) and value:
        return Shape(elements=[read_shape(f"{key}[{at}]", one, source) for at, one in enumerate(value, 1)])
    if isinstance(value, Mapping) and value:
        if set(value) in _LEAVES:
            return _leaf(key, value, source)
        return Shape(members={name: read_shape(f"{key}.{name}", one, source) for name, one in value.items()})
    return Shape(column=source(key, value, "the name of a column, an object or a list", _USE))


def _leaf(key: str, value: Mapping[str, object], source: Source) -> Shape:
    if "constant" in value:
        fixed = value["constant"]
        if not isinstance(fixed, str | int | float) or (
            isinstance(fixed, float) and not math.isfinite(fixed)
        ):
            raise wrong(f"{key}.constant", "text, a number, true or false", fixed, 'constant = "…"')
        return Shape(constant=json.dumps(fixed, ensure_ascii=False))
    is_json = value.get("json", False)
    if not isinstance(is_json, bool):
        raise wrong(f"{key}.json", "true or false", is_json, "json = true")
    given = {"sql": value["sql"]} if "sql" in value else value["column"]
    return Shape(column=source(key, given, "the name of a column", _USE), is_json=is_json)


def shape_text(columns: Columns, shape: Shape) -> pl.Expr:
    """Return the JSON text that a shape becomes in each row; null where none of its columns holds anything."""
    if shape.constant is not None:
        return pl.lit(shape.constant)
    if shape.column is not None:
        return _value(columns, shape.column, is_json=shape.is_json)
    parts = [*shape.members.values(), *shape.elements]
    texts = [shape_text(columns, one) for one in parts]
    told = [text.is_not_null() for text, one in zip(texts, parts, strict=True) if not one.is_fixed]
    if shape.members:
        text = objects.text_with(dict(zip(shape.members, texts, strict=True)), json={*shape.members})
    else:
        inside = pl.concat_str(texts, separator=",", ignore_nulls=True)
        text = pl.concat_str(pl.lit("["), inside, pl.lit("]"))
    return pl.when(pl.any_horizontal(told)).then(text) if told else text


def _value(columns: Columns, column: str, *, is_json: bool) -> pl.Expr:
    """Return the JSON value of a column: of the kind that it is declared as, else text."""
    text = columns.text(column)
    kind = "json" if is_json else columns.spec.kinds().get(column)
    if kind is None:
        return text if columns.is_typed(column) else objects.quoted(text)
    return text.map_batches(partial(valued, kind=kind), return_dtype=pl.String, is_elementwise=True)
