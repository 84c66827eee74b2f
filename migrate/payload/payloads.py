"""Event frame → payload text, column-wise."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import polars as pl

from migrate.jsontext.build import Value, members_text
from migrate.jsontext.careful import MAX_DEPTH, nests_too_deep
from migrate.jsontext.parse import encoded
from migrate.kit import expr, times
from migrate.kit.declare import Options, PersonProperties, Table
from migrate.kit.schemas import row_schema, typed
from migrate.payload import properties, required, special

MAX_RECORD_BYTES: Final = 999_000
"""PostHog's Kafka record limit less a margin; the event's JSON travels escaped in it (posthog-ingestion.md §1.8)."""
LARGE_RECORD_BYTES: Final = 899_000
"""From here on its capture v1 refuses what v0 takes (posthog-ingestion.md §9.3)."""

_ENVELOPE_BYTES: Final = 1_024
"""What a Kafka record holds beside the event: address, token, uuid, time (posthog-ingestion.md §1.8)."""
_COPIES: Final = 3
"""How often it holds the event's name and id beside the event: in its value, its key and its headers."""
_SMALL_BYTES: Final = LARGE_RECORD_BYTES // 3
"""A payload below this is no large record, whatever is in it: two thirds for quotes, one for names and the envelope."""
_REPRINTED: Final = re.compile(rb"[:,\[]\s*(-?[0-9][0-9.]*(?:[eE][+-]?[0-9]+|(?<=[0-9.]{16})))")
_DOUBLE_BYTES: Final = 24
"""A number with an exponent, or of 16 digits, may be printed longer by PostHog, but no longer than this (§9.3)."""


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What every payload of an import carries: where it came from, and which import brought it."""

    platform: str
    import_id: str

    def forced(self) -> dict[str, str | bool]:
        """Return the properties no source may override.

        Without `$geoip_disable` every person moves to the importer's data centre (posthog-ingestion.md §3.4).
        """
        return {
            "$geoip_disable": True,
            "historical_migration": True,
            "analytics_source": self.platform,
            "$import_job_id": self.import_id,
        }


@dataclass(frozen=True)
class Payloads:
    """What became of an event frame.

    `frame`: the input's `_row`, `event`, `distinct_id`, `timestamp`, with `uuid` and `payload`; `rejects`: `_row`,
    `reason`, `value`, a row each; what was repaired and what PostHog will not like, by name; of some of these the
    first row.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    repairs: Counter[str]
    warnings: Counter[str]
    examples: dict[str, int]


def claimed(table: Table, options: Options) -> Table:
    """Return a table that knows, under these options, what its objects hold and which names its events compute.

    What `to_events` computes shows in the schema of what it makes of no rows.
    """
    rows = pl.LazyFrame(schema=row_schema(table, options))
    made = table.to_events(rows, options).collect_schema() if table.properties else {"extra": pl.String()}
    forced = {*Imprint(platform="", import_id="").forced(), "$process_person_profile"}
    if options.person_properties != "set":
        forced.update(properties.PERSON)
    return replace(
        table,
        bags=table.bags_under(options),
        claims=table.claims | properties.claimed(made, dict.fromkeys(forced)),
    )


class Ruled(NamedTuple):
    """The user's rules on what stands in payloads."""

    payloads: Callable[[pl.DataFrame, Counter[str]], pl.DataFrame]
    """Finished events → the same with their `payload` as the rules want it; what was done is counted."""
    makes_dollars: bool
    """Whether they may make a name that has a meaning of its own in PostHog."""


def payloads(
    frame: pl.DataFrame,
    table: Table,
    imprint: Imprint,
    persons: PersonProperties = "set",
    ruled: Ruled | None = None,
) -> Payloads:
    """Return the event frame's events as JSON text, exactly as they will be sent; `persons` as wanted, and `ruled`.

    `frame` is an event frame that passed `checks.check`. The text holds the root keys event, distinct_id,
    timestamp, uuid and properties and no others: PostHog drops those without a word (posthog-ingestion.md §1.3).
    The same event gives the same bytes, whatever else is in the frame.
    """
    repairs: Counter[str] = Counter()
    forced: dict[str, Value] = {**imprint.forced(), "$process_person_profile": _personless()}
    sound = properties.as_wanted(properties.sound(typed(frame), table, forced, repairs), persons, repairs)
    del frame
    schema = sound.schema
    inner = properties.inner(sound, schema, forced, repairs)
    watched = properties.watched(sound, schema, table.rename)
    events = sound.select_seq("_row", "event", "distinct_id", "timestamp", _uuid(sound, imprint))
    del sound  # as large as the payloads, which are made now
    finished = events.with_columns_seq(_payload(events, inner))
    del inner
    if ruled is not None:
        finished = ruled.payloads(finished, repairs)
        watched |= special.WATCHED if ruled.makes_dollars else set()
    examined = special.examined(finished, watched)
    warnings = examined.warnings + required.lacking(examined.frame)
    return Payloads(
        examined.frame, examined.rejects, +(repairs + examined.repairs), warnings, examined.examples
    )


def may_be_large(size: int) -> bool:
    """Return whether a payload of so many bytes might be a large Kafka record, if all of them were quotes."""
    return size >= _SMALL_BYTES


def large(frame: pl.DataFrame) -> pl.Series:
    """Return how large the Kafka record of each event would be, null for those below `LARGE_RECORD_BYTES`.

    `frame` needs `event`, `distinct_id` and `payload`.
    """
    where = frame.select_seq(_rough_bytes() >= LARGE_RECORD_BYTES).to_series().fill_null(False).arg_true()
    events = frame.select_seq("payload", "event", "distinct_id").gather(where)
    sizes = pl.Series([record_bytes(*event) for event in events.iter_rows()], dtype=pl.Int64)
    return pl.repeat(None, frame.height, dtype=pl.Int64, eager=True).scatter(where, sizes)


def record_bytes(payload: str, event: str, distinct_id: str) -> int:
    """Return how large the Kafka record of an event would be at the most.

    Quotes and backslashes count twice, and numbers that PostHog prints anew as long as it may print them.
    """
    text = payload.encode()
    names = len(encoded(event)) + len(encoded(distinct_id))
    size = len(text) + text.count(b'"') + text.count(b"\\") + len('""') + _ENVELOPE_BYTES + _COPIES * names
    return size + sum(max(0, _DOUBLE_BYTES - len(one)) for one in _REPRINTED.findall(text))


def _rough_bytes() -> pl.Expr:
    """Return the same but for numbers and what is escaped in names, null where a record is surely not large."""
    payload = pl.col("payload")
    names = pl.col("event").str.len_bytes() + pl.col("distinct_id").str.len_bytes() + 2 * len('""')
    size = payload.str.len_bytes() + len('""') + _ENVELOPE_BYTES + _COPIES * names
    suspect = pl.when(payload.str.len_bytes() >= _SMALL_BYTES).then(payload)
    escapes = suspect.str.count_matches('"', literal=True) + suspect.str.count_matches("\\", literal=True)
    return size + escapes


def openings(text: pl.Expr) -> pl.Expr:
    """Return how many objects and lists a JSON text opens, brackets in strings counted: no less than it is deep."""
    return text.str.count_matches("[", literal=True) + text.str.count_matches("{", literal=True)


def too_deep(payload: pl.Series) -> pl.Series:
    """Return whether each JSON text is nested deeper than `jsontext.MAX_DEPTH`; null is not."""
    opened = payload.to_frame("payload").select_seq(openings(pl.col("payload")).fill_null(0)).to_series()
    suspects = opened > MAX_DEPTH
    where = suspects.arg_true()
    return suspects.scatter(where, [nests_too_deep(text.encode()) for text in payload.gather(where)])


def _personless() -> pl.Expr:
    """Return False for events of ids that are no one's, null for others.

    PostHog makes one person of all who share such an id. It drops or half ignores the events that are about persons
    and groups when they carry this (posthog-ingestion.md §3.1, §3.5).
    """
    about_persons = pl.col("event").is_in([*special.MERGE_EVENTS, "$groupidentify"])
    return pl.when(pl.col("junk") & ~about_persons).then(pl.lit(False))


def _uuid(frame: pl.DataFrame, imprint: Imprint) -> pl.Series:
    """Return the event's own uuid, else a version 7 of its time and a hash of platform and dedup key."""
    derived = expr.uuid7(pl.col("timestamp").dt.epoch("ms"), pl.lit(imprint.platform), pl.col("dedup_key"))
    if frame["uuid"].null_count() == frame.height:
        return frame.select_seq(derived.alias("uuid")).to_series()
    own = frame.select_seq(expr.canonical_uuid(pl.col("uuid"))).to_series()
    if not own.null_count():
        return own
    return frame.select_seq(pl.coalesce(pl.lit(own), derived).alias("uuid")).to_series()


def _payload(events: pl.DataFrame, inner: pl.DataFrame) -> pl.Series:
    """Return the payload's text around its properties."""
    head = members_text(["event", "distinct_id"])
    time = times.written(pl.col("timestamp"))
    own = [pl.lit("{"), head, pl.lit(',"timestamp":"'), time, pl.lit('","uuid":"'), pl.col("uuid")]
    pieces = [*own, pl.lit('","properties":{'), *inner.columns, pl.lit("}}")]
    text = pl.concat_str(pieces, ignore_nulls=True).alias("payload")
    return events.hstack(inner).lazy().select_seq(text).collect().to_series()
