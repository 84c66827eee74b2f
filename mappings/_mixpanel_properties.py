"""What PostHog has another name or spelling for among the properties of Mixpanel's events."""

import json
from typing import Final

import polars as pl

from mappings._mixpanel_ids import json_list
from mappings._mixpanel_shapes import Shape, prop, told
from migrate.kit import expr, values
from migrate.kit.declare import REST
from migrate.kit.distinct import Recurring

# Segment sends page("E-commerce") to Mixpanel as "Viewed E-commerce Page".
SEGMENT_PAGE: Final = r"^Viewed (.+) (?:Page|Screen)$"


def page() -> dict[str, pl.Expr]:
    """Return where it happened."""
    known = values.page(pl.col("$current_url"), referrer=pl.col("$referrer"))
    return {name: known[name] for name in ("$host", "$pathname", "$referrer", "$referring_domain")}


def viewed() -> dict[str, pl.Expr]:
    """Return the page; page views of Mixpanel's own library have the address in parts as well."""
    known = RECURRING["page"].told("page", pl.col("_page"))
    return {
        **known,
        "$host": pl.coalesce(known["$host"], prop("current_domain")),
        "$pathname": pl.coalesce(known["$pathname"], prop("current_url_path")),
        "title": pl.when(pl.col("_event") == "$pageview").then(prop("current_page_title")),
    }


def element() -> dict[str, pl.Expr]:
    """Return what was clicked; Mixpanel's `$elements` would be read as PostHog's, and passes on under another name."""
    captured = pl.when(pl.col("_event").is_in(["$autocapture", "$rageclick", "$dead_click"]))
    nothing = pl.lit(None, pl.String)
    chain = values.elements_chain(
        hierarchy=captured.then(expr.each(prop("$elements"), _hierarchy)),
        tag=nothing,
        classes=nothing,
        identifier=nothing,
        href=captured.then(prop("$el_attr__href")),
        text=captured.then(prop("$el_text")),
    )
    return {"$elements_chain": chain}


def hardware() -> dict[str, pl.Expr]:
    """Return device and system in PostHog's names and spellings."""
    system, model = known("$os"), known("$model")
    return {
        "$browser": values.browser(known("$browser")),
        "$browser_version": values.version(known("$browser_version")),
        "$os": values.system(system),
        "$device_type": values.device_type(known("$device"), model, system),
        "$device_model": model,
        "$device_manufacturer": expr.first(pl.col("$manufacturer"), pl.col("$brand")),
    }


def software(shape: Shape) -> dict[str, pl.Expr]:
    """Return app and library in PostHog's names; copies have numbers as text."""
    sizes = ("$screen_width", "$screen_height") if shape.bag == REST else ()
    return {
        **{name: expr.integer(told(name)) for name in sizes},
        "$app_version": expr.first(told("$app_version_string"), told("$app_release")),
        "$app_build": prop("$app_build_number"),
        "$network_carrier": prop("$carrier"),
        "$lib": prop("mp_lib"),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth."""
    return {
        "$geoip_city_name": values.known(pl.col("$city")),
        "$geoip_subdivision_1_name": values.known(pl.col("$region")),
        "$geoip_country_code": values.country_code(pl.col("mp_country_code")),
        "$geoip_country_name": values.country_name(pl.col("mp_country_code")),
    }


def known(name: str) -> pl.Expr:
    """Return a column's text, null for a blank."""
    return expr.stripped(pl.col(name))


RECURRING: Final = {
    "page": Recurring(("$current_url", "$referrer"), {"page": page()}),
    "hardware": Recurring(
        ("$browser", "$browser_version", "$os", "$device", "$model", "$manufacturer", "$brand"),
        {"hardware": hardware()},
    ),
    "place": Recurring(("$city", "$region", "mp_country_code"), {"place": place()}),
}
"""What few distinct rows tell, each worked out once."""


def recurring() -> dict[str, pl.Expr]:
    """Return all that is told of hardware and place."""
    return {
        name: value
        for group in ("hardware", "place")
        for name, value in RECURRING[group].told(group, pl.col(f"_{group}")).items()
    }


def kept(shape: Shape) -> dict[str, pl.Expr]:
    """Return what would be lost: columns of their own, and the name and id an event is not sent under."""
    doubtful = {
        name: pl.col(name) for names in shape.columns.values() for name in names if shape.is_doubtful(name)
    }
    mine = ("$user_id", "$device_id", "$insert_id", "$distinct_id_before_identity", "alias")
    iap = pl.when(pl.col("_name") == "$ae_iap")
    price = expr.number(told("$ae_iap_price")) * expr.number(told("$ae_iap_quantity")).fill_null(1.0)
    moved = pl.when((pl.col("_key") != pl.col("_person")) & (prop("distinct_id") != pl.col("_person")))
    segment = pl.col("_name").str.extract(SEGMENT_PAGE)
    return {
        **{name: prop(name) for name in mine if name in shape.columns},
        **{name: pl.when(prop("$user_id").is_null()).then(column) for name, column in doubtful.items()},
        "revenue": iap.then(price.round(6)),
        "mixpanel_event": pl.when(pl.col("_event") != pl.col("_name")).then(pl.col("_name")),
        "mixpanel_distinct_id": moved.then(prop("distinct_id")),
        "name": pl.when(pl.col("_event") == "$pageview").then(segment),
        "$screen_name": pl.when(pl.col("_event") == "$screen").then(segment),
        "$process_person_profile": pl.when(pl.col("_who").is_null()).then(pl.lit(False)),
    }


def _hierarchy(text: str) -> str:
    """Return Mixpanel's `$elements` as the nodes that `values.elements_chain` takes; places there count from 0."""
    nodes = [
        {
            "tag": node.get("$tag_name"),
            "id": node.get("$id"),
            "classes": [name for name in node.get("$classes") or [] if name],
            "index": _before(node.get("$nth_child")),
            "indexOfType": _before(node.get("$nth_of_type")),
            "attrs": {
                name.removeprefix("$attr-"): v for name, v in node.items() if name.startswith("$attr-")
            },
        }
        for node in json_list(text)
    ]
    return json.dumps([{name: value for name, value in node.items() if value is not None} for node in nodes])


def _before(place: object) -> int | None:
    """Return a place counted from 0 of one counted from 1."""
    return place - 1 if isinstance(place, int) else None
