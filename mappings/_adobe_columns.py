"""What PostHog understands of the columns of an Adobe hit: its page, campaign, device and place."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import inside, words

_TWINS: Final = words(
    """
    page_url pagename referrer page_event page_event_var1 page_event_var2 visid_high visid_low cust_hit_time_gmt
    campaign browser_height browser_width currency purchaseid transactionid event_list product_list
    """
)
"""Columns that may have a twin, `post_…`, which holds what counts in reports."""
_ALONE: Final = words(
    """
    hitid_high hitid_low mcvisid visit_num visit_page_num visit_start_time_gmt hit_time_gmt exclude_hit hit_source
    customer_perspective duplicate_purchase browser os language accept_language resolution s_resolution ref_type
    search_engine connection_type user_agent mobileosversion mobiledevice mobile_id
    geo_country geo_region geo_city geo_zip ip ipv6
    """
)
COLUMNS: Final = (*_TWINS, *(f"post_{name}" for name in _TWINS), *_ALONE)
LOOKUPS: Final = {
    "browser": "browser",
    "operating_systems": "os",
    "languages": "language",
    "resolution": "resolution",
    "referrer_type": "ref_type",
    "search_engines": "search_engine",
    "connection_type": "connection_type",
}
"""The file of a lookup, and the column whose numbers it explains."""
MEANING: Final = ("number", "meaning")
"""What this tool calls the two columns of a lookup, which has no header."""
EVENTS: Final = "event"
DEVICES: Final = "mobile_attributes"
DEVICE: Final = words("mobile_id manufacturer device device_type operating_system")
"""The lookup of devices, which Adobe delivers on request, and its first columns."""

_SIZE: Final = r"^(\d+)\s*x\s*(\d+)$"
_IP: Final = r"(?i)^((\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7})$"


def said(name: str) -> pl.Expr:
    """Return what a column says; of twins the one that counts in reports, if it says anything."""
    names = (f"post_{name}", name) if name in _TWINS else (name,)
    return pl.coalesce(values.known(pl.col(one)) for one in names)


def positive(name: str) -> pl.Expr:
    """Return a number that is one only above zero, as text."""
    text = said(name)
    return pl.when(~text.str.contains(r"^0*$")).then(text)


def explained(lookup: str) -> pl.Expr:
    """Return what a lookup says of the number in its column."""
    return values.known(pl.col(inside(lookup, MEANING[1])), "Not Specified", "Unknown", "None")


def unexplained() -> dict[str, pl.Expr]:
    """Return the numbers that no lookup knows, or whose lookup is not there: they can be looked up later."""
    device: dict[str, pl.Expr] = {
        "adobe_mobile_id": pl.when(_device("device").is_null()).then(positive("mobile_id"))
    }
    return device | {
        f"adobe_{column}_id": pl.when(pl.col(inside(lookup, MEANING[1])).is_null()).then(positive(column))
        for lookup, column in LOOKUPS.items()
    }


def _device(column: str) -> pl.Expr:
    """Return what the lookup of devices says."""
    return values.known(pl.col(inside(DEVICES, column)), "Not Specified", "Unknown")


def page() -> dict[str, pl.Expr]:
    """Return where it happened, and where a link led."""
    return {
        **values.page(said("page_url"), referrer=said("referrer")),
        **values.campaign(said("page_url")),
        "title": said("pagename"),
        "$screen_name": pl.when(pl.col("_event") == "$screen").then(said("pagename")),
        "link_name": said("page_event_var2"),
        "$external_click_url": said("page_event_var1"),
        "adobe_referrer_type": explained("referrer_type"),
        "adobe_search_engine": explained("search_engines"),
        "adobe_connection_type": explained("connection_type"),
        "adobe_campaign": said("campaign"),
    }


def device() -> dict[str, pl.Expr]:
    """Return browser, system and device: as the lookups explain their numbers, else as the user agent tells them."""
    agent = values.user_agent(pl.col("user_agent")).struct
    name, system = explained("browser"), explained("operating_systems")
    screen = said("s_resolution")
    is_size = screen.str.contains(_SIZE)
    size = pl.coalesce(pl.when(is_size).then(screen), explained("resolution")).str.extract_groups(_SIZE)
    return {
        "$browser": pl.coalesce(values.browser(name, on=values.system(system)), agent.field("browser")),
        "$browser_version": pl.coalesce(values.version(name), agent.field("version")),
        "$os": pl.coalesce(
            values.system(system),
            agent.field("system"),
            values.system_of(pl.col("mobileosversion"), _device("operating_system")),
        ),
        "$os_version": expr.first(
            pl.col("mobileosversion").str.extract(r"(\d[\d.]*)"), system.str.extract(r"\s(\d[\d.]*)")
        ),
        "$device_type": pl.coalesce(
            agent.field("kind"),
            values.device_type(pl.col("mobiledevice"), _device("device_type"), system),
        ),
        "$device_model": pl.coalesce(said("mobiledevice"), _device("device")),
        "$device_manufacturer": _device("manufacturer"),
        "$raw_user_agent": said("user_agent"),
        "$browser_language": pl.coalesce(
            values.language(said("accept_language").str.extract(r"^\s*([A-Za-z][\w-]*)")),
            values.language(explained("languages")),
        ),
        "adobe_language": explained("languages"),
        "$screen_width": expr.integer(size.struct.field("1")),
        "$screen_height": expr.integer(size.struct.field("2")),
        "adobe_s_resolution": pl.when(~is_size).then(screen),
        "$viewport_width": expr.integer(positive("browser_width")),
        "$viewport_height": expr.integer(positive("browser_height")),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth; countries are codes of three letters."""
    address = expr.first(pl.col("ip"), pl.col("ipv6"))
    return {
        "$ip": pl.when(address.str.contains(_IP)).then(address),
        "$geoip_country_code": values.country_code(pl.col("geo_country")),
        "$geoip_country_name": values.country_name(values.country_code(pl.col("geo_country"))),
        "$geoip_subdivision_1_name": values.known(pl.col("geo_region")),
        "$geoip_city_name": values.known(pl.col("geo_city"), "?"),
        "$geoip_postal_code": values.known(pl.col("geo_zip")),
    }
