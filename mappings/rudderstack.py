"""RudderStack: raw messages, and warehouse and data lake tables, with what was discarded from them.

RudderStack speaks Segment's language, and its files are read as those are (see `mappings.segment`). Its own are:
sessions (`context_session_id`), `request_ip`, identify calls whose traits stand in the context, a `channel` on every
row, and `rudder_discards`: a value that does not fit its column's type is missing from its row and stands there
(https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20). It is put
back, as the text that it is there.
"""

from dataclasses import replace
from typing import Final

import polars as pl

from mappings._calls import DEVICE_CLOCK
from mappings._messages import raw_messages
from mappings._warehouse import event_key, tables
from migrate.kit import events, expr, links
from migrate.kit.declare import EVERY_ROW, Options, Platform, Table, ToFrame, has

LAKE: Final = "_timestamp"
DISCARDS: Final = ("table_name", "row_id", "column_name", "column_value")


def recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what was discarded, by the id of its row: a message's, which is the same in `tracks` and event table.

    Rows of `tracks` ask for it by a key of their own, see `event_key`.
    """
    row, name = expr.stripped(pl.col("row_id")), expr.stripped(pl.col("column_name")).str.to_lowercase()
    return pl.concat(
        links.recoveries(rows, key=key, name=name, value=pl.col("column_value"))
        for key in (row, event_key(row))
    )


def of_lake(table: Table) -> Table:
    """Return a table that may be a data lake's, which calls the warehouse's `timestamp` `_timestamp`."""
    named = pl.coalesce("timestamp", LAKE).alias("timestamp")

    def told(function: ToFrame) -> ToFrame:
        return lambda rows, options: function(rows.with_columns_seq(named), options)

    there = (table.to_profiles, table.to_groups, table.to_links, table.to_recoveries)
    profiles, groups, who, others = (function and told(function) for function in there)
    return replace(
        table,
        columns={**table.columns, LAKE: pl.String()},
        matches=lambda columns: table.matches(columns | ({"timestamp"} if LAKE in columns else set())),
        to_events=told(table.to_events),
        to_profiles=profiles,
        to_groups=groups,
        to_links=who,
        to_recoveries=others,
        times=(*table.times, LAKE),
        link_columns=None if table.link_columns is None else (*table.link_columns, LAKE),
        warnings={
            name: rule & pl.col(LAKE).is_null() if name == DEVICE_CLOCK else rule
            for name, rule in table.warnings.items()
        },
    )


MAPPING: Final = Platform(
    title="RudderStack",
    identity_version=2,
    payload_version=2,
    options=frozenset({"--labels", "--group-key", "--group-type"}),
    reads="raw messages as JSON lines (S3, GCS), and warehouse or data lake tables as CSV, Parquet or JSON lines, with"
    " rudder_discards",
    tables=[
        Table(
            name="discards",
            columns=dict.fromkeys(DISCARDS[1:], pl.String),
            matches=has(*DISCARDS),
            to_events=events.none,
            to_recoveries=recoveries,
            link_columns=("row_id", "column_name", "column_value"),
            ids=("row_id",),
            filters={"discards": EVERY_ROW},
            left_out=bool,
            dropped=frozenset({"table_name", "received_at", "uuid_ts", "loaded_at", "reason"}),
        ),
        # Says without a time what the calls themselves say, each at its own.
        Table(
            name="identity_graph",
            columns={},
            matches=lambda columns: any(name.startswith("merge_property_") for name in columns),
            to_events=events.none,
            filters={"identity_graph": EVERY_ROW},
        ),
        Table(
            name="staging",
            columns={},
            matches=lambda columns: columns == {"data", "metadata"},
            to_events=events.none,
            refusal="these are RudderStack's staging files, on their way into a warehouse; export the tables of the"
            " warehouse, or the raw messages of an S3 or GCS destination",
        ),
        raw_messages("rudderstack"),
        *map(
            of_lake,
            tables(source="rudderstack", own=r"context_|channel$", recover=expr.stripped(pl.col("id"))),
        ),
    ],
)
