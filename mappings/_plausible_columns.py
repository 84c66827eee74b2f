"""What PostHog understands of the columns of a Plausible event: its page, its session's source, device and place."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import words

UTM: Final = words("utm_source utm_medium utm_campaign utm_content utm_term")
SOURCE: Final = (*UTM, *words("referrer referrer_source acquisition_channel click_id_param"))
BROWSER: Final = words(
    "screen_size operating_system operating_system_version browser browser_version"
    " country_code subdivision1_code subdivision2_code city_geoname_id"
)
DAILY: Final = frozenset(
    words(
        "date visitors pageviews bounces visits visit_duration source referrer utm_source utm_medium utm_campaign"
        " utm_content utm_term hostname page exits time_on_page total_scroll_depth total_scroll_depth_visits"
        " total_time_on_page total_time_on_page_visits active_visitors entry_page entrances exit_page name link_url"
        " path events country region city device browser browser_version operating_system operating_system_version"
        " site_id import_id channel property value"
    )
)
"""Columns of a site's export, in all its tables and ages."""
DASHBOARD: Final = frozenset(
    words(
        "name visitors pageviews bounce_rate visit_duration time_on_page scroll_depth exit_rate unique_entrances"
        " total_entrances unique_exits total_exits unique_pageviews browser operating_system version date visits"
        " views_per_visit conversions conversion_rate unique_conversions total_conversions events property value"
        " percentage total_revenue average_revenue code"
    )
)
"""Columns of the dashboard's downloads."""


def without_nul(rows: pl.LazyFrame, columns: Sequence[str]) -> pl.LazyFrame:
    """Return the rows without the NUL bytes with which ClickHouse fills up texts of a fixed length."""
    return rows.with_columns_seq(pl.col(name).str.strip_chars("\0") for name in columns)


def _stripped(name: str) -> pl.Expr:
    return expr.stripped(pl.col(name))


def page() -> dict[str, pl.Expr]:
    """Return where it happened; Plausible keeps neither scheme nor query, and https is what sites have."""
    path = _stripped("pathname")
    rooted = pl.when(path.str.starts_with("/")).then(path).otherwise(pl.lit("/") + path)
    url = pl.lit("https://") + _stripped("hostname") + rooted.fill_null("/")
    return {**values.page(url), "$pathname": pl.coalesce(expr.path(url), path)}


def source() -> dict[str, pl.Expr]:
    """Return where the session came from, under the names posthog-js has for it, of the event and of the session."""
    bare = _stripped("referrer")
    schemed = pl.when(bare.str.contains("://", literal=True)).then(bare).otherwise(pl.lit("https://") + bare)
    here = pl.lit("https://") + _stripped("hostname")
    found = values.page(here, referrer=schemed)
    told = {name: found[name] for name in ("$referrer", "$referring_domain")}
    told |= {name: _stripped(name) for name in UTM}
    entry = {f"$session_entry_{name.removeprefix('$')}": value for name, value in told.items()}
    return told | entry


def device() -> dict[str, pl.Expr]:
    """Return browser, system and device; `screen_size` is a kind of device by now."""
    system, kind = values.system(pl.col("operating_system")), pl.col("screen_size")
    return {
        "$browser": values.browser(pl.col("browser"), on=system),
        "$browser_version": values.version(pl.col("browser_version")),
        "$os": system,
        "$os_version": values.known(pl.col("operating_system_version")),
        "$device_type": pl.coalesce(values.device_type(kind), values.known(kind)),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth; a part of a country is a code after the country's: "US-CA"."""
    country, code = expr.without(_stripped("country_code"), "ZZ"), r"^(?:[A-Za-z]{2}-)?([A-Za-z0-9]{1,3})$"
    return {
        "$geoip_country_code": values.country_code(country),
        "$geoip_country_name": values.country_name(country),
        "$geoip_subdivision_1_code": pl.col("subdivision1_code").str.extract(code),
        "$geoip_subdivision_2_code": _stripped("subdivision2_code").str.extract(code),
        "plausible_subdivision2": pl.when(~_stripped("subdivision2_code").str.contains(code)).then(
            _stripped("subdivision2_code")
        ),
        "plausible_city_geoname_id": expr.without(_stripped("city_geoname_id"), "0"),
    }


def engaged() -> dict[str, pl.Expr]:
    """Return how far a page was read and how long; 255 and 0 say that nobody knows, as older dumps without it."""
    return {
        "plausible_scroll_depth": expr.number(expr.without(_stripped("scroll_depth"), "255")),
        "plausible_engagement_time": expr.number(expr.without(_stripped("engagement_time"), "0")),
    }


def own() -> dict[str, pl.Expr]:
    """Return what PostHog has no name for, and money: what was paid, and the same in the site's currency."""
    kept = words(
        "site_id domain referrer_source acquisition_channel click_id_param revenue_reporting_currency"
    )
    return {
        "revenue": expr.number(pl.col("revenue_source_amount")),
        "currency": _stripped("revenue_source_currency"),
        **{f"plausible_{name}": _stripped(name) for name in kept},
        "plausible_revenue_reporting_amount": expr.number(pl.col("revenue_reporting_amount")),
        **engaged(),
    }
