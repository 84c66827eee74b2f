"""Expressions over columns of text: ids, numbers, times, addresses, and the keys and UUIDs that make an event one.

Every function takes polars expressions of String, unless it says otherwise, and returns one with a value for each
row, which depends on that row alone. Null in is null out. A text that is not of the kind becomes null, never an
error: it is neither counted nor rejected here. What counts and rejects is the framework, by what a `Table` declares
(`ids`, `times`, `warnings`) and by what the event frame lacks.

`objects` does the same for JSON objects in a column, `values` for what PostHog spells in its own way.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID
from uuid import uuid5 as make_uuid5

import polars as pl

from migrate.jsontext.canonical import canonical_text
from migrate.kit import times, uuids
from migrate.kit.distinct import on_unique, unless_null
from migrate.kit.nulls import NO_ID
from migrate.kit.schemas import TIMESTAMP

SECOND_MS: Final = 1_000
DAY_MS: Final = uuids.DAY_MS

EXACT_INTEGER: Final = 2**53
"""Beyond it a Float64 does not tell neighbouring integers apart."""

_SECONDS_BELOW: Final = 1e10
_MILLISECONDS_BELOW: Final = 1e14


def stripped(text: pl.Expr) -> pl.Expr:
    """Return the text without white space around it, null where nothing is left: `" a "` -> `"a"`, `" "` -> null."""
    bare = text.str.strip_chars()
    return pl.when(bare != "").then(bare)


def first(*exprs: pl.Expr) -> pl.Expr:
    """Return the first of these texts that is not blank, `stripped`; null where all are.

    `expr.first(pl.col("user_id"), pl.col("device_id"))`: whose event it is.
    """
    return pl.coalesce([stripped(expr) for expr in exprs])


def filled(text: pl.Expr) -> pl.Expr:
    """Return the text as it stands, blanks around it too, null where it is blank."""
    return pl.when(text.str.strip_chars() != "").then(text)


def without(text: pl.Expr, *markers: str) -> pl.Expr:
    """Return the text, null where it is exactly one of a vendor's markers for "nothing" (`"EMPTY"`, `"(none)"`)."""
    return pl.when(~text.is_in(markers)).then(text)


def identifier(text: pl.Expr) -> pl.Expr:
    """Return an id without blanks around it, null where it is blank or a word for nothing (`nulls.means_nothing`).

    A column named in `Table.ids` has had this already when `to_events` sees it, but for the blanks; use it for ids
    that stand anywhere else.
    """
    bare = text.str.strip_chars()
    return pl.when(~bare.str.contains(NO_ID)).then(bare)


def number(text: pl.Expr) -> pl.Expr:
    """Return the text as Float64 (`" 1.5e3 "` -> 1500.0), null where it is no finite number."""
    value = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def integer(text: pl.Expr) -> pl.Expr:
    """Return the text as Int64 (`"17"` and `"17.0"` -> 17), null where it is no whole number of 64 bits."""
    bare = text.str.strip_chars()
    return bare.str.strip_suffix(".0").cast(pl.Int64, strict=False)


def boolean(text: pl.Expr) -> pl.Expr:
    """Return the text as Boolean: true, t, yes, 1 and false, f, no, 0, in any case; null for anything else."""
    lowered = text.str.strip_chars().str.to_lowercase()
    return (
        pl.when(lowered.is_in(["true", "1", "t", "yes"]))
        .then(pl.lit(True))
        .when(lowered.is_in(["false", "0", "f", "no"]))
        .then(pl.lit(False))
    )


def lookup(text: pl.Expr, table: Mapping[str, str]) -> pl.Expr:
    """Return the table's spelling of a text, whatever its case; the text itself where the table has none.

    `expr.lookup(pl.col("event_name"), {"page_view": "$pageview"})`.
    """
    lowered = {name.lower(): value for name, value in table.items()}
    return pl.coalesce(
        [text.str.to_lowercase().replace_strict(lowered, default=None, return_dtype=pl.String), text]
    )


def classified(text: pl.Expr, rules: Mapping[str, str]) -> pl.Expr:
    """Return the value of the first rule, Python regex -> value, found in the text in any case; null where none is."""
    patterns = [(re.compile(pattern, re.IGNORECASE), value) for pattern, value in rules.items()]

    def value(text: str) -> str | None:
        return next((value for pattern, value in patterns if pattern.search(text)), None)

    return each(text, value)


def timestamp(text: pl.Expr, *, zone: str = "UTC") -> pl.Expr:
    """Return ISO-like text as `Datetime("us", "UTC")`, null where it cannot be read.

    Takes a space or `T` between date and time, none to nine decimals (cut to microseconds), a date alone, and
    `Z`, ` UTC`, `+02`, `+0200`, `+02:00` or no zone. Text without a zone is wall-clock time in `zone`, see `zone_name`;
    of a time that occurs twice when clocks go back it takes the first, a time that clocks skip moves on by the skip.

    `expr.timestamp(pl.col("at"), zone=options.source_timezone)`, where the source does not say which zone it means.
    """
    return text.map_batches(
        lambda texts: times.read(texts, zone), return_dtype=TIMESTAMP, is_elementwise=True
    )


def unix(text: pl.Expr, unit: str) -> pl.Expr:
    """Return a Unix time in `unit` ("s", "ms" or "us") as `Datetime("us", "UTC")`.

    Decimals count as far as microseconds go; whole negative numbers are before 1970. Null outside the years 1 to 9999.
    """
    read = partial(times.unix, digits={"s": 6, "ms": 3, "us": 0}[unit])
    return text.map_batches(read, return_dtype=TIMESTAMP, is_elementwise=True)


def unix_by_size(text: pl.Expr) -> pl.Expr:
    """Return a Unix time whose unit its size tells, as `Datetime("us", "UTC")`; null where it is no number.

    Below 10^10 seconds (until 2286), below 10^14 milliseconds (from April 1970 until 5138), beyond microseconds.
    """
    size = number(text)
    return (
        pl.when(size < _SECONDS_BELOW)
        .then(unix(text, "s"))
        .when(size < _MILLISECONDS_BELOW)
        .then(unix(text, "ms"))
        .otherwise(unix(text, "us"))
    )


def local(naive: pl.Expr, zone: str) -> pl.Expr:
    """Return wall-clock times in a zone, `Datetime("us")`, as `Datetime("us", "UTC")`.

    Hours that occur twice or never are taken as `timestamp` takes them.
    """
    return times.local(naive, zone)


def iso(time: pl.Expr) -> pl.Expr:
    """Return times, `Datetime("us", "UTC")`, as text as PostHog is sent them: `2024-01-01T00:00:00.000000Z`."""
    return times.written(time)


def zone_name(name: object, where: str) -> str:
    """Return a zone as `timestamp` takes it: an IANA name, or an offset as `+02:00`.

    Raises `UsageError` for all else, which `where` ("spec: timestamp.zone") gives.
    """
    return times.zone_name(name, where)


def host(url: pl.Expr) -> pl.Expr:
    """Return a URL's host and port, as PostHog's `$host` has them, in the case they are in; null of what is no URL."""
    return url.str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]+)")


def path(url: pl.Expr) -> pl.Expr:
    """Return a URL's path, as PostHog's `$pathname` has it, "/" where a URL has a host alone; null of what is none."""
    found = url.str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)")
    return pl.when(found == "").then(pl.lit("/")).otherwise(found)


def key(*parts: pl.Expr, where: pl.Expr | None = None) -> pl.Expr:
    """Return one text that is equal exactly when all parts, of any type, are; a null part differs from an empty one.

    For `dedup_key`: `expr.key(pl.lit("row"), pl.col("_time").dt.epoch("us"), pl.col("user_id"))`. Give parts that
    are the same in every file format: times as numbers, objects as `canonical`. Where `where` (Boolean) does not
    hold the key is null, and is not worked out.
    """
    if where is None:
        return uuids.key(*parts)
    texts = [part.cast(pl.String).alias(f"part_{place}") for place, part in enumerate(parts)]
    told = pl.struct(where.alias("where"), *texts)
    return told.map_batches(uuids.keys_where, return_dtype=pl.String, is_elementwise=True)


def canonical(json: pl.Expr, *, where: pl.Expr | None = None) -> pl.Expr:
    """Return JSON texts in the one form that all spellings of the same value have.

    Keys in order at every depth, no spaces, null members left out, numbers by their exact value, a text never equal
    to a number; what is no JSON is a text. For keys of rows without an id: the same object, in any order of keys and
    in any kind of file, is the same event. Where `where` (Boolean) does not hold it is null, and is not worked out.
    """
    text = json if where is None else pl.when(where).then(json)
    return each_row(text, canonical_text)


def canonical_uuid(text: pl.Expr) -> pl.Expr:
    """Return a UUID's text in lower case with hyphens, null where it is no UUID."""
    bare = text.str.strip_chars().str.to_lowercase()
    hyphened = bare.str.replace(
        r"^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$", "${1}-${2}-${3}-${4}-${5}"
    )
    return pl.when(hyphened.str.contains(uuids.UUID)).then(hyphened)


def uuid5(name: pl.Expr, namespace: UUID) -> pl.Expr:
    """Return the version-5 UUID of a name in a namespace, null where the name is."""
    return each(name, lambda text: str(make_uuid5(namespace, text)))


def uuid7(milliseconds: pl.Expr, *parts: pl.Expr) -> pl.Expr:
    """Return a version-7 UUID: the given Unix milliseconds (Int64), then the md5 of the parts, of any type.

    The same on every machine and in every version of this tool. Milliseconds before 1970, and none, count as 0.
    Events need none: theirs is made of their `dedup_key`.
    """
    return uuids.uuid7(milliseconds, *parts)


def session_id(start_ms: pl.Expr, event_time: pl.Expr, *owner: pl.Expr) -> pl.Expr:
    """Return PostHog's `$session_id`: version 7, from the session's start (Unix ms, Int64) and who owns it.

    `event_time` is `Datetime("us", "UTC")`. PostHog ignores sessions of 24 hours and more, so a longer one is split
    into days after its start (posthog-ingestion.md §3.9, sources-2.md §0). Null where the start is. `owner` is what
    stays the same through a session, and of no other: a device's id, not a user's who may log in halfway.
    """
    day = ((event_time.dt.epoch("ms") - start_ms) // DAY_MS).clip(0)
    session = pl.struct(start_ms.alias("start"), day.alias("day"), key(*owner).alias("owner"))
    return session.map_batches(uuids.session_ids, return_dtype=pl.String, is_elementwise=True)


def id_of_no_one(platform: str, time: pl.Expr, key: pl.Expr, *, where: pl.Expr) -> pl.Expr:
    """Return a distinct_id for an event of no one, for that event alone and the same on every run: `no-id-<uuid>`.

    `time` is `Datetime("us", "UTC")`, `key` the `dedup_key`. Null where `where` (Boolean) does not hold. Such an event
    also wants `"$process_person_profile": pl.lit(False)`, a Boolean: PostHog makes a person of everyone whose events do
    not carry it.
    """

    def made(events: pl.Series) -> pl.Series:
        id_ = uuids.uuid7(pl.col("ms"), pl.lit(f"{platform} without ids"), pl.col("key"))
        known = pl.when(pl.col("key").is_not_null()).then(pl.format("no-id-{}", id_))
        return events.struct.unnest().select_seq(known).to_series()

    event = pl.struct(time.dt.epoch("ms").fill_null(0).alias("ms"), key.alias("key"))
    return unless_null(pl.when(where).then(event), made, pl.String)


def each(
    values: pl.Expr, function: Callable[..., Any], dtype: pl.DataType | type[pl.DataType] = pl.String
) -> pl.Expr:
    """Return, as `dtype`, what a function of Python makes of each distinct value; null stays null, uncalled.

    Of a struct its fields are the arguments, in their order; one whose fields are all null stays null. What the
    function raises ends the run: let it return None where a value cannot be read. For what no expression can do.
    """
    return values.map_batches(
        lambda given: on_unique(given, dtype, function), return_dtype=dtype, is_elementwise=True
    )


def each_row(texts: pl.Expr, function: Callable[[str], str | None]) -> pl.Expr:
    """Return the same for texts of which hardly two are alike: the function is called for each row."""

    def made(given: pl.Series) -> pl.Series:
        results = [None if text is None else function(text) for text in given.to_list()]
        return pl.Series(given.name, results, dtype=pl.String)

    return texts.map_batches(made, return_dtype=pl.String, is_elementwise=True)
