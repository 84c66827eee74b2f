"""Amplitude: raw events of the Export API, of S3, GCS and Azure exports, and of warehouse copies.

The Export API answers a zip of `<project>_<day>_<hour>#<part>.json.gz`, one JSON object a line with 55 keys, times
in UTC without a zone (https://amplitude.com/docs/apis/analytics/export, read 2025-11-20). Snowflake, BigQuery and
Redshift copies, Fivetran, Airbyte and Stitch carry the same columns in other spellings, objects as JSON text.

What the source says stands beside what PostHog understands: the event's own properties pass on unchanged, and the
columns PostHog has no name for are kept as `amplitude_…`. Of a group type with several values in one event PostHog
can hold one: the first is kept, the row is counted as `several_group_values`.
"""

from typing import Final

import polars as pl

from migrate import events, expr
from migrate.mapping import REST, ROW, Options, Platform, Table, has

NAMES: Final = {
    "[Amplitude] Page Viewed": "$pageview",
    "Page Viewed": "$pageview",
    "Viewed Page": "$pageview",
    "PageVisited": "$pageview",
    "[Amplitude] Screen Viewed": "$screen",
    "[Amplitude] Element Clicked": "$autocapture",
    "[Amplitude] Element Changed": "$autocapture",
    # PostHog's $identify merges two ids; Amplitude's only sets user properties.
    "$identify": "$set",
}
SESSION_EVENTS: Final = ["session_start", "session_end", "[amplitude] start session", "[amplitude] end session"]
# The purchase as sent, beside which Amplitude computes a "(Verified)" or "(Unverified)" copy with the amount when
# it validates the receipt; an amount worked out for both would count a purchase twice.
VALIDATED: Final = ["revenue_amount", "[Amplitude] Revenue"]

# https://amplitude.com/docs/data/autocapture-events-and-properties, read 2025-11-20.
ELEMENT: Final = {"hierarchy": "Hierarchy", "tag": "Tag", "classes": "Class", "identifier": "ID"} | {
    "href": "Href",
    "text": "Text",
}
PAGE: Final = ("Page Location", "Page URL", "Page Domain", "Page Path", "Page Title", "Screen Name")
BAG: Final = (
    *(f"[Amplitude] {name}" for name in (*PAGE, "Viewport Height", "Viewport Width")),
    *(f"[Amplitude] Element {name}" for name in ELEMENT.values()),
    *("referrer", "referring_domain", "$revenue", "$price", "$quantity", "$currency", "$receipt"),
)
CAMPAIGN: Final = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id", "gclid", "gclsrc", "dclid"),
    *("gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "rdt_cid", "rtd_cid"),
    *("ko_click_id", "mc_cid", "igshid"),
)

# PostHog's spellings (sources-2.md §0); the keys are what Amplitude's user agent parsers write, in any case.
BROWSERS: Final = {
    "Chrome Mobile": "Chrome",
    "Chrome WebView": "Chrome",
    "Chrome Headless": "Chrome",
    "Chrome Mobile iOS": "Chrome iOS",
    "Firefox Mobile": "Firefox",
    "Edge": "Microsoft Edge",
    "Edge Mobile": "Microsoft Edge",
    "IE": "Internet Explorer",
    "IEMobile": "Internet Explorer Mobile",
    "IE Mobile": "Internet Explorer Mobile",
    "Opera Mobi": "Opera",
    "Opera Mobile": "Opera",
    "Samsung Browser": "Samsung Internet",
    "Facebook": "Facebook Mobile",
    "UCBrowser": "UC Browser",
    "Android Browser": "Android Mobile",
}
SYSTEMS: Final = {
    r"windows phone": "Windows Phone",
    r"windows": "Windows",
    r"\b(iphone|ipad|ipod|ios|ipados)": "iOS",
    r"\b(mac|macos|macintosh|imac|macbook)\b": "Mac OS X",
    r"\bcros\b|chrome ?os|chromebook": "Chrome OS",
    r"android|samsung|galaxy|pixel|nexus|huawei|honor|xiaomi|redmi|oneplus|oppo|vivo|motorola": "Android",
    r"linux|ubuntu": "Linux",
}
DEVICE_TYPES: Final = {
    r"\btv\b|tvos|fire tv|chromecast": "TV",
    r"\bwatch": "Wearable",
    r"ipad|tablet|galaxy tab|\bsm-[tx]\d|kindle|nexus (7|9|10)\b|pixel c\b": "Tablet",
    r"iphone|ipod|phone|\bios\b|android|samsung|galaxy|pixel|nexus|huawei|honor|xiaomi|redmi|oneplus|oppo|vivo"
    r"|motorola": "Mobile",
    r"\b(mac|macos|macintosh|imac|macbook)\b|windows|linux|ubuntu|\bcros\b|chrome ?os|chromebook": "Desktop",
}

# Columns without a PostHog name that are worth keeping, under the name they have here.
KEPT: Final = {
    **{
        f"amplitude_{name}": name
        for name in (
            *("amplitude_attribution_ids", "amplitude_event_type", "app", "data_type_id", "device_brand"),
            *("device_carrier", "device_family", "device_type", "dma", "event_id", "global_user_properties"),
            *("idfa", "partner_id", "plan", "platform", "project_name", "sample_rate", "source_id"),
            *("start_version", "user_creation_time", "uuid"),
        )
    },
}
