"""The small expressions mappings are written in."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID
from uuid import uuid5 as make_uuid5

import polars as pl
import polars_hash as plh

from migrate.jsontext.build import Member, inner_text, strings, strung
from migrate.jsontext.canonical import canonical_text
from migrate.jsontext.parse import fields_of, raw_object
from migrate.kit import bags, elements, times
from migrate.kit.distinct import distinct

SECOND_MS: Final = 1_000
DAY_MS: Final = 86_400_000

NO_ID: Final = (
    r"""(?i)^\s*["']?(?:null|\(null\)|none|nil|undefined|nan|<na>|<nil>|n/a|\\n|\]|\[\]|\{\}"""
    r"""|0{8}-?0{4}-?0{4}-?0{4}-?0{12}"""
    """|[\\s\\-\u2010-\u2015\u2212]*)["']?\\s*$"""
)
"""Words for no id, a uuid or advertising id of zeros, only blanks or dashes."""
_HEX: Final = pl.Series("hex", [f"{n:04x}" for n in range(65_536)])


def first(*exprs: pl.Expr) -> pl.Expr:
    """Return the first of these texts that is not blank, surrounding blanks removed; null if none is."""
    return pl.coalesce([stripped(expr) for expr in exprs])


def stripped(text: pl.Expr) -> pl.Expr:
    """Return the text without surrounding white space, null where nothing is left."""
    bare = text.str.strip_chars()
    return pl.when(bare != "").then(bare)


def means_nothing(text: pl.Expr) -> pl.Expr:
    """Return whether the text of an id is a word that programs write where there is none, in any case.

    Some of them are real ids to PostHog, so that all who have one become one person (posthog-ingestion.md §2.5, §3.7).
    No text at all is no word.
    """
    return text.str.contains(NO_ID) & (text != "")


def identifier(text: pl.Expr) -> pl.Expr:
    """Return an id without blanks around it, null where it is blank or `means_nothing`."""
    bare = text.str.strip_chars()
    return pl.when(~bare.str.contains(NO_ID)).then(bare)


def without(text: pl.Expr, *markers: str) -> pl.Expr:
    """Return the text, null where it is one of a vendor's markers for "nothing" ("EMPTY", "(none)")."""
    return pl.when(~text.is_in(markers)).then(text)


def number(text: pl.Expr) -> pl.Expr:
    """Return the text as Float64, null where it is no finite number."""
    value = text.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def integer(text: pl.Expr) -> pl.Expr:
    """Return the text as Int64 ("17", "17.0"), null where it is no whole number of 64 bits."""
    bare = text.str.strip_chars()
    return bare.str.strip_suffix(".0").cast(pl.Int64, strict=False)


def boolean(text: pl.Expr) -> pl.Expr:
    """Return the text as Boolean ("true", "FALSE", "1", "0"), null for anything else."""
    lowered = text.str.strip_chars().str.to_lowercase()
    return (
        pl.when(lowered.is_in(["true", "1", "t", "yes"]))
        .then(pl.lit(True))
        .when(lowered.is_in(["false", "0", "f", "no"]))
        .then(pl.lit(False))
    )


def timestamp(text: pl.Expr, *, zone: str = "UTC") -> pl.Expr:
    """Return ISO-like text as `Datetime("us", "UTC")`, null where it cannot be read.

    Takes a space or `T` between date and time, none to nine decimals (cut to microseconds), a date alone, and
    `Z`, ` UTC`, `+02`, `+0200`, `+02:00` or no zone. Text without a zone is wall-clock time in `zone`, see `zone_name`;
    of a time that occurs twice when clocks go back it takes the first, a time that clocks skip moves on by the skip.
    """
    return text.map_batches(
        lambda texts: times.read(texts, zone), return_dtype=pl.Datetime("us", "UTC"), is_elementwise=True
    )


def iso(time: pl.Expr) -> pl.Expr:
    """Return times as PostHog is sent them: `2024-01-01T00:00:00.000000Z`."""
    return times.written(time)


def zone_name(name: object, where: str) -> str:
    """Return a zone as `timestamp` takes it, see `times.zone_name`; raises UsageError for all else `where` gives."""
    return times.zone_name(name, where)


def local(naive: pl.Expr, zone: str) -> pl.Expr:
    """Return wall-clock times in a zone as UTC; see `timestamp` for hours that occur twice or never."""
    return times.local(naive, zone)


def unix(text: pl.Expr, unit: str) -> pl.Expr:
    """Return a Unix time in `unit` ("s", "ms" or "us"; decimals allowed) as `Datetime("us", "UTC")`."""
    read = partial(_unix, digits={"s": 6, "ms": 3, "us": 0}[unit])
    return text.map_batches(read, return_dtype=pl.Datetime("us", "UTC"), is_elementwise=True)


def key(*parts: pl.Expr, where: pl.Expr | None = None) -> pl.Expr:
    """Return one text that is equal exactly when all parts are; a null part differs from an empty one.

    Null where `where` does not hold, and not worked out there.
    """
    if where is None:
        return _key(*parts)
    texts = [part.cast(pl.String).alias(f"part_{place}") for place, part in enumerate(parts)]
    told = pl.struct(where.alias("where"), *texts)
    return told.map_batches(_keys, return_dtype=pl.String, is_elementwise=True)


def canonical(json: pl.Expr, *, where: pl.Expr | None = None) -> pl.Expr:
    """Return JSON texts in the one form that all spellings of the same value have, see `canonical_text`.

    For keys: the same object, in any order of keys and in any kind of file, is the same event. Null where `where` does
    not hold, and not worked out there.
    """
    text = json if where is None else pl.when(where).then(json)
    return each_row(text, canonical_text)


def digest(*parts: pl.Expr) -> pl.Expr:
    """Return the md5 of the parts as hex digits, the same on every machine; a null part differs from an empty one."""
    return plh.concat_str(
        [part.cast(pl.String).fill_null("\x00") for part in parts], separator="\x1f"
    ).nchash.md5()


def uuid7(milliseconds: pl.Expr, *parts: pl.Expr) -> pl.Expr:
    """Return a version-7 UUID: the given Unix milliseconds, then the md5 of the parts.

    The same on every machine and in every version of this tool. Milliseconds before 1970 count as 0.
    """
    told = pl.struct(milliseconds.alias("milliseconds"), _key(*parts).alias("key"))
    return told.map_batches(_uuid7s, return_dtype=pl.String, is_elementwise=True)


def session_id(start_ms: pl.Expr, event_time: pl.Expr, *owner: pl.Expr) -> pl.Expr:
    """Return PostHog's `$session_id`: version 7, from the session's start and who owns it.

    PostHog ignores sessions of 24 hours and more, so a longer one is split into days after its start
    (posthog-ingestion.md §3.9, sources-2.md §0). Null where the start is.
    """
    day = ((event_time.dt.epoch("ms") - start_ms) // DAY_MS).clip(0)
    session = pl.struct(start_ms.alias("start"), day.alias("day"), key(*owner).alias("owner"))
    return session.map_batches(_session_ids, return_dtype=pl.String, is_elementwise=True)


def canonical_uuid(text: pl.Expr) -> pl.Expr:
    """Return a UUID's text in lower case with hyphens, null where it is no UUID."""
    bare = text.str.strip_chars().str.to_lowercase()
    hyphened = bare.str.replace(
        r"^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$", "${1}-${2}-${3}-${4}-${5}"
    )
    return pl.when(hyphened.str.contains(_UUID)).then(hyphened)


def lookup(text: pl.Expr, table: Mapping[str, str]) -> pl.Expr:
    """Return the table's spelling of a text, whatever its case; the text itself where the table has none."""
    lowered = {name.lower(): value for name, value in table.items()}
    return pl.coalesce(
        [text.str.to_lowercase().replace_strict(lowered, default=None, return_dtype=pl.String), text]
    )


def fields(bag: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return a struct of these keys of a JSON object, as text (nested values as JSON text), null where missing."""
    dtype = pl.Struct(dict.fromkeys(names, pl.String))
    return bag.map_batches(lambda texts: fields_of(texts, names), return_dtype=dtype, is_elementwise=True)


def host(url: pl.Expr) -> pl.Expr:
    """Return a URL's host and port, as PostHog's `$host` has them."""
    return url.str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#]+)")


def path(url: pl.Expr) -> pl.Expr:
    """Return a URL's path, as PostHog's `$pathname` has it ("/" where a URL has a host alone)."""
    found = url.str.extract(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*([^?#]*)")
    return pl.when(found == "").then(pl.lit("/")).otherwise(found)


def classified(text: pl.Expr, rules: Mapping[str, str]) -> pl.Expr:
    """Return the value of the first rule (regex, any case) that is found in the text, null where none is."""
    patterns = [(re.compile(pattern, re.IGNORECASE), value) for pattern, value in rules.items()]

    def value(text: str) -> str | None:
        return next((value for pattern, value in patterns if pattern.search(text)), None)

    return _on_unique(text, pl.String, value)


def parted(bag: pl.Expr, *, prefix: str, empty: Sequence[str] = ()) -> pl.Expr:
    """Return a struct of two JSON objects: `once`, the keys with the prefix as `$key`, and `rest`, the others.

    Null where there are none. Members of `once` that are blank or among `empty` are left out; what an object holds
    under `$set` and `$setOnce` counts as its own members.
    """
    nothing = frozenset(empty)
    dtype = pl.Struct({"rest": pl.String, "once": pl.String})
    return _on_unique(bag, dtype, lambda text: bags.parted(text, prefix, nothing))


def joined(*objects: pl.Expr) -> pl.Expr:
    """Return the members of JSON object texts as one object, null where there are none; no key may stand in two."""
    inside = pl.concat_str([inner_text(text) for text in objects], separator=",", ignore_nulls=True)
    return pl.when(inside != "").then(pl.concat_str([pl.lit("{"), inside, pl.lit("}")]))


def completed(bag: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return a JSON object with the members of another that it lacks; null where both are."""
    both = pl.struct(bag.alias("bag"), other.alias("other"))
    return _on_unique(both, pl.String, bags.completed)


def first_values(bag: pl.Expr) -> pl.Expr:
    """Return a JSON object with each list reduced to its first value, as text; null where nothing is left."""
    return _on_unique(bag, pl.String, bags.first_values)


def group_updates(groups: pl.Expr, properties: pl.Expr) -> pl.Expr:
    """Return a list of `{type, key, properties}`: each group a row tells of, and what it tells."""
    both = pl.struct(groups.alias("groups"), properties.alias("properties"))
    return _on_unique(both, pl.List(bags.GROUP), bags.group_updates)


def with_query(bag: pl.Expr, url: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Return the bag with these query parameters of the URL, where it holds none of them itself."""
    both = pl.struct(bag.alias("bag"), url.alias("url"))
    return both.map_batches(
        lambda given: _with_query(given, names), return_dtype=pl.String, is_elementwise=True
    )


def elements_chain(  # noqa: PLR0913 - what is known of an element, by name
    *,
    hierarchy: pl.Expr,
    tag: pl.Expr,
    classes: pl.Expr,
    identifier: pl.Expr,
    href: pl.Expr,
    text: pl.Expr,
) -> pl.Expr:
    """Return PostHog's `$elements_chain` of a clicked element, see `elements.chain`."""
    known = (hierarchy, tag, classes, identifier, href, text)
    element = pl.struct(expr.alias(f"field_{place}") for place, expr in enumerate(known))
    return _on_unique(element, pl.String, elements.chain)


def each(
    values: pl.Expr, function: Callable[..., Any], dtype: pl.DataType | type[pl.DataType] = pl.String
) -> pl.Expr:
    """Return what the function makes of each distinct value; a null stays null, see `bags.on_unique`."""
    return _on_unique(values, dtype, function)


def each_row(texts: pl.Expr, function: Callable[[str], str | None]) -> pl.Expr:
    """Return what the function makes of each text, for texts of which hardly two are the same; a null stays null."""

    def made(given: pl.Series) -> pl.Series:
        results = [None if text is None else function(text) for text in given.to_list()]
        return pl.Series(given.name, results, dtype=pl.String)

    return texts.map_batches(made, return_dtype=pl.String, is_elementwise=True)


def as_object(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the expressions as JSON object text, without nulls."""
    return joined(
        *(
            pl.when(value.is_not_null()).then(pl.struct(value.alias(name)).struct.json_encode())
            for name, value in columns.items()
        )
    )


def object_of(
    columns: Mapping[str, pl.Expr], *, json: Collection[str] = (), rest: pl.Expr | None = None
) -> pl.Expr:
    """Return the expressions as JSON object text, without nulls; "{}" where there is nothing in it.

    Those named in `json` are JSON already. The members of `rest`, an object, follow.
    """
    members = [Member(name, value, name in json) for name, value in columns.items()]
    if rest is not None:
        members.append(Member(None, inner_text(rest), is_json=True))
    return pl.concat_str(pl.lit("{"), strung(members), pl.lit("}"))


def quoted(text: pl.Expr) -> pl.Expr:
    """Return text as a JSON string, null as null."""
    return text.map_batches(strings, return_dtype=pl.String, is_elementwise=True)


def bare_names(bag: pl.Expr) -> pl.Expr:
    """Return a JSON object with the `_` before its keys taken off, which newer exports put before custom properties.

    And in lower case where all are in upper case, as Snowflake writes them. A key stays where the name is taken.
    """
    return each_row(bag, lambda text: text and bags.bare_names(text))


def uuid5(name: pl.Expr, namespace: UUID) -> pl.Expr:
    """Return the version-5 UUID of a name in a namespace, null where the name is."""
    return each(name, lambda text: str(make_uuid5(namespace, text)))


def _unix(texts: pl.Series, digits: int) -> pl.Series:
    """Return Unix times as `unix` does; `digits` is how many of the decimals there can be count."""
    bare = texts.str.strip_chars()
    micros = bare.cast(pl.Int64, strict=False) * 10**digits
    decimal = (micros.is_null() & bare.is_not_null()).arg_true()
    if decimal.len():
        parts = (
            bare.gather(decimal)
            .to_frame("text")
            .select_seq(
                whole=pl.col("text").str.extract(r"^(\d+)\.\d+$").cast(pl.Int64, strict=False),
                rest=pl.col("text").str.extract(r"^\d+\.(\d{1,6})").str.pad_end(6, "0").str.head(digits),
            )
        )
        rest = parts["rest"].cast(pl.Int64, strict=False) if digits else pl.lit(0)
        found = parts.select_seq(pl.col("whole") * 10**digits + rest).to_series()
        micros = micros.scatter(decimal, found)
    sane = micros.is_between(-62_135_596_800_000_000, 253_402_300_799_999_999)
    times: pl.Series = micros.set(~sane, None).cast(pl.Datetime("us", "UTC"))
    return times.alias(texts.name)


def _on_unique(
    values: pl.Expr, dtype: pl.DataType | type[pl.DataType], function: Callable[..., Any]
) -> pl.Expr:
    """Return what the function makes of each distinct value, see `bags.on_unique`."""
    return values.map_batches(
        lambda given: bags.on_unique(given, dtype, function), return_dtype=dtype, is_elementwise=True
    )


def _key(*parts: pl.Expr) -> pl.Expr:
    """Return the key of the parts."""
    return pl.concat_str([part.cast(pl.String).fill_null("\x00") for part in parts], separator="\x1f")


def _keys(told: pl.Series) -> pl.Series:
    """Return the keys of the rows where `where` holds."""
    table = told.struct.unnest()
    keys = pl.repeat(None, told.len(), dtype=pl.String, eager=True)
    where = table["where"].arg_true()
    if where.len():
        rows = table.drop("where")[where]
        keys = keys.scatter(
            where, rows.select_seq(_key(*(pl.col(name) for name in rows.columns))).to_series()
        )
    return keys.alias(told.name)


def _with_query(given: pl.Series, names: Sequence[str]) -> pl.Series:
    """Return the bags, those that lack the URL's parameters completed."""
    bag, url = given.struct.field("bag"), given.struct.field("url")
    if not url.str.contains("?", literal=True).any():
        return bag
    in_bag = bag.str.contains_any([f'"{name}"' for name in names]).fill_null(value=False)
    escaped = (bag.str.contains("\\u", literal=True) & ~in_bag).fill_null(value=False).arg_true()
    in_bag = in_bag.scatter(
        escaped, [not raw_object(text).keys().isdisjoint(names) for text in bag.gather(escaped)]
    )
    where = (url.str.contains_any([f"{name}=" for name in names]) & ~in_bag).arg_true()
    if not where.len():
        return bag
    query = url.gather(where).str.extract(r"\?([^#]*)")
    found = bags.on_unique(query, pl.String, lambda text: bags.parameters(text, names))
    table = pl.DataFrame({"bag": bag.gather(where), "found": found})
    both = pl.when(pl.col("found").is_null()).then("bag").otherwise(joined(pl.col("bag"), pl.col("found")))
    return bag.clone().scatter(where, table.select_seq(both).to_series())


def _session_ids(sessions: pl.Series) -> pl.Series:
    """Return the ids, each distinct one made once; `start` and `day` are numbers, `owner` text."""
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


def _hex(number: pl.Expr) -> pl.Expr:
    """Return the low 16 bits as four hex digits."""
    return pl.lit(_HEX).gather((number % 65_536).fill_null(0).cast(pl.UInt32))


_UUID: Final = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$").pattern
_VARIANT: Final = {f"{n:x}": "89ab"[n % 4] for n in range(16)}
