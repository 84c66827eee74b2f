r"""Any flat file: CSV, TSV, Parquet or JSON lines with a row for each event, described by a TOML spec.

    event = {constant = "order placed"}      # or a column: event = "action"
    distinct_id = ["user_id", "device_id"]   # a column, or several: the first that is not blank
    uuid = "event_uuid"                      # optional: the events' own UUIDs, kept
    dedup_key = ["order_id"]                 # optional: what tells one event from another
    json = ["items"]                         # columns that hold JSON of any kind
    numbers = ["price"]                      # columns that hold numbers, where the file has only text
    booleans = ["gift"]                      # columns that hold true/false, yes/no, 1/0
    drop = ["internal_note"]                 # columns that go nowhere
    keep = ["country"]                       # columns used elsewhere that are wanted as properties too
    nulls = ["-", "NULL"]                    # what stands for nothing in cells of CSV and TSV, beside \N
    dialect = "plain"                        # how CSV is written: plain, spark, clickhouse or raw, see --dialect
    columns = ["action", "user_id"]          # names of the columns of a file without a header

    [timestamp]                              # or, for ISO 8601: timestamp = "ordered_at"
    column = "ordered_at"
    format = "%d.%m.%Y %H:%M:%S"             # "iso" (the default), "unix_s", "unix_ms", "unix_us" or strftime
    zone = "Europe/Berlin"                   # or "+02:00", of times that name none; else that of --source-timezone

    [rename]                                 # column = "its name as a property"
    channel = "$utm_source"

    [constants]                              # properties every event gets
    source_system = "shop"

    [set]                                    # person property = "column"
    country = "country"

    [set_once]                               # the same, for the first value only
    first_shop = "shop"

    [groups]                                 # group type = "column"
    company = "company_id"

Only `event`, `distinct_id` and `timestamp` are required; columns are spelled as the file spells them. Every
column the spec does not name passes on unchanged as a property.

A column whose value stands elsewhere in the event is not repeated among the properties unless `keep` lists
it: those of `event`, `timestamp`, `uuid`, `[set]`, `[set_once]`, `[groups]`, and the first of
`distinct_id`. The columns of `dedup_key` and the further ones of `distinct_id` stay properties, as text.

What cannot be read as a column's kind ("12,50" in `numbers`, half a list in `json`) stays the text it is; a
time that cannot be read rejects its row. Without `dedup_key` and `uuid` a row is known by all its columns,
and identical rows of one file are events of their own; with them, rows of the same key (or, where that is
empty, of the same columns) count once. Name a key if the file has one: a later export with one more column
is then the same events.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from mappings._table_document import layout, read
from mappings._table_spec import Spec, missing
from mappings._table_times import UNIX, patterned
from migrate.kit import expr, objects
from migrate.kit.declare import PROPERTIES, REST, WHOLE, Bag, Options, Platform, Table
from migrate.kit.events import events

_PLAIN_NUMBER: Final = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$"
"""What is a finite number at first sight."""
_NUMBER: Final = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"


def _time(spec: Spec, options: Options) -> pl.Expr:
    text, zone = pl.col(spec.timestamp), spec.zone or options.source_timezone
    if spec.format == "iso":
        return expr.timestamp(text, zone=zone)
    if spec.format in UNIX:
        return expr.unix(text, UNIX[spec.format])
    return patterned(text, spec.format, zone)


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


def _valued(texts: pl.Series, kind: str) -> pl.Series:
    """Return texts as JSON values of their kind, as JSON strings where they are not of it; a JSON null is none."""
    values = _VALUES[kind](texts)
    where = (values.is_null() & texts.is_not_null()).arg_true()
    if where.len():
        odd = pl.select(objects.quoted(pl.lit(texts.gather(where)))).to_series()
        values = values.scatter(where, odd)
    if kind == "json":
        return values.set(values.str.strip_chars() == "null", None)
    return values


def _object(columns: Mapping[str, pl.Expr], kinds: Mapping[str, str], rest: pl.Expr | None = None) -> pl.Expr:
    """Return properties as a JSON object: the text, or what it says where it is of the kind that was declared."""
    values = {
        name: text.map_batches(
            partial(_valued, kind=kinds[name]), return_dtype=pl.String, is_elementwise=True
        )
        if name in kinds
        else text
        for name, text in columns.items()
    }
    return objects.text_with(values, json=kinds.keys(), rest=rest)


def _properties(spec: Spec) -> pl.Expr:
    """Return the rows' properties: the declared columns that are some, and what passes on unchanged."""
    names = {column: spec.tables["rename"].get(column, column) for column in spec.properties()}
    columns = {name: pl.col(column) for column, name in names.items()}
    if spec.uuid and spec.uuid in spec.gone():
        is_none = expr.canonical_uuid(pl.col(spec.uuid)).is_null()
        columns[spec.uuid] = pl.when(is_none).then(expr.filled(pl.col(spec.uuid)))
    kinds = {names[column]: kind for column, kind in spec.kinds().items() if column in names}
    return _object(columns, kinds, pl.col(PROPERTIES)) if columns else pl.col(PROPERTIES)


def _rest(spec: Spec) -> Bag:
    """Return how the undeclared columns are opened: one that is called like a property of a declared one gets `_2`.

    Of a flat file `missing` has seen that there is none; in JSON lines it may come late.
    """
    taken = {spec.tables["rename"].get(column, column) for column in spec.properties()}
    taken |= {spec.uuid} if spec.uuid else set()
    return Bag(name=lambda key: f"{key}_2" if key in taken else key)


def _person(spec: Spec, columns: Mapping[str, str]) -> pl.Expr | None:
    """Return person properties as JSON objects, None where the spec has none."""
    kinds = {name: spec.kinds()[column] for name, column in columns.items() if column in spec.kinds()}
    return (
        _object({name: expr.filled(pl.col(column)) for name, column in columns.items()}, kinds)
        if columns
        else None
    )


def _dedup_key(spec: Spec) -> pl.Expr:
    """Return the key's columns; where there are none, or all are empty, the whole row."""
    named = [pl.col(column) for column in spec.lists["dedup_key"]]
    is_named = pl.any_horizontal(pl.lit(False), *(expr.identifier(part).is_not_null() for part in named))
    told = [
        expr.canonical(pl.col(name), where=~is_named) if name in spec.lists["json"] else pl.col(name)
        for name in sorted(spec.declared())
    ]
    if not named:
        return expr.key(*told, pl.col(WHOLE))
    row = expr.key(*told, expr.canonical(pl.col(REST), where=~is_named))
    return pl.when(is_named).then(expr.key(*named)).otherwise(row)


def to_events(rows: pl.LazyFrame, options: Options, *, spec: Spec) -> pl.LazyFrame:
    """Return one event a row, as the spec says."""
    return events(
        rows,
        event=pl.lit(spec.event_name) if spec.event is None else pl.col(spec.event),
        distinct_id=pl.coalesce([expr.filled(pl.col(column)) for column in spec.distinct_id]),
        timestamp=_time(spec, options),
        uuid=expr.canonical_uuid(pl.col(spec.uuid)) if spec.uuid else None,
        dedup_key=_dedup_key(spec),
        laid=_properties(spec),
        extra={name: pl.lit(value) for name, value in spec.constants.items()},
        set=_person(spec, spec.tables["set"]),
        set_once=_person(spec, spec.tables["set_once"]),
        groups={kind: expr.filled(pl.col(column)) for kind, column in spec.tables["groups"].items()},
    )


def _any_file(_columns: frozenset[str]) -> bool:
    """Return True: the spec is for the files it is given with."""
    return True


def tables(spec: Mapping[str, Any]) -> Sequence[Table]:
    """Return the one table a TOML document describes; a `UsageError` names the key that is wrong."""
    found = read(spec)
    return [
        Table(
            name="rows",
            columns=dict.fromkeys(found.declared(), pl.String()),
            matches=_any_file,
            to_events=partial(to_events, spec=found),
            bags={REST: _rest(found)},
            properties=(REST,),
            whole=not found.lists["dedup_key"],
            rename=found.tables["rename"],
            dropped=frozenset(found.lists["drop"]),
            times=(found.timestamp,),
            ids=[*found.distinct_id, *found.tables["groups"].values(), *([found.uuid] if found.uuid else [])],
            nulls=found.nulls,
            partitions=True,
            ordinals=not found.lists["dedup_key"] and found.uuid is None,
            missing=partial(missing, found),
        )
    ]


MAPPING = Platform(
    identity_version=3,
    payload_version=3,
    title="Any flat file, described by a TOML spec (--spec)",
    reads="CSV, TSV, Parquet or JSON lines with a row for each event",
    from_spec=tables,
    layout_of=layout,
)
