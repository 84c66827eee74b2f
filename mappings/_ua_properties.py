"""What is computed of a hit of Universal Analytics: of its page, its session's device, place and source, its money."""

from typing import Final

import polars as pl

from mappings._ua_hits import OURS, snake
from migrate.kit import expr, values
from migrate.kit.declare import inside, words

LOOKED_AT: Final = words(
    "type time hit_number event_category event_action page_path page_hostname page_title referer is_entrance"
    " app_screen_name app_name app_version app_id exception_description exception_is_fatal is_secure ecommerce_action"
    " transaction_id transaction_revenue transaction_local_transaction_revenue"
    " transaction_currency_code refund_amount"
)
GONE: Final = words(
    "time page_path page_hostname page_title referer app_screen_name app_name app_version app_id exception_description"
    " exception_is_fatal transaction_id"
)
"""What has another name in PostHog, and what an event's time is made of."""
DEVICE: Final = words(
    "browser browserVersion browserSize operatingSystem operatingSystemVersion deviceCategory language"
    " screenResolution mobileDeviceBranding mobileDeviceModel mobileDeviceMarketingName"
)
GEO: Final = words("continent country region city latitude longitude")
TRAFFIC: Final = words("source medium campaign keyword adContent referralPath isTrueDirect")
CLICK: Final = "ua_adwords_click_info_gcl_id"
GUESSES: Final = ("organic", "referral", "(none)")
"""Media that Google tells by the referrer; no link was tagged with them."""
UTM: Final = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_term": "keyword",
    "utm_content": "adContent",
}


def of(name: str) -> pl.Expr:
    """Return one of the fields of a hit that are looked at, as text."""
    return values.known(pl.col(inside("hits", OURS + name)))


def device(name: str) -> pl.Expr:
    """Return a field of the device, as text."""
    return values.known(pl.col(inside("device", name)))


def geo(name: str) -> pl.Expr:
    """Return a field of the place, as text."""
    return values.known(pl.col(inside("geoNetwork", name)))


def traffic(name: str) -> pl.Expr:
    """Return a field of the session's source, as text."""
    return values.known(pl.col(inside("trafficSource", name)))


def user() -> pl.Expr:
    """Return the id that the site gave the user."""
    return values.known(pl.col("userId"))


def visitor() -> pl.Expr:
    """Return which browser or app it was."""
    return pl.coalesce(values.known(pl.col(name)) for name in ("fullVisitorId", "visitorId", "clientId"))


def nobody() -> pl.Expr:
    """Return whether a session has no id."""
    return user().is_null() & visitor().is_null()


def url() -> pl.Expr:
    """Return a page's address; whether it was secure is said of few hits, and taken to be so of all others."""
    scheme = (
        pl.when(expr.boolean(of("is_secure")) == pl.lit(False))
        .then(pl.lit("http://"))
        .otherwise(pl.lit("https://"))
    )
    path = of("page_path")
    whole = pl.when(path.str.contains(r"^https?://")).then(path)
    slash = pl.when(path.str.starts_with("/")).then(pl.lit("")).otherwise(pl.lit("/"))
    return pl.coalesce(whole, pl.concat_str(scheme, of("page_hostname"), slash, path))


def page() -> dict[str, pl.Expr]:
    """Return page and screen; how a session came is the referrer of its first hit."""
    first = pl.when(expr.boolean(of("is_entrance")))
    other = pl.concat_str(pl.lit("https://"), traffic("source"), traffic("referralPath"))
    referred = first.then(pl.when(traffic("medium") == "referral").then(other))
    direct = first.then(pl.when(is_direct()).then(pl.lit("$direct")))
    referrer = pl.coalesce(of("referer"), referred, direct)
    return {
        **values.page(url()),
        "$referrer": referrer,
        "$referring_domain": values.referring_domain(referrer),
        "title": of("page_title"),
        "$screen_name": of("app_screen_name"),
        "$app_name": of("app_name"),
        "$app_version": of("app_version"),
        "$app_namespace": of("app_id"),
    }


def is_direct() -> pl.Expr:
    """Return whether a session came directly, whatever it is counted to."""
    direct = (traffic("source") == "(direct)").fill_null(value=False)
    return expr.boolean(traffic("isTrueDirect")).fill_null(value=False) | direct


def came() -> dict[str, pl.Expr]:
    """Return the campaign: of the page's own address, else of the session where it was tagged and not direct."""
    told = [traffic(name) for name in ("source", "medium", "campaign")]
    guesses = [told[0].str.starts_with("("), told[1].is_in(GUESSES), told[1].str.starts_with("(")]
    guessed = pl.any_horizontal(guess.fill_null(value=False) for guess in guesses)
    own = values.campaign(url())
    untold = pl.all_horizontal(own[name].is_null() for name in UTM)
    tagged = pl.when(told[0].is_not_null() & ~guessed & ~is_direct() & untold)
    session = {name: tagged.then(expr.without(traffic(field), "(none)")) for name, field in UTM.items()}
    click = expr.stripped(pl.col(inside("trafficSource", CLICK)))
    return {
        **own,
        **{name: pl.coalesce(own[name], value) for name, value in session.items()},
        "gclid": pl.coalesce(own["gclid"], pl.when(~is_direct() & untold).then(click)),
        **{f"ua_traffic_{snake(name)}": traffic(name) for name in TRAFFIC if name != "isTrueDirect"},
        "ua_traffic_is_true_direct": expr.boolean(traffic("isTrueDirect")),
    }


def hardware() -> dict[str, pl.Expr]:
    """Return device, browser and system; on the desktop Google says nothing of maker and model."""
    system = values.system(device("operatingSystem"))
    size = r"^(\d+)x(\d+)$"
    return {
        "$device_type": values.device_type(device("deviceCategory")),
        "$os": system,
        "$os_version": device("operatingSystemVersion").str.extract(r"(\d[\w.]*)\s*$"),
        "$browser": values.browser(device("browser"), on=system),
        "$browser_version": values.version(device("browserVersion")),
        "$browser_language": values.language(device("language")),
        "$device_manufacturer": device("mobileDeviceBranding"),
        "$device_model": device("mobileDeviceModel"),
        "$device_name": device("mobileDeviceMarketingName"),
        **{
            f"${kind}_{side}": expr.integer(device(name).str.extract(size, place))
            for kind, name in (("screen", "screenResolution"), ("viewport", "browserSize"))
            for place, side in enumerate(("width", "height"), 1)
        },
        "$device_id": visitor(),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth, as Google resolved it; there is no address. 0.0000 is no latitude."""
    return {
        "$geoip_continent_name": geo("continent"),
        "$geoip_country_name": values.country_name(geo("country")),
        "$geoip_country_code": values.country_code(geo("country")),
        "$geoip_subdivision_1_name": geo("region"),
        "$geoip_city_name": geo("city"),
        "$geoip_latitude": expr.number(expr.without(geo("latitude"), "0.0000")),
        "$geoip_longitude": expr.number(expr.without(geo("longitude"), "0.0000")),
    }


def money() -> dict[str, pl.Expr]:
    """Return `revenue` of the hit that has it, and what a refund takes away: with its currency where that is told.

    Of a transaction's hits one has the amount.
    """
    currency = of("transaction_currency_code")
    local, own = (expr.number(of(f"{kind}transaction_revenue")) for kind in ("transaction_local_", ""))
    back = expr.number(of("refund_amount"))
    is_local = currency.is_not_null() & local.is_not_null()
    return {
        "revenue": pl.coalesce(pl.when(is_local).then(local), own, -back.abs()),
        "currency": pl.when(is_local).then(currency),
        "transaction_id": of("transaction_id"),
    }


def kept() -> dict[str, pl.Expr]:
    """Return what is called after the source, and a crash as error tracking wants it."""
    what = pl.coalesce(of("exception_description"), pl.lit("unknown"))
    error = pl.struct(pl.lit("Error").alias("type"), what.alias("value"))
    crashed = pl.when(of("type") == "EXCEPTION")
    return {
        "$exception_list": crashed.then(pl.concat_list(error)),
        "$exception_level": crashed.then(
            pl.when(expr.boolean(of("exception_is_fatal"))).then(pl.lit("fatal")).otherwise(pl.lit("error"))
        ),
        "ua_full_visitor_id": values.known(pl.col("fullVisitorId")),
        "ua_visitor_id": values.known(pl.col("visitorId")),
        "ua_client_id": values.known(pl.col("clientId")),
        "ua_visit_id": expr.stripped(pl.col("visitId")),
        "ua_visit_number": expr.integer(pl.col("visitNumber")),
        "ua_date": expr.stripped(pl.col("date")).str.replace_all("-", "", literal=True),
        "ua_channel_grouping": values.known(pl.col("channelGrouping")),
        "$process_person_profile": pl.when(nobody()).then(pl.lit(False)),
    }
