"""Statsig: events and exposures of its warehouse export, and the events that it forwards to a webhook.

The export to Snowflake, BigQuery, Redshift, Databricks or S3 has events (`user_id`, `stable_id`, `custom_ids`,
`timestamp`, `event_name`, `event_value`, `user_object`, `statsig_metadata`, `company_metadata`) and first exposures,
one for each unit and flag (https://docs.statsig.com/integrations/data-exports/data_warehouse_exports). A webhook gets
`eventName`, `user`, `userID`, `timestamp` in ms, `value`, `metadata`, `statsigMetadata`, `timeUUID`
(docs/integrations/snippets/integration_event_formats.mdx of github.com/statsig-io/docs). What the web library captures
by itself stands in packages/web-analytics/src of github.com/statsig-io/js-client-monorepo. All read 2026-11-29.

* Objects are JSON in a cell of a warehouse.
* `userID` is the user's, `stableID` a device's; both on one row are one person. Other ids are of companies.
* A gate's answer, true or false, and an experiment's group are said by events; of a gate's exposures in a warehouse
  `experiment_group` is not known to be the answer, and is none.
"""

from functools import partial
from typing import Final

import polars as pl

from mappings._statsig_events import Shape, to_events, to_links, to_profiles
from migrate.kit import copiers, events, expr
from migrate.kit.declare import PROPERTIES, REST, Options, Platform, Table, has, inside

EXPORTED: Final = Shape(
    name="event_name",
    value="event_value",
    told="company_metadata",
    user="user_object",
    sdk="statsig_metadata",
    user_id="user_id",
    stable_id="stable_id",
    ids="custom_ids",
)
FORWARDED: Final = Shape(
    name="eventName",
    value="value",
    told="metadata",
    user="user",
    sdk="statsigMetadata",
    user_id="userID",
    number="timeUUID",
)
UNITS: Final = ("userid", "user_id", "stableid", "stable_id")
"""The units that are people or devices."""
COPIES: Final = copiers.FIVETRAN | copiers.STITCH | copiers.AIRBYTE


def exposed(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return `$feature_flag_called` of each exposure; the answer is an experiment's group."""
    unit, when = pl.col("unit_id"), expr.timestamp(pl.col("first_exposure_utc"), zone=options.source_timezone)
    of_experiment = expr.stripped(pl.col("exposure_type")).str.to_lowercase() == "get_experiment"
    group = expr.stripped(pl.col("experiment_group"))
    kept = ("exposure_type", "experiment_group", "rule", "rule_name", "group_id", "unit_type")
    return events.events(
        rows,
        event=pl.lit("$feature_flag_called"),
        distinct_id=unit,
        timestamp=when,
        dedup_key=expr.key(
            pl.lit("exposure"), unit, *(pl.col(name) for name in ("name", *kept)), when.dt.epoch("us")
        ),
        laid=pl.col(PROPERTIES),
        extra={
            "$feature_flag": expr.stripped(pl.col("name")),
            "$feature_flag_response": pl.when(of_experiment).then(group),
            **{f"statsig_{name}": expr.stripped(pl.col(name)) for name in kept},
        },
    )


def table(name: str, shape: Shape, *wanted: str) -> Table:
    """Return the table of events of one form."""
    own = (shape.user_id, *(one for one in (shape.stable_id, shape.number) if one))
    bags = (shape.told, shape.user, shape.sdk, *([shape.ids] if shape.ids else []))
    functions = (to_events, to_profiles, to_links)
    of_events, of_people, of_ids = (partial(function, shape=shape) for function in functions)
    return Table(
        name=name,
        columns=dict.fromkeys((*own, "timestamp", shape.name, shape.value, *bags), pl.String),
        matches=has(*wanted),
        to_events=of_events,
        to_profiles=of_people,
        to_links=of_ids,
        link_columns=(
            *(one for one in own if one != shape.number),
            "timestamp",
            inside(shape.user, "userID"),
            inside(shape.sdk, "stableID"),
        ),
        times=("timestamp",),
        ids=own,
        bags=shape.bags,
        properties=(*bags, REST),
        claims=frozenset({"$feature_flag_response"}),
        ordinals=shape.number is None,
        filters={
            "of_the_console": pl.col(shape.name).is_in(["statsig::config_change", "statsig::diagnostics"])
        },
        dropped=COPIES,
    )


MAPPING: Final = Platform(
    title="Statsig",
    options=frozenset({"--group-key"}),
    reads="events and exposures of the warehouse export as CSV, Parquet or JSON lines, and events of its webhook",
    tables=[
        table("exported_events", EXPORTED, "event_name", "timestamp", "user_object", "statsig_metadata"),
        table("forwarded_events", FORWARDED, "eventName", "timestamp", "statsigMetadata"),
        Table(
            name="exposures",
            columns=dict.fromkeys(
                (
                    *("unit_id", "unit_type", "exposure_type", "name", "rule", "rule_name", "group_id"),
                    *("experiment_group", "first_exposure_utc", "user_dimensions"),
                ),
                pl.String,
            ),
            matches=has("unit_id", "unit_type", "exposure_type", "first_exposure_utc"),
            to_events=exposed,
            times=("first_exposure_utc",),
            ids=("unit_id",),
            properties=("user_dimensions", REST),
            filters={
                "unit_is_no_person": ~expr.stripped(pl.col("unit_type")).str.to_lowercase().is_in(UNITS)
            },
            dropped=COPIES
            | {"company_id", "first_exposure_pst_date", "as_of_pst_date", "inserted_at", "non_analytics"},
        ),
    ],
)
