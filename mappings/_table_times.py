"""The formats of times that a spec may name, and how they are read."""

import re
from datetime import UTC, datetime
from typing import Final

import polars as pl

from mappings._table_columns import Columns
from mappings._table_spec import Time, shown, wrong
from migrate.errors import UsageError
from migrate.kit import expr
from migrate.kit.declare import Options

UNIX: Final = {"unix_s": "s", "unix_ms": "ms", "unix_us": "us"}
_OFFSET: Final = re.compile(r"%(?:[:#]*z|\+)")
_UNREADABLE: Final = {
    "%Z": "a zone's name does not say its offset; use %z, or leave the zone to {key}.zone",
    "%s": "seconds since 1970 are no calendar time; use unix_s",
    "%f": "decimals after a point are %.f, those without one %3f, %6f or %9f; use one of these",
}
TIMESTAMP: Final = pl.Datetime("us", "UTC")
_PROBE: Final = datetime(2024, 11, 23, 17, 48, 59, tzinfo=UTC)


def says_zone(shape: str) -> bool:
    """Return whether times of this format name their zone, or need none."""
    return shape in UNIX or _OFFSET.search(shape) is not None


def read_format(shape: object, key: str = "timestamp") -> str:
    """Return a format polars reads times by; Python's `.%f` is its `%.f`."""
    if shape == "iso" or shape in UNIX:
        return str(shape)
    pattern = str(shape).replace(".%f", "%.f")
    for directive, why in _UNREADABLE.items():
        if directive in pattern:
            raise UsageError(f"spec: {key}.format: found {shown(shape)}, and {why.format(key=key)}")
    if not isinstance(shape, str) or not _reads_back(pattern):
        expected = "iso, unix_s, unix_ms, unix_us or a strftime pattern with year, month and day"
        raise wrong(f"{key}.format", expected, shape, 'one like "%d.%m.%Y %H:%M:%S"')
    return pattern


def _reads_back(pattern: str) -> bool:
    """Return whether a time written by this pattern is read by it as the same day."""
    try:
        text = pl.Series("text", [_PROBE]).dt.strftime(pattern).to_frame()
        found = text.select_seq(patterned(pl.col("text"), pattern, "UTC")).item()
    except pl.exceptions.ComputeError:
        return False
    return isinstance(found, datetime) and found.date() == _PROBE.date()


def patterned(text: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """Return times written by a strftime pattern."""
    bare = text.str.strip_chars()
    if _OFFSET.search(pattern):
        return bare.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)
    return expr.local(bare.str.to_datetime(pattern, time_unit="us", strict=False), zone)


def moment(columns: Columns, time: Time | None, options: Options) -> pl.Expr:
    """Return a time of rows as `Datetime("us", "UTC")`, null where there is none, or it cannot be read."""
    if time is None:
        return pl.lit(None, TIMESTAMP)
    value, dtype = columns.col(time.column), columns.types.get(time.column)
    zone = time.zone or options.source_timezone
    if isinstance(dtype, (pl.Datetime, pl.Date)):
        known = pl.when(value.dt.year().is_between(1, 9999)).then(value)
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            return known.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        return expr.local(known.cast(pl.Datetime("us")), zone)
    text = columns.text(time.column)
    if time.format == "iso":
        return expr.timestamp(text, zone=zone)
    if time.format in UNIX:
        return expr.unix(text, UNIX[time.format])
    return patterned(text, time.format, zone)
