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
    dialect = "plain"                        # how CSV is written: plain, spark or clickhouse, see --dialect
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
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import chain
from typing import Any, Final

import polars as pl

from migrate.errors import UsageError
from migrate.kit import expr, objects
from migrate.kit.declare import PROPERTIES, REST, WHOLE, Bag, Options, Platform, Table
from migrate.kit.events import events

_KINDS: Final = ("json", "numbers", "booleans")
_LISTS: Final = (*_KINDS, "dedup_key", "drop", "keep")
_TABLES: Final = ("rename", "set", "set_once", "groups")
_DIALECTS: Final = ("plain", "spark", "clickhouse")
_LAYOUT: Final = ("dialect", "quote", "escape", "no_header", "columns")
_KEYS: Final = (
    "event",
    "distinct_id",
    "timestamp",
    "uuid",
    *_LISTS,
    *_TABLES,
    "constants",
    "nulls",
    *_LAYOUT,
)

_UNIX: Final = {"unix_s": "s", "unix_ms": "ms", "unix_us": "us"}
_OFFSET: Final = re.compile(r"%(?:[:#]*z|\+)")
_UNREADABLE: Final = {
    "%Z": "a zone's name does not say its offset; use %z, or leave the zone to timestamp.zone",
    "%s": "seconds since 1970 are no calendar time; use unix_s",
    "%f": "decimals after a point are %.f, those without one %3f, %6f or %9f; use one of these",
}
_PROBE: Final = datetime(2024, 11, 23, 17, 48, 59, tzinfo=UTC)
_PLAIN_NUMBER: Final = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$"
"""What is a finite number at first sight."""
_NUMBER: Final = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A spec that has been read: which column plays which part."""

    event: str | None
    event_name: str | None
    distinct_id: Sequence[str]
    timestamp: str
    format: str
    zone: str | None
    uuid: str | None
    lists: Mapping[str, Sequence[str]]
    tables: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, str | float | bool]
    nulls: Sequence[str]

    def kinds(self) -> dict[str, str]:
        """Return the columns that are more than text, each with its kind."""
        return {column: kind for kind in _KINDS for column in self.lists[kind]}

    def identity(self) -> dict[str, str]:
        """Return the columns that become the event's own text, each with the key that says so."""
        own = {self.event: "event", self.timestamp: "timestamp", self.uuid: "uuid"}
        own |= {column: f"groups.{kind}" for kind, column in self.tables["groups"].items()}
        own[self.distinct_id[0]] = "distinct_id"
        return {column: key for column, key in own.items() if column is not None}

    def consumed(self) -> dict[str, str]:
        """Return the columns whose value stands elsewhere in the event, each with the key that says so."""
        person = {
            column: f"{key}.{name}"
            for key in ("set", "set_once")
            for name, column in self.tables[key].items()
        }
        return person | self.identity()

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield every key that names a column, with the column."""
        yield from ((key, column) for column, key in self.identity().items())
        yield from (("distinct_id", column) for column in self.distinct_id)
        yield from ((key, column) for key in _LISTS for column in self.lists[key])
        yield from ((f"rename.{column}", column) for column in self.tables["rename"])
        for key in ("set", "set_once", "groups"):
            yield from ((f"{key}.{name}", column) for name, column in self.tables[key].items())

    def declared(self) -> list[str]:
        """Return the columns that are read one by one; the others come together, in `REST`."""
        kinds = self.kinds()
        return list(dict.fromkeys([*self.consumed(), *self.distinct_id, *self.lists["dedup_key"], *kinds]))

    def gone(self) -> set[str]:
        """Return the columns that are no properties."""
        return (self.consumed().keys() - set(self.lists["keep"])) | set(self.lists["drop"])

    def properties(self) -> list[str]:
        """Return the declared columns that are properties."""
        gone = self.gone()
        return [column for column in self.declared() if column not in gone]

    def added(self) -> Iterator[tuple[str, str]]:
        """Yield the keys that give properties new names, with the name."""
        yield from ((f"rename.{column}", name) for column, name in self.tables["rename"].items())
        yield from ((f"constants.{name}", name) for name in self.constants)


def _shown(value: object) -> str:
    """Return what a spec has, as the message shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _wrong(key: str, expected: str, found: object, use: str) -> UsageError:
    """Return the error for a key whose value is of no use."""
    return UsageError(f"spec: {key}: expected {expected}, found {_shown(found)}; use {use}")


def _is_name(value: object) -> bool:
    """Return whether this can be the name of a column, an event or a property."""
    return isinstance(value, str) and bool(value.strip())


def _column(spec: Mapping[str, Any], key: str, use: str) -> str:
    """Return the column under a key that has to be there."""
    if key not in spec:
        raise UsageError(f"spec: {key}: missing; use {use}")
    if not _is_name(spec[key]):
        raise _wrong(key, "the name of a column", spec[key], use)
    return str(spec[key])


def _list(spec: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the columns listed under a key, none where it is absent."""
    value = spec.get(key, [])
    is_list = isinstance(value, list) and all(_is_name(name) for name in value)
    if not is_list or (key in spec and not value):
        raise _wrong(key, "a list of columns", value, f'{key} = ["column", …]')
    return tuple(dict.fromkeys(value))


def _table(spec: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return the names given under a key, none where it is absent."""
    use = 'column = "new name"' if key == "rename" else 'name = "column"'
    value = spec.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong(key, "a table", value, f"[{key}] with lines of {use}")
    for name, text in value.items():
        if not _is_name(text) or not _is_name(name):
            raise _wrong(f"{key}.{name}", "a name" if key == "rename" else "the name of a column", text, use)
    return dict(value)


def _event(spec: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the column of event names, or the one name of all events."""
    use = 'event = "column" or event = {constant = "name"}'
    value = spec.get("event")
    if not isinstance(value, Mapping):
        return _column(spec, "event", use), None
    if set(value) != {"constant"} or not _is_name(value["constant"]):
        raise _wrong("event", "a column or a constant", value, use)
    return None, str(value["constant"])


def _distinct_id(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that may name the person, in the order they are asked."""
    if isinstance(spec.get("distinct_id"), list):
        return _list(spec, "distinct_id")
    return (_column(spec, "distinct_id", 'distinct_id = "column" or distinct_id = ["first", "second"]'),)


def _timestamp(spec: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Return the column, the format and the zone of times."""
    use = 'timestamp = "column" or timestamp = {column = "…", format = "…", zone = "…"}'
    value = spec.get("timestamp")
    if not isinstance(value, Mapping):
        return _column(spec, "timestamp", use), "iso", None
    for key in value:
        if key not in ("column", "format", "zone"):
            raise UsageError(f"spec: timestamp.{key}: no such key; the keys are column, format, zone")
    if not _is_name(value.get("column")):
        raise _wrong("timestamp.column", "the name of a column", value.get("column"), use)
    shape = _format(value.get("format", "iso"))
    if "zone" not in value:
        return value["column"], shape, None
    if shape in _UNIX or _OFFSET.search(shape):
        raise UsageError(
            f"spec: timestamp.zone: {value['format']} says the zone itself; take timestamp.zone out"
        )
    return value["column"], shape, expr.zone_name(value["zone"], "spec: timestamp.zone")


def _format(shape: object) -> str:
    """Return a format polars reads times by; Python's `.%f` is its `%.f`."""
    if shape == "iso" or shape in _UNIX:
        return str(shape)
    pattern = str(shape).replace(".%f", "%.f")
    for directive, why in _UNREADABLE.items():
        if directive in pattern:
            raise UsageError(f"spec: timestamp.format: found {_shown(shape)}, and {why}")
    if not isinstance(shape, str) or not _reads_back(pattern):
        expected = "iso, unix_s, unix_ms, unix_us or a strftime pattern with year, month and day"
        raise _wrong("timestamp.format", expected, shape, 'one like "%d.%m.%Y %H:%M:%S"')
    return pattern


def _reads_back(pattern: str) -> bool:
    """Return whether a time written by this pattern is read by it as the same day."""
    try:
        text = pl.Series("text", [_PROBE]).dt.strftime(pattern).to_frame()
        found = text.select_seq(_patterned(pl.col("text"), pattern, "UTC")).item()
    except pl.exceptions.ComputeError:
        return False
    return isinstance(found, datetime) and found.date() == _PROBE.date()


def _constants(spec: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """Return the constants; dates and times as ISO 8601."""
    value = spec.get("constants", {})
    if not isinstance(value, Mapping):
        raise _wrong("constants", "a table", value, "[constants] with lines of name = value")
    found: dict[str, str | float | bool] = {}
    for name, constant in value.items():
        is_finite = not isinstance(constant, float) or math.isfinite(constant)
        if not isinstance(constant, (str, int, float, date, time)) or not is_finite:
            expected = "text, a number, true, false or a date"
            raise _wrong(f"constants.{name}", expected, constant, f'{name} = "value"')
        found[name] = constant.isoformat() if isinstance(constant, (date, time)) else constant
    return found


def _nulls(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts that stand for nothing."""
    value = spec.get("nulls", [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise _wrong("nulls", "a list of texts", value, 'nulls = ["text", …]')
    return tuple(value)


def _read(document: Mapping[str, Any]) -> Spec:
    """Return the spec in a TOML document; raise a `UsageError` that names the key where it is wrong."""
    for key in document:
        if key not in _KEYS:
            raise UsageError(f"spec: {key}: no such key; the keys are {', '.join(_KEYS)}")
    event, event_name = _event(document)
    timestamp, shape, zone = _timestamp(document)
    spec = Spec(
        event=event,
        event_name=event_name,
        distinct_id=_distinct_id(document),
        timestamp=timestamp,
        format=shape,
        zone=zone,
        uuid=_column(document, "uuid", 'uuid = "column"') if "uuid" in document else None,
        lists={key: _list(document, key) for key in _LISTS},
        tables={key: _table(document, key) for key in _TABLES},
        constants=_constants(document),
        nulls=_nulls(document),
    )
    for contradiction in chain(_misread(spec), _misplaced(spec), _named_twice(spec)):
        raise UsageError(f"spec: {contradiction}")
    return spec


def _misread(spec: Spec) -> Iterator[str]:
    """Yield where a column is of two kinds, or of one that its part in the event rules out."""
    kinds, identity = spec.kinds(), spec.identity()
    for kind in _KINDS:
        for column in spec.lists[kind]:
            if kinds[column] != kind:
                yield f"{kind}: {column} is in {kinds[column]} too; take it out of one"
            elif column in identity and column not in spec.lists["keep"]:
                yield f"{kind}: {column} is the column of {identity[column]}; take it out of {kind}"


def _misplaced(spec: Spec) -> Iterator[str]:
    """Yield where two keys want a column in different places."""
    consumed, keep = spec.consumed(), spec.lists["keep"]
    wanted = {column: key for key, column in spec.named() if key not in ("drop", "dedup_key")}
    for column in spec.lists["drop"]:
        if column in wanted:
            yield f"drop: {column} is used by {wanted[column]}; take it out of one"
    for column in keep:
        if column not in consumed:
            yield f"keep: {column} stays a property anyway; take it out of keep"
    for column in spec.tables["rename"]:
        if column in consumed and column not in keep:
            yield f"rename.{column}: {column} is used by {consumed[column]} and no property; add it to keep"


def _named_twice(spec: Spec) -> Iterator[str]:
    """Yield where two properties would have one name."""
    taken = {name: name for name in spec.properties() if name not in spec.tables["rename"]}
    for key, name in spec.added():
        if name in taken:
            yield f"{key}: {taken[name]} gives a property {_shown(name)} already; choose another name"
        taken[name] = key


def _missing(spec: Spec, columns: Sequence[str]) -> str | None:
    """Return what the spec names and a file with these columns lacks or has already."""
    found = ", ".join(columns)
    for key, column in spec.named():
        if column not in columns:
            return f"spec: {key}: no column {_shown(column)} in the file, found {found}; spell it as there"
    passing = set(columns) - spec.gone() - spec.tables["rename"].keys()
    for key, name in spec.added():
        if name in passing:
            return f"spec: {key}: the file has a column {_shown(name)} already; choose another name"
    return None


def _patterned(text: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """Return times written by a strftime pattern."""
    bare = text.str.strip_chars()
    if _OFFSET.search(pattern):
        return bare.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)
    return expr.local(bare.str.to_datetime(pattern, time_unit="us", strict=False), zone)


def _time(spec: Spec, options: Options) -> pl.Expr:
    """Return the events' times."""
    text, zone = pl.col(spec.timestamp), spec.zone or options.source_timezone
    if spec.format == "iso":
        return expr.timestamp(text, zone=zone)
    if spec.format in _UNIX:
        return expr.unix(text, _UNIX[spec.format])
    return _patterned(text, spec.format, zone)


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

    Of a flat file `_missing` has seen that there is none; in JSON lines it may come late.
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
    found = _read(spec)
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
            missing=partial(_missing, found),
        )
    ]


def layout(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the files are written, as far as a TOML document says it."""
    found: dict[str, Any] = {}
    for key, expected in (("dialect", _DIALECTS), ("quote", None), ("escape", None)):
        if key not in spec:
            continue
        value = spec[key]
        if expected and value not in expected:
            raise _wrong(key, f"one of {', '.join(expected)}", value, f'{key} = "{expected[0]}"')
        if not isinstance(value, str) or (not expected and len(value.encode()) != 1):
            raise _wrong(key, "one ASCII character", value, f'{key} = "\'"')
        found[key] = value
    if not isinstance(spec.get("no_header", False), bool):
        raise _wrong("no_header", "true or false", spec["no_header"], "no_header = true")
    columns = _list(spec, "columns")
    if columns or spec.get("no_header"):
        found |= {"columns": columns, "has_header": False}
    return found


MAPPING = Platform(
    identity_version=2,
    payload_version=2,
    title="Any flat file, described by a TOML spec (--spec)",
    reads="CSV, TSV, Parquet or JSON lines with a row for each event",
    from_spec=tables,
    layout_of=layout,
)
