"""The columns of Matomo's tables under the names that its Live API has for them, which all else is made of.

What the Live API makes of them is done here: `plugins/Actions/VisitorDetails.php`, and those of the plugins Goals,
Ecommerce, Events, Contents and Referrers, of github.com/matomo-org/matomo (read 2026-11-29).
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import polars as pl

from mappings import _matomo_codes as codes
from mappings._matomo_actions import OURS
from mappings._matomo_properties import LOOKED_AT, UTM
from mappings._matomo_rest import DIMENSIONS, VARIABLES, whole
from migrate.kit import expr, objects, values
from migrate.kit.declare import POSITION, PROPERTIES, RECOVERED, inside, words

COPIED: Final = words(
    "referer_type referer_name referer_keyword config_os config_os_version config_browser_name config_browser_version"
    " config_device_type config_device_brand config_device_model location_browser_lang location_country"
    " location_region location_city location_latitude location_longitude"
)
"""What a conversion says of its visit, too."""
VISIT: Final = (
    *words("idvisitor user_id visit_first_action_time location_ip config_id config_resolution referer_url"),
    *COPIED,
    *words(
        "campaign_name campaign_keyword campaign_source campaign_medium campaign_content campaign_id"
        " visitor_returning visitor_count_visits visit_total_time visit_goal_converted visit_goal_buyer"
        " visitor_localtime visitor_seconds_since_first"
    ),
    *VARIABLES,
    *DIMENSIONS,
)
"""What is joined of a visit."""
TIMINGS: Final = words(
    "time_network time_server time_transfer time_dom_completion time_dom_processing time_on_load"
)
_HELD: Final = {
    "userId": "user_id",
    "referrerName": "referer_name",
    "referrerKeyword": "referer_keyword",
    "referrerUrl": "referer_url",
    "operatingSystemVersion": "config_os_version",
    "browserVersion": "config_browser_version",
    "languageCode": "location_browser_lang",
    "deviceModel": "config_device_model",
    "resolution": "config_resolution",
    "countryCode": "location_country",
    "regionCode": "location_region",
    "city": "location_city",
    "latitude": "location_latitude",
    "longitude": "location_longitude",
    **{live: "campaign_" + live.removeprefix("campaign").lower() for live in UTM.values()},
}
_LACKED: Final = ("operatingSystemCode", "browserCode", "continentCode", "region", "actionDetails", POSITION)
"""What only the Live API says, or nobody asks for where a code was looked up."""


def joined(join: str, column: str = "name") -> pl.Expr:
    """Return what a join has found."""
    return pl.col(inside(join, column))


def held(name: str) -> pl.Expr:
    """Return what the visit holds; where it is not found what the row itself says of it, of a conversion."""
    return joined("visit", name)


def told(name: str) -> pl.Expr:
    """Return the same of a conversion."""
    return pl.coalesce(held(name), pl.col(name)) if name in COPIED else held(name)


def visitor() -> pl.Expr:
    """Return which browser it was, as the visit says it."""
    return pl.coalesce(codes.identifier(held("idvisitor")), codes.identifier(pl.col("idvisitor")))


def kind() -> pl.Expr:
    """Return what an action is: by what it names as its address, else as its title; of neither it is a page."""
    number = expr.stripped(pl.coalesce(joined("url", "type"), joined("title", "type")))
    event = pl.when(joined("event_category").is_not_null()).then(pl.lit("event"))
    return pl.coalesce(event, codes.coded(number, codes.KINDS), pl.lit("action"))


def conversion_kind() -> pl.Expr:
    """Return what a conversion is, by its goal's number."""
    goal = expr.integer(pl.col("idgoal"))
    cart = pl.when(goal == -1).then(pl.lit("ecommerceAbandonedCart"))
    return cart.when(goal == 0).then(pl.lit("ecommerceOrder")).when(goal > 0).then(pl.lit("goal"))


def visit_columns(*, conversion: bool) -> dict[str, pl.Expr]:
    """Return what the Live API calls the columns of a visit, and when it began."""
    of = told if conversion else held
    return {
        **{live: of(column) for live, column in _HELD.items()},
        **dict.fromkeys(_LACKED, pl.lit(None, pl.String)),
        POSITION: pl.lit(None, pl.Int64),
        "idSite": expr.stripped(pl.col("idsite")),
        "idVisit": expr.stripped(pl.col("idvisit")),
        "visitorId": visitor(),
        "visitIp": codes.address(held("location_ip")),
        "fingerprint": codes.identifier(held("config_id")),
        "referrerType": codes.coded(of("referer_type"), codes.REFERRERS),
        "operatingSystemName": codes.coded(of("config_os"), codes.SYSTEMS),
        "browserName": codes.coded(of("config_browser_name"), codes.BROWSERS),
        "deviceType": codes.device(of("config_device_type")),
        "deviceTypeIcon": pl.lit(None, pl.String),
        "deviceBrand": codes.coded(of("config_device_brand"), codes.BRANDS),
        "siteCurrency": joined("site", "currency"),
        "_first": expr.timestamp(held("visit_first_action_time")).dt.epoch("s"),
        "_time": expr.timestamp(pl.col("server_time")),
    }


def action_columns(given: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Return the fields of an action that are looked at, by the names they have in the Live API; null is all else."""
    fields = {inside("actionDetails", f"{OURS}{name}"): pl.lit(None, pl.String) for name in LOOKED_AT}
    urls = {inside("actionDetails", name): pl.lit(None, pl.String) for name in ("url", "pageTitle")}
    return fields | urls | {inside("actionDetails", name): value for name, value in given.items()}


def url() -> pl.Expr:
    """Return an address as a whole: what it begins with stands apart, as a number."""
    name = joined("url")
    is_whole = name.str.contains(r"^(?i:https?://)")
    before = codes.only(joined("url", "url_prefix"), codes.PREFIXES).fill_null("")
    return pl.when(is_whole).then(name).otherwise(codes.unescaped(before + name))


def action_fields() -> dict[str, pl.Expr]:
    """Return the fields of an action."""
    title, is_ = joined("title"), {name: kind() == name for name in ("search", "event")}
    return {
        "url": url(),
        "pageTitle": pl.when(~is_["search"] & ~is_["event"]).then(title),
        **{
            OURS + name: value
            for name, value in {
                "type": kind(),
                "page_id": expr.stripped(pl.col("idlink_va")),
                "event_category": joined("event_category"),
                "event_action": joined("event_action"),
                "content_name": joined("content_name"),
                "content_interaction": joined("content_interaction"),
                "site_search_keyword": pl.when(is_["search"]).then(title),
            }.items()
        },
    }


def conversion_fields() -> dict[str, pl.Expr]:
    """Return the fields of a conversion, as the Live API has them of a goal, of an order and of a cart."""
    is_goal, is_order = conversion_kind() == "goal", conversion_kind() == "ecommerceOrder"
    return {
        "url": pl.when(is_goal).then(pl.col("url")),
        OURS + "type": conversion_kind(),
        OURS + "goal_id": pl.when(is_goal).then(expr.stripped(pl.col("idgoal"))),
        OURS + "goal_page_id": pl.when(is_goal).then(expr.stripped(pl.col("idlink_va"))),
        OURS + "goal_name": pl.when(is_goal).then(recovered("goal_name")),
        OURS + "revenue": pl.col("revenue"),
        OURS + "order_id": pl.when(is_order).then(expr.stripped(pl.col("idorder"))),
    }


def recovered(name: str) -> pl.Expr:
    """Return what another file told of a row."""
    return objects.fields(pl.col(RECOVERED), [name]).struct.field(name)


def of_visit() -> dict[str, pl.Expr]:
    """Return what is called after Matomo of a visit."""
    return {
        "site_name": joined("site"),
        "visitor_type": codes.coded(held("visitor_returning"), codes.VISITORS),
        "visit_count": expr.integer(held("visitor_count_visits")),
        "visit_duration": expr.integer(held("visit_total_time")),
        "visit_converted": expr.stripped(held("visit_goal_converted")),
        "visit_ecommerce_status": codes.coded(held("visit_goal_buyer"), codes.BUYERS),
        "visit_local_time": expr.stripped(held("visitor_localtime")),
        "seconds_since_first_visit": expr.integer(held("visitor_seconds_since_first")),
    }


def of_action() -> dict[str, pl.Expr]:
    """Return what is called after Matomo of an action."""
    amount = expr.number(pl.col("custom_float"))
    is_event, is_search = kind() == "event", kind() == "search"
    load = pl.sum_horizontal((expr.number(pl.col(name)) for name in TIMINGS), ignore_nulls=False)
    plain = ("type", "page_id", "event_category", "event_action", "content_name", "content_interaction")
    fields = action_fields()
    return {
        **{name: fields[OURS + name] for name in (*plain, "site_search_keyword")},
        "page_id_action": expr.without(expr.stripped(pl.col("idaction_url")), "0"),
        "idpageview": expr.stripped(pl.col("idpageview")),
        "pageview_position": expr.integer(pl.col("pageview_position")),
        "event_name": pl.when(is_event).then(values.known(joined("title"))),
        "event_value": pl.when(is_event).then(amount.round(3)),
        "generation_time_milliseconds": pl.when(~is_event & (amount > 0)).then(amount),
        "page_load_time_milliseconds": pl.when(load > 0).then(load),
        "content_piece": values.known(joined("content_piece")),
        "content_target": values.known(joined("content_target")),
        "site_search_category": pl.when(is_search).then(values.known(pl.col("search_cat"))),
        "site_search_count": pl.when(is_search).then(expr.integer(pl.col("search_count"))),
        "product_view_sku": values.known(joined("product_sku")),
        "product_view_name": values.known(joined("product_name")),
        "product_view_price": pl.when(joined("product_sku").is_not_null()).then(
            expr.number(pl.col("product_price"))
        ),
        "product_view_categories": _categories("product_cat"),
    }


def of_conversion() -> dict[str, pl.Expr]:
    """Return what is called after Matomo of a conversion."""
    fields, is_goal = conversion_fields(), conversion_kind() == "goal"
    is_order = conversion_kind() == "ecommerceOrder"
    parts = {"sub_total": "subtotal", "tax": "tax", "shipping": "shipping", "discount": "discount"}
    return {
        **{name: fields[OURS + name] for name in ("type", "goal_id", "goal_page_id", "goal_name")},
        "items": pl.when(~is_goal).then(expr.integer(pl.col("items"))),
        **{
            f"revenue_{live}": pl.when(is_order).then(expr.number(pl.col(f"revenue_{column}")))
            for live, column in parts.items()
        },
    }


def laid(*, conversion: bool) -> pl.Expr:
    """Return what a row says beside its columns, see `whole`."""
    given = [pl.col(PROPERTIES), pl.col(RECOVERED), *(held(name) for name in (*VARIABLES, *DIMENSIONS))]
    columns = pl.struct(value.alias(f"field_{place}") for place, value in enumerate(given))
    return expr.each(columns, partial(whole, conversion=conversion))


def _categories(join: str) -> pl.Expr:
    """Return the categories of a product, null where it has none."""
    found = pl.concat_list(
        values.known(joined(f"{join}{slot or ''}")) for slot in ("", 2, 3, 4, 5)
    ).list.drop_nulls()
    return pl.when(found.list.len() > 0).then(found)
