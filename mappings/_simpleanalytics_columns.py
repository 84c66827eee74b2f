"""What PostHog understands of the fields of a data point: its page, campaign, device, place and metadata."""

import re
from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.cells import Json, json_of, members, object_text, value_of
from migrate.kit.declare import words

CAMPAIGN: Final = words("utm_source utm_medium utm_campaign utm_content utm_term")
_METADATA: Final = re.compile(r"metadata\.(.+)_(text|int|bool|date)")
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def _stripped(name: str) -> pl.Expr:
    return expr.stripped(pl.col(name))


def _marked(sign: str, text: pl.Expr) -> pl.Expr:
    """Return a part of a URL with the sign before it that it may have or not; "" for none."""
    bare = expr.stripped(text.str.strip_prefix(sign))
    return (pl.lit(sign) + bare).fill_null("")


def page() -> dict[str, pl.Expr]:
    """Return where it happened and where the visitor came from; https is what sites have.

    A referrer is kept as the browser said it, or in two fields. Where neither was exported nobody knows whether there
    was one.
    """
    whole = _stripped("path_and_query").str.split_exact("?", 1).struct
    path = pl.coalesce(_stripped("path"), whole.field("field_0"))
    query = pl.coalesce(_stripped("query"), whole.field("field_1"))
    host = pl.coalesce(_stripped("hostname"), _stripped("hostname_original"))
    url = pl.lit("https://") + host + _marked("/", path).replace("", "/") + _marked("?", query)
    came, came_path = _stripped("referrer_hostname"), _stripped("referrer_path")
    parts = pl.lit("https://") + came + _marked("/", came_path).replace("", "/")
    found = values.page(url, referrer=pl.coalesce(_stripped("document_referrer"), parts), web=pl.lit(False))
    return {**found, "$pathname": pl.coalesce(expr.path(url), path)}


def campaign() -> dict[str, pl.Expr]:
    """Return the campaign: its fields, else the query."""
    found = values.campaign(pl.col("_url"))
    return dict(found) | {name: pl.coalesce(_stripped(name), found[name]) for name in CAMPAIGN}


def device() -> dict[str, pl.Expr]:
    """Return browser, system and device: the fields, else what the user agent tells."""
    agent = values.user_agent(pl.col("user_agent")).struct
    system = pl.coalesce(values.system(pl.col("os_name")), agent.field("system"))
    kind, sizes = (
        pl.col("device_type"),
        ("screen_width", "screen_height", "viewport_width", "viewport_height"),
    )
    return {
        "$browser": pl.coalesce(values.browser(pl.col("browser_name"), on=system), agent.field("browser")),
        "$browser_version": pl.coalesce(values.version(pl.col("browser_version")), agent.field("version")),
        "$os": system,
        "$os_version": values.known(pl.col("os_version")),
        "$device_type": pl.coalesce(values.device_type(kind), values.known(kind), agent.field("kind")),
        "$browser_language": values.language(
            pl.concat_str(
                _stripped("lang_language"), _stripped("lang_region"), separator="-", ignore_nulls=True
            )
        ),
        "$raw_user_agent": _stripped("user_agent"),
        **{f"${name}": expr.integer(pl.col(name)) for name in sizes},
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth, by the time zone of the browser as Simple Analytics has it."""
    country = pl.col("country_code")
    return {
        "$geoip_country_code": values.country_code(country),
        "$geoip_country_name": values.country_name(country),
    }


def metadata(text: str) -> str | None:
    """Return undeclared columns with metadata under their own keys, and of the type that the column's name says.

    A key that two columns have, one for each type, keeps its column's name in the second.
    """
    found: dict[str, Json] = {}
    for column, value in (members(text) or {}).items():
        named = _METADATA.fullmatch(column)
        name = named[1] if named and named[1] not in found else column
        found[name] = _typed(value, named[2]) if named else value
    return object_text(found)


def _typed(value: Json, kind: str) -> Json:
    """Return a value, which is text in a CSV, as a number or Boolean where it should be one and can be."""
    said = value_of(bytes(value).decode())
    if not isinstance(said, str):
        return value
    if kind == "int" and _NUMBER.fullmatch(said):
        return Json(said.encode())
    if kind == "bool" and said.lower() in {"true", "false", "1", "0"}:
        return json_of(said.lower() in {"true", "1"})
    return value
