"""Braze: the Avro files of Currents in a bucket, copies of them, and what its custom HTTP connector sends.

`…/event_type=users.behaviors.CustomEvent/date=2024-04-03-10/<schema>/<zone>/dataexport.….avro`: one kind of event a
file, `id`, `time` and `user_id` in each (_docs/_user_guide/data/distribution/braze_currents of
github.com/braze-inc/braze-docs: event_delivery_semantics.md and event_glossary; the kinds and their fields as in
sample-data of github.com/Appboy/currents-examples, where they are decoded by avro-tools and as the connector sends
them; all read 2026-11-29).

* `time` is whole seconds since 1970, UTC. A row may be delivered twice, under the same `id`.
* `user_id` is Braze's number for a person, `external_user_id` the customer's, once there is one.
* `users.UserOrphan` says that one user was merged into another; the rows of before keep the old number.
* Own properties of custom events and purchases are JSON in a text; a price is a float of 32 bits.
* Decoded by avro-tools, what may be null has its type around it: `{"string":"ios"}`.
* Test events that Braze sends on request hold placeholders, a UUID in the place of a time zone.
"""

from typing import Final

import polars as pl

from mappings._braze_types import called, kind
from mappings._braze_values import number, said, untagged
from migrate.kit import copiers, events, expr, links, values
from migrate.kit.declare import PERSON, PROPERTIES, REST, Bag, Options, Platform, Table, has, inside, words

IDS: Final = words("id user_id external_user_id device_id orphaned_by_id")
OF_USERS: Final = words("user_id external_user_id device_id timezone")
"""What the connector sends of the user, apart from what happened."""
OF_EVENTS: Final = words(
    "name product_id price duration session_id platform os_version device_model user_agent orphaned_by_id"
)
OWN: Final = words("custom_properties purchase_properties")
"""Own properties as the connector sends them."""
TOLD: Final = tuple(dict.fromkeys((*IDS, "time", "event_type", *OF_USERS, *OF_EVENTS)))
CUSTOM: Final = "users.behaviors.CustomEvent"
_UUID: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


def told(name: str) -> pl.Expr:
    """Return a column's text, null where it is blank."""
    return expr.stripped(said(name))


def kind_of() -> pl.Expr:
    """Return which kind of event a row is."""
    return kind(
        said("event_type"), custom=said("name"), purchase=said("product_id"), orphan=said("orphaned_by_id")
    )


def is_kind(name: str) -> pl.Expr:
    """Return whether a row is of this kind."""
    return kind_of() == name


def moment(options: Options) -> pl.Expr:
    """Return when it happened: seconds since 1970, or a time as a warehouse writes it."""
    whole = said("time").str.strip_suffix(".0")
    seconds = expr.stripped(whole).str.extract(r"^(\d{9,10})$")
    return pl.coalesce(expr.unix(seconds, "s"), expr.timestamp(said("time"), zone=options.source_timezone))


def device() -> dict[str, pl.Expr]:
    """Return on what: a platform is a system but for the web, whose system stands for a version."""
    platform, version = values.known(said("platform")), told("os_version")
    agent = values.user_agent(told("user_agent")).struct
    system = values.system_of(pl.when(platform == "web").then(version).otherwise(platform))
    return {
        "$os": pl.coalesce(system, agent.field("system")),
        "$os_version": version.str.extract(r"(\d[\w.]*)"),
        "$device_type": pl.coalesce(values.device_type(told("device_model")), agent.field("kind")),
        "$device_model": told("device_model"),
        "$device_id": told("device_id"),
        "$browser": agent.field("browser"),
        "$browser_version": agent.field("version"),
        "$raw_user_agent": told("user_agent"),
        "$timezone": told("timezone"),
    }


def own() -> dict[str, pl.Expr]:
    """Return what Braze says and PostHog has no name for."""
    return {
        "product_id": told("product_id"),
        "price": number("price"),
        "duration": number("duration"),
        "platform": told("platform"),
        "os_version": told("os_version"),
        "braze_id": told("id"),
        "braze_event_type": kind_of(),
        "braze_user_id": told("user_id"),
        "braze_session_id": told("session_id"),
    }


def happened(
    rows: pl.LazyFrame, options: Options, *, properties: pl.Expr | None = None, rest: pl.Expr | None = None
) -> pl.LazyFrame:
    """Return the event each row is; one of an agent of Braze's may be of no one."""
    time, key = moment(options), told("id")
    person = pl.coalesce(told("external_user_id"), PERSON, told("user_id"), told("device_id"))
    alone = person.is_null() & kind_of().str.contains("agentconsole.", literal=True)
    return events.events(
        rows,
        event=pl.when(is_kind(CUSTOM)).then(told("name")).otherwise(expr.each(kind_of(), called)),
        distinct_id=pl.coalesce(person, expr.id_of_no_one("braze", time, key, where=alone)),
        timestamp=time,
        dedup_key=key,
        laid=pl.col(PROPERTIES),
        properties=properties,
        rest=rest,
        extra=device() | own() | {"$process_person_profile": pl.when(alone).then(pl.lit(False))},
    )


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return whose number a `user_id` is, and into whom a user was merged; no merge is spent on either."""
    user, person, heir = told("user_id"), told("external_user_id"), told("orphaned_by_id")
    time = moment(options)
    named = pl.when(heir.is_null()).then(person)
    return links.concat(
        [
            links.resolved(rows, key=user, person=named, time=time, why="external_user_id"),
            links.resolved(rows, key=user, person=heir, time=time, why="users.UserOrphan"),
            links.identified(rows, named, why="external_user_id"),
        ]
    )


def flat(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows of the connector with the columns that files have."""
    user = {name: pl.col(inside("user", name)) for name in OF_USERS}
    return rows.with_columns_seq(**user, **{name: pl.col(inside("properties", name)) for name in OF_EVENTS})


def sent_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event of each row of the connector."""
    custom, purchase = (pl.col(inside("properties", name)) for name in OWN)
    return happened(flat(rows), options, properties=custom, rest=purchase)


def sent_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the same of rows of the connector."""
    user = {name: pl.col(inside("user", name)) for name in OF_USERS}
    heir = pl.col(inside("properties", "orphaned_by_id")).alias("orphaned_by_id")
    return to_links(rows.with_columns_seq(heir, **user), options)


def is_currents(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a kind of events; the request to delete a user has the fewest."""
    return {"id", "user_id", "time"} <= columns and bool(columns & {"external_user_id", "app_group_id"})


def is_odd(name: str) -> pl.Expr:
    """Return whether a column holds something that is no number, which is then left out."""
    return told(name).is_not_null() & number(name).is_null()


def is_test(timezone: pl.Expr) -> pl.Expr:
    """Return whether a row is one of Braze's test events, which have a UUID in the place of a time zone."""
    return timezone.str.contains(_UUID)


MAPPING: Final = Platform(
    title="Braze (Currents)",
    reads="Currents' files of customer behaviour and message engagement events, as Avro, or as CSV, JSON lines or"
    " Parquet made of them; what the custom HTTP connector sends, as JSON lines",
    tables=[
        Table(
            name="connector",
            columns=dict.fromkeys(words("event_type id time user properties"), pl.String),
            matches=has("event_type", "id", "time", "user", "properties"),
            to_events=sent_events,
            to_links=sent_links,
            link_columns=(
                "time",
                *(inside("user", name) for name in OF_USERS),
                inside("properties", "orphaned_by_id"),
            ),
            ids=(
                "id",
                *(inside("user", name) for name in OF_USERS[:3]),
                inside("properties", "orphaned_by_id"),
            ),
            times=("time",),
            bags={
                "user": Bag(keys=OF_USERS),
                "properties": Bag(keys=(*OF_EVENTS, *OWN), drops=frozenset((*OF_EVENTS, *OWN))),
            },
            properties=("properties", REST),
            resolve=expr.stripped(pl.col(inside("user", "user_id"))),
            filters={
                "test_events": is_test(pl.col(inside("user", "timezone"))),
                "identity_only": pl.col("event_type") == "users.UserOrphan",
                "deletion_requests": pl.col("event_type") == "users.UserDeleteRequest",
            },
        ),
        Table(
            name="currents",
            columns=dict.fromkeys((*TOLD, "properties"), pl.String),
            matches=is_currents,
            to_events=happened,
            to_links=to_links,
            link_columns=("time", "user_id", "external_user_id", "orphaned_by_id"),
            ids=IDS,
            times=("time",),
            bags={REST: Bag(read=untagged)},
            properties=("properties", REST),
            resolve=told("user_id"),
            warnings={"no_number": is_odd("price") | is_odd("duration")},
            filters={
                "test_events": is_test(said("timezone")),
                "identity_only": is_kind("users.UserOrphan"),
                "deletion_requests": is_kind("users.UserDeleteRequest"),
            },
            dropped=copiers.AIRBYTE | copiers.FIVETRAN | copiers.STITCH | {"date"},
        ),
    ],
)
