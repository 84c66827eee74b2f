"""Customer.io: the calls that its data pipelines write to storage, a file for each kind of call.

Pipelines write JSON, CSV or Parquet to S3, GCS and the like every ten minutes, as
`<integration>.<action>.<n>.<type>`: `2184.13699.1.track.json`
(https://docs.customer.io/integrations/data-out/data-warehouses/data-warehouses-cdp). The calls are those of Segment's
specification (https://docs.customer.io/cdp/sources/source-spec/common-fields; the fields of each call in
json-schema/customer-io-track-schema.json of github.com/api-evangelist/customer-io; all read 2026-11-29), so that they
are read in `mappings._messages`. A call that does not say its `type` is what its file is called.

The other export, of a workspace (deliveries, metrics, subjects, outputs, content, people, attributes as Parquet), tells
of messages that were sent; its columns could not be had, and it is not read.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from mappings._messages import message_events, message_groups, message_links, raw_messages
from migrate.kit import expr
from migrate.kit.declare import FILE, Options, Platform, inside

_NAMED: Final = r"(?i)^.+\.\d+\.(identify|track|page|screen|alias|group)$"
"""The name of a file, without its ending."""
_BASE: Final = raw_messages("customerio")


def kind() -> pl.Expr:
    """Return which call a row is: as it says, else as its file is called."""
    said = expr.stripped(pl.col("type")).str.to_lowercase()
    return pl.coalesce(said, pl.col(FILE).str.extract(_NAMED).str.to_lowercase())


def typed(
    rows: pl.LazyFrame, options: Options, *, function: Callable[[pl.LazyFrame, Options], pl.LazyFrame]
) -> pl.LazyFrame:
    """Return what a function of raw messages makes of rows whose type is known."""
    return function(rows.with_columns_seq(kind().alias("type")), options)


def only_identity() -> pl.Expr:
    """Return whether a row only links ids: alias calls, and identify calls without traits."""
    told = [
        expr.without(expr.stripped(pl.col(name)), "{}") for name in ("traits", inside("context", "traits"))
    ]
    return (kind() == "alias") | ((kind() == "identify") & pl.coalesce(*told).is_null())


MAPPING: Final = Platform(
    title="Customer.io",
    options=frozenset({"--group-key", "--group-type"}),
    reads="calls that its data pipelines write to storage (<integration>.<action>.<n>.<type>), as JSON, CSV or Parquet",
    tables=[
        replace(
            _BASE,
            name="calls",
            matches=lambda columns: (
                bool(columns & {"timestamp", "originaltimestamp"})
                and bool(columns & {"anonymousid", "userid"})
            ),
            file=lambda name: re.search(_NAMED, name) is not None,
            to_events=partial(typed, function=partial(message_events, source="customerio")),
            to_links=partial(typed, function=message_links),
            to_groups=partial(typed, function=message_groups),
            filters={"identity_only": only_identity()},
        )
    ],
)
