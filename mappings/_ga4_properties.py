"""What is computed of an event of Google Analytics 4: of its records, its parameters and its page's address."""

from functools import partial
from typing import Final

import polars as pl

from mappings._ga4_nested import fields, object_text, queried
from mappings._ga4_schema import BAG, RECORDS
from migrate.kit import expr, values
from migrate.kit.declare import REST, inside
from migrate.kit.distinct import Once

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


def bag() -> pl.Expr:
    """Return a struct of the `BAG`, of rows without a list of parameters from columns of these names."""
    listed, columns = (
        pl.struct(expr.stripped(pl.col(inside(column, name))).alias(name) for name in BAG)
        for column in ("event_params", REST)
    )
    return pl.when(pl.col("_told").is_null()).then(columns).otherwise(listed)


def param(name: str) -> pl.Expr:
    """Return one of the `BAG` parameters as text, null for a blank."""
    return pl.col("_bag").struct.field(name)


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
