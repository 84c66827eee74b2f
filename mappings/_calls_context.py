"""What the context of a call tells: its columns as warehouses name them, and the device and software it happened on."""

from typing import Final

import polars as pl

from migrate.kit import expr, values
from migrate.kit.declare import words
from migrate.kit.distinct import Recurring

OF_CALL: Final = (
    *("context_ip", "context_group_id", "context_session_id", "context_page_url", "context_page_path"),
    *("context_page_referrer", "context_page_title", "context_campaign_source", "context_campaign_medium"),
    *("context_campaign_name", "context_campaign_term", "context_campaign_content", "context_campaign_id"),
)
"""Context that is understood and another with each call."""
OF_DEVICE: Final = words(
    "context_locale context_timezone context_user_agent context_app_name context_app_version context_app_build"
    " context_app_namespace context_device_id context_device_manufacturer context_device_model context_device_name"
    " context_device_type context_os_name context_os_version context_screen_width context_screen_height"
    " context_screen_density context_network_carrier context_network_wifi context_network_cellular"
    " context_network_bluetooth context_library_name context_library_version"
)
"""Context that is understood and the same with many calls."""
NOISE: Final = frozenset(
    {
        *("context_source_id", "context_source_type", "context_destination_id", "context_destination_type"),
        *("context_passed_ip", "context_request_ip", "context_protocols_source_id", "context_page_search"),
        *("context_protocols_violations", "context_protocols_omitted", "context_protocols_omitted_on_event"),
    }
)
"""RudderStack's notes on its own pipeline, what Segment's Protocols has against a call, and the query of the url."""
NOTHING: Final = (b"null", b'""')
"""JSON that no column is made of."""


def context(name: str) -> pl.Expr:
    """Return one of the `OF_CALL` or `OF_DEVICE` columns as text."""
    return values.known(pl.col(f"context_{name}"))


def machine() -> dict[str, pl.Expr]:
    """Return system and kind of device as the context says them."""
    system = context("os_name")
    kind = values.device_type(context("device_model"), context("device_type"), system)
    return {"system": values.system(system), "kind": kind}


RECURRING: Final = {
    "machine": Recurring(
        ("context_os_name", "context_device_model", "context_device_type"), {"machine": machine()}
    ),
    "agent": Recurring(
        ("context_user_agent",), {"agent": {"agent": values.user_agent(context("user_agent"))}}
    ),
    "locale": Recurring(("context_locale",), {"locale": {"language": values.language(context("locale"))}}),
}
"""What few distinct rows tell, each worked out once."""


def recurring(group: str, name: str) -> pl.Expr:
    """Return one of the expressions of a group of `RECURRING`."""
    return pl.col(f"_{group}").struct.field(name)


def equipment() -> dict[str, pl.Expr]:
    """Return what columns `OF_DEVICE` tell of device and software; what the context does not, the user agent does."""
    agent = recurring("agent", "agent").struct
    sizes, radios = ("width", "height", "density"), ("wifi", "cellular", "bluetooth")
    return {
        "$browser": agent.field("browser"),
        "$browser_version": agent.field("version"),
        "$os": pl.coalesce(recurring("machine", "system"), agent.field("system")),
        "$os_version": context("os_version"),
        "$device_type": pl.coalesce(recurring("machine", "kind"), agent.field("kind")),
        "$device_model": context("device_model"),
        "$device_id": context("device_id"),
        "$device_name": context("device_name"),
        "$device_manufacturer": context("device_manufacturer"),
        **{f"$screen_{name}": expr.number(context(f"screen_{name}")) for name in sizes},
        "$raw_user_agent": context("user_agent"),
        **{f"$app_{name}": context(f"app_{name}") for name in ("name", "version", "build", "namespace")},
        "$lib": context("library_name"),
        "$lib_version": context("library_version"),
        **{f"$network_{name}": expr.boolean(context(f"network_{name}")) for name in radios},
        "$network_carrier": context("network_carrier"),
        "$browser_language": recurring("locale", "language"),
        "$locale": context("locale"),
        "$timezone": context("timezone"),
        "context_device_type": expr.stripped(pl.col("context_device_type")),
    }


EQUIPMENT: Final = equipment()
"""What is computed of these columns; put together once, since that takes as long as to map many rows."""


def of_device(columns: pl.Series) -> pl.Series:
    """Return a struct of what `EQUIPMENT` makes of a struct of the columns `OF_DEVICE`."""
    rows = columns.struct.unnest()
    known = rows.with_columns_seq(one.struct().alias(f"_{group}") for group, one in RECURRING.items())
    device = pl.struct(value.alias(name) for name, value in EQUIPMENT.items())
    return known.select_seq(device.alias(columns.name)).to_series()


DEVICE: Final = of_device(pl.Series(dtype=pl.Struct(dict.fromkeys(OF_DEVICE, pl.String)))).dtype
"""The type of what `of_device` returns."""
