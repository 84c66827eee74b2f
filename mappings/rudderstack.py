"""RudderStack: raw messages, and warehouse and data lake tables, with what was discarded from them.

RudderStack speaks Segment's language, and its files are read as those are (see `mappings._forms`). Its own are:
sessions (`context_session_id`), `request_ip`, identify calls whose traits stand in the context, a `channel` on every
row, and `rudder_discards`: a value that does not fit its column's type is missing from its row and stands there
(https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/, read 2026-11-20). It is put
back, as the text that it is there.
"""

from typing import Final

import polars as pl

from mappings import _forms
from migrate import events, expr, links
from migrate.mapping import ROW, Options, Platform, Table, has

DISCARDS: Final = ("table_name", "row_id", "column_name", "column_value")


def recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return what was discarded, by the id of its row: a message's, which is the same in `tracks` and event table.

    Rows of `tracks` ask for it by a key of their own, see `_forms.event_key`.
    """
    row, name = expr.stripped(pl.col("row_id")), expr.stripped(pl.col("column_name")).str.to_lowercase()
    return pl.concat(
        links.recoveries(rows, key=key, name=name, value=pl.col("column_value"))
        for key in (row, _forms.event_key(row))
    )


MAPPING: Final = Platform(
    title="RudderStack",
    options=frozenset({"--labels", "--group-key", "--group-type"}),
    reads="raw messages as JSON lines (S3, GCS), and warehouse or data lake tables as CSV, Parquet or JSON lines, with"
    " rudder_discards",
    tables=[
        Table(
            name="discards",
            columns=dict.fromkeys(DISCARDS, pl.String),
            matches=has(*DISCARDS),
            to_events=events.none,
            to_recoveries=recoveries,
            link_columns=("row_id", "column_name", "column_value"),
            ids=("row_id",),
            filters={"discards": pl.col(ROW).is_not_null()},
            dropped=frozenset({"received_at", "uuid_ts", "loaded_at", "reason"}),
        ),
        # Says without a time what the calls themselves say, each at its own.
        Table(
            name="identity_graph",
            columns={},
            matches=lambda columns: any(name.startswith("merge_property_") for name in columns),
            to_events=events.none,
            filters={"identity_graph": pl.col(ROW).is_not_null()},
        ),
        Table(
            name="staging",
            columns={},
            matches=lambda columns: columns == {"data", "metadata"},
            to_events=events.none,
            refusal="these are RudderStack's staging files, on their way into a warehouse; export the tables of the"
            " warehouse, or the raw messages of an S3 or GCS destination",
        ),
        _forms.MESSAGES,
        *_forms.tables(own=r"context_|channel$", recover=expr.stripped(pl.col("id"))),
    ],
)
