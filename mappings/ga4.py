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

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

import polars as pl

from mappings._ga4_flat import (
    KEYS,
    PIVOTED,
    item_recoveries,
    joint,
    param_recoveries,
    parameter_columns,
    pivoted,
    spellings,
    unnested,
    user_recoveries,
)
from mappings._ga4_nested import (
    RECOVERY,
    WHOLE,
    audiences,
    bought,
    fields,
    newest,
    object_text,
    of_event,
    others,
    parameters,
    parts,
    queried,
    recovered,
    remembered,
    text_of,
    timed,
)
from mappings._ga4_schema import BAG, COLUMNS, DROPPED, FIVETRAN, RECORDS, RENAME
from migrate.kit import events, expr, links, objects, values
from migrate.kit.declare import OWN, PROPERTIES, RECOVERED, REST, ROW, Bag, Options, Platform, Table, inside
from migrate.kit.distinct import Once

NAMES: Final = {"page_view": "$pageview", "screen_view": "$screen"}
"""`user_engagement` is a timer and stays itself: it has no element, as an `$autocapture` must."""
MARKS: Final = ("session_start", "first_visit", "first_open")
"""What Google adds by itself; PostHog derives sessions and first visits from the events."""


MANUAL: Final = {
    **{one: f"manual_{one}" for one in ("source", "medium", "term", "content", "source_platform")},
    **{one: f"manual_{one}" for one in ("creative_format", "marketing_tactic")},
    "campaign": "manual_campaign_name",
    "id": "manual_campaign_id",
}
"""`utm_…` -> field of `collected_traffic_source`."""
BROWSERS: Final = frozenset(
    ("Chrome", "Safari", "Edge", "Firefox", "Opera", "Internet Explorer", "Samsung Internet")
)
"""On the desktop Google names the browser as the model, and the browser's maker as that of the device."""
LOGIN: Final = pl.col("_login")
BROWSER: Final = pl.col("_browser")
NOBODY: Final = LOGIN.is_null() & BROWSER.is_null()
"""Ids of a row, worked out once."""
GUESSES: Final = ("organic", "referral", "(none)")
"""Media that Google tells by the referrer; no link was tagged with them."""


def field(record: str, name: str) -> pl.Expr:
    """Return a field of a record as text, null where it says "(not set)" or the like."""
    return pl.col(f"_{record}").struct.field(name)


def of(record: str, name: str) -> pl.Expr:
    """Return what is told of a record under a name, see `of_records`."""
    return pl.col(f"_of_{record}").struct.field(name)


def all_of(record: str) -> dict[str, pl.Expr]:
    """Return all properties that are told of a record."""
    return {name: of(record, name) for name in OF_RECORDS[record] if not name.startswith("_")}


def param(name: str) -> pl.Expr:
    """Return one of the `BAG` parameters as text, null for a blank."""
    return pl.col("_bag").struct.field(name)


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
    single = expr.id_of_no_one("ga4", pl.col("_time"), pl.col("_key"), where=NOBODY)
    return pl.coalesce(LOGIN, BROWSER, single)


def dedup_key() -> pl.Expr:
    """Return what makes the event one, alike in daily, intraday and fresh tables.

    There is no id. All parameters and items tell events of one bundle apart, as two clicks may have one time. The
    columns of an event's place in its batch do not: one table of a day has them, another has not, or without values.
    """
    return expr.key(
        as_whole(pl.col("stream_id")),
        pl.col("event_name"),
        as_whole(pl.col("event_bundle_sequence_id")),
        BROWSER,
        pl.col("_time").dt.epoch("us"),
        pl.col("_told"),
        pl.col("_bought"),
    )


def as_whole(number: pl.Expr) -> pl.Expr:
    """Return a whole number's digits, also where its column or parameter holds decimals: `7.0` is the `7` of others."""
    return number.str.strip_suffix(".0")


def session() -> dict[str, pl.Expr]:
    """Return the session, which is one only together with its browser: its id is its start in seconds."""
    start, time = session_start(), pl.col("_time")
    number = as_whole(param("ga_session_id"))
    day = pl.when(number.is_not_null()).then(time.dt.truncate("1d").dt.epoch("ms"))
    owner = pl.col("stream_id"), BROWSER, number
    known = pl.when(BROWSER.is_not_null())
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
    came = values.page(param("page_location"), referrer=param("page_referrer"), web=viewed)
    return {
        "$current_url": came["$current_url"],
        "$host": pl.coalesce(of("page", "$host"), of("device", "_host"), of("event_dimensions", "_host")),
        "$pathname": of("page", "$pathname"),
        "$referrer": came["$referrer"],
        "$referring_domain": came["$referring_domain"],
        "title": pl.when(viewed).then(param("page_title")),
        "$screen_name": pl.coalesce(param("firebase_screen"), param("firebase_screen_class")),
    }


def system() -> pl.Expr:
    """Return the system; "Web" is Google's word for one it does not know."""
    return values.system(expr.without(field("device", "operating_system"), "Web"))


def device(system: pl.Expr) -> dict[str, pl.Expr]:
    """Return device, browser and the host a page was on."""
    model = field("device", "mobile_model_name")
    is_browser = (field("device", "category") == "desktop") & model.is_in(sorted(BROWSERS))
    real = pl.when(~is_browser.fill_null(value=False))
    browser = pl.coalesce(field("device", "web_info_browser"), field("device", "browser"))
    version = pl.coalesce(field("device", "web_info_browser_version"), field("device", "browser_version"))
    return {
        "$device_type": values.device_type(field("device", "category")),
        "$os": system,
        "$os_version": field("device", "operating_system_version").str.extract(r"(\d[\w.]*)\s*$"),
        "$browser": values.browser(browser, on=system),
        "$browser_version": values.version(version),
        "$browser_language": values.language(field("device", "language")),
        "$device_manufacturer": real.then(field("device", "mobile_brand_name")),
        "$device_model": real.then(model),
        "$device_name": field("device", "mobile_marketing_name"),
        "_host": field("device", "web_info_hostname"),
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

    What Google guessed of the referrer there is kept as `ga_collected_…`.
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
    own, other = values.known(param("transaction_id")), of("ecommerce", "transaction_id")

    def told(name: str) -> pl.Expr:
        return expr.number(of("ecommerce", name))

    bought, returned = (pl.col("event_name") == name for name in ("purchase", "refund"))
    revenue = pl.coalesce(value, told("purchase_revenue")), pl.coalesce(value, told("refund_value"))
    dollars = told("purchase_revenue_in_usd"), told("refund_value_in_usd")
    return {
        "transaction_id": pl.coalesce(own, other),
        "ga_ecommerce_transaction_id": pl.when(own != other).then(other),
        "revenue": pl.when(bought).then(revenue[0]).when(returned).then(-revenue[1].abs()),
        "revenue_usd": pl.when(bought).then(dollars[0]).when(returned).then(-dollars[1].abs()),
    }


def of_records(system: pl.Expr) -> dict[str, dict[str, pl.Expr]]:
    """Return what is told of each record, by what its fields alone say; `system` is what `system` returns."""
    return {
        "device": device(system),
        "app_info": {"$app_namespace": field("app_info", "id"), "$app_version": field("app_info", "version")},
        "geo": place(),
        "collected_traffic_source": campaign(),
        "event_dimensions": {"_host": field("event_dimensions", "hostname")},
        "ecommerce": {name: field("ecommerce", name) for name in RECORDS["ecommerce"]},
        "traffic_source": {"_came": object_text(first_touch())},
        "user_ltv": {"_worth": object_text(worth())},
    }


def hardware() -> dict[str, pl.Expr]:
    """Return device, browser and app."""
    return all_of("device") | {"$device_id": BROWSER} | all_of("app_info")


def kept() -> dict[str, pl.Expr]:
    """Return what PostHog has no name for."""
    return {
        "ga_event_date": expr.stripped(pl.col("event_date")).str.replace_all("-", "", literal=True),
        "ga_event_value_in_usd": expr.number(pl.col("event_value_in_usd")),
        "ga_is_active_user": expr.boolean(pl.col("is_active_user")),
        "ga_stream_id": expr.stripped(pl.col("stream_id")),
        "ga_platform": expr.stripped(pl.col("platform")),
        # A boolean: PostHog makes a person of everyone who does not carry it.
        "$process_person_profile": pl.when(NOBODY).then(pl.lit(False)),
    }


def first_touch() -> dict[str, pl.Expr]:
    """Return how the user first came: `traffic_source` is of the user and never of the event."""
    record, names = "traffic_source", {"source": "source", "medium": "medium", "name": "campaign"}
    tagged = pl.when(is_tagged(record, "source", "medium", "name"))
    return {
        **{f"$initial_utm_{new}": tagged.then(field(record, old)) for old, new in names.items()},
        **{f"ga_first_{new}": field(record, old) for old, new in names.items()},
    }


def worth() -> dict[str, pl.Expr]:
    """Return what the user has spent so far."""
    return {
        "ga_user_ltv_revenue": expr.number(field("user_ltv", "revenue")),
        "ga_user_ltv_currency": field("user_ltv", "currency"),
    }


def told_of(name: str, texts: pl.Series) -> pl.Series:
    """Return a struct of what is told of each of these records, as `OF_RECORDS` says it."""
    told = pl.struct(value.alias(key) for key, value in OF_RECORDS[name].items())
    return fields(name, texts).to_struct(f"_{name}").to_frame().select_seq(told).to_series()


def address(urls: pl.Series) -> pl.Series:
    """Return a struct of what each of these addresses tells, `_query` what it says of the campaign."""
    told = {name: one for name, one in values.page(pl.col("url")).items() if name != "$current_url"}
    told["_query"] = queried(pl.col("url"))
    struct = pl.struct(value.alias(name) for name, value in told.items())
    return urls.to_frame("url").select_seq(struct).to_series()


OF_RECORDS: Final = of_records(system())
OF_EVENTS: Final = ("device", "app_info", "geo", "event_dimensions", "collected_traffic_source", "ecommerce")
"""Those that say something of the event; the others are of the user."""
CAMPAIGNS: Final = dict.fromkeys((*OF_RECORDS["collected_traffic_source"], *values.CAMPAIGN), pl.String)
"""What a campaign is told by, and in what type."""
ONCE: Final = {name: Once(partial(told_of, name)) for name in OF_RECORDS} | {"page": Once(address)}


def own_events(
    rows: pl.LazyFrame, options: Options, *, campaigns: dict[str, pl.Expr], **source: pl.Expr
) -> pl.LazyFrame:
    """Return the event each row is; `source` are its own properties as `events.events` takes them.

    Rows have what is told `of` records and of the page, the `BAG`, `_user`, and all parameters and items, `_told` and
    `_bought`, which tell events apart.
    """
    known = (
        rows.with_columns_seq(
            moment("event_timestamp", options).alias("_time"),
            user().alias("_login"),
            browser_or_app().alias("_browser"),
        )
        .with_columns_seq(dedup_key().alias("_key"))
        .with_columns_seq(person().alias("_who"))
    )
    return events.events(
        known,
        event=expr.lookup(pl.col("event_name"), NAMES),
        distinct_id=pl.col("_who"),
        timestamp=pl.col("_time"),
        dedup_key=pl.col("_key"),
        extra=page() | hardware() | all_of("geo") | campaigns | money() | session() | kept(),
        set=pl.when(~NOBODY).then("_user"),
        **source,
    )


def nested(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of rows as BigQuery has them."""
    wholes = {"_told": "event_params", "_user": "user_properties", "_bought": "items"}
    found = (
        rows.with_columns_seq(
            *(ONCE[name].told(pl.col(name)).alias(f"_of_{name}") for name in OF_EVENTS),
            *(pl.col(inside(column, WHOLE)).alias(name) for name, column in wholes.items()),
        )
        .with_columns_seq(bag().alias("_bag"))
        .with_columns_seq(ONCE["page"].told(param("page_location")).alias("_of_page"))
        .with_columns_seq(addressed().alias("_of_campaign"))
    )
    campaigns = {name: of("campaign", name) for name in CAMPAIGNS}
    return own_events(found, options, campaigns=campaigns, laid=pl.col(PROPERTIES))


def bag() -> pl.Expr:
    """Return a struct of the `BAG`, of rows without a list of parameters from columns of these names."""
    listed, columns = (
        pl.struct(expr.stripped(pl.col(inside(column, name))).alias(name) for name in BAG)
        for column in ("event_params", REST)
    )
    return pl.when(pl.col("_told").is_null()).then(columns).otherwise(listed)


def addressed() -> pl.Expr:
    """Return a struct of the `CAMPAIGNS` of events: what the address says counts where the row itself says nothing."""
    record, url = pl.col("_of_collected_traffic_source"), of("page", "_query")
    return pl.struct(record.alias("record"), url.alias("url"), OWN).map_batches(
        _campaigns, return_dtype=pl.Struct(CAMPAIGNS), is_elementwise=True
    )


def _campaigns(given: pl.Series) -> pl.Series:
    """Return what `addressed` does; most chunks of rows have none."""
    table = given.struct.unnest()
    if all(table[name].null_count() == table.height for name in ("record", "url")):
        return pl.repeat(None, table.height, dtype=pl.Struct(CAMPAIGNS), eager=True)
    told = {name: pl.col("record").struct.field(name) for name in OF_RECORDS["collected_traffic_source"]}
    for name in values.CAMPAIGN:
        own = pl.col(OWN).str.contains(f'"{name}":', literal=True).fill_null(value=False)
        url = pl.when(~own).then(pl.col("url").struct.field(name))
        told[name] = pl.coalesce(told[name], url) if name in told else url
    return table.select_seq(pl.struct(told[name].alias(name) for name in CAMPAIGNS)).to_series()


def flat_record(name: str) -> pl.Expr:
    """Return a struct of a record's fields, as `fields` does, of flattened columns."""
    columns = (
        values.known(expr.first(*map(pl.col, spellings(name, one)))).alias(one) for one in RECORDS[name]
    )
    return pl.struct(columns).alias(f"_{name}")


def flat(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the events of flattened rows: fields of records are columns, parameters are columns or recovered."""
    untold = pl.col("event_id").is_null() & pl.col("_params").is_null()
    own = expr.canonical(expr.each_row(pl.when(untold).then(pl.col("_more")), of_event))
    told = (
        (record, pl.struct(value.alias(name) for name, value in made.items()))
        for record, made in of_records(pl.col("_system")).items()
        if record in OF_EVENTS
    )
    stripped = (expr.stripped(param(name)).alias(name) for name in BAG)
    known = (
        listed(rows)
        .with_columns_seq(
            pl.coalesce(pl.col("_params"), pl.col("event_id"), own).alias("_told"),
            objects.fields(pl.coalesce("_params", "_more"), BAG).alias("_bag"),
            *(struct.alias(f"_of_{record}") for record, struct in told),
        )
        .with_columns_seq(pl.struct(stripped).alias("_bag"))
        .with_columns_seq(ONCE["page"].told(param("page_location")).alias("_of_page"))
    )
    rest = objects.joined(pl.col("_more"), pl.col("_bought"))
    return own_events(
        known,
        options,
        campaigns=all_of("collected_traffic_source"),
        properties=pl.coalesce("_unread", "_params"),  # what cannot be read is no object, and rejects the row
        rest=objects.with_query(rest, param("page_location"), values.CAMPAIGN),
    )


def listed(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return flattened rows with records as structs, and as JSON objects what stands in lists and further columns."""
    told = expr.each(pl.col(RECOVERED), recovered, RECOVERY).struct
    lists = {
        "_params": (expr.each_row(pl.col("event_params"), text_of(parameters)), told.field("params")),
        "_user": (expr.each(pl.col("user_properties"), text_of(newest)), told.field("user")),
        "_bought": (expr.each(pl.col("items"), text_of(bought)), told.field("items")),
    }
    found = rows.with_columns_seq(
        *(expr.first(pl.col(name), pl.col(other)).alias(name) for name, other in FIVETRAN.items()),
        *(flat_record(name) for name in OF_EVENTS),
        *(pl.coalesce(ways).alias(name) for name, ways in lists.items()),
        pivoted(pl.col(REST)).alias("_more"),
    )
    sound = [pl.when(pl.col(name).str.starts_with("{")).then(name).alias(name) for name in lists]
    unread = [pl.when(~pl.col(name).str.starts_with("{")).then(name) for name in lists]
    return found.with_columns_seq(pl.coalesce(unread).alias("_unread"), *sound, system().alias("_system"))


def parameter_rows(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the event that each row is a parameter of: all rows of one event make the same.

    The plan keeps one of them, also where a chunk's border runs through an event.
    """
    return flat(rows.with_columns_seq(joint(()).alias("event_id")), options)


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which browsers and apps a user was seen in."""
    ids = {"anonymous": values.linkable("user_pseudo_id"), "identified": values.linkable("user_id")}
    return links.linked(rows, **ids, time=moment("event_timestamp", options), why="seen together")


def flat_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the same of rows with Fivetran's names."""
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp"))
    return to_links(rows.with_columns_seq(time.alias("event_timestamp")), options)


def snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what each event says of its user as a whole: the `_worth` so far, and how the user first `_came`.

    Intraday tables say neither, but when that was: that is as of then, and yields to all that says more.
    """
    known = rows.with_columns_seq(
        moment("event_timestamp", options).alias("_time"),
        moment("user_first_touch_timestamp", options).alias("_first"),
    )
    is_whole = pl.col("_worth").is_not_null() | pl.col("_came").is_not_null() | pl.col("_first").is_null()
    first = timed("ga_first_touch_timestamp", pl.col("_first"))
    return events.profiles(
        known.with_columns_seq(objects.joined(pl.col("_came"), first).alias("_once")).filter(
            pl.col("_time").is_not_null()
        ),
        distinct_id=pl.coalesce(user(), browser_or_app()),
        timestamp=pl.when(is_whole).then("_time").otherwise("_first"),
        set=pl.col("_worth"),
        set_once=pl.col("_once"),
    )


def nested_snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the snapshots of rows as BigQuery has them."""
    told = {"_worth": "user_ltv", "_came": "traffic_source"}
    found = (ONCE[record].told(pl.col(record)).struct.field(name) for name, record in told.items())
    return snapshots(rows.with_columns_seq(found), options)


def flat_snapshots(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the snapshots of flattened rows."""
    time = expr.first(pl.col("event_timestamp"), pl.col("timestamp")).alias("event_timestamp")
    known = rows.with_columns_seq(time, flat_record("user_ltv"), flat_record("traffic_source"))
    told = object_text(worth()).alias("_worth"), object_text(first_touch()).alias("_came")
    return snapshots(known.with_columns_seq(told), options)


def to_profiles(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return what Google knew of each user at the end of a day; device and place are those of events."""
    day = expr.first(pl.col("last_updated_date"), pl.col("occurrence_date"))
    dashed = day.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3")
    times = ("user_first_touch_timestamp_micros", "last_active_timestamp_micros")
    info = parts("user_info", times).struct
    first, last = (expr.unix(info.field(name), "us") for name in times)
    told = [parts(name, ()).struct.field("more") for name in ("user_ltv", "predictions")]
    stream = objects.text({"ga_stream_id": expr.stripped(pl.col("stream_id"))})
    properties = expr.each(pl.col("user_properties"), text_of(newest))
    sound = [
        pl.when(properties.str.starts_with("{")).then(properties),
        expr.each(pl.col("audiences"), audiences),
    ]
    return events.profiles(
        rows,
        distinct_id=pl.coalesce(user(), values.known(pl.col("pseudo_user_id"))),
        timestamp=expr.timestamp(dashed, zone=options.source_timezone).dt.offset_by("1d"),
        set=objects.completed(
            objects.joined(
                timed("ga_last_active_timestamp", last), stream, info.field("more"), *told, *sound
            ),
            pl.col(REST),
        ),
        set_once=timed("ga_first_touch_timestamp", first),
    )


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
        ids=("event_id",),
        filters={"joined_to_its_event": pl.col(ROW).is_not_null()},
        left_out=bool,
        dropped=DROPPED | {"event_date"},
    )


FLAT: Final = (
    *(*COLUMNS["plain"], *COLUMNS["lists"], *FIVETRAN.values(), "event_id"),
    *(one for name, fields in RECORDS.items() for own in fields for one in spellings(name, own)),
)
NAME: Final = expr.first(pl.col("event_name"), pl.col("name"))
WARNINGS: Final = {"without_ids": nobody()}
BAGS: Final = {
    "event_params": Bag(keys=BAG, read=parameters, whole=WHOLE),
    "user_properties": Bag(read=remembered(newest), whole=WHOLE),
    "items": Bag(read=bought, whole=WHOLE),
    REST: Bag(keys=BAG),
    **{name: Bag(read=others(name)) for name in RECORDS},
}
"""How the lists and records of BigQuery's own table are opened."""
IDS: Final = ("user_id", "user_pseudo_id")
LINKS: Final = ("event_timestamp", "user_id", "user_pseudo_id")

MAPPING: Final = Platform(
    identity_version=2,
    payload_version=2,
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
            ids=("user_id", "pseudo_user_id"),
            dropped=frozenset({"device", "geo", "privacy_info"}),
        ),
        _joined("flat_event_params", "event_params_key", tuple(parameter_columns()), param_recoveries),
        _joined("flat_user_properties", "user_properties_key", ("user_properties_value",), user_recoveries),
        _joined(
            "flat_items", "items_item_id", tuple(f"items_{one}" for one in COLUMNS["item"]), item_recoveries
        ),
        Table(
            name="parameter_rows",
            columns=_text_columns(FLAT, parameter_columns()),
            matches=is_unnested,
            to_events=parameter_rows,
            to_profiles=flat_snapshots,
            to_links=flat_links,
            to_recoveries=unnested,
            times=("event_timestamp", "timestamp"),
            ids=(*IDS, "event_id"),
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
            to_profiles=nested_snapshots,
            to_links=to_links,
            link_columns=LINKS,
            times=("event_timestamp",),
            ids=IDS,
            bags=BAGS,
            properties=("event_params", *RECORDS, REST, "items"),
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
            to_profiles=flat_snapshots,
            to_links=flat_links,
            link_columns=(*LINKS, "timestamp"),
            times=("event_timestamp", "timestamp"),
            ids=(*IDS, "event_id"),
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
