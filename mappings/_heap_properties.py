"""What PostHog understands of the columns of a Heap event: its page, device, app and what was clicked."""

from typing import Final

import polars as pl

from mappings._heap_sessions import UTM, told
from migrate.kit import expr, values

KEPT: Final = (
    *("href", "hierarchy", "target_tag", "target_class", "target_id", "target_a11y_id", "target_a11y_label"),
    *("screen_a11y_id", "screen_a11y_label", "action_method", "search_keyword", "heap_previous_page"),
)
"""What keeps its name, in lower case also where Snowflake writes it in upper case.

`heap_previous_page` is not made `$prev_pageview_pathname`, of which PostHog makes heatmaps.
"""


def page() -> dict[str, pl.Expr]:
    """Return where it happened. `landing_page` is the session's first page, on every row of it: never the event's."""
    return {
        **values.page(pl.col("_url")),
        "$pathname": pl.coalesce(expr.path(pl.col("_url")), expr.stripped(pl.col("path"))),
        "title": expr.stripped(pl.col("title")),
        "$screen_name": expr.stripped(pl.col("view_controller")),
        "$referrer": pl.col("_entry_referrer"),
        "$referring_domain": pl.col("_entry_referring_domain"),
        **{name: told(name) for name in UTM},
    }


def software() -> dict[str, pl.Expr]:
    """Return device, app, library and what was clicked; of a column and its `heap_` twin one is null."""
    texts = {
        "$device_model": ("device", "heap_device"),
        "$device_id": ("heap_device_id",),
        "$network_carrier": ("carrier",),
        "$app_name": ("app_name", "heap_app_name"),
        "$app_version": ("app_version", "heap_app_version"),
        "$lib": ("library",),
        "$ip": ("ip", "browser_ip"),
        "$event_type": ("type",),
        "$el_text": ("target_text",),
    }
    known = {name: expr.first(*(pl.col(column) for column in columns)) for name, columns in texts.items()}
    return known | {name: expr.stripped(pl.col(name)) for name in KEPT}
