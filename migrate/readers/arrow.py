"""Typed columns to text: times as ISO 8601, numbers in plain digits, nested values as JSON."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from migrate.kit import times
from migrate.readers.records import ROUNDED

_DATE: Final = "%Y-%m-%d"
_TIME: Final = "%H:%M:%S%.6f"
_IS_TEXT: Final[tuple[Callable[[pa.DataType], bool], ...]] = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
    pa.types.is_decimal256,
    pa.types.is_interval,
)


def in_utc(dtype: pa.DataType, stored: Iterator[str]) -> pa.DataType:
    """Return a type with a zone for the times in it that are stored as INT96, which Spark and Hive write in UTC.

    `stored` yields the physical type of each column of Parquet, in their order.
    """
    if pa.types.is_struct(dtype):
        return pa.struct([field.with_type(in_utc(field.type, stored)) for field in dtype])
    if pa.types.is_map(dtype):
        return pa.map_(in_utc(dtype.key_type, stored), in_utc(dtype.item_type, stored))
    if pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype):
        return pa.large_list(in_utc(dtype.value_type, stored))
    is_old = next(stored, None) == "INT96" and pa.types.is_timestamp(dtype)
    return pa.timestamp("us", "UTC") if is_old else dtype


def simple(column: pa.Array, counts: Counter[str]) -> pa.Array:
    """Return the column in types polars takes: bytes as text (hex where they are none), wide decimals as text.

    Text that is not UTF-8, at any depth, has U+FFFD in those places, each text counted. Raises `ArrowInvalid` for
    damaged data.
    """
    try:
        return _checked(column)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        column.validate()
        mended = Counter[str]()
        try:
            whole = _checked(_mended(column, mended))
        except pa.ArrowInvalid as other:
            raise (other if mended.total() else error) from None
        counts.update(mended)
        return whole


def _checked(column: pa.Array) -> pa.Array:
    """Return the column in types polars takes; raise `ArrowInvalid` or `UnicodeDecodeError` for what is not sound."""
    target = _simple_type(column.type)
    if column.type != target:
        try:
            column = column.cast(target)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            column = pa.array([_simple_value(value, target) for value in column.to_pylist()], target)
    column.validate(full=True)
    return column


def _mended(column: pa.Array, counts: Counter[str]) -> pa.Array:
    """Return the column with all text in it as UTF-8, of the same type but for dictionaries, which are decoded."""
    dtype, nothing = column.type, column.is_null()
    if not len(column):
        return pa.nulls(0, dtype)  # what it is a slice of may hold anything
    if pa.types.is_dictionary(dtype):
        return _mended(column.dictionary_decode(), counts)
    if pa.types.is_struct(dtype):
        members = [_mended(member, counts) for member in column.flatten()]
        fields = [field.with_type(one.type) for field, one in zip(dtype, members, strict=True)]
        return pa.StructArray.from_arrays(members, fields=fields, mask=nothing) if fields else column
    if pa.types.is_fixed_size_list(dtype):
        width = dtype.list_size
        values = _mended(column.values.slice(column.offset * width, len(column) * width), counts)
        return pa.FixedSizeListArray.from_arrays(values, width, mask=nothing)
    if pa.types.is_map(dtype) or pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        return _mended_lists(column, nothing, counts)
    is_text = pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)
    return _mended_texts(column, counts) if is_text else column


def _mended_lists(column: pa.Array, nothing: pa.Array, counts: Counter[str]) -> pa.Array:
    """Return lists or maps with all text in them as UTF-8; `nothing` says which of them are null."""
    offsets = column.offsets
    first, last = offsets[0].as_py(), offsets[-1].as_py()
    offsets = pc.subtract(offsets, offsets[0])
    if pa.types.is_map(column.type):
        keys, items = (_mended(one.slice(first, last - first), counts) for one in (column.keys, column.items))
        return pa.MapArray.from_arrays(offsets, keys, items, mask=nothing)
    kind = pa.LargeListArray if pa.types.is_large_list(column.type) else pa.ListArray
    return kind.from_arrays(offsets, _mended(column.values.slice(first, last - first), counts), mask=nothing)


def _mended_texts(column: pa.Array, counts: Counter[str]) -> pa.Array:
    stored = column.cast(pa.large_binary())
    stored.validate(full=True)  # of text that is no UTF-8 its places are not looked at
    mended: list[str | None] = []
    for one in stored.to_pylist():
        text = None if one is None else one.decode("utf-8", "replace")
        counts["invalid_utf8"] += text is not None and text.encode() != one
        mended.append(text)
    return pa.array(mended, column.type)


def _simple_type(dtype: pa.DataType) -> pa.DataType:
    if any(is_kind(dtype) for is_kind in _IS_TEXT):
        target = pa.large_string()
    elif pa.types.is_dictionary(dtype):
        target = _simple_type(dtype.value_type)
    elif pa.types.is_date64(dtype):
        target = pa.date32()
    elif pa.types.is_struct(dtype):
        target = pa.struct([field.with_type(_simple_type(field.type)) for field in dtype])
    elif pa.types.is_map(dtype):
        target = pa.map_(_simple_type(dtype.key_type), _simple_type(dtype.item_type))
    elif pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype):
        target = pa.large_list(_simple_type(dtype.value_type))
    else:
        target = dtype
    return target


def _simple_value(value: Any, target: pa.DataType) -> Any:  # noqa: ANN401 - whatever Parquet holds
    if value is None:
        return None
    if pa.types.is_large_string(target):
        return _printed(value)
    if pa.types.is_struct(target):
        return {field.name: _simple_value(value[field.name], field.type) for field in target}
    if pa.types.is_map(target):
        return [(_simple_value(k, target.key_type), _simple_value(v, target.item_type)) for k, v in value]
    if pa.types.is_large_list(target):
        return [_simple_value(one, target.value_type) for one in value]
    return value


def _printed(value: Any) -> str:  # noqa: ANN401 - whatever Parquet holds
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the column as cells of text."""
    if dtype.is_nested():
        encoded = pl.struct(ready(column, dtype).alias("_")).struct.json_encode()
        inside = encoded.str.strip_prefix('{"_":').str.strip_suffix("}")
        return pl.when(column.is_not_null()).then(inside)
    if dtype.is_temporal():
        return ready(column, dtype).cast(pl.String)
    return finite(column, dtype).cast(pl.String)


def identifier(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column of ids as cells of text: whole numbers without decimals, whatever type holds them.

    Programs that know no whole number beside a null make floats of ids, `123.0`. A float that may have been rounded,
    so that it stands for many ids, comes behind `ROUNDED`.
    """
    shown = text(column, dtype)
    if isinstance(dtype, pl.Decimal):
        return shown.str.replace(r"\.0+$", "")
    if not dtype.is_float():
        return shown
    value = column.cast(pl.Float64)
    is_whole = value.is_finite() & (value == value.floor())
    digits = value.cast(pl.Int64, strict=False).cast(pl.String)
    exact = 2**24 if isinstance(dtype, pl.Float32) else 2**53
    marked = pl.concat_str(pl.lit(ROUNDED), shown)
    return pl.when(is_whole & (value.abs() < exact)).then(digits).when(is_whole).then(marked).otherwise(shown)


def ready(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the column in types that JSON has: times as ISO 8601 text, decimals as floats."""
    if dtype.is_nested():
        return _ready_inside(column, dtype)
    if dtype.is_temporal():
        return _iso(column, dtype)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    return finite(column, dtype)


def _ready_inside(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return nested values as `ready` does."""
    if isinstance(dtype, pl.Struct):
        members = [ready(column.struct.field(one.name), _instance(one.dtype)) for one in dtype.fields]
        names = [one.name for one in dtype.fields]
        whole = pl.struct(one.alias(name) for one, name in zip(members, names, strict=True))
        return pl.when(column.is_not_null()).then(whole) if names else column
    if isinstance(dtype, pl.Map):
        return _ready_map(column, dtype)
    if not isinstance(dtype, pl.List):
        return column
    inner = _instance(dtype.inner)
    return column.list.eval(ready(pl.element(), inner)) if _needs_work(inner) else column


def _ready_map(column: pl.Expr, dtype: pl.Map) -> pl.Expr:
    """Return a map as `ready` does, its keys as text."""
    key, value = _instance(dtype.key), _instance(dtype.value)
    nothing = pl.LazyFrame(schema={"value": value}).select(ready(pl.col("value"), value).alias("value"))
    one = pl.element().struct
    members = [text(one.field("key"), key).alias("key"), ready(one.field("value"), value).alias("value")]
    entries = _entries(column, dtype).list.eval(pl.struct(members))
    return entries.cast(pl.Map(pl.String, nothing.collect_schema()["value"]))


def _entries(column: pl.Expr, dtype: pl.Map) -> pl.Expr:
    """Return a map as a list of its keys and values."""
    return column.cast(pl.List(pl.Struct({"key": dtype.key, "value": dtype.value})))


def is_impossible(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Return whether a date or time is outside the years 1 to 9999; None where the type has none such."""
    can_be = isinstance(dtype, pl.Date) or (isinstance(dtype, pl.Datetime) and dtype.time_unit != "ns")
    return column.is_not_null() & possible(column, dtype).is_null() if can_be else None


def is_finer(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Return whether a time has digits below microseconds, which are cut; None where the type has none."""
    can_be = isinstance(dtype, pl.Time) or (isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns")
    return column.to_physical() % 1_000 != 0 if can_be else None


def tally(
    column: pl.Expr, dtype: pl.DataType, rule: Callable[[pl.Expr, pl.DataType], pl.Expr | None]
) -> pl.Expr | None:
    """Return for how many of a row's values, at any depth, a rule holds; None where it holds for no such type."""
    if isinstance(dtype, pl.Map):
        inner = pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))
        return tally(_entries(column, dtype), inner, rule)
    if isinstance(dtype, pl.List):
        found = tally(pl.element(), _instance(dtype.inner), rule)
        return None if found is None else column.list.eval(found).list.sum()
    if isinstance(dtype, pl.Struct):
        members = (tally(column.struct.field(one.name), _instance(one.dtype), rule) for one in dtype.fields)
        some = [one for one in members if one is not None]
        return pl.sum_horizontal(some) if some else None
    found = rule(column, dtype)
    return None if found is None else found.cast(pl.Int64)


def possible(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the column with null for every date and time outside the years 1 to 9999, which polars cannot write."""
    if isinstance(dtype, pl.Date):
        least, most = -719_162, 2_932_896
    elif isinstance(dtype, pl.Datetime) and dtype.time_unit != "ns":
        per_second = 1_000 if dtype.time_unit == "ms" else 1_000_000
        least, most = -62_135_596_800 * per_second, 253_402_300_800 * per_second - 1
    else:
        return column
    return pl.when(column.to_physical().is_between(least, most)).then(column)


def _iso(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return times as ISO 8601 text in UTC, cut to microseconds; lengths of time as a number of their unit."""
    column = possible(column, dtype)
    if isinstance(dtype, pl.Duration):
        return column.to_physical()
    if isinstance(dtype, pl.Date):
        return column.dt.strftime(_DATE)
    if isinstance(dtype, pl.Time):
        return column.dt.strftime(_TIME)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return times.written(column.dt.convert_time_zone("UTC").dt.cast_time_unit("us"))
    return times.written(column.dt.cast_time_unit("us"), zone="")


def finite(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the column with null for every number that is none or infinite."""
    return pl.when(column.is_finite()).then(column) if dtype.is_float() else column


def _instance(dtype: Any) -> pl.DataType:  # noqa: ANN401 - polars gives a class or an instance
    instance: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return instance


def _needs_work(dtype: pl.DataType) -> bool:
    return (
        dtype.is_nested() or dtype.is_temporal() or isinstance(dtype, (pl.Decimal, pl.Categorical, pl.Enum))
    )
