"""The tables of warehouses and data lakes in which calls of Segment's specification are stored.

How their rows are read stands in `mappings._warehouse_rows`; here is which tables there are, and what each is for.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from mappings._calls import DEVICE_CLOCK, TIMES, aliased, identifier, looked_at, who
from mappings._calls_context import NOISE, OF_CALL, OF_DEVICE
from mappings._warehouse_rows import (
    IN_EVENT_TABLE,
    RECEIVED,
    accounts,
    profiles,
    stored_events,
    stored_groups,
    table_traits,
    traits,
)
from migrate.kit import events, expr, links
from migrate.kit.declare import EVERY_ROW, FILE, RECOVERED, REST, Bag, Options, Table

_CUT: Final = r':\s*"(?:[^"\\]|\\.){512}"'
"""Found where a text has as many characters as a column of a Redshift warehouse holds; it was probably longer."""
STORED_IDS: Final = ("id", "message_id", "anonymous_id", "user_id")
STORED: Final = ("id", "message_id", "anonymous_id", "user_id", *TIMES, *OF_CALL, *OF_DEVICE)
LINKS: Final = ("user_id", "anonymous_id", *TIMES)
STORED_DROPPED: Final = NOISE | {"received_at", "sent_at", "uuid_ts", "loaded_at"}
OF_ANOTHER: Final = STORED_DROPPED | {*OF_CALL, *OF_DEVICE}
"""Dropped where a row is no event: in which context the call stood that it tells of."""
STANDARD: Final = frozenset(
    {"tracks", "pages", "screens", "identifies", "groups", "aliases", "users", "accounts"}
)
_MARK: Final = '"event_table\\u001f":'
"""`IN_EVENT_TABLE` as the key of a JSON object."""


def alias_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the links of the table of alias calls, whose rows may name an anonymous id, too."""
    return links.concat([who(rows, options), aliased(rows, options)])


def named(stem: str) -> str:
    """Return the name of the table that a file of this name has: `prod.Order Completed_view` is order_completed.

    RudderStack's table of an event that is called like a standard table begins with `_`, Redshift's of one that
    begins with a digit.
    """
    return _bare(stem).strip("_")


def _bare(stem: str) -> str:
    """Return the name of a table as warehouses spell it, with the `_` that may stand around it."""
    return re.sub(r"\W+", "_", stem.lower().rpartition(".")[2]).removesuffix("_view")


def is_named(*names: str) -> Callable[[str], bool]:
    """Return what tells whether a file's name is one of these tables', whatever stands around: `prod_pages_2024`."""
    pattern = re.compile(rf"(^|[^a-z0-9])({'|'.join(names)})([^a-z]*|_view)$")
    return lambda file: pattern.search(file) is not None


is_tracks: Final = is_named("tracks", "track")


def event_key(row_id: pl.Expr) -> pl.Expr:
    """Return the key under which event tables tell of a row of `tracks`, of the id that it has in both."""
    return pl.concat_str(pl.lit(IN_EVENT_TABLE), row_id)


def own_table() -> pl.Expr:
    """Return whether a row stands in its event's own table, also where that is called like `tracks` ("Play Tracks")."""
    file, slug = expr.each(pl.col(FILE), named), expr.each(pl.col("event"), named)
    is_standard = expr.each(pl.col(FILE), lambda stem: _bare(stem) in STANDARD, pl.Boolean)
    return ((file == slug) & ~is_standard).fill_null(value=False)


def held(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the ids of an event table's rows, by which rows of `tracks` are left out; none where none are to be."""
    asked = any(map(is_tracks, options.files)) and "in_event_table" not in options.keep
    name = pl.lit(IN_EVENT_TABLE)
    told = rows if asked else rows.filter(pl.lit(False))
    return links.recoveries(
        told, key=event_key(identifier("id", "message_id")), name=name, value=pl.lit("true")
    )


def held_by_tracks(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the ids of those rows of a file called like `tracks` whose event is called so, too."""
    return held(rows.filter(own_table()), options)


def in_event_table() -> pl.Expr:
    """Return whether a row of `tracks` stands in its event's own table, too, which alone has its properties.

    Known by its id, whatever the files are called: of one source or of one month there may be no such table.
    """
    return pl.col(RECOVERED).str.contains(_MARK, literal=True) & ~own_table()


def stored_bags(options: Options) -> dict[str, Bag]:
    """Return how the undeclared columns of a warehouse's table are opened."""
    return {REST: Bag(keys=looked_at(options))}


def texts(*names: str) -> dict[str, type[pl.DataType]]:
    """Return the columns of a stored table and these, all as text."""
    return dict.fromkeys((*STORED, *names), pl.String)


def plain(*names: str) -> dict[str, type[pl.DataType]]:
    """Return these columns, all as text."""
    return dict.fromkeys(names, pl.String)


def some(*names: str) -> Callable[[frozenset[str]], bool]:
    """Return a `Table.matches` that holds where a row has an id and one of these columns."""
    return lambda columns: bool(columns & {"id", "message_id"}) and not columns.isdisjoint(names)


def tables(*, source: str, own: str, recover: pl.Expr | None = None) -> list[Table]:
    """Return the tables of a warehouse or a data lake; `own` is a pattern of columns that are no traits.

    `source` is who speaks, see `_calls.named_by`.

    `tracks` and tables of events have the name of an event in each row. All others, and `tracks` among those, are told
    by their files' names, and where those say nothing by their columns: what holds addresses are pages.
    """
    pages = Table(
        name="pages",
        columns=texts(),
        matches=some(*TIMES),
        file=is_named("pages", "page"),
        to_events=partial(stored_events, kind="page", own=own, source=source),
        to_links=who,
        link_columns=LINKS,
        times=TIMES,
        ids=STORED_IDS,
        recover=recover,
        bags=stored_bags,
        properties=(REST,),
        dropped=STORED_DROPPED,
        warnings={
            "text_of_512_characters": pl.col(REST).str.contains(_CUT),
            DEVICE_CLOCK: pl.col("timestamp").is_null() & pl.col("original_timestamp").is_not_null(),
        },
    )
    screens = replace(
        pages,
        name="screens",
        file=is_named("screens", "screen"),
        to_events=partial(stored_events, kind="screen", own=own, source=source),
    )
    identifies = replace(
        pages,
        name="identifies",
        file=is_named("identifies", "identify"),
        to_events=partial(stored_events, kind="identify", own=own, source=source),
        to_links=partial(who, why="identify call"),
        properties=(),
        filters={"identity_only": table_traits(own, of_person=True).struct.field("rest").is_null()},
    )
    event_tables = replace(
        pages,
        name="event_tables",
        columns=texts("event", "event_text"),
        matches=lambda columns: some(*TIMES)(columns) and some("event", "event_text")(columns),
        file=None,
        to_events=partial(stored_events, kind="track", own=own, source=source),
        to_recoveries=held,
        link_columns=(*LINKS, "id", "message_id"),
    )
    tracks = replace(
        event_tables,
        name="tracks",
        file=is_tracks,
        to_recoveries=held_by_tracks,
        link_columns=(*LINKS, "id", "message_id", "event"),
        recover=event_key(identifier("id", "message_id")),
        filters={"in_event_table": in_event_table()},
    )
    unnamed = replace(
        pages, name="pages_by_columns", file=None, matches=some("url", "path", "context_page_url")
    )
    return [
        tracks,
        event_tables,
        identifies,
        *last_states(pages, own),
        screens,
        pages,
        *no_events(pages, own),
        unnamed,
    ]


def last_states(like: Table, own: str) -> list[Table]:
    """Return the tables of the last states of users and groups, which `identifies` and `groups` tell call by call.

    Users are told once each, in the end, also beside `identifies`, where calls of old may be missing; accounts, also
    beside `groups`, where they say something else than its last calls did.
    """
    last = replace(
        no_event(like, own),
        times=RECEIVED,
        dropped=(OF_ANOTHER | {"message_id", "original_timestamp", "user_id"}) - {"received_at"},
        warnings={name: rule for name, rule in like.warnings.items() if name != DEVICE_CLOCK},
        matches=some("id"),
    )
    users = replace(
        last,
        name="users",
        columns=plain("id", "anonymous_id", *RECEIVED),
        ids=("id", "anonymous_id"),
        file=is_named("users"),
        to_profiles=partial(profiles, own=own),
        to_links=partial(who, user="id", times=RECEIVED, why="identify call"),
        link_columns=("id", "anonymous_id", *RECEIVED),
        filters={"no_traits": traits(own).is_null()},
    )
    groups = replace(
        last,
        name="accounts",
        columns=plain("id", "group_id", *RECEIVED),
        ids=("id", "group_id"),
        dropped=last.dropped | {"anonymous_id"},
        to_links=None,
        link_columns=None,
        file=is_named("accounts"),
        to_groups=partial(accounts, own=own),
        filters={},
    )
    return [users, groups]


def no_event(like: Table, own: str) -> Table:
    """Return a table whose rows are no events: of their columns traits are told, and none of the call's own."""
    is_own = re.compile(own).match
    return replace(like, to_events=events.none, bags={}, properties=(), left_out=is_own)


def no_events(like: Table, own: str) -> list[Table]:
    """Return the tables of calls that are no events: of groups and of aliases."""
    key = {"id"} if like.recover is not None else set[str]()
    other = replace(no_event(like, own), file=None, dropped=(OF_ANOTHER | {"id", "message_id"}) - key)
    groups = replace(
        other,
        name="groups",
        columns=plain(*key, *LINKS, "group_id"),
        ids=("anonymous_id", "user_id", "group_id"),
        matches=some("group_id"),
        to_groups=partial(stored_groups, own=own),
    )
    aliases = replace(
        other,
        name="aliases",
        columns=plain(*LINKS, "previous_id"),
        ids=("anonymous_id", "user_id", "previous_id"),
        recover=None,
        left_out=bool,
        dropped=other.dropped | {"id"},
        matches=some("previous_id"),
        to_links=alias_links,
        link_columns=(*LINKS, "previous_id"),
        filters={"identity_only": EVERY_ROW},
    )
    return [groups, aliases]
