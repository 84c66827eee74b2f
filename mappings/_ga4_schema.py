"""The columns of Google Analytics 4's BigQuery export: records, lists, parameters, and which of them hold numbers."""

from collections.abc import Mapping
from typing import Final

from migrate.kit import copiers


def _split(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(text.split()) for name, text in texts.items()}


RECORDS: Final = _split(
    {
        "device": "category mobile_brand_name mobile_model_name mobile_marketing_name operating_system language"
        " operating_system_version browser browser_version web_info_browser web_info_browser_version web_info_hostname",
        "geo": "continent country region city",
        "app_info": "id version",
        "event_dimensions": "hostname",
        "traffic_source": "source medium name",
        "collected_traffic_source": "manual_source manual_medium manual_campaign_name manual_campaign_id manual_term"
        " manual_content manual_source_platform manual_creative_format manual_marketing_tactic gclid dclid srsltid",
        "ecommerce": "transaction_id purchase_revenue purchase_revenue_in_usd refund_value refund_value_in_usd",
        "user_ltv": "revenue currency",
        "privacy_info": "",
        "session_traffic_source_last_click": "",
        "publisher": "",
    }
)
"""What is made of a record's fields; those not named are kept as `ga_…`."""
OTHERS: Final = _split(
    {
        "device": "mobile_os_hardware_model vendor_id advertising_id is_limited_ad_tracking time_zone_offset_seconds",
        "geo": "sub_continent metro",
        "app_info": "install_store firebase_app_id install_source",
        "ecommerce": "total_item_quantity unique_items shipping_value shipping_value_in_usd tax_value tax_value_in_usd",
        "privacy_info": "analytics_storage ads_storage uses_transient_token",
    }
)
"""Further fields that Google writes."""
COLUMNS: Final = _split(
    {
        "plain": "event_date event_timestamp event_name event_value_in_usd event_bundle_sequence_id user_id"
        " user_pseudo_id is_active_user user_first_touch_timestamp stream_id platform batch_page_id batch_ordering_id"
        " batch_event_index",
        "lists": "event_params user_properties items",
        "batch": "batch_page_id batch_ordering_id batch_event_index",
        "bag": "page_location page_title page_referrer firebase_screen firebase_screen_class ga_session_id value"
        " transaction_id batch_page_id batch_ordering_id batch_event_index",
        "item": "item_id item_name item_brand item_variant item_category item_category2 item_category3 item_category4"
        " item_category5 price_in_usd price quantity item_revenue_in_usd item_revenue item_refund_in_usd item_refund"
        " coupon affiliation location_id item_list_id item_list_name item_list_index promotion_id promotion_name"
        " creative_name creative_slot",
        "users": "user_id pseudo_user_id stream_id user_info user_ltv predictions audiences user_properties"
        " occurrence_date last_updated_date",
        "dropped": "event_previous_timestamp event_server_timestamp_offset previous_timestamp server_timestamp_offset"
        " source_table_type is_intraday",
        "numbers": "engagement_time_msec ga_session_number engaged_session_event entrances percent_scrolled value tax"
        " shipping price price_in_usd quantity item_revenue item_revenue_in_usd item_refund item_refund_in_usd"
        " total_item_quantity unique_items purchase_revenue purchase_revenue_in_usd refund_value refund_value_in_usd"
        " shipping_value shipping_value_in_usd tax_value tax_value_in_usd revenue revenue_in_usd sessions purchases"
        " engaged_sessions engagement_time_millis session_duration_micros time_zone_offset_seconds video_duration"
        " video_current_time video_percent ad_revenue_in_usd",
    }
)
BATCH: Final = COLUMNS["batch"]
BAG: Final = COLUMNS["bag"]
"""Parameters that something is made of."""
FIVETRAN: Final = {
    "event_date": "date",
    "event_timestamp": "timestamp",
    "event_name": "name",
    "event_value_in_usd": "value_in_usd",
    "event_bundle_sequence_id": "bundle_sequence_id",
}
"""What Fivetran calls columns."""
RENAME: Final = {
    one: f"ga_{one}" for one in ("source", "medium", "campaign", "campaign_id", "term", "content")
}
"""Parameters that hold Google's guesses too ("(organic)"), so that they are no `utm_…`."""
DROPPED: Final = copiers.FIVETRAN.union(COLUMNS["dropped"])
OF_SESSION: Final = frozenset(
    ("ga_session_id", "ga_session_number", "session_engaged", "engaged_session_event", "_sid", "_sno")
)
"""What apps list among the properties of the user, and is of a session; the last two are Firebase's own names."""
TEXTS: Final = frozenset(("id", "session_engaged", "search_term", "coupon", "page_title", *RENAME))
"""Text even where all its characters are digits, as every `…_id`: one key, one type (sources-2.md §1)."""
NUMBERS: Final = frozenset(COLUMNS["numbers"])


def is_nested(columns: frozenset[str]) -> bool:
    """Return whether these are columns of BigQuery's own table."""
    flattened = any(name.startswith(("device_", "device.", "geo_", "geo.")) for name in columns)
    told = {"event_name", "event_timestamp"} <= columns and bool(columns & {"event_params", "device", "geo"})
    return told and not flattened


def is_flat(columns: frozenset[str]) -> bool:
    """Return whether these are columns of a flattened table with a row for each event."""
    told = {"event_name", "event_timestamp"} <= columns or {"name", "timestamp", "date"} <= columns
    return told and bool(columns & {"user_pseudo_id", "event_id"})


def is_users(columns: frozenset[str]) -> bool:
    """Return whether these are columns of `users_…` or `pseudonymous_users_…`."""
    return (
        "event_name" not in columns
        and bool(columns & {"user_id", "pseudo_user_id"})
        and "user_ltv" in columns
    )
