"""The formats of times that a spec may name, and how they are read."""

import re
from datetime import UTC, datetime
from typing import Final

import polars as pl

from mappings._table_spec import shown, wrong
from migrate.errors import UsageError
from migrate.kit import expr

UNIX: Final = {"unix_s": "s", "unix_ms": "ms", "unix_us": "us"}
_OFFSET: Final = re.compile(r"%(?:[:#]*z|\+)")
_UNREADABLE: Final = {
    "%Z": "a zone's name does not say its offset; use %z, or leave the zone to timestamp.zone",
    "%s": "seconds since 1970 are no calendar time; use unix_s",
    "%f": "decimals after a point are %.f, those without one %3f, %6f or %9f; use one of these",
}
_PROBE: Final = datetime(2024, 11, 23, 17, 48, 59, tzinfo=UTC)


def says_zone(shape: str) -> bool:
    """Return whether times of this format name their zone, or need none."""
    return shape in UNIX or _OFFSET.search(shape) is not None


def read_format(shape: object) -> str:
    """Return a format polars reads times by; Python's `.%f` is its `%.f`."""
    if shape == "iso" or shape in UNIX:
        return str(shape)
    pattern = str(shape).replace(".%f", "%.f")
    for directive, why in _UNREADABLE.items():
        if directive in pattern:
            raise UsageError(f"spec: timestamp.format: found {shown(shape)}, and {why}")
    if not isinstance(shape, str) or not _reads_back(pattern):
        expected = "iso, unix_s, unix_ms, unix_us or a strftime pattern with year, month and day"
        raise wrong("timestamp.format", expected, shape, 'one like "%d.%m.%Y %H:%M:%S"')
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
