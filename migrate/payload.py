"""Event frame → payload text, column-wise."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from migrate import VERSION, expr, jsontext
from migrate.mapping import Table

FORMAT: Final = 1
"""Raised whenever the same source row would become other payload bytes; a plan of another format is refused."""

MAX_RECORD_BYTES: Final = 900_000
"""PostHog's Kafka record limit less a margin; the event's JSON travels escaped in it (posthog-ingestion.md §8.17)."""

MAX_DEPTH: Final = 100
"""Nesting PostHog's parser is sure to accept (posthog-ingestion.md §8.11)."""

_ENVELOPE_BYTES: Final = 1_024
_LIB: Final = r'(?:^|[^\\])"\$lib"\s*:'
_HIDDEN_KEY: Final = r"\\u00[2-7]"
"""An escaped ASCII letter: a key may be spelled so that no plain search finds it."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What every payload of an import carries: where it came from, and which import brought it."""

    platform: str
    import_id: str

    def forced(self) -> dict[str, pl.Expr]:
        """Return the properties no source may override.

        Without `$geoip_disable` every person moves to the importer's data centre (posthog-ingestion.md §3.4).
        """
        return {
            "$geoip_disable": pl.lit(True),
            "historical_migration": pl.lit(True),
            "analytics_source": pl.lit(self.platform),
            "$import_job_id": pl.lit(self.import_id),
        }


@dataclass(frozen=True)
class Payloads:
    """Frame: the input's `_row`, `event`, `distinct_id`, `timestamp`, with `uuid` and `payload`; what was repaired."""

    frame: pl.DataFrame
    repairs: Counter[str] = field(default_factory=Counter)


def payloads(frame: pl.DataFrame, table: Table, stamp: Stamp) -> Payloads:
    """Return the event frame's events as JSON text, exactly as they will be sent.

    `frame` is an event frame that passed `checks.checked`. The text holds the root keys event, distinct_id,
    timestamp, uuid and properties and no others: PostHog drops those without a word (posthog-ingestion.md §1.3).
    """
    repairs: Counter[str] = Counter()
    typed = _finite(frame, repairs)
    computed = _computed(typed, stamp)
    conflicting = _conflicts(typed, table, stamp)
    texts = (
        typed.lazy()
        .select(
            pl.col("_row", "event", "distinct_id", "timestamp", "properties", "rest"),
            _uuid(stamp).alias("uuid"),
            computed.alias("computed"),
            conflicting.alias("conflicting"),
        )
        .collect()
    )
    inner = _members(texts, table)
    whole = texts.select(
        pl.col("_row", "event", "distinct_id", "timestamp", "uuid"),
        _root(inner).alias("payload"),
    )
    return Payloads(_repaired(whole, repairs), repairs)


def too_large() -> pl.Expr:
    """Return whether a `payload` would not fit a Kafka record: its quotes and backslashes count twice."""
    size = pl.col("payload").str.len_bytes()
    escaped = pl.col("payload").str.count_matches(r'["\\]')
    worst = size * 2 + _ENVELOPE_BYTES >= MAX_RECORD_BYTES
    return worst & (pl.when(worst).then(size + escaped).otherwise(0) + _ENVELOPE_BYTES >= MAX_RECORD_BYTES)


def too_deep(payload: pl.Series) -> pl.Series:
    """Return whether each payload is nested deeper than `MAX_DEPTH`."""
    suspects = payload.str.count_matches(r"[\[{]") > MAX_DEPTH
    if not suspects.any():
        return suspects
    return pl.Series(
        [
            suspect and jsontext.depth(text) > MAX_DEPTH
            for text, suspect in zip(payload, suspects, strict=True)
        ]
    )


def _uuid(stamp: Stamp) -> pl.Expr:
    """Return the event's own uuid, else a version 7 of its time and a hash of platform and dedup key."""
    derived = expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.lit(stamp.platform), pl.col("dedup_key"))
    return pl.coalesce([expr.canonical_uuid(pl.col("uuid")), derived])


def _finite(frame: pl.DataFrame, repairs: Counter[str]) -> pl.DataFrame:
    """Return the frame with NaN and infinity as null and times as text, which is how JSON can carry them."""
    for name in ("extra", "set", "set_once", "groups"):
        dtype = frame.schema[name]
        if not isinstance(dtype, pl.Struct):
            continue
        floats = [f.name for f in dtype.fields if f.dtype.is_float()]
        bad = sum(frame[name].struct.field(key).is_finite().not_().sum() for key in floats)
        if bad:
            repairs["non_finite_number"] += bad
        odd = [f for f in dtype.fields if f.dtype.is_float() and bad or f.dtype.is_temporal()]
        if odd:
            frame = frame.with_columns(pl.col(name).struct.with_fields(*(_plain(f) for f in odd)))
    return frame


def _plain(odd: pl.Field) -> pl.Expr:
    """Return a struct field as JSON can carry it."""
    value = pl.field(odd.name)
    if odd.dtype.is_float():
        return pl.when(value.is_finite()).then(value).alias(odd.name)
    if isinstance(odd.dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias(odd.name)
    return value.dt.to_string("iso").alias(odd.name)


def _computed(frame: pl.DataFrame, stamp: Stamp) -> pl.Expr:
    """Return the members that win over the source's bag: computed properties, person properties, groups, stamp."""
    parts = []
    if isinstance(frame.schema["extra"], pl.Struct):
        parts.append(jsontext.members(_struct(frame, "extra")))
    else:
        parts.append(jsontext.inside(pl.col("extra")))
    parts += [_sub_object(frame, name) for name in ("set", "set_once", "groups")]
    parts.append(jsontext.members(stamp.forced()))
    present = [pl.when(part != "").then(part) for part in parts]
    return pl.concat_str(present, separator=",", ignore_nulls=True)


def _struct(frame: pl.DataFrame, name: str) -> dict[str, pl.Expr]:
    """Return the fields of a struct column as expressions by key."""
    dtype = frame.schema[name]
    assert isinstance(dtype, pl.Struct)  # noqa: S101 - the caller looked
    return {f.name: pl.col(name).struct.field(f.name) for f in dtype.fields}


def _sub_object(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return `"$set":{…}`, null where the object is empty."""
    if isinstance(frame.schema[name], pl.Struct):
        text = jsontext.object_text(_struct(frame, name))
    else:
        text = pl.concat_str([pl.lit("{"), jsontext.inside(pl.col(name)), pl.lit("}")])
    return pl.when(text != "{}").then(pl.concat_str([pl.lit(f'"${name}":'), text]))


def _conflicts(frame: pl.DataFrame, table: Table, stamp: Stamp) -> pl.Expr:
    """Return whether a row's bag needs more than being pasted in: a rename, a drop, a key that we set too."""
    names = {*table.rename, *stamp.forced()}
    if isinstance(frame.schema["extra"], pl.Struct):
        names |= set(_struct(frame, "extra"))
    names |= {f"${name}" for name in ("set", "set_once", "groups") if frame[name].is_not_null().any()}
    patterns = [f'"{name}"' for name in sorted(names)] + [_escaped(name) for name in sorted(names)]
    both = pl.col("properties").is_not_null() & pl.col("rest").is_not_null()
    bag = pl.coalesce(["properties", "rest"])
    extra_text = pl.lit(isinstance(frame.schema["extra"], pl.String)) & pl.col("extra").is_not_null()
    return (
        both
        | extra_text
        | bag.str.contains_any(patterns).fill_null(False)
        | bag.str.contains(_HIDDEN_KEY).fill_null(False)
    )


def _escaped(name: str) -> str:
    """Return a key as an ASCII-only writer spells it."""
    return '"' + re.sub(r"[^\x00-\x7f]", lambda found: f"\\u{ord(found[0]):04x}", name) + '"'


def _members(texts: pl.DataFrame, table: Table) -> pl.Series:
    """Return the inside of `properties`: pasted where that is safe, merged key by key where it is not."""
    bag = pl.coalesce(["properties", "rest"])
    lib = jsontext.members({"$lib": pl.lit("posthog-migrate"), "$lib_version": pl.lit(VERSION)})
    has_lib = bag.str.contains(_LIB).fill_null(False) | pl.col("computed").str.contains(_LIB)
    default = pl.when(~has_lib).then(lib)
    plain = texts.select(
        pl.concat_str([jsontext.inside(bag), pl.col("computed"), default], separator=",", ignore_nulls=True)
    ).to_series()
    where = texts["conflicting"].arg_true()
    if not where.len():
        return plain
    rows = texts.select("properties", "rest", "computed").gather(where)
    merged = [_merged(properties, rest, computed, table) for properties, rest, computed in rows.iter_rows()]
    merged_default = pl.DataFrame({"computed": merged}).select(
        pl.concat_str(
            [pl.col("computed"), pl.when(~pl.col("computed").str.contains(_LIB)).then(lib)],
            separator=",",
            ignore_nulls=True,
        )
    )
    return plain.scatter(where, merged_default.to_series())


def _merged(properties: str | None, rest: str | None, computed: str, table: Table) -> str:
    """Return the members of bag and rest, renamed and dropped as the table says, under the computed ones."""
    mine = jsontext.raw_object("{" + computed + "}")
    text = jsontext.rewritten(properties or "{}", rename=table.rename, without=frozenset(mine), rest=rest)
    inner = text[1:-1].strip()
    return f"{inner},{computed}" if inner else computed


def _root(inner: pl.Series) -> pl.Expr:
    """Return the payload's text around its properties."""
    head = pl.struct(
        "event",
        "distinct_id",
        pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        "uuid",
    ).struct.json_encode()
    return pl.concat_str([head.str.strip_suffix("}"), pl.lit(',"properties":{'), pl.lit(inner), pl.lit("}}")])


def _repaired(whole: pl.DataFrame, repairs: Counter[str]) -> pl.DataFrame:
    """Return the payloads with what PostHog would mangle mended; only suspicious ones are looked into."""
    where = whole["payload"].str.contains(jsontext.SUSPECT).arg_true()
    if not where.len():
        return whole
    mended = [
        jsontext.repaired(text, repairs) if jsontext.depth(text) <= MAX_DEPTH else text
        for text in whole["payload"].gather(where)
    ]
    return whole.with_columns(whole["payload"].scatter(where, pl.Series(mended, dtype=pl.String)))
