"""Heap's columns, read: ids, times, names of tables, addresses, systems and places."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import Options

_MOST_ZEROS: Final = 6
"""So many zeros at the end of an id are chance; more were digits, which a spreadsheet has cut off (4.81E+15)."""


def heap_id(name: str) -> pl.Expr:
    """Return an id as the digits of an integer; null where they cannot be known any more.

    `4810060720600030.0` and `4.81006072060003E15` are what programs write that took the column for floats: the digits
    are all there and are put in place as text. Where they were rounded (`4.81E+15`, or floats beyond 2^53) many ids
    would become one: such an id is none, and an event without another is a reject.
    """
    text = expr.stripped(pl.col(name))
    whole = text.str.extract(r"^(-?\d+)\.0*$")
    parts = text.str.extract_groups(r"^(-?\d)(?:\.(\d+?)0*)?[eE]\+?(\d{1,2})$").struct
    decimals, exponent = parts.field("2").fill_null(""), parts.field("3").cast(pl.Int64, strict=False)
    zeros = exponent - decimals.str.len_chars()
    digits = pl.concat_str(parts.field("1"), decimals.str.pad_end(exponent.fill_null(0), "0"))
    shifted = pl.when(zeros.is_between(0, _MOST_ZEROS)).then(digits)
    repaired = pl.coalesce(whole, shifted)
    exact = repaired.cast(pl.Int64, strict=False).abs() <= expr.EXACT_INTEGER
    is_float = text.str.contains(r"^-?\d+\.\d*$|^-?\d(\.\d+)?[eE]\+?\d+$")
    return pl.when(~is_float).then(text).when(exact).then(repaired)


def rounded(*names: str) -> pl.Expr:
    """Return whether one of these ids was rounded and is therefore none."""
    return pl.any_horizontal(expr.stripped(pl.col(n)).is_not_null() & heap_id(n).is_null() for n in names)


def moment(text: pl.Expr, options: Options) -> pl.Expr:
    """Return a time in any of Heap's spellings; "Invalid date" is none.

    On S3 times are numbers: milliseconds, says the vendor; exports in the wild hold microseconds as well.
    """
    number = expr.stripped(text).str.strip_suffix(".0").str.extract(r"^(\d{9,10}|\d{12,17})$")
    return pl.coalesce(expr.unix_by_size(number), expr.timestamp(text, zone=options.source_timezone))


def slug(text: pl.Expr) -> pl.Expr:
    """Return a table's name as Heap mangles it, so that "Order Completed.csv" and order_completed are one."""
    return text.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_").str.strip_chars("_")


def marked(sign: str, part: pl.Expr) -> pl.Expr:
    """Return a part of a URL with the sign before it that Heap may or may not have left there; "" for none."""
    text = expr.stripped(part)
    return pl.when(text.str.starts_with(sign)).then(text).otherwise(pl.lit(sign) + text).fill_null("")


def address(domain: pl.Expr, path: pl.Expr, query: pl.Expr, fragment: pl.Expr) -> pl.Expr:
    """Return the URL of these parts; null without a domain. Heap keeps no scheme, and https is what sites have."""
    host = pl.lit("https://") + expr.stripped(domain)
    return host + marked("/", path) + marked("?", query) + marked("#", fragment)


def landing(page: pl.Expr, query: pl.Expr, fragment: pl.Expr) -> pl.Expr:
    """Return the URL of a landing page, which Heap keeps in three columns, with or without "https://"."""
    text = expr.stripped(page)
    bare = text.str.contains(r"^(?:[\w-]+\.)+[A-Za-z]{2,}(?::\d+)?(?:[/?#]|$)")
    url = pl.when(bare).then(pl.lit("https://") + text).otherwise(text)
    in_parts = url.str.contains(r"^https?://[^?#]+$")
    return pl.when(in_parts).then(url + marked("?", query) + marked("#", fragment)).otherwise(url)


def system(prefix: str = "") -> pl.Expr:
    """Return the system, without its version."""
    name = expr.stripped(pl.col(f"{prefix}platform"))
    return values.system(name.str.replace(r"\s+[vV]?\d[\w.]*$", ""))


def device(prefix: str = "") -> dict[str, pl.Expr]:
    """Return browser ("Chrome 99.0.48") and system ("Mac OS X 10.15.7", "iOS"), names and versions apart."""
    browser, platform, kind = (pl.col(f"{prefix}{n}") for n in ("browser", "platform", "device_type"))
    name = expr.stripped(platform)
    return {
        "$browser": values.browser(browser, on=pl.col("_system")),
        "$browser_version": values.version(browser),
        "$os": pl.col("_system"),
        "$os_version": name.str.extract(r"\s[vV]?(\d[\w.]*)$"),
        "$device_type": pl.coalesce(values.device_type(kind, name), values.known(kind)),
    }


def place(prefix: str = "") -> dict[str, pl.Expr]:
    """Return where on earth."""
    country, region, city = (pl.col(f"{prefix}{n}") for n in ("country", "region", "city"))
    return {
        "$geoip_country_name": values.country_name(country),
        "$geoip_country_code": values.country_code(country),
        "$geoip_subdivision_1_name": values.known(region),
        "$geoip_city_name": values.known(city),
    }
