"""What PostHog understands of the columns of a Snowplow event: its page, campaign, device, place and numbers."""

from typing import Final

import polars as pl

from mappings._snowplow_entities import fact
from migrate.kit import expr, values
from migrate.kit.declare import REST, inside, words

ENRICHED: Final = words(
    """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
    v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
    geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name
    ip_isp ip_organization ip_domain ip_netspeed page_url page_title page_referrer
    page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery page_urlfragment
    refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment
    refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts
    se_category se_action se_label se_property se_value unstruct_event
    tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country
    ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max
    useragent br_name br_family br_version br_type br_renderengine br_lang br_features_pdf br_features_flash
    br_features_java br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia
    br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight
    os_name os_family os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight
    doc_charset doc_width doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base
    ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp
    refr_domain_userid refr_device_tstamp derived_contexts domain_sessionid derived_tstamp
    event_vendor event_name event_format event_version event_fingerprint true_tstamp
    """
)
"""The columns of the enriched TSV, in their order
(https://docs.snowplow.io/docs/destinations/custom-streaming/enriched-tsv-format/, read 2026-11-29)."""
AMOUNTS: Final = words(
    "se_value tr_total tr_tax tr_shipping tr_total_base tr_tax_base tr_shipping_base ti_price ti_price_base"
)
COUNTS: Final = words(
    "domain_sessionidx ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max doc_width doc_height"
)
FLAGS: Final = words(
    """
    br_cookies dvce_ismobile br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight
    """
)
ADDRESS: Final = tuple(
    f"{page}_url{part}"
    for page in ("page", "refr")
    for part in ("scheme", "host", "port", "path", "query", "fragment")
)
CLICKS: Final = {
    "google": "gclid",
    "doubleclick": "dclid",
    "microsoft": "msclkid",
    "facebook": "fbclid",
    "tiktok": "ttclid",
    "twitter": "twclid",
}
"""`mkt_network` -> the parameter its click id came in; the first three are those of the enrichment as it is shipped."""
SAID: Final = (
    *words(
        "page_url page_title page_referrer mkt_medium mkt_source mkt_term mkt_content mkt_campaign mkt_clickid"
    ),
    *words("mkt_network geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude"),
    *words("geo_region_name geo_timezone user_ipaddress useragent br_name br_family br_version br_lang"),
    *words("br_viewwidth br_viewheight br_colordepth os_name os_family os_timezone dvce_type"),
    *words("dvce_screenwidth dvce_screenheight"),
    *ADDRESS,
    *AMOUNTS,
    *COUNTS,
    *FLAGS,
)
"""The columns that this module looks at."""

_IPV4: Final = r"^(?:\d{1,3}\.){3}\d{1,3}$"
_IPV6: Final = r"(?i)^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}$"
_YAUAA: Final = "nl_basjes_yauaa_context"


def told(entity: str, field: str) -> pl.Expr:
    """Return what an entity says, wherever it stands: in a cell of contexts, or in a column of a warehouse."""
    key = fact(entity, field)
    cells = (inside(column, key) for column in ("unstruct_event", "contexts", "derived_contexts", REST))
    return expr.first(*(pl.col(name) for name in cells))


def _stripped(name: str) -> pl.Expr:
    return expr.stripped(pl.col(name))


def _address(page: str, whole: str) -> pl.Expr:
    """Return a page's URL, put together of its parts where it does not stand there whole."""
    scheme, host, port, path, query, fragment = (
        _stripped(f"{page}_url{part}") for part in ("scheme", "host", "port", "path", "query", "fragment")
    )
    usual = ((port == "443") & (scheme == "https")) | ((port == "80") & (scheme == "http"))
    parts = (
        scheme + pl.lit("://") + host,
        pl.when(~usual).then(pl.lit(":") + port).fill_null(""),
        path.fill_null(""),
        (pl.lit("?") + query).fill_null(""),
        (pl.lit("#") + fragment).fill_null(""),
    )
    return pl.coalesce(_stripped(whole), pl.concat_str(parts))


def page() -> dict[str, pl.Expr]:
    """Return where it happened."""
    url = _address("page", "page_url")
    return {
        **values.page(url, referrer=_address("refr", "page_referrer")),
        "title": _stripped("page_title"),
        "$pageview_id": told("web_page", "id"),
        "$screen_name": expr.first(
            told("screen_view", "name"), told("mobile_screen", "name"), told("screen", "name")
        ),
    }


def campaign() -> dict[str, pl.Expr]:
    """Return the campaign as Snowplow attributes it, else as the page's query says it.

    A click id of a network that is not known stays what it is.
    """
    found = dict(values.campaign(_address("page", "page_url")))
    network, click = _stripped("mkt_network"), _stripped("mkt_clickid")
    name = network.str.to_lowercase().replace_strict(CLICKS, default=None, return_dtype=pl.String)
    marks = {
        f"utm_{part}": _stripped(f"mkt_{part}")
        for part in ("medium", "source", "term", "content", "campaign")
    }
    clicks = {one: pl.when(name == one).then(click) for one in CLICKS.values()}
    own = {one: pl.coalesce(value, found[one]) for one, value in (marks | clicks).items()}
    return found | own | {"mkt_network": network, "mkt_clickid": pl.when(name.is_null()).then(click)}


def device() -> dict[str, pl.Expr]:
    """Return browser, system and device: as yauaa tells them, else as ua-parser does, else by the user agent itself."""
    agent = values.user_agent(pl.col("useragent")).struct
    parser = "ua_parser_context"
    system = pl.coalesce(
        values.system(told(_YAUAA, "operatingSystemName")),
        values.system(told(parser, "osFamily")),
        values.system(told("mobile_context", "osType")),
        values.system(expr.first(pl.col("os_family"), pl.col("os_name"))),
        agent.field("system"),
    )
    parted = pl.concat_str(
        [_number(told(parser, f"os{part}")) for part in ("Major", "Minor", "Patch")],
        separator=".",
        ignore_nulls=True,
    )
    version = pl.concat_str(
        [_number(told(parser, f"useragent{part}")) for part in ("Major", "Minor")], separator="."
    )
    return {
        "$browser": pl.coalesce(
            *(
                values.browser(name, on=pl.col("_system"))
                for name in (
                    told(_YAUAA, "agentName"),
                    told(parser, "useragentFamily"),
                    expr.first(pl.col("br_family"), pl.col("br_name")),
                )
            ),
            agent.field("browser"),
        ),
        "$browser_version": pl.coalesce(
            values.version(told(_YAUAA, "agentVersion")),
            values.version(version),
            values.version(pl.col("br_version")),
            agent.field("version"),
        ),
        "$os": system,
        "$os_version": expr.first(
            told(_YAUAA, "operatingSystemVersion").str.extract(r"(\d[\w.]*)"),
            parted,
            told("mobile_context", "osVersion"),
        ),
        "$device_type": pl.coalesce(
            values.device_type(
                told(_YAUAA, "deviceClass"),
                pl.col("dvce_type"),
                told("mobile_context", "deviceModel"),
                told(parser, "deviceFamily"),
            ),
            agent.field("kind"),
        ),
        "$device_manufacturer": expr.first(
            told("mobile_context", "deviceManufacturer"), values.known(told(_YAUAA, "deviceBrand"), "Unknown")
        ),
        "$device_model": expr.first(
            told("mobile_context", "deviceModel"), values.known(told(_YAUAA, "deviceName"), "Unknown")
        ),
        "$app_version": told("application", "version"),
        "$app_build": told("application", "build"),
        "$raw_user_agent": _stripped("useragent"),
        "$browser_language": values.language(pl.col("br_lang")),
        "$timezone": _stripped("os_timezone"),
        "$screen_width": expr.integer(pl.col("dvce_screenwidth")),
        "$screen_height": expr.integer(pl.col("dvce_screenheight")),
        "$viewport_width": expr.integer(pl.col("br_viewwidth")),
        "$viewport_height": expr.integer(pl.col("br_viewheight")),
        "$color_depth": expr.integer(pl.col("br_colordepth")),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth; an address that the PII enrichment has hashed is none, and keeps its own name."""
    address = _stripped("user_ipaddress")
    is_address = address.str.contains(_IPV4) | address.str.contains(_IPV6)
    return {
        "$ip": pl.when(is_address).then(address),
        "user_ipaddress": pl.when(~is_address).then(address),
        "$geoip_country_code": values.country_code(pl.col("geo_country")),
        "$geoip_country_name": values.country_name(pl.col("geo_country")),
        "$geoip_subdivision_1_code": _stripped("geo_region"),
        "$geoip_subdivision_1_name": _stripped("geo_region_name"),
        "$geoip_city_name": _stripped("geo_city"),
        "$geoip_postal_code": _stripped("geo_zipcode"),
        "$geoip_latitude": expr.number(pl.col("geo_latitude")),
        "$geoip_longitude": expr.number(pl.col("geo_longitude")),
        "$geoip_time_zone": _stripped("geo_timezone"),
    }


def own() -> dict[str, pl.Expr]:
    """Return the numbers and the switches of the tracker under Snowplow's own names, whatever file they are in."""
    return {
        **{name: expr.number(pl.col(name)) for name in AMOUNTS},
        **{name: expr.integer(pl.col(name)) for name in COUNTS},
        **{name: expr.boolean(pl.col(name)) for name in FLAGS},
    }


def _number(text: pl.Expr) -> pl.Expr:
    return text.str.extract(r"^(\d[\w]*)$")
