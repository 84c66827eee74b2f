"""Pendo's events, column by column: when, which page, with what, where, and what a guide or a poll said."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import Options, inside, words

ANONYMOUS: Final = "_PENDO_T_"
"""What the id of a visitor begins with whom nobody has identified."""
COLUMNS: Final = words(
    "eventId visitorId oldVisitorId accountId appId browserTimestamp eventType eventSource version url userAgent"
    " language country region latitude longitude remoteIp elementPath guideId pollId pollResponse trackTypeId"
    " propertiesJson"
)
NAMES: Final = {
    "load": "$pageview",
    "click": "$autocapture",
    "change": "$autocapture",
    "submit": "$autocapture",
    "pollresponse": "survey sent",
}
"""Pendo's kinds of events -> what PostHog calls the same; posthog-js captures clicks, changes and submits, no focus."""
_NUMBER: Final = r"^(\d{9,17})(?:\.0*)?$"


def visitor(name: str = "visitorId") -> pl.Expr:
    """Return a visitor's id."""
    return expr.stripped(pl.col(name))


def is_anonymous(name: str = "visitorId") -> pl.Expr:
    """Return whether nobody has said who this visitor is."""
    return visitor(name).str.starts_with(ANONYMOUS)


def moment(options: Options | None = None) -> pl.Expr:
    """Return when it happened: a date and time where Avro's logical types were read, else milliseconds since 1970."""
    text = pl.col("browserTimestamp")
    number = expr.stripped(text).str.extract(_NUMBER)
    zone = "UTC" if options is None else options.source_timezone
    return pl.coalesce(expr.unix_by_size(number), expr.timestamp(text, zone=zone))


def app() -> pl.Expr:
    """Return an application's number as its digits, whatever kind of column held it."""
    text = expr.stripped(pl.col("appId"))
    return pl.coalesce(expr.integer(text).cast(pl.String), text)


def event_key() -> pl.Expr:
    """Return what an event is told by in every file: application, `eventId`, and the time that its period comes of."""
    time = moment().dt.epoch("ms")
    number = expr.stripped(pl.col("eventId"))
    return expr.key(pl.lit("event"), app(), number, time, where=number.is_not_null())


def kind() -> pl.Expr:
    """Return the kind of an event: `load`, `click`, `guideSeen`."""
    return expr.stripped(pl.col("eventType"))


def is_kind(*names: str) -> pl.Expr:
    """Return whether an event is of one of these kinds."""
    return kind().str.to_lowercase().is_in([name.lower() for name in names])


def page() -> dict[str, pl.Expr]:
    """Return on which page it happened, and the campaign that its address names."""
    return {**values.page(pl.col("url")), **values.campaign(expr.stripped(pl.col("url")))}


def software() -> dict[str, pl.Expr]:
    """Return with which browser, on what."""
    text = expr.stripped(pl.col("userAgent"))
    agent = values.user_agent(text).struct
    return {
        "$browser": agent.field("browser"),
        "$browser_version": agent.field("version"),
        "$os": agent.field("system"),
        "$device_type": agent.field("kind"),
        "$raw_user_agent": text,
        "$browser_language": values.language(pl.col("language")),
    }


def place() -> dict[str, pl.Expr]:
    """Return where on earth: country and region are codes."""
    return {
        "$ip": values.known(pl.col("remoteIp")),
        "$geoip_country_code": values.country_code(pl.col("country")),
        "$geoip_country_name": values.country_name(pl.col("country")),
        "$geoip_subdivision_1_code": values.known(pl.col("region")),
        "$geoip_latitude": expr.number(pl.col("latitude")),
        "$geoip_longitude": expr.number(pl.col("longitude")),
    }


def own() -> dict[str, pl.Expr]:
    """Return what Pendo says and PostHog has no name for."""
    return {
        "pendo_event_id": expr.stripped(pl.col("eventId")),
        "pendo_event_type": kind(),
        "pendo_event_source": expr.stripped(pl.col("eventSource")),
        "pendo_agent_version": expr.stripped(pl.col("version")),
        "pendo_app_id": app(),
        "pendo_element_path": expr.filled(pl.col("elementPath")),
        "pendo_old_visitor_id": visitor("oldVisitorId"),
        "guideId": expr.stripped(pl.col("guideId")),
        "guideName": expr.stripped(pl.col(inside("guide", "name"))),
        "pollId": expr.stripped(pl.col("pollId")),
        "pollResponse": expr.filled(pl.col("pollResponse")),
        "trackTypeId": expr.stripped(pl.col("trackTypeId")),
    }


def interaction() -> dict[str, pl.Expr]:
    """Return what PostHog wants of an `$autocapture`, and of a `survey sent`."""
    answered = pl.when(is_kind("pollResponse"))
    return {
        "$event_type": pl.when(is_kind("click", "change", "submit")).then(kind().str.to_lowercase()),
        "$survey_id": answered.then(expr.stripped(pl.col("pollId"))),
        "$survey_response": answered.then(expr.filled(pl.col("pollResponse"))),
    }
