"""mParticle: batches as JSON, as it forwards them to S3, GCS, Azure, Kinesis or a webhook, or as they were sent to it.

A record is a batch, `{events: [{event_type, data}, …], mpid, user_identities, user_attributes, device_info, …}`, of one
user on one device (https://docs.mparticle.com/developers/apis/json-reference/, and `sdkToEventsApiConverter.ts` of
github.com/mParticle/mparticle-web-sdk, read 2026-11-29). What is forwarded has what the server knows beside what was
sent: `mpid`, event and batch ids, the session's start, and `user_identities` as a list. Integers of 64 bits are
numbers in one place and text in another.

* An event's time is `data.timestamp_unixtime_ms`, UTC; the batch's is when mParticle received it.
* `mpid` is the user as mParticle resolved it, also of one who is anonymous; `customer_id` the id that the app gave.
* A batch's `user_attributes` are all that is so of the user by then, and not only what has changed.
* Of a commerce event the name is its action: `purchase`, `add_to_cart`, `promotion_click`.
"""

from typing import Final

import polars as pl

from mappings._mparticle_batch import (
    APP,
    COUNTRY,
    DEVICE,
    OTHERS,
    OURS,
    WHOLE,
    attributes,
    context,
    event,
    identities,
    known,
)
from mappings._mparticle_properties import (
    GONE,
    HOST,
    LOOKED_AT,
    crash,
    customer,
    device,
    hardware,
    is_,
    kept,
    money,
    nobody,
    of,
    page,
    place,
    resolved,
    session,
)
from migrate.kit import events, expr, links, objects, values
from migrate.kit.declare import POSITION, PROPERTIES, REST, Bag, Options, Platform, Table, has, inside, words

NAMES: Final = {
    "screen_view": "$screen",
    "crash_report": "$exception",
    "application_initialized": "Application Opened",
    "application_foreground": "Application Became Active",
    "application_background": "Application Backgrounded",
}
"""On the web a `screen_view` is a `$pageview`, and `application_initialized` stays itself."""
SESSIONS: Final = ("session_start", "session_end")
CHANGES: Final = ("user_attribute_change", "user_identity_change")
OTHER_NAMES: Final = {
    name: OURS + name for name in words("consent_state sdk_version source_info partner_identities")
}
DROPPED: Final = frozenset(
    words(
        "schema_version integration_attributes deleted_user_attributes system_notifications is_debug unique_id"
    )
)


def time() -> pl.Expr:
    """Return when an event happened."""
    return expr.unix(of("timestamp_unixtime_ms"), "ms")


def received() -> pl.Expr:
    """Return when mParticle had the batch; of a batch as it was sent, when its event happened."""
    return pl.coalesce(expr.unix(expr.stripped(pl.col("timestamp_unixtime_ms")), "ms"), time())


def counts(options: Options) -> pl.Expr:
    """Return whether a batch may tell of persons: tests of developers do where their events are kept, too."""
    tested = pl.col("environment").str.to_lowercase() == "development"
    return ~tested.fill_null(value=False) | pl.lit("development" in options.keep)


def name() -> pl.Expr:
    """Return what an event is called: of a custom event its name, of a commerce event its action."""
    promotion = objects.fields(of("promotion_action"), ["action"]).struct.field("action")
    action = pl.coalesce(
        expr.without(of("product_action"), "unknown"),
        pl.concat_str(pl.lit("promotion_"), promotion),
        pl.when(of("product_impressions").is_not_null()).then(pl.lit("product_impression")),
        pl.lit("commerce_event"),
    )
    return (
        pl.when(is_("custom_event"))
        .then(of("event_name"))
        .when(is_("commerce_event"))
        .then(action)
        .when(is_("application_state_transition"))
        .then(opening())
        .when(is_("screen_view") & pl.col("_web"))
        .then(pl.lit("$pageview"))
        .otherwise(expr.lookup(of("event_type"), NAMES))
    )


def opening() -> pl.Expr:
    """Return what an app's going to and fro is called by PostHog's mobile libraries; a page's has no name there."""
    change = pl.coalesce(of("application_transition_type"), of("event_type"))
    opened = (change == "application_initialized").fill_null(value=False)
    return (
        pl.when(pl.col("_web"))
        .then(change)
        .when(opened & expr.boolean(of("is_first_run")))
        .then(pl.lit("Application Installed"))
        .when(opened & expr.boolean(of("is_upgrade")))
        .then(pl.lit("Application Updated"))
        .otherwise(expr.lookup(change, NAMES))
    )


def dedup_key() -> pl.Expr:
    """Return what makes the event one: mParticle's number of it and the sender's id, else its batch and all it says.

    Both, as some senders repeat theirs, and as programs that read numbers as floats round the other.
    """
    without = of("event_id").is_null() & of("source_message_id").is_null()
    batch = [pl.col(column) for column in ("batch_id", "source_request_id", "mpid", "mp_deviceid")]
    return pl.coalesce(
        expr.key(pl.lit("event"), of("event_id"), of("source_message_id"), where=~without),
        expr.key(
            pl.lit("row"),
            *batch,
            pl.col(POSITION),
            expr.canonical(pl.col("events"), where=without),
            where=without,
        ),
    )


def to_events(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the event each element of a batch is."""
    web = (device("platform").str.to_lowercase() == "web").fill_null(value=False)
    named = rows.with_columns_seq(
        time().alias("_time"),
        web.alias("_web"),
        values.user_agent(device("http_header_user_agent")).alias("_agent"),
        dedup_key().alias("_key"),
    )
    single = expr.id_of_no_one("mparticle", pl.col("_time"), pl.col("_key"), where=nobody())
    return events.events(
        named,
        event=name(),
        distinct_id=pl.coalesce(customer(), resolved(), values.known(pl.col("mp_deviceid")), single),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        laid=pl.col(PROPERTIES),
        extra=page() | hardware() | place() | session() | money() | crash() | kept(),
    )


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which of mParticle's users the app's own are."""
    ids = {"anonymous": resolved(), "identified": customer()}
    return links.linked(rows.filter(counts(options)), **ids, time=received(), why="seen together")


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what a batch says of its user: attributes, and the ids that are no customer's."""
    wholes = pl.col(inside("user_identities", OTHERS)), pl.col(inside("user_attributes", WHOLE))
    told = objects.completed(*(pl.when(one != "").then(one) for one in wholes))
    person = pl.coalesce(customer(), resolved(), values.known(pl.col("mp_deviceid")))
    return events.profiles(rows.filter(counts(options)), distinct_id=person, timestamp=received(), set=told)


MAPPING: Final = Platform(
    title="mParticle",
    reads="batches as JSON lines or arrays, as mParticle forwards them (S3, GCS, Azure, Kinesis, webhooks) or as they"
    " were sent to its Events API",
    tables=[
        Table(
            name="batches",
            columns=dict.fromkeys(
                words(
                    "events mpid mp_deviceid user_identities user_attributes device_info application_info context"
                    " environment ip timestamp_unixtime_ms batch_id source_request_id"
                ),
                pl.String,
            ),
            matches=lambda columns: (
                has("events")(columns)
                and bool(columns & {"mpid", "environment", "source_request_id", "batch_id"})
            ),
            unfold="events",
            to_events=to_events,
            to_links=to_links,
            to_profiles=to_profiles,
            link_columns=(
                *("mpid", "environment", "timestamp_unixtime_ms"),
                inside("user_identities", "customer_id"),
                inside("events", f"{OURS}timestamp_unixtime_ms"),
            ),
            ids=(
                *("mpid", "mp_deviceid", "batch_id", "source_request_id"),
                inside("user_identities", "customer_id"),
                *(inside("events", OURS + name) for name in ("event_id", "source_message_id")),
            ),
            times=(inside("events", f"{OURS}timestamp_unixtime_ms"),),
            bags={
                "events": Bag(
                    read=event,
                    keys=[*(OURS + name for name in LOOKED_AT), HOST, COUNTRY],
                    drops=frozenset((COUNTRY, *(OURS + name for name in GONE))),
                ),
                "user_identities": Bag(read=identities, keys=["customer_id", OTHERS]),
                "user_attributes": Bag(read=attributes, whole=WHOLE),
                "device_info": Bag(
                    read=known(DEVICE, f"{OURS}device_"), keys=DEVICE, drops=frozenset(DEVICE)
                ),
                "application_info": Bag(
                    read=known(APP, f"{OURS}application_"), keys=APP, drops=frozenset(APP)
                ),
                "context": Bag(read=context, keys=[COUNTRY], drops=frozenset({COUNTRY})),
            },
            properties=("events", "device_info", "application_info", "context", REST),
            rename=OTHER_NAMES,
            filters={
                "development": pl.col("environment").str.to_lowercase() == "development",
                "without_events": pl.col("events").is_null(),
                "sessions": of("event_type").is_in(SESSIONS),
                "profile_changes": of("event_type").is_in(CHANGES),
            },
            warnings={"without_ids": nobody()},
            dropped=DROPPED,
        ),
    ],
)
