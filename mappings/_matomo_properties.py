"""What is computed of an action of Matomo: of its page, its visit's device, place and source, its money."""

from typing import Final

import polars as pl

from mappings._matomo_actions import OURS
from migrate.kit import expr, values
from migrate.kit.declare import inside, words

LOOKED_AT: Final = words(
    "type timestamp page_id event_category event_action goal_name goal_id goal_page_id revenue order_id content_name"
    " content_interaction site_search_keyword"
)
GONE: Final = words("timestamp revenue order_id")
CONTINENTS: Final = {
    "eur": "EU",
    "amn": "NA",
    "amc": "NA",
    "ams": "SA",
    "asi": "AS",
    "afr": "AF",
    "oce": "OC",
    "ant": "AN",
}
UTM: Final = {
    "utm_source": "campaignSource",
    "utm_medium": "campaignMedium",
    "utm_campaign": "campaignName",
    "utm_term": "campaignKeyword",
    "utm_content": "campaignContent",
    "utm_id": "campaignId",
}


def of(name: str) -> pl.Expr:
    """Return one of the fields of an action that are looked at, as text."""
    return values.known(pl.col(inside("actionDetails", OURS + name)))


def url() -> pl.Expr:
    """Return the address of an action: of the page, or of what a link led to."""
    return values.known(pl.col(inside("actionDetails", "url")))


def visit(name: str) -> pl.Expr:
    """Return a field of the visit as text; Matomo's "false" and "Unknown" are nothing."""
    return values.known(pl.col(name), "false", "Unknown", "unknown")


def is_(*kinds: str) -> pl.Expr:
    """Return whether an action is of one of these types."""
    return of("type").is_in(kinds).fill_null(value=False)


def page() -> dict[str, pl.Expr]:
    """Return where it happened: a link or a download says only where it leads to.

    How a visit came is the referrer of its first action.
    """
    leaves = is_("outlink", "download")
    first = pl.when(pl.col("_time").dt.epoch("s") == pl.col("_first"))
    direct = pl.when(visit("referrerType") == "direct").then(pl.lit("$direct"))
    referrer = first.then(pl.coalesce(visit("referrerUrl"), direct))
    return {
        **values.page(pl.when(~leaves).then(url())),
        "$external_click_url": pl.when(leaves).then(url()),
        "$referrer": referrer,
        "$referring_domain": values.referring_domain(referrer),
        "title": values.known(pl.col(inside("actionDetails", "pageTitle"))),
    }


def _own() -> dict[str, pl.Expr]:
    """Return the campaign that the page's own address tells."""
    return dict(values.campaign(pl.when(~is_("outlink", "download")).then(url())))


def untold() -> pl.Expr:
    """Return whether a page's own address tells of no campaign; worked out once, as `_untold`."""
    own = _own()
    return pl.all_horizontal(own[name].is_null() for name in UTM)


def came() -> dict[str, pl.Expr]:
    """Return the campaign: of the page's own address, else of the visit; whether it is `_untold` there is known."""
    own = _own()
    campaign = pl.when(visit("referrerType") == "campaign")
    plain = {
        "utm_campaign": campaign.then(visit("referrerName")),
        "utm_term": campaign.then(visit("referrerKeyword")),
    }
    told = {
        name: pl.when(pl.col("_untold")).then(
            pl.coalesce(visit(field), plain.get(name, pl.lit(None, pl.String)))
        )
        for name, field in UTM.items()
    }
    return own | {name: pl.coalesce(own[name], value) for name, value in told.items()}


def hardware() -> dict[str, pl.Expr]:
    """Return device, browser and system: by code or picture, as the words are in the language of whoever asked."""
    system = values.system(pl.coalesce(visit("operatingSystemName"), visit("operatingSystemCode")))
    picture = pl.col("deviceTypeIcon").str.extract(r"devices/(\w+)\.").str.replace_all("_", " ", literal=True)
    return {
        "$os": system,
        "$os_version": visit("operatingSystemVersion"),
        "$browser": values.browser(pl.coalesce(visit("browserName"), visit("browserCode")), on=system),
        "$browser_version": values.version(visit("browserVersion")),
        "$browser_language": values.language(visit("languageCode")),
        "$device_type": values.device_type(picture, visit("deviceType")),
        "$device_manufacturer": visit("deviceBrand"),
        "$device_model": visit("deviceModel"),
        **{
            f"$screen_{side}": expr.integer(pl.col("resolution").str.extract(r"^(\d+)x(\d+)$", place))
            for place, side in enumerate(("width", "height"), 1)
        },
        "$device_id": visit("visitorId"),
        "$ip": visit("visitIp"),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth, by code; `xx` is Matomo's for a country it does not know."""
    country = expr.without(visit("countryCode"), "xx", "ti", "eu", "ap", "a1", "a2")
    continent = visit("continentCode").replace_strict(CONTINENTS, default=None, return_dtype=pl.String)
    return {
        "$geoip_continent_code": continent,
        "$geoip_country_code": values.country_code(country),
        "$geoip_country_name": values.country_name(country),
        "$geoip_subdivision_1_code": visit("regionCode"),
        "$geoip_subdivision_1_name": visit("region"),
        "$geoip_city_name": visit("city"),
        "$geoip_latitude": expr.number(visit("latitude")),
        "$geoip_longitude": expr.number(visit("longitude")),
    }


def money() -> dict[str, pl.Expr]:
    """Return `revenue` of orders and of goals that have one, in the site's currency; what lies in a cart is none."""
    amount = expr.number(of("revenue"))
    earned = pl.when(is_("ecommerceOrder") | (is_("goal") & (amount != 0))).then(amount)
    return {
        "revenue": earned,
        "cart_value": pl.when(is_("ecommerceAbandonedCart")).then(amount),
        "currency": pl.when(amount.is_not_null()).then(visit("siteCurrency")),
        "order_id": of("order_id"),
    }
