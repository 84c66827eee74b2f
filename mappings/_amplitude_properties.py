"""What is computed of an Amplitude event: what PostHog has a name for, and what is kept as `amplitude_…`."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import inside
from migrate.kit.distinct import Recurring

# Where a receipt is validated, a copy named "(Verified)" or "(Unverified)" carries the amount of these.
VALIDATED: Final = ("revenue_amount", "[Amplitude] Revenue")
# https://amplitude.com/docs/data/autocapture-events-and-properties, read 2026-11-20
PAGE: Final = ("Page Location", "Page URL", "Page Domain", "Page Path", "Page Title", "Screen Name")
ELEMENT: Final = ("Hierarchy", "Tag", "Class", "ID", "Href", "Text")
BAG: Final = (
    *(f"[Amplitude] {name}" for name in (*PAGE, "Viewport Height", "Viewport Width")),
    *(f"[Amplitude] Element {name}" for name in ELEMENT),
    *("referrer", "referring_domain", "$revenue", "$price", "$quantity", "$currency", "$receipt"),
)
BOOLEANS: Final = ("paying", "is_attribution_event", "followed_an_identify")
NUMBERS: Final = ("location_lat", "location_lng", "sample_rate")


def event_id() -> pl.Expr:
    """Return the event's number, which Fivetran calls `id`."""
    return expr.first(pl.col("event_id"), pl.col("id"))


def prop(name: str) -> pl.Expr:
    """Return one of the `BAG` properties of the event as text."""
    return expr.stripped(pl.col(inside("event_properties", name)))


def page() -> dict[str, pl.Expr]:
    """Return where it happened; `Page URL` lacks the query, `Page Location` has it."""
    url, viewed = pl.col("_url"), pl.col("_event") == "$pageview"
    return {
        "$current_url": url,
        "$host": pl.coalesce(expr.host(url), prop("[Amplitude] Page Domain")),
        "$pathname": pl.coalesce(expr.path(url), prop("[Amplitude] Page Path")),
        "title": pl.when(viewed).then(prop("[Amplitude] Page Title")),
        "$referrer": prop("referrer"),
        "$referring_domain": prop("referring_domain"),
        "$screen_name": prop("[Amplitude] Screen Name"),
        "$viewport_height": expr.number(prop("[Amplitude] Viewport Height")),
        "$viewport_width": expr.number(prop("[Amplitude] Viewport Width")),
    }


def element() -> dict[str, pl.Expr]:
    """Return what was clicked or changed."""
    captured = pl.when(pl.col("_event") == "$autocapture")
    known = {name: captured.then(prop(f"[Amplitude] Element {name}")) for name in ELEMENT}
    return {
        "$event_type": captured.then(
            pl.when(pl.col("event_type").str.ends_with("Changed"))
            .then(pl.lit("change"))
            .otherwise(pl.lit("click"))
        ),
        "$el_text": known["Text"],
        "$elements_chain": values.elements_chain(
            hierarchy=known["Hierarchy"],
            tag=known["Tag"],
            classes=known["Class"],
            identifier=known["ID"],
            href=known["Href"],
            text=known["Text"],
        ),
    }


def hardware() -> dict[str, pl.Expr]:
    """Return browser and system: `os_name` and `os_version` are the browser's on the web and the system's elsewhere."""
    library = pl.col("library").str.contains(r"^amplitude-(ts|js)\b")
    platform = expr.stripped(pl.col("platform")).str.to_lowercase()
    web = pl.coalesce(platform == "web", library, pl.lit(False))
    browser = pl.when(web)
    kind = pl.concat_str("device_family", "device_type", separator=" ", ignore_nulls=True)
    more = pl.concat_str(kind, "device_model", "platform", separator=" ", ignore_nulls=True)
    name = pl.col("os_name")
    native = pl.coalesce(values.system(name), values.system_of(pl.col("platform")))
    return {
        "$browser": browser.then(values.browser(name, on=values.system_of(kind))),
        "$browser_version": browser.then(values.version(pl.col("os_version"))),
        "$os": browser.then(values.system_of(kind)).otherwise(native),
        "$os_version": pl.when(~web).then(expr.stripped(pl.col("os_version"))),
        "$device_type": values.device_type(more),
        "$device_model": expr.first(pl.col("device_model"), pl.when(~web).then("device_type")),
        "$device_manufacturer": expr.first(pl.col("device_manufacturer"), pl.col("device_brand")),
    }


def country() -> dict[str, pl.Expr]:
    """Return which country, by code and English name."""
    return {
        "$geoip_country_code": values.country_code(pl.col("country")),
        "$geoip_country_name": values.country_name(pl.col("country")),
    }


def sender() -> dict[str, pl.Expr]:
    """Return library and language; Flutter names two, `outer/1.0_inner/2.0`, of which the first was called."""
    library, language = expr.stripped(pl.col("library")), values.language(pl.col("language"))
    return {
        "$lib": pl.coalesce(library.str.extract(r"^([^/]+)/\d"), library),
        "$lib_version": library.str.extract(r"^[^/]+/(\d[^_]*)"),
        "amplitude_library": pl.when(library.str.contains(r"/.*/")).then(library),
        "$browser_language": language,
        "amplitude_language": pl.when(language.is_null()).then(expr.stripped(pl.col("language"))),
    }


RECURRING: Final = Recurring(
    (
        *("country", "device_brand", "device_family", "device_manufacturer", "device_model", "device_type"),
        *("language", "library", "os_name", "os_version", "platform"),
    ),
    {"hardware": hardware(), "country": country(), "sender": sender()},
)


def device() -> dict[str, pl.Expr]:
    """Return what it happened on."""
    return {
        **RECURRING.told("hardware", pl.col("_recurring")),
        "$device_id": expr.stripped(pl.col("device_id")),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth; regions come as English names."""
    return {
        "$ip": expr.stripped(pl.col("ip_address")),
        "$geoip_city_name": expr.stripped(pl.col("city")),
        "$geoip_subdivision_1_name": expr.stripped(pl.col("region")),
        **RECURRING.told("country", pl.col("_recurring")),
        "$geoip_latitude": expr.number(pl.col("location_lat")),
        "$geoip_longitude": expr.number(pl.col("location_lng")),
    }


def software() -> dict[str, pl.Expr]:
    """Return app and library."""
    return {
        "$app_version": expr.stripped(pl.col("version_name")),
        **RECURRING.told("sender", pl.col("_recurring")),
    }


def money() -> dict[str, pl.Expr]:
    """Return plain `revenue` and `currency`: `$revenue`, else price times quantity.

    A purchase with a receipt has its amount in its validated copy too: worked out for both it would count twice.
    """
    worked_out = expr.number(prop("$price")) * expr.number(prop("$quantity")).fill_null(1.0)
    twice = pl.col("event_type").is_in(VALIDATED) & prop("$receipt").is_not_null()
    revenue = pl.coalesce(expr.number(prop("$revenue")), pl.when(~twice).then(worked_out.round(6)))
    return {"revenue": revenue, "currency": prop("$currency")}


def session() -> dict[str, pl.Expr]:
    """Return the session: Amplitude's id is its start in milliseconds on the device, -1 for none."""
    start = expr.integer(pl.col("session_id"))
    owner = expr.first(pl.col("device_id"), pl.col("user_id"))
    return {
        "$session_id": expr.session_id(pl.when(start > 0).then(start), pl.col("_time"), owner),
        "amplitude_session_id": expr.without(expr.stripped(pl.col("session_id")), "-1", "-1.0"),
    }


def kept() -> dict[str, pl.Expr]:
    """Return what PostHog has no name for."""
    texts = (
        *("amplitude_event_type", "amplitude_id", "app", "device_brand"),
        *("device_carrier", "device_family", "device_type", "dma", "idfa", "partner_id", "platform"),
        *("project_name", "source_id", "start_version", "user_creation_time", "uuid"),
    )
    client = pl.col("client_event_time")
    return {
        **{f"amplitude_{name.removeprefix('amplitude_')}": expr.stripped(pl.col(name)) for name in texts},
        **{f"amplitude_{name}": expr.boolean(pl.col(name)) for name in BOOLEANS},
        "amplitude_adid": expr.first(pl.col("adid"), pl.col("ad_id")),
        "amplitude_client_event_time": pl.when(client != pl.col("event_time")).then(client),
        "amplitude_event_id": expr.integer(event_id()),
        "amplitude_sample_rate": expr.number(pl.col("sample_rate")),
        "$insert_id": pl.col("_inserted"),
    }


EXTRA: Final = page() | element() | device() | place() | software() | money() | session() | kept()
"""What is computed of every event; put together once, since that takes as long as to map 300 rows."""
