"""Google Analytics 4: the BigQuery export of a property, nested as it is or flattened by someone.

A day is a table `events_YYYYMMDD`, one row an event, parameters as `[{key, value{string_value, int_value, …}}]`
(https://developers.google.com/analytics/bigquery/event-schema, read 2026-11-20). It arrives as Parquet or Avro, as
JSON lines of `bq extract` (64-bit integers as strings, nulls left out), as JSON saved in the console (nulls spelled
out), or as CSV, which cannot nest and so was flattened: one column a parameter (Fivetran), four tables joined by
`event_id` (Adswerve's flattener), one row a parameter (UNNEST), or nested values as JSON or Python text in a cell.

Parameters pass on unchanged beside what PostHog understands, those called `source` or `campaign` as `ga_source` …:
they hold Google's guesses ("(organic)") too. A record's field that PostHog has no name for is kept as
`ga_<record>_<field>`, unless all it says is "(not set)". Google's bookkeeping is dropped by name.
"""

import ast
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import polars as pl

from migrate import events, expr, links, values
from migrate.mapping import RECOVERED, REST, ROW, Options, Platform, Table

NAMES: Final = {"page_view": "$pageview", "screen_view": "$screen"}
"""`user_engagement` is a timer and stays itself: it has no element, as an `$autocapture` must."""
MARKS: Final = ("session_start", "first_visit", "first_open")
"""What Google adds by itself; PostHog derives sessions and first visits from the events."""


def _split(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(text.split()) for name, text in texts.items()}


RECORDS: Final = _split(
    {
        "device": "category mobile_brand_name mobile_model_name mobile_marketing_name operating_system language"
        " operating_system_version browser browser_version web_info_browser web_info_browser_version web_info_hostname",
        "geo": "continent country region city",
        "app_info": "id version",
        "event_dimensions": "hostname",
        "traffic_source": "source medium name",
        "collected_traffic_source": "manual_source manual_medium manual_campaign_name manual_campaign_id manual_term"
        " manual_content manual_source_platform manual_creative_format manual_marketing_tactic gclid dclid srsltid",
        "ecommerce": "transaction_id purchase_revenue purchase_revenue_in_usd refund_value refund_value_in_usd",
        "user_ltv": "revenue currency",
        "privacy_info": "",
        "session_traffic_source_last_click": "",
        "publisher": "",
    }
)
"""What is made of a record's fields; those not named are kept as `ga_…`."""
OTHERS: Final = _split(
    {
        "device": "mobile_os_hardware_model vendor_id advertising_id is_limited_ad_tracking time_zone_offset_seconds",
        "geo": "sub_continent metro",
        "app_info": "install_store firebase_app_id install_source",
        "ecommerce": "total_item_quantity unique_items shipping_value shipping_value_in_usd tax_value tax_value_in_usd",
        "privacy_info": "analytics_storage ads_storage uses_transient_token",
    }
)
"""Further fields that Google writes."""
COLUMNS: Final = _split(
    {
        "plain": "event_date event_timestamp event_name event_value_in_usd event_bundle_sequence_id user_id"
        " user_pseudo_id is_active_user user_first_touch_timestamp stream_id platform batch_page_id batch_ordering_id"
        " batch_event_index",
        "lists": "event_params user_properties items",
        "batch": "batch_page_id batch_ordering_id batch_event_index",
        "bag": "page_location page_title page_referrer firebase_screen firebase_screen_class ga_session_id value"
        " transaction_id batch_page_id batch_ordering_id batch_event_index",
        "item": "item_id item_name item_brand item_variant item_category item_category2 item_category3 item_category4"
        " item_category5 price_in_usd price quantity item_revenue_in_usd item_revenue item_refund_in_usd item_refund"
        " coupon affiliation location_id item_list_id item_list_name item_list_index promotion_id promotion_name"
        " creative_name creative_slot",
        "users": "user_id pseudo_user_id stream_id user_info user_ltv predictions audiences user_properties"
        " occurrence_date last_updated_date",
        "dropped": "event_previous_timestamp event_server_timestamp_offset previous_timestamp server_timestamp_offset"
        " source_table_type is_intraday _fivetran_id _fivetran_synced _fivetran_deleted",
        "numbers": "engagement_time_msec ga_session_number engaged_session_event entrances percent_scrolled value tax"
        " shipping price price_in_usd quantity item_revenue item_revenue_in_usd item_refund item_refund_in_usd"
        " total_item_quantity unique_items purchase_revenue purchase_revenue_in_usd refund_value refund_value_in_usd"
        " shipping_value shipping_value_in_usd tax_value tax_value_in_usd revenue revenue_in_usd sessions purchases"
        " engaged_sessions engagement_time_millis session_duration_micros time_zone_offset_seconds video_duration"
        " video_current_time video_percent ad_revenue_in_usd",
    }
)
BATCH: Final = COLUMNS["batch"]
BAG: Final = COLUMNS["bag"]
"""Parameters that something is made of."""
FIVETRAN: Final = {
    "event_date": "date",
    "event_timestamp": "timestamp",
    "event_name": "name",
    "event_value_in_usd": "value_in_usd",
    "event_bundle_sequence_id": "bundle_sequence_id",
}
"""What Fivetran calls columns."""
RENAME: Final = {
    one: f"ga_{one}" for one in ("source", "medium", "campaign", "campaign_id", "term", "content")
}
"""Parameters that hold Google's guesses too ("(organic)"), so that they are no `utm_…`."""
MANUAL: Final = {
    **{one: f"manual_{one}" for one in ("source", "medium", "term", "content", "source_platform")},
    **{one: f"manual_{one}" for one in ("creative_format", "marketing_tactic")},
    "campaign": "manual_campaign_name",
    "id": "manual_campaign_id",
}
"""`utm_…` -> field of `collected_traffic_source`."""
DROPPED: Final = frozenset(COLUMNS["dropped"])
TEXTS: Final = frozenset(("id", "session_engaged", "search_term", "coupon", "page_title", *RENAME))
"""Text even where all its characters are digits, as every `…_id`: one key, one type (sources-2.md §1)."""
NUMBERS: Final = frozenset(COLUMNS["numbers"])
BROWSERS: Final = frozenset(
    ("Chrome", "Safari", "Edge", "Firefox", "Opera", "Internet Explorer", "Samsung Internet")
)
"""On the desktop Google names the browser as the model, and the browser's maker as that of the device."""
ON_IOS: Final = {"Safari": "Mobile Safari", "Chrome": "Chrome Mobile iOS", "Firefox": "Firefox iOS"}
"""What others call the browsers that Google calls alike on every system."""
GUESSES: Final = ("organic", "referral", "(none)")
"""Media that Google tells by the referrer; no link was tagged with them."""

# How a row of UNNEST spells one parameter.
PREFIXES: Final = ("", "event_params_", "event_params.", "event_param_", "param_")
PLACES: Final = (*PREFIXES, "value.", *(f"{prefix}value{prefix[-1:] or '_'}" for prefix in PREFIXES))
KEYS: Final = tuple(f"{prefix}key" for prefix in PREFIXES)
UNTYPED: Final = tuple(f"{prefix}value" for prefix in PREFIXES)
TYPED: Final = {
    one: tuple(f"{at}{one}_value" for at in PLACES) for one in ("string", "int", "double", "float")
}


def field(record: str, name: str) -> pl.Expr:
    """Return a field of a record as text, null where it says "(not set)" or the like."""
    return pl.col(f"_{record}").struct.field(name)


def param(name: str) -> pl.Expr:
    """Return one of the `BAG` parameters as text."""
    return expr.stripped(pl.col("_bag").struct.field(name))


def moment(column: str, options: Options) -> pl.Expr:
    """Return a time: microseconds in UTC; where someone made text of them, in UTC or the zone the user gives."""
    micros = expr.unix(pl.col(column), "us")
    text = pl.when(micros.is_null()).then(pl.col(column))
    return pl.coalesce(micros, expr.timestamp(text, zone=options.source_timezone))


def user() -> pl.Expr:
    """Return who the site says it is, known since the login only."""
    return values.known(pl.col("user_id"))


def browser_or_app() -> pl.Expr:
    """Return the browser's or the app instance's id; null without consent."""
    return values.known(pl.col("user_pseudo_id"))


def nobody() -> pl.Expr:
    """Return whether the row has no id at all, as rows of visitors who did not consent."""
    return user().is_null() & browser_or_app().is_null()


def person() -> pl.Expr:
    """Return whose event it is; of no one's, an id for that event alone, the same on every run."""
    single = expr.uuid7(pl.col("_time").dt.epoch("ms"), pl.lit("ga4 without ids"), pl.col("_key"))
    return pl.coalesce(user(), browser_or_app(), pl.when(nobody()).then(pl.format("no-id-{}", single)))


def dedup_key() -> pl.Expr:
    """Return what makes the event one, alike in the daily and in the intraday table and in every format.

    There is no id. Since July 2024 the event's place in its batch tells events of one bundle apart; before that all
    their parameters and items must, as two clicks may have one time.
    """
    batch = [pl.coalesce(pl.col(name), param(name)) for name in BATCH]
    told = pl.col("_told"), pl.col("_bought")
    placed = pl.all_horizontal(place.is_not_null() for place in batch)
    same = ("stream_id", "event_name", "event_bundle_sequence_id")
    return expr.key(
        *(pl.col(name) for name in same),
        browser_or_app(),
        pl.col("_time").dt.epoch("us"),
        *batch,
        *(pl.when(~placed | nobody()).then(text) for text in told),
    )


def session() -> dict[str, pl.Expr]:
    """Return the session, which is one only together with its browser: its id is its start in seconds."""
    start, time = session_start(), pl.col("_time")
    day = pl.when(param("ga_session_id").is_not_null()).then(time.dt.truncate("1d").dt.epoch("ms"))
    owner = pl.col("stream_id"), browser_or_app(), param("ga_session_id")
    known = pl.when(browser_or_app().is_not_null())
    return {"$session_id": expr.session_id(known.then(pl.coalesce(start, day)), time, *owner)}


def session_start() -> pl.Expr:
    """Return the session's start, null where its id is no time of the 24 hours before the event.

    Then its events of one UTC day are a session: PostHog takes none that begins after its first event. Ids are no
    times in Google's public sample, where they are obscured, and where a clock runs ahead.
    """
    start = expr.integer(param("ga_session_id")) * expr.SECOND_MS
    return pl.when((pl.col("_time").dt.epoch("ms") - start).is_between(0, expr.DAY_MS - 1)).then(start)


def page() -> dict[str, pl.Expr]:
    """Return page and screen; the web's referrer is told by page views, elsewhere its absence says nothing."""
    viewed = pl.col("event_name") == "page_view"
    known = dict(values.page(param("page_location"), referrer=param("page_referrer"), web=viewed))
    host = (known["$host"], field("device", "web_info_hostname"), field("event_dimensions", "hostname"))
    return known | {
        "$host": pl.coalesce(host),
        "title": pl.when(viewed).then(param("page_title")),
        "$screen_name": pl.coalesce(param("firebase_screen"), param("firebase_screen_class")),
    }


def device() -> dict[str, pl.Expr]:
    """Return device and browser. "Web" is Google's word for a system it does not know."""
    model = field("device", "mobile_model_name")
    is_browser = (field("device", "category") == "desktop") & model.is_in(sorted(BROWSERS))
    real = pl.when(~is_browser.fill_null(value=False))
    system = values.system(expr.without(field("device", "operating_system"), "Web"))
    browser = pl.coalesce(field("device", "web_info_browser"), field("device", "browser"))
    browser = pl.when(system == "iOS").then(browser.replace(ON_IOS)).otherwise(browser)
    version = pl.coalesce(field("device", "web_info_browser_version"), field("device", "browser_version"))
    return {
        "$device_type": values.device_type(field("device", "category")),
        "$os": system,
        "$os_version": field("device", "operating_system_version").str.extract(r"(\d[\w.]*)\s*$"),
        "$browser": values.browser(browser),
        "$browser_version": values.version(version),
        "$browser_language": values.language(field("device", "language")),
        "$device_manufacturer": real.then(field("device", "mobile_brand_name")),
        "$device_model": real.then(model),
        "$device_name": field("device", "mobile_marketing_name"),
        "$device_id": browser_or_app(),
        "$app_namespace": field("app_info", "id"),
        "$app_version": field("app_info", "version"),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth, as Google resolved it; there is no address."""
    return {
        "$geoip_continent_name": field("geo", "continent"),
        "$geoip_country_name": values.country_name(field("geo", "country")),
        "$geoip_country_code": values.country_code(field("geo", "country")),
        "$geoip_subdivision_1_name": field("geo", "region"),
        "$geoip_city_name": field("geo", "city"),
    }


def campaign() -> dict[str, pl.Expr]:
    """Return the campaign of the event itself, as a tagged link of `collected_traffic_source` tells it.

    What Google guessed of the referrer there is kept as `ga_collected_…`; the URL's own parameters stand in `rest`.
    """
    record = "collected_traffic_source"
    tagged = is_tagged(record, "manual_source", "manual_medium", "manual_campaign_name")
    clicks = {name: field(record, name) for name in ("gclid", "dclid", "srsltid")}
    utm = {f"utm_{new}": pl.when(tagged).then(field(record, old)) for new, old in MANUAL.items()}
    guessed = {
        f"ga_collected_{new}": pl.when(~tagged).then(field(record, old)) for new, old in MANUAL.items()
    }
    return clicks | utm | guessed


def is_tagged(record: str, source: str, medium: str, campaign: str) -> pl.Expr:
    """Return whether a traffic source is of a tagged link: Google writes its own guesses in brackets or as a medium."""
    told = [field(record, name) for name in (source, medium, campaign)]
    guesses = [told[0].str.starts_with("("), told[1].is_in(GUESSES), told[2].str.starts_with("(")]
    named = pl.any_horizontal(one.is_not_null() for one in told)
    return named & ~pl.any_horizontal(guess.fill_null(value=False) for guess in guesses)


def money() -> dict[str, pl.Expr]:
    """Return plain `revenue` of purchases, and of refunds as what it takes away; items are on views and carts too.

    The parameter `value` comes first: `ecommerce` is rounded in Google's sample. Of two transaction ids the
    parameter is the site's own.
    """
    value = expr.number(param("value"))
    own, other = values.known(param("transaction_id")), field("ecommerce", "transaction_id")

    def told(name: str) -> pl.Expr:
        return expr.number(field("ecommerce", name))

    bought, returned = (pl.col("event_name") == name for name in ("purchase", "refund"))
    revenue = pl.coalesce(value, told("purchase_revenue")), pl.coalesce(value, told("refund_value"))
    dollars = told("purchase_revenue_in_usd"), told("refund_value_in_usd")
    return {
        "transaction_id": pl.coalesce(own, other),
        "ga_ecommerce_transaction_id": pl.when(own != other).then(other),
        "revenue": pl.when(bought).then(revenue[0]).when(returned).then(-revenue[1].abs()),
        "revenue_usd": pl.when(bought).then(dollars[0]).when(returned).then(-dollars[1].abs()),
    }


def kept() -> dict[str, pl.Expr]:
    """Return what PostHog has no name for."""
    return {
        "ga_event_date": expr.stripped(pl.col("event_date")).str.replace_all("-", "", literal=True),
        "ga_event_value_in_usd": expr.number(pl.col("event_value_in_usd")),
        "ga_is_active_user": expr.boolean(pl.col("is_active_user")),
        "ga_stream_id": expr.stripped(pl.col("stream_id")),
        "ga_platform": expr.stripped(pl.col("platform")),
        # A boolean: PostHog makes a person of everyone who does not carry it.
        "$process_person_profile": pl.when(nobody()).then(pl.lit(False)),
    }


def first_touch(options: Options) -> dict[str, pl.Expr]:
    """Return how the user first came: `traffic_source` is of the user and never of the event."""
    record, names = "traffic_source", {"source": "source", "medium": "medium", "name": "campaign"}
    tagged = pl.when(is_tagged(record, "source", "medium", "name"))
    return {
        **{f"$initial_utm_{new}": tagged.then(field(record, old)) for old, new in names.items()},
        **{f"ga_first_{new}": field(record, old) for old, new in names.items()},
        "ga_first_touch_timestamp": iso(moment("user_first_touch_timestamp", options)),
    }


def person_states(options: Options) -> dict[str, pl.Expr]:
    """Return what each row tells of its person, as JSON objects; of no one nothing."""
    worth = {
        "ga_user_ltv_revenue": expr.number(field("user_ltv", "revenue")),
        "ga_user_ltv_currency": field("user_ltv", "currency"),
    }
    usable = pl.when(pl.col("_time").is_not_null() & pl.col("_unread").is_null() & ~nobody())
    now = usable.then(expr.joined(pl.col("_user"), object_text(worth)))
    once = usable.then(object_text(first_touch(options)))
    choices: dict[str, dict[str, pl.Expr]] = {
        "set": {"_set": now, "_once": once},
        "set_once": {"_once": expr.joined(now, once)},
    }
    return choices.get(options.person_properties, {})


def person_properties(options: Options) -> dict[str, pl.Expr]:
    """Return `$set` and `$set_once`: of each person, in event order, what changed."""
    order = [pl.col("_time"), pl.col(ROW)]
    columns = {"set": {"set": "_set", "set_once": "_once"}, "set_once": {"set_once": "_once"}}
    told = columns.get(options.person_properties, {})
    return {name: expr.changed(pl.col(one), by=pl.col("_who"), order_by=order) for name, one in told.items()}


def own_events(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event each row is; `rows` have records as structs and lists as JSON, see `nested` and `flat`."""
    lists = [pl.col(name) for name in ("_params", "_user", "_bought")]
    unread = pl.coalesce(pl.when(~text.str.starts_with("{")).then(text) for text in lists)
    sound = [pl.when(text.str.starts_with("{")).then(text) for text in lists]
    known = (
        rows.with_columns(unread.alias("_unread"), *sound)
        .with_columns(
            moment("event_timestamp", options).alias("_time"),
            expr.fields(pl.coalesce("_params", "_more"), BAG).alias("_bag"),
        )
        .with_columns(dedup_key().alias("_key"))
        .with_columns(person().alias("_who"), **person_states(options))
    )
    rest = expr.joined(pl.col("_more"), pl.col("_bought"))
    return events.events(
        known,
        event=expr.lookup(pl.col("event_name"), NAMES),
        distinct_id=pl.col("_who"),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        properties=pl.coalesce("_unread", "_params"),  # what cannot be read is no object, and rejects the row
        rest=expr.with_query(rest, param("page_location"), values.CAMPAIGN),
        extra=page() | device() | place() | campaign() | money() | session() | kept(),
        **person_properties(options),
    )


def nested(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of rows as BigQuery has them."""
    found = rows.with_columns(
        *(record(name, fields).alias(f"_{name}") for name, fields in RECORDS.items()),
        per_row(pl.col("event_params"), parameters).alias("_params"),
        per_text(pl.col("user_properties"), pl.String, newest).alias("_user"),
        per_text(pl.col("items"), pl.String, bought).alias("_bought"),
    )
    others = [pl.col(f"_{name}").struct.field("more") for name in RECORDS]
    more = expr.joined(*others, pl.col(REST))
    return own_events(found.with_columns(more.alias("_more"), pl.col("_params").alias("_told")), options)


def flat(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of flattened rows: fields of records are columns, parameters are columns or recovered."""
    told = per_text(pl.col(RECOVERED), RECOVERY, recovered).struct
    found = rows.with_columns(
        *(expr.first(pl.col(name), pl.col(other)).alias(name) for name, other in FIVETRAN.items()),
        *(
            pl.struct(
                values.known(expr.first(*map(pl.col, spellings(name, one)))).alias(one) for one in fields
            ).alias(f"_{name}")
            for name, fields in RECORDS.items()
            if fields
        ),
        pl.coalesce(per_row(pl.col("event_params"), parameters), told.field("params")).alias("_params"),
        pl.coalesce(per_text(pl.col("user_properties"), pl.String, newest), told.field("user")).alias(
            "_user"
        ),
        pl.coalesce(per_text(pl.col("items"), pl.String, bought), told.field("items")).alias("_bought"),
        pivoted(pl.col(REST)).alias("_more"),
    )
    return own_events(found.with_columns(pl.coalesce("event_id", "_params", "_more").alias("_told")), options)


def parameter_rows(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event that each row is a parameter of: all rows of one event make the same.

    The plan keeps one of them, also where a chunk's border runs through an event.
    """
    return flat(rows.with_columns(joint().alias("event_id")), options)


def pivoted(rest: pl.Expr) -> pl.Expr:
    """Return undeclared columns under the names that parameters and fields of records have; numbers are numbers.

    Only a key can stand between an opening quote and a colon, so text in values is safe.
    """
    numbers, records = "|".join(sorted(NUMBERS)), "|".join(RECORDS)
    nothing = "|".join(re.escape(word) for word in values.NOTHING if word)
    return (
        rest.str.replace_all(r'([{,])"(?:event_)?params?[_.]', '$1"')
        .str.replace_all(rf'([{{,]")({records})[_.]', "${1}ga_${2}_")
        .str.replace_all(rf'([{{,]"(?:ga_[a-z_]+_)?(?:{numbers})"):"(-?(?:0|[1-9]\d*)(?:\.\d+)?)"', "$1:$2")
        .str.replace_all(rf',?"ga_[^"]*":"(?:{nothing})"', "")
        .str.replace(r"^\{,", "{")
    )


def spellings(name: str, one: str) -> tuple[str, str]:
    """Return what a flattened field of a record is called: `device_web_info_browser`, `device.web_info.browser`."""
    return f"{name}_{one}", f"{name}.{one.replace('web_info_', 'web_info.')}"


def joint() -> pl.Expr:
    """Return what rows of one event have in common where each is one of its parameters."""
    same = (
        "stream_id",
        "user_pseudo_id",
        "event_timestamp",
        "event_name",
        "event_bundle_sequence_id",
        *BATCH,
    )
    told = pl.concat_str((pl.col(name).fill_null("") for name in same), separator="|")
    return pl.coalesce(expr.stripped(pl.col("event_id")), told)


def unnested(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the parameters of rows that are events too."""
    return param_recoveries(rows.with_columns(joint().alias("event_id")), _options)


def param_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the parameters that rows hold one each; `name` says the type too, which text cannot."""
    text, *numbers = (
        [pl.col(column) for column in TYPED[kind]] for kind in ("string", "int", "double", "float")
    )
    number = [column for columns in numbers for column in columns]
    plain = [pl.col(column) for column in UNTYPED]
    typed = (
        pl.when(pl.any_horizontal(column.is_not_null() for column in text))
        .then(pl.lit("text"))
        .when(pl.any_horizontal(column.is_not_null() for column in number))
        .then(pl.lit("number"))
        .otherwise(pl.lit("any"))
    )
    name = pl.format("params:{}:{}", typed, expr.first(*map(pl.col, KEYS)))
    value = pl.coalesce(*text, expr.first(*number), *plain)
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=value)


def user_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the user properties that rows hold one each; all are text, their types are lost."""
    name = pl.format("user:text:{}", expr.stripped(pl.col("user_properties_key")))
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=pl.col("user_properties_value"))


def item_recoveries(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the items that rows hold one each, in the order of the file."""
    name = pl.format("items:any:{}", pl.col(ROW).cast(pl.String).str.zfill(12))
    value = pl.struct(pl.col(f"items_{one}").alias(one) for one in COLUMNS["item"]).struct.json_encode()
    return links.recoveries(rows, key=pl.col("event_id"), name=name, value=value)


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which browsers and apps a user was seen in."""
    time = moment("event_timestamp", options)
    return links.linked(rows, anonymous=browser_or_app(), identified=user(), time=time, why="seen together")


def flat_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the same of rows with Fivetran's names."""
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp"))
    return to_links(rows.with_columns(time.alias("event_timestamp")), options)


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what Google knew of each user at the end of a day; device and place are those of events."""
    day = expr.first(pl.col("last_updated_date"), pl.col("occurrence_date"))
    dashed = day.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3")
    times = ("user_first_touch_timestamp_micros", "last_active_timestamp_micros")
    info = record("user_info", times).struct
    first, last = (iso(expr.unix(info.field(name), "us")) for name in times)
    told = [record(name, ()).struct.field("more") for name in ("user_ltv", "predictions")]
    lists = (
        per_text(pl.col(name), pl.String, read)
        for name, read in (("user_properties", newest), ("audiences", audiences))
    )
    sound = [pl.when(text.str.starts_with("{")).then(text) for text in lists]
    return events.profiles(
        rows,
        distinct_id=pl.coalesce(user(), values.known(pl.col("pseudo_user_id"))),
        timestamp=expr.timestamp(dashed, zone=options.source_timezone).dt.offset_by("1d"),
        set=expr.joined(object_text({"ga_last_active_timestamp": last}), info.field("more"), *told, *sound),
        set_once=object_text({"ga_first_touch_timestamp": first}),
    )


# Nested values as text, read by type: no other way is fast enough for parameters (6 µs a row, json takes 35).


class Value(msgspec.Struct, gc=False):
    """A parameter's value: one of the four, or none; `bq extract` writes 64-bit integers as strings."""

    string_value: str | None = None
    int_value: int | str | None = None
    float_value: float | str | None = None
    double_value: float | str | None = None
    set_timestamp_micros: int | str | None = None
    user_property_name: str | None = None


class Pair(msgspec.Struct, gc=False):
    """A parameter or user property."""

    key: str
    value: Value | None = None


_pairs: Final = msgspec.json.Decoder(list[Pair]).decode
UNREADABLE: Final = "unreadable: "
_FAILURES: Final = (ValueError, TypeError, AttributeError, KeyError, RecursionError, msgspec.MsgspecError)
RECOVERY: Final = pl.Struct(dict.fromkeys(("params", "user", "items"), pl.String))


def per_row(texts: pl.Expr, function: Callable[[str], str | None]) -> pl.Expr:
    """Return what the function makes of each text."""
    return texts.map_batches(
        lambda given: pl.Series(
            given.name, [None if text is None else function(text) for text in given], pl.String
        ),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def per_text(
    texts: pl.Expr, dtype: pl.DataType | type[pl.DataType], function: Callable[[str], Any]
) -> pl.Expr:
    """Return what the function makes of each distinct text."""

    def made(given: pl.Series) -> pl.Series:
        distinct = given.drop_nulls().unique()
        results = pl.Series([function(text) for text in distinct], dtype=dtype)
        table = pl.DataFrame({"text": distinct, "result": results})
        return given.to_frame("text").join(table, on="text", how="left", maintain_order="left")["result"]

    return texts.map_batches(made, return_dtype=dtype, is_elementwise=True)


def parameters(text: str) -> str | None:
    """Return parameters as a JSON object, keys in order; of a key given twice the first value counts."""
    return _readable(text, lambda: _object(_values(_listed(text))))


def newest(text: str) -> str | None:
    """Return user properties as a JSON object; of a key given twice the value set last counts."""
    return _readable(text, lambda: _object(_values(sorted(_listed(text), key=_set_at, reverse=True))))


def bought(text: str) -> str | None:
    """Return items as `{"items": […]}`, each without what is "(not set)", its own parameters among its fields."""
    return _readable(text, lambda: _items(_elements(_parsed(text))))


def audiences(text: str) -> str | None:
    """Return the names of audiences as a property, those without one by their number."""

    def told() -> str | None:
        names = [one.get("name") or str(one["id"]) for one in _elements(_parsed(text))]
        return _object({"ga_audiences": names} if names else {})

    return _readable(text, told)


def record(name: str, fields: Sequence[str]) -> pl.Expr:
    """Return a struct of a record's fields as text, those of records in it as `outer_inner`; `more` are the others."""

    def told(text: str) -> dict[str, str | None]:
        try:
            known = _known(dict(_leaves(_parsed(text) or {})))
        except _FAILURES:
            return {"more": _object({f"ga_{name}": text})}
        more = {f"ga_{name}_{key}": value for key, value in known.items() if key not in fields}
        return {one: _text(known.get(one)) for one in fields} | {"more": _object(more)}

    return per_text(pl.col(name), pl.Struct(dict.fromkeys((*fields, "more"), pl.String)), told)


def recovered(text: str) -> dict[str, str | None]:
    """Return parameters, user properties and items that other rows told, as JSON objects."""
    found: dict[str, dict[str, Any]] = {"params": {}, "user": {}, "items": {}}
    for name, value in sorted(json.loads(text).items()):
        kind, dtype, key = name.split(":", 2)
        found[kind][key] = _typed(key, value, dtype)
    items = _items([json.loads(item) for item in found["items"].values()])
    return {"params": _object(found["params"]), "user": _object(found["user"]), "items": items}


def object_text(columns: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the columns as a JSON object without nulls, null where there are none."""
    whole = pl.struct(value.alias(name) for name, value in columns.items()).struct.json_encode()
    return per_text(whole, pl.String, lambda text: _object(_known(json.loads(text))))


def iso(time: pl.Expr) -> pl.Expr:
    """Return a time as text; before 1970 and at its start there were no browsers."""
    return pl.when(time.dt.epoch("us") > 0).then(time.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))


def _readable(text: str, made: Callable[[], str | None]) -> str | None:
    try:
        return made()
    except _FAILURES:
        return UNREADABLE + text


def _listed(text: str) -> list[Pair]:
    """Return the pairs of a list in any of its spellings; a plain object is a list of its members."""
    try:
        return _pairs(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        found = _parsed(text)
    if isinstance(found, dict) and not found.keys() & {"list", "array"}:
        found = [{"key": key, "value": value} for key, value in found.items()]
    return _pairs_of(_elements(found))


def _pairs_of(found: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """Return pairs, their values wrapped or bare."""
    wrapped = [{"key": str(one["key"]), "value": _value(one.get("value"))} for one in found]
    return [msgspec.convert(one, Pair, strict=False) for one in wrapped]


def _value(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """Return a bare value as Google wraps it."""
    if isinstance(value, dict) or value is None:
        return value or {}
    if isinstance(value, str | bool | list):
        return {"string_value": value if isinstance(value, str) else json.dumps(value)}
    return {"int_value" if isinstance(value, int) else "double_value": value}


def _values(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the first value of each key that has one."""
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        if value is None:
            continue
        key = value.user_property_name or pair.key
        if value.string_value is not None:
            found.setdefault(key, value.string_value)
        elif value.int_value is not None:
            whole = int(value.int_value)
            found.setdefault(key, str(whole) if _is_text(key) else whole)
        else:
            given = value.double_value if value.double_value is not None else value.float_value
            if given is not None and math.isfinite(number := float(given)):
                found.setdefault(key, number)
    return found


def _set_at(pair: Pair) -> int:
    return int(pair.value.set_timestamp_micros or 0) if pair.value else 0


def _is_text(key: str) -> bool:
    return key.endswith("_id") or key in TEXTS


def _items(items: Sequence[Mapping[str, Any]]) -> str | None:
    """Return items as PostHog keeps them; a field of its own wins over a parameter of the item."""
    found = []
    for item in items:
        own = {key: value for key, value in item.items() if key != "item_params"}
        pairs = _pairs_of(_elements(item.get("item_params") or []))
        found.append(_values(pairs) | _known(own))
    return _object({"items": found}) if found else None


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something, numbers as numbers."""
    told = {key: one for key, one in fields.items() if one is not None and one not in values.NOTHING}
    return {
        key: _number(one) if key in NUMBERS or isinstance(one, float) else one for key, one in told.items()
    }


def _number(value: Any) -> Any:  # noqa: ANN401 - a number stays itself
    """Return text as a number, where it is one; whole ones alike, as some formats write 3 and others 3.0."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return value
    return int(found) if abs(found) < _EXACT and found == int(found) else found


def _typed(key: str, value: str, dtype: str) -> Any:  # noqa: ANN401 - text or number
    """Return a recovered value; of an unknown type a number if its key or its decimal point says so."""
    is_number = dtype == "number" or (
        dtype == "any" and (key in NUMBERS or _DECIMAL.fullmatch(value) is not None)
    )
    return _number(value) if is_number and not _is_text(key) else value


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record, those of records inside it with both names."""
    for key, one in value.items():
        if isinstance(one, dict):
            yield from _leaves(one, f"{path}{key}_")
        else:
            yield f"{path}{key}", one


def _elements(found: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """Return a list's elements, taken out of the wrappers that some Parquet writers put around them."""
    if isinstance(found, dict):
        found = found.get("list", found.get("array"))
    if not isinstance(found, list):
        raise ValueError(found)  # noqa: TRY004 - what cannot be read, of whatever type it is
    return [one.get("element", one.get("item", one.get("array", one))) for one in found]


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value; or one as Python or NumPy prints it. Raises `ValueError` where it is neither."""
    with suppress(msgspec.DecodeError, UnicodeEncodeError):
        return msgspec.json.decode(text)
    try:
        return json.loads(text, strict=False)
    except ValueError:
        pass
    plain = _ARRAY.sub(r"\1", _BETWEEN.sub("}, {", _NAN.sub("None", text)))
    try:
        return ast.literal_eval(plain.strip())
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error


def _object(fields: Mapping[str, Any]) -> str | None:
    """Return a JSON object, keys in order, null for an empty one; cut emoji stay escaped."""
    if not fields:
        return None
    try:
        return msgspec.json.encode(fields, order="sorted").decode()
    except UnicodeEncodeError:
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def _text(value: Any) -> str | None:  # noqa: ANN401 - a scalar
    return None if value is None or isinstance(value, list | dict) else str(value)


_EXACT: Final = 2**53
_DECIMAL: Final = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?", re.IGNORECASE)
_NAN: Final = re.compile(r"(?<=: )nan\b")
_BETWEEN: Final = re.compile(r"\}\s*\n\s*\{")
_ARRAY: Final = re.compile(r"\barray\((\[.*?\])(?:, dtype=\w+)?\)", re.DOTALL)


def is_nested(columns: frozenset[str]) -> bool:
    """Return whether these are columns of BigQuery's own table."""
    flattened = any(name.startswith(("device_", "device.", "geo_", "geo.")) for name in columns)
    told = {"event_name", "event_timestamp"} <= columns and bool(columns & {"event_params", "device", "geo"})
    return told and not flattened


def is_flat(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a flattened table with a row for each event."""
    told = {"event_name", "event_timestamp"} <= columns or {"name", "timestamp", "date"} <= columns
    return told and bool(columns & {"user_pseudo_id", "event_id"})


def is_unnested(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a table with a row for each parameter."""
    return {"event_name", "event_timestamp"} <= columns and bool(columns & {*KEYS})


def is_users(columns: frozenset[str]) -> bool:
    """Return whether these are columns of `users_…` or `pseudonymous_users_…`."""
    return (
        "event_name" not in columns
        and bool(columns & {"user_id", "pseudo_user_id"})
        and "user_ltv" in columns
    )


def _parameter_columns() -> Iterator[str]:
    """Yield the columns that hold a parameter where each has a row."""
    yield from (*KEYS, *UNTYPED, *(column for columns in TYPED.values() for column in columns))


def _text_columns(*names: Iterable[str]) -> dict[str, type[pl.String]]:
    return dict.fromkeys((one for some in names for one in some), pl.String)


def _joined(name: str, key: str, columns: Sequence[str], to_recoveries: Any) -> Table:  # noqa: ANN401 - see Table
    """Return a table of the flattener whose rows belong to events of another."""
    return Table(
        name=name,
        columns=_text_columns(("event_id", key), columns),
        matches=lambda found: {"event_id", key} <= found and "event_name" not in found,
        to_events=events.none,
        to_recoveries=to_recoveries,
        filters={"joined_to_its_event": pl.col(ROW).is_not_null()},
        dropped=DROPPED | {"event_date"},
    )


# What `pivoted` does by pattern, for the names that Google itself gives; it does the same to all others.
PIVOTED: Final = RENAME | {
    **{f"param_{name}": name for name in (*BAG, *sorted(NUMBERS), *sorted(TEXTS))},
    **{f"param_{old}": new for old, new in RENAME.items()},
    **{f"{name}_{one}": f"ga_{name}_{one}" for name, fields in OTHERS.items() for one in fields},
}
FLAT: Final = (
    *(*COLUMNS["plain"], *COLUMNS["lists"], *FIVETRAN.values(), "event_id"),
    *(one for name, fields in RECORDS.items() for own in fields for one in spellings(name, own)),
)
NAME: Final = expr.first(pl.col("event_name"), pl.col("name"))
WARNINGS: Final = {"without_ids": nobody()}
LINKS: Final = ("event_timestamp", "user_id", "user_pseudo_id")

MAPPING: Final = Platform(
    title="Google Analytics 4",
    reads="the BigQuery export as Parquet, Avro, JSON lines (bq extract, console) or CSV flattened by Fivetran, by"
    " Adswerve's flattener, by UNNEST, or with nested values as text in a cell",
    tables=[
        Table(
            name="user_data",
            columns=_text_columns(COLUMNS["users"]),
            matches=is_users,
            to_events=events.none,
            to_profiles=to_profiles,
            dropped=frozenset({"device", "geo", "privacy_info"}),
        ),
        _joined("flat_event_params", "event_params_key", tuple(_parameter_columns()), param_recoveries),
        _joined("flat_user_properties", "user_properties_key", ("user_properties_value",), user_recoveries),
        _joined(
            "flat_items", "items_item_id", tuple(f"items_{one}" for one in COLUMNS["item"]), item_recoveries
        ),
        Table(
            name="parameter_rows",
            columns=_text_columns(FLAT, _parameter_columns()),
            matches=is_unnested,
            to_events=parameter_rows,
            to_links=flat_links,
            to_recoveries=unnested,
            recover=joint(),
            rename=PIVOTED,
            filters={
                "automatic_events": NAME.is_in(MARKS),
                "row_of_same_event": ~joint().is_first_distinct(),
            },
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="events",
            columns=_text_columns(COLUMNS["plain"], COLUMNS["lists"], RECORDS),
            matches=is_nested,
            to_events=nested,
            to_links=to_links,
            link_columns=LINKS,
            rename=RENAME,
            filters={"automatic_events": pl.col("event_name").is_in(MARKS)},
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="flat_events",
            columns=_text_columns(FLAT),
            matches=is_flat,
            to_events=flat,
            to_links=flat_links,
            link_columns=(*LINKS, "timestamp"),
            recover=pl.col("event_id"),
            rename=PIVOTED,
            filters={"automatic_events": NAME.is_in(MARKS)},
            warnings=WARNINGS,
            dropped=DROPPED,
        ),
        Table(
            name="universal_analytics",
            columns={},
            matches=lambda columns: {"visitid", "hits"} <= columns or {"fullvisitorid", "visitid"} <= columns,
            to_events=events.none,
            refusal="this is an export of Universal Analytics (ga_sessions_…), which has sessions where Google"
            " Analytics 4 has events; export the tables events_YYYYMMDD of a Google Analytics 4 property instead",
        ),
        Table(
            name="report",
            columns={},
            matches=lambda columns: any(name.startswith("#") for name in columns),
            to_events=events.none,
            refusal="this is a report saved from Google Analytics: it holds counts, not events; export the tables"
            " events_YYYYMMDD from BigQuery instead, for example with bq extract --destination_format=PARQUET",
        ),
    ],
)
