"""What is computed of an mParticle event: page, device, session, money, a crash; and what is called `mparticle_…`."""

from typing import Final

import polars as pl

from mappings._mparticle_batch import APP, COUNTRY, OURS
from migrate.kit import expr, values
from migrate.kit.declare import inside, words

LOOKED_AT: Final = words(
    "event_type event_name screen_name timestamp_unixtime_ms event_id source_message_id session_uuid session_id"
    " session_start_unixtime_ms application_transition_type is_first_run is_upgrade launch_referral product_action"
    " promotion_action product_impressions total_amount transaction_id currency_code class_name message"
    " exception_handled severity"
)
HOST: Final = "hostname"
"""An attribute that mParticle's web library itself adds to a page view, beside its `title`."""
GONE: Final = words(
    "event_type event_name timestamp_unixtime_ms session_start_unixtime_ms application_transition_type product_action"
    " currency_code transaction_id message_type"
)
"""What is the event's name or its time, or has another name, and what is alike in all events."""


def of(name: str) -> pl.Expr:
    """Return one of the fields of an event that are looked at, as text."""
    return expr.stripped(pl.col(inside("events", OURS + name)))


def device(name: str) -> pl.Expr:
    """Return a field of the device, as text."""
    return values.known(pl.col(inside("device_info", name)))


def is_(kind: str) -> pl.Expr:
    """Return whether an event is of this type."""
    return (of("event_type") == kind).fill_null(value=False)


def customer() -> pl.Expr:
    """Return the id that the app itself gave the user."""
    return values.known(pl.col(inside("user_identities", "customer_id")))


def resolved() -> pl.Expr:
    """Return the user as mParticle resolved it, 0 being nobody."""
    return values.known(pl.col("mpid"), "0")


def nobody() -> pl.Expr:
    """Return whether a batch has no id."""
    return customer().is_null() & resolved().is_null() & values.known(pl.col("mp_deviceid")).is_null()


def session() -> dict[str, pl.Expr]:
    """Return the session, from its start; where that is not told, or not before the event, a UTC day's."""
    number = pl.coalesce(of("session_uuid").str.to_lowercase(), of("session_id"))
    at = pl.col("_time").dt.epoch("ms")
    told = expr.unix(of("session_start_unixtime_ms"), "ms").dt.epoch("ms")
    start = pl.coalesce(pl.when(at >= told).then(told), pl.col("_time").dt.truncate("1d").dt.epoch("ms"))
    return {
        "$session_id": expr.session_id(pl.when(number.is_not_null()).then(start), pl.col("_time"), number)
    }


def page() -> dict[str, pl.Expr]:
    """Return page and screen: of a page its opening tells the address, of an app what called it up."""
    web = pl.when(pl.col("_web"))
    told = values.page(web.then(of("launch_referral")))
    host = expr.stripped(pl.col(inside("events", HOST))).str.to_lowercase()
    return {
        **told,
        **values.campaign(of("launch_referral")),
        "$host": pl.coalesce(told["$host"], web.then(pl.when(is_("screen_view")).then(host))),
        "$screen_name": pl.when(is_("screen_view") & ~pl.col("_web")).then(of("screen_name")),
    }


def hardware() -> dict[str, pl.Expr]:
    """Return device, system, browser and app; of a page only the user agent tells browser and system."""
    agent, tablet = pl.col("_agent").struct, expr.boolean(device("is_tablet"))
    app = {name: values.known(pl.col(inside("application_info", name))) for name in APP}
    system = pl.coalesce(values.system_of(device("platform")), agent.field("system"))
    kind = pl.when(tablet & ~pl.col("_web")).then(pl.lit("tablet"))
    spoken = pl.concat_str(
        device("locale_language"), device("locale_country"), separator="-", ignore_nulls=True
    )
    return {
        "$os": system,
        "$os_version": device("os_version"),
        "$device_type": pl.coalesce(
            values.device_type(kind, device("device_model"), device("platform")), agent.field("kind")
        ),
        "$device_manufacturer": pl.coalesce(device("device_manufacturer"), device("brand")),
        "$device_model": device("device_model"),
        "$device_name": device("device"),
        "$screen_width": expr.integer(device("screen_width")),
        "$screen_height": expr.integer(device("screen_height")),
        "$network_carrier": device("network_carrier"),
        "$locale": values.language(spoken),
        "$raw_user_agent": device("http_header_user_agent"),
        "$browser": pl.when(pl.col("_web")).then(agent.field("browser")),
        "$browser_version": pl.when(pl.col("_web")).then(agent.field("version")),
        "$app_name": app["application_name"],
        "$app_version": app["application_version"],
        "$app_build": app["application_build_number"],
        "$app_namespace": app["package"],
        "$device_id": values.known(pl.col("mp_deviceid")),
        "$ip": expr.stripped(pl.col("ip")),
    }


def place() -> dict[str, pl.Expr]:
    """Return the country of an event, or of its batch; where exactly stands among what both say."""
    country = pl.coalesce(pl.col(inside(column, COUNTRY)) for column in ("events", "context"))
    return {
        "$geoip_country_code": values.country_code(country),
        "$geoip_country_name": values.country_name(country),
    }


def money() -> dict[str, pl.Expr]:
    """Return `revenue` of purchases, and of refunds as what it takes away."""
    amount = expr.number(of("total_amount"))
    bought, returned = of("product_action") == "purchase", of("product_action") == "refund"
    return {
        "revenue": pl.when(bought).then(amount).when(returned).then(-amount.abs()),
        "currency": of("currency_code"),
        "transaction_id": of("transaction_id"),
    }


def crash() -> dict[str, pl.Expr]:
    """Return what error tracking wants of a crash report; its stack is text, and stays it."""
    handled = pl.struct(expr.boolean(of("exception_handled")).fill_null(value=False).alias("handled"))
    error = pl.struct(
        pl.coalesce(of("class_name"), pl.lit("Error")).alias("type"),
        pl.coalesce(of("message"), pl.lit("")).alias("value"),
        handled.alias("mechanism"),
    )
    crashed = pl.when(is_("crash_report"))
    return {
        "$exception_list": crashed.then(pl.concat_list(error)),
        "$exception_level": crashed.then(of("severity")),
    }


def kept() -> dict[str, pl.Expr]:
    """Return what is called after mParticle; an event of no one makes no person."""
    return {
        "mparticle_mpid": resolved(),
        "mparticle_environment": expr.stripped(pl.col("environment")),
        "mparticle_batch_id": expr.stripped(pl.col("batch_id")),
        "mparticle_source_request_id": expr.stripped(pl.col("source_request_id")),
        "mparticle_received_at": expr.iso(expr.unix(expr.stripped(pl.col("timestamp_unixtime_ms")), "ms")),
        "$process_person_profile": pl.when(nobody()).then(pl.lit(False)),
    }
