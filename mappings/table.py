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
    channel = "utm_source"

    [constants]                              # properties every event gets
    source_system = "shop"

    [set]                                    # person property = "column"
    country = "country"

    [set_once]                               # the same, for the first value only
    first_shop = "shop"

    [groups]                                 # group type = "column"
    company = "company_id"

In the place of a column may stand SQL, `{sql = "COALESCE(user_id, hi || '_' || lo)"}`, or a path, `"user.id"`;
`where`, `[events]`, `[values]`, `[[links]]`, `[profile]`, `explode`, `[[table]]` and the rest stand in docs/spec.md.
Only `event`, `distinct_id` and `timestamp` are required; columns are spelled as the file spells them. Every column that
the spec does not name passes on unchanged as a property.

A column whose value stands elsewhere in the event is not repeated among the properties unless `keep` lists
it: those of `event`, `timestamp`, `uuid`, `[set]`, `[set_once]`, `[groups]`, and the first of
`distinct_id`. The columns of `dedup_key` and the further ones of `distinct_id` stay properties, as text.

What cannot be read as a column's kind ("12,50" in `numbers`, half a list in `json`) stays the text it is; a
time that cannot be read rejects its row. Without `dedup_key` and `uuid` a row is known by all its columns,
and identical rows of one file are events of their own; with them, rows of the same key (or, where that is
empty, of the same columns) count once. Name a key if the file has one: a later export with one more column
is then the same events.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import polars as pl

from mappings._table_checks import missing, taken
from mappings._table_columns import Columns
from mappings._table_document import read
from mappings._table_keys import IN_TABLE, KEYS, layout, nulls
from mappings._table_rows import (
    WHERE,
    elements_of,
    rest_of,
    to_events,
    to_groups,
    to_links,
    to_profiles,
    unread_times,
)
from mappings._table_several import Part, asked_of, headerless, parts
from mappings._table_spec import Spec, shown
from migrate.errors import UsageError
from migrate.kit import events
from migrate.kit.declare import EVERY_ROW, REST, Filter, Lookup, Platform, Table, has

EMPTY: Final = "explode.empty"
"""The name of the filter that leaves out records without elements."""


def _filters(columns: Columns) -> dict[str, Filter]:
    """Return what leaves rows out, by name."""
    spec = columns.spec
    found: dict[str, Filter] = {}
    if spec.explode is not None:
        found[EMPTY] = pl.col(spec.explode.column).is_null()
    if spec.where is not None:
        found[WHERE] = ~pl.col(spec.where).fill_null(value=False)
    name = pl.lit(spec.event_name) if spec.event is None else columns.text(spec.event)
    found |= {f"events.{old}": name == old for old, new in spec.events.items() if new is None}
    if not spec.has_events and spec.profile is None and not spec.told_groups:
        found["identity_only"] = EVERY_ROW
    return found


def _is_left_out(column: str, *, used: Collection[str]) -> bool:
    """Return whether an undeclared column goes nowhere, where rows are no events."""
    return column not in used


def _told(columns: Columns) -> dict[str, Any]:
    """Return the fields of a table by which rows tell of other things than events."""
    spec = columns.spec
    found: dict[str, Any] = {}
    if spec.links:
        found["to_links"] = partial(to_links, columns=columns)
        found["link_columns"] = columns.of_links()
    if spec.profile is not None:
        found["to_profiles"] = partial(to_profiles, columns=columns)
    if spec.told_groups:
        found["to_groups"] = partial(to_groups, columns=columns)
    if not spec.has_events:
        found["left_out"] = partial(_is_left_out, used=frozenset(columns.copied))
    return found


def _table(part: Part, spec: Spec, asked: Sequence[str]) -> Table:
    """Return the table that a spec describes; `asked` are the columns that others look up in it."""
    columns = Columns.of(spec, asked, None if part.is_alone else part.name)
    whole = [("explode", spec.explode.column)] if spec.explode is not None else []
    named = [*spec.beside(), *columns.asked(), *spec.named(), *whole]
    for complaint in taken(columns.declared, named):
        raise UsageError(complaint)
    exploded = [] if spec.explode is None else [spec.explode.column]
    laid = [*(one for one in exploded if one not in spec.lists["drop"]), REST]

    def lacks(found: Sequence[str]) -> str | None:
        said = missing(spec, found, asked=[*columns.asked(), *(("key", one) for one in asked)])
        return said and part.told(said)

    return Table(
        name=part.name,
        columns=dict.fromkeys(columns.declared, pl.String()),
        matches=partial(part.takes, spec=spec, asked=columns.asked()),
        files=part.files,
        to_events=partial(to_events, columns=columns) if spec.has_events else events.none,
        bags={REST: rest_of(columns)} | {one: elements_of(columns, one) for one in exploded},
        properties=laid if spec.has_events else (),
        unfold=exploded[0] if exploded else None,
        lookup=None if part.key is None else Lookup(key=part.key, files=part.files),
        joins={name: replace(one, on=columns.raw(one.on)) for name, one in spec.joins.items()},
        computed=columns.computed,
        whole=spec.has_events and not spec.lists["dedup_key"],
        rename=spec.tables["rename"],
        dropped=frozenset(spec.lists["drop"]),
        times=columns.of_times(),
        ids=columns.of_ids(),
        nulls=spec.nulls,
        partitions=True,
        filters=_filters(columns),
        warnings=unread_times(columns),
        ordinals=spec.has_events and not spec.lists["dedup_key"] and spec.uuid is None,
        missing=lacks,
        **_told(columns),
    )


def _lookup(part: Part, asked: Sequence[str]) -> Table:
    """Return a table that is there for others to look things up in."""
    for complaint in taken((*asked, str(part.key)), [("key", str(part.key))]):
        raise UsageError(complaint)

    def lacks(found: Sequence[str]) -> str | None:
        absent = next((one for one in asked if one not in found), None)
        if absent is None:
            return None
        return part.told(f"spec: no column {shown(absent)} to look up in the file, found {', '.join(found)}")

    return Table(
        name=part.name,
        columns=dict.fromkeys(asked, pl.String()),
        matches=has(*part.has),
        files=part.files,
        to_events=events.none,
        lookup=Lookup(key=str(part.key), files=part.files),
        nulls=nulls(part.document),
        missing=lacks,
    )


def tables(spec: Mapping[str, Any]) -> Sequence[Table]:
    """Return the tables a TOML document describes; a `UsageError` names the key that is wrong."""
    found: list[tuple[Part, Spec | None]] = []
    for part in parts(spec):
        with part.named():
            known = KEYS if part.is_alone else IN_TABLE
            found.append((part, read(part.document, known) if part.tells else None))
    asked, made = asked_of(found), []
    names = [part.header_file for part, _ in found if part.header_file is not None]
    if names:  # which would be taken for rows of the first
        of_names = {"column_names": EVERY_ROW}
        made.append(
            Table(
                name="column_names",
                columns={},
                matches=has(),
                files=names,
                to_events=events.none,
                filters=of_names,
            )
        )
    for part, one in found:
        with part.named():
            of_it = asked.get(part.name, [])
            made.append(_lookup(part, of_it) if one is None else _table(part, one, of_it))
    return made


MAPPING = Platform(
    identity_version=3,
    payload_version=4,
    title="Any flat file, described by a TOML spec (--spec)",
    reads="CSV, TSV, Parquet or JSON lines with a row for each event",
    from_spec=tables,
    layout_of=layout,
    headerless_of=headerless,
)
