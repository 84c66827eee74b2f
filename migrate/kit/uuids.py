"""Keys and UUIDs that are the same on every run and machine, made column-wise; `expr` hands them to mappings."""

import functools
import re
from typing import Final

import polars as pl
import polars_hash as plh

from migrate.kit.distinct import distinct

DAY_MS: Final = 86_400_000

UUID: Final = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$").pattern
"""RE2 pattern of a UUID's text in lower case."""

_VARIANT: Final = {f"{n:x}": "89ab"[n % 4] for n in range(16)}


def key(*parts: pl.Expr) -> pl.Expr:
    """Return one text that is equal when all parts are, and only then but for control characters in them.

    A null part differs from an empty one.
    """
    return pl.concat_str([part.cast(pl.String).fill_null("\x00") for part in parts], separator="\x1f")


def keys_where(given: pl.Series) -> pl.Series:
    """Return the keys of the rows of a struct where its field `where` holds, of its other fields; null elsewhere."""
    table = given.struct.unnest()
    keys = pl.repeat(None, given.len(), dtype=pl.String, eager=True)
    where = table["where"].arg_true()
    if where.len():
        rows = table.drop("where")[where]
        keys = keys.scatter(where, rows.select_seq(key(*(pl.col(name) for name in rows.columns))).to_series())
    return keys.alias(given.name)


def digest(*parts: pl.Expr) -> pl.Expr:
    """Return the md5 of the parts as hex digits, the same on every machine; a null part differs from an empty one."""
    return plh.concat_str(
        [part.cast(pl.String).fill_null("\x00") for part in parts], separator="\x1f"
    ).nchash.md5()


def uuid7(milliseconds: pl.Expr, *parts: pl.Expr) -> pl.Expr:
    """Return a version-7 UUID: the given Unix milliseconds, then the md5 of the parts; see `expr.uuid7`."""
    told = pl.struct(milliseconds.alias("milliseconds"), key(*parts).alias("key"))
    return told.map_batches(_uuid7s, return_dtype=pl.String, is_elementwise=True)


def session_ids(sessions: pl.Series) -> pl.Series:
    """Return PostHog's session ids, each distinct one made once, of a struct: `start` (ms), `day`, `owner` (text)."""
    table = sessions.struct.unnest()
    start, day, owner = pl.col("start"), pl.col("day"), pl.col("owner")
    found = distinct(table.get_columns())
    made = uuid7(start + day * DAY_MS, pl.lit("session"), start, day, owner)
    ids = table[found.places].select_seq(pl.when(start.is_not_null()).then(made)).to_series()
    return ids.gather(found.codes).alias(sessions.name)


def _uuid7s(told: pl.Series) -> pl.Series:
    """Return the ids; hashed on its own, since an expression that is used four times is worked out four times."""
    ms = pl.col("milliseconds").clip(0, (1 << 48) - 1)
    table = told.struct.unnest().select_seq(ms, plh.col("key").nchash.md5().alias("hash"))
    hashed = pl.col("hash")
    variant = hashed.str.slice(3, 1).replace_strict(_VARIANT, return_dtype=pl.String)
    pieces = [
        _hex(ms // (1 << 32)),
        _hex(ms // (1 << 16)),
        pl.lit("-"),
        _hex(ms),
        pl.lit("-7"),
        hashed.str.slice(0, 3),
        pl.lit("-"),
        variant,
        hashed.str.slice(4, 3),
        pl.lit("-"),
        hashed.str.slice(7, 12),
    ]
    return table.select_seq(pl.concat_str(pieces)).to_series().alias(told.name)


@functools.cache
def _digits() -> pl.Series:
    """Return the four hex digits of each 16 bits; made once they are needed."""
    return pl.Series("hex", [f"{n:04x}" for n in range(65_536)])


def _hex(number: pl.Expr) -> pl.Expr:
    """Return the low 16 bits as four hex digits."""
    return pl.lit(_digits()).gather((number % 65_536).fill_null(0).cast(pl.UInt32))
