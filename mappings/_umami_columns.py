"""What PostHog understands of the columns of an Umami event: its page, campaign, device, place and web vitals."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import words

UTM: Final = words("utm_source utm_medium utm_campaign utm_content utm_term")
CLICKS: Final = words("gclid fbclid msclkid ttclid li_fat_id twclid")
VITALS: Final = {
    **{name: f"$web_vitals_{name.upper()}_value" for name in ("lcp", "inp", "cls", "fcp")},
    "ttfb": "umami_ttfb",
}
"""Core web vitals as posthog-js calls them; for the time to the first byte it has no name."""


def _stripped(name: str) -> pl.Expr:
    return expr.stripped(pl.col(name))


def address() -> pl.Expr:
    """Return the page's URL, null where host or page are not known; the fragment stands at the end of the path.

    Umami keeps no scheme, and https is what sites have.
    """
    parts = _stripped("url_path").str.split_exact("#", 1).struct
    path, fragment = parts.field("field_0"), pl.lit("#") + parts.field("field_1")
    rooted = pl.when(path.str.starts_with("/")).then(path).otherwise(pl.lit("/") + path)
    query = pl.lit("?") + expr.stripped(_stripped("url_query").str.strip_prefix("?"))
    return pl.lit("https://") + pl.col("_hostname") + rooted + query.fill_null("") + fragment.fill_null("")


def referrer() -> pl.Expr:
    """Return where a visitor came from; Umami leaves the domain out where it is the site's own."""
    path, query = _stripped("referrer_path"), _stripped("referrer_query").str.strip_prefix("?")
    own = pl.when(path.is_not_null()).then(pl.col("_hostname"))
    host = pl.lit("https://") + pl.coalesce(_stripped("referrer_domain"), own)
    return host + path.fill_null("/") + (pl.lit("?") + expr.stripped(query)).fill_null("")


def page() -> dict[str, pl.Expr]:
    """Return where it happened; of web vitals and events of servers Umami tells no referrer."""
    url, path = pl.col("_url"), _stripped("url_path").str.replace(r"#.*$", "")
    return {
        **values.page(url, referrer=referrer()),
        "$host": pl.col("_hostname").str.to_lowercase(),
        "$pathname": pl.coalesce(expr.path(url), expr.stripped(path)),
        "title": _stripped("page_title"),
    }


def campaign() -> dict[str, pl.Expr]:
    """Return the campaign: its columns, which older exports do not have, else the query."""
    found = values.campaign(pl.col("_url"))
    return dict(found) | {name: pl.coalesce(_stripped(name), found[name]) for name in (*UTM, *CLICKS)}


def device() -> dict[str, pl.Expr]:
    """Return browser, system and device; a laptop is a computer with a small screen to Umami."""
    screen = pl.col("_screen").str.extract_groups(r"^(\d+)x(\d+)$").struct
    name = expr.without(pl.col("_browser"), "browser", "searchbot")
    return {
        "$browser": values.browser(name, on=pl.col("_system")),
        "$os": pl.col("_system"),
        "$os_version": pl.col("_os").str.extract(r"\s(\d[\w.]*)$"),
        "$device_type": pl.coalesce(values.device_type(pl.col("_device"), pl.col("_os")), pl.col("_device")),
        "$screen_width": expr.integer(screen.field("1")),
        "$screen_height": expr.integer(screen.field("2")),
        "$browser_language": values.language(pl.col("_language")),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth; `region` (`subdivision1` until 2025) is a code after its country's: "US-CA"."""
    code = r"^(?:[A-Za-z]{2}-)?([A-Za-z0-9]{1,3})$"
    region, second = pl.coalesce("_region", "_subdivision1"), pl.col("_subdivision2")
    return {
        "$geoip_country_code": values.country_code(pl.col("_country")),
        "$geoip_country_name": values.country_name(pl.col("_country")),
        "$geoip_subdivision_1_code": region.str.extract(code).str.to_uppercase(),
        "$geoip_subdivision_1_name": pl.when(~region.str.contains(code)).then(region),
        "$geoip_subdivision_2_code": second.str.extract(code).str.to_uppercase(),
        "$geoip_subdivision_2_name": pl.when(~second.str.contains(code)).then(second),
        "$geoip_city_name": pl.col("_city"),
    }


def vitals() -> dict[str, pl.Expr]:
    """Return how fast the page was."""
    return {name: expr.number(pl.col(column)) for column, name in VITALS.items()}
