"""The same made-up shop as several kinds of export: a frame of columns, or of finished JSON lines."""

from collections.abc import Callable
from typing import Final

import polars as pl
from world import World

SPEC: Final = """\
event = "event"
distinct_id = "user_id"
timestamp = "timestamp"
dedup_key = ["event_id"]
numbers = ["amount", "quantity", "step"]
booleans = ["is_member"]

[set]
plan = "plan"
"""

_EVENTS: Final = [
    *["Page Viewed"] * 6,
    *["Product Viewed"] * 4,
    *["Product Added"] * 2,
    *("Products Searched", "Checkout Started", "Order Completed"),
]
_PATHS: Final = ["/", "/products", "/products/kettle", "/products/teapot-2", "/cart", "/search", "/über-uns"]
_CITIES: Final = ["Berlin", "München", "Paris", "São Paulo", "New York", "Osaka", "Kraków", "Leeds"]
_COUNTRIES: Final = ["Germany", "France", "Brazil", "United States", "Japan", "Poland", "United Kingdom"]
_REFERRERS: Final = ["https://www.google.com/", "https://news.example.org/a?b=c", "https://duckduckgo.com/"]
_SOURCES: Final = ["google", "newsletter", "facebook", "partner"]
_BROWSERS: Final = ["Chrome", "Chrome", "Safari", "Firefox", "Edge"]
_DEVICES: Final = ["Mac", "Windows", "Linux"]
_PHONES: Final = ["Apple iPhone 12", "Apple iPhone 15 Pro", "Apple iPad"]
_PLANS: Final = ["free", "free", "starter", "pro"]
_SIZES: Final = ["1-10", "11-50", "51-200", "201-1000"]
_NOTE: Final = "".join(f"{number * 2654435761 % (1 << 32):08x}" for number in range(62_500))
"""500 KB of text that does not compress away."""


def flat(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return 15 columns of text, times, numbers and booleans."""
    is_member = world.number("member", "person", 3) == 0
    is_sale = pl.col("event").is_in(["Product Added", "Checkout Started", "Order Completed"])
    referrer = pl.when(pl.col("step") == 0).then(world.pick("referrer", "visit", _REFERRERS))
    return frame.with_columns(world.pick("event", "row", _EVENTS).alias("event")).select(
        "event",
        _user(world).alias("user_id"),
        pl.col("time").alias("timestamp"),
        world.uuid("event", "row").alias("event_id"),
        world.pick("path", "row", _PATHS).alias("path"),
        (pl.lit(_NOTE) if large else referrer).alias("referrer"),
        world.pick("city", "person", _CITIES).alias("city"),
        world.pick("country", "person", _COUNTRIES).alias("country"),
        world.pick("browser", "person", _BROWSERS).alias("browser"),
        world.pick("plan", "person", _PLANS).alias("plan"),
        pl.when(is_sale).then(_price(world)).alias("amount"),
        pl.when(is_sale).then(world.number("quantity", "row", 5) + 1).alias("quantity"),
        is_member.alias("is_member"),
        pl.col("step"),
        pl.when(world.number("campaign?", "visit", 4) == 0)
        .then(world.pick("campaign", "visit", _SOURCES))
        .alias("campaign"),
    )


def csv(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return the flat columns with times as text."""
    return flat(world, frame, large=large).with_columns(
        pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )


def jsonl(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return lines of about 270 bytes, shaped as PostHog's capture takes them."""
    properties = _object(
        _text(
            "$current_url",
            pl.concat_str(pl.lit("https://shop.example.com"), world.pick("path", "row", _PATHS)),
        ),
        _text("$browser", world.pick("browser", "person", _BROWSERS)),
        _text("plan", world.pick("plan", "person", _PLANS)),
        _bare("amount", _price(world)),
        _bare("step", pl.col("step")),
        _text("note", pl.lit(_NOTE)) if large else None,
    )
    return _lines(
        frame,
        _text("event", world.pick("event", "row", _EVENTS)),
        _text("distinct_id", _user(world)),
        _text("timestamp", pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")),
        _text("uuid", world.uuid("event", "row")),
        _bare("properties", properties),
    )


def amplitude(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return lines as the Export API writes them: 55 keys, null where there is nothing; about 2 KB."""
    known = _amplitude(world, large=large)
    return _lines(
        _visitors(world, frame), *(known.get(key, pl.lit(f'"{key}":null')) for key in _KEYS.split())
    )


def amplitude_compact(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return the same events with the keys a copy by a connector usually keeps, without nulls; about 830 bytes."""
    known = _amplitude(world, large=large)
    return _lines(_visitors(world, frame), *(known[key] for key in _COMPACT.split()))


def mixpanel(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return lines as Mixpanel's raw event export answers them; about 700 bytes."""
    path = world.pick("path", "row", _PATHS)
    url = pl.concat_str(pl.lit("https://shop.example.com"), path)
    properties = _object(
        _bare("time", pl.col("time").dt.epoch("s")),
        _text("distinct_id", _user(world)),
        _text("$browser", world.pick("browser", "person", _BROWSERS)),
        _bare("$browser_version", world.number("browser version", "person", 40) + 90),
        _text("$city", world.pick("city", "person", _CITIES)),
        _text("$current_url", url),
        _text("$device_id", world.uuid("device", "person")),
        _text("$insert_id", world.uuid("insert", "row")),
        _text("$lib_version", pl.lit("2.49.0")),
        _bare("$mp_api_endpoint", pl.lit('"api.mixpanel.com"')),
        _bare("$mp_api_timestamp_ms", pl.col("time").dt.epoch("ms") + 1_250),
        _text("$os", world.pick("device", "person", ["Mac OS X", "Windows", "Linux"])),
        _bare("$screen_height", pl.lit(900)),
        _bare("$screen_width", pl.lit(1440)),
        _bare("mp_processing_time_ms", pl.col("time").dt.epoch("ms") + 2_500),
        _text("mp_country_code", pl.lit("DE")),
        _text("mp_lib", pl.lit("web")),
        _text("plan", world.pick("plan", "person", _PLANS)),
        _bare("amount", _price(world)),
        _bare("step", pl.col("step")),
        _text("note", pl.lit(_NOTE)) if large else None,
    )
    return _lines(frame, _text("event", world.pick("event", "row", _EVENTS)), _bare("properties", properties))


def ga4(world: World, frame: pl.DataFrame, *, large: bool) -> pl.DataFrame:
    """Return rows of the BigQuery export, nested as it writes them: parameters as a list of key and value."""
    path = world.pick("path", "row", _PATHS)
    parameters = {
        "page_location": _ga4_value(string=pl.concat_str(pl.lit("https://shop.example.com"), path)),
        "page_title": _ga4_value(string=pl.lit("Kettles")),
        "ga_session_id": _ga4_value(integer=pl.col("begun").dt.epoch("s")),
        "ga_session_number": _ga4_value(integer=pl.col("step").cast(pl.Int64) + 1),
        "engagement_time_msec": _ga4_value(integer=world.number("engaged", "row", 9_000).cast(pl.Int64)),
        "value": _ga4_value(double=_price(world)),
    }
    if large:
        parameters["note"] = _ga4_value(string=pl.lit(_NOTE))
    listed = [pl.struct(pl.lit(key).alias("key"), value.alias("value")) for key, value in parameters.items()]
    return frame.select(
        event_date=pl.col("time").dt.strftime("%Y%m%d"),
        event_timestamp=pl.col("time").dt.epoch("us"),
        event_name=world.pick("event", "row", ["page_view"] * 6 + ["view_item", "add_to_cart", "purchase"]),
        event_params=pl.concat_list(listed),
        event_bundle_sequence_id=pl.col("row").cast(pl.Int64),
        user_id=_user(world),
        user_pseudo_id=pl.format(
            "{}.{}", world.number("pseudo", "person", 1 << 31), world.number("first", "person", 1 << 30)
        ),
        device=pl.struct(
            category=pl.lit("desktop"),
            operating_system=world.pick("device", "person", _DEVICES),
            language=pl.lit("de-de"),
            web_info=pl.struct(
                browser=world.pick("browser", "person", _BROWSERS), hostname=pl.lit("shop.example.com")
            ),
        ),
        geo=pl.struct(
            city=world.pick("city", "person", _CITIES), country=world.pick("country", "person", _COUNTRIES)
        ),
        traffic_source=pl.struct(
            name=pl.lit("(direct)"), medium=pl.lit("(none)"), source=world.pick("source", "person", _SOURCES)
        ),
        stream_id=pl.lit("1234567890"),
        platform=pl.lit("WEB"),
    )


def _ga4_value(
    *, string: pl.Expr | None = None, integer: pl.Expr | None = None, double: pl.Expr | None = None
) -> pl.Expr:
    """Return a parameter's value: four fields of which one is set."""
    return pl.struct(
        (pl.lit(None) if string is None else string).cast(pl.String).alias("string_value"),
        (pl.lit(None) if integer is None else integer).cast(pl.Int64).alias("int_value"),
        pl.lit(None).cast(pl.Float64).alias("float_value"),
        (pl.lit(None) if double is None else double).cast(pl.Float64).alias("double_value"),
    )


FORMATS: Final[dict[str, Callable[..., pl.DataFrame]]] = {
    "parquet": flat,
    "csv": csv,
    "jsonl": jsonl,
    "amplitude": amplitude,
    "amplitude-compact": amplitude_compact,
    "mixpanel": mixpanel,
    "ga4": ga4,
}

_KEYS: Final = (
    "$insert_id $insert_key $schema adid amplitude_attribution_ids amplitude_event_type amplitude_id app city"
    " client_event_time client_upload_time country data data_type device_brand device_carrier device_family"
    " device_id device_manufacturer device_model device_type dma event_id event_properties event_time event_type"
    " global_user_properties group_properties groups idfa ip_address is_attribution_event language library"
    " location_lat location_lng os_name os_version partner_id paying plan platform processed_time region"
    " sample_rate server_received_time server_upload_time session_id source_id start_version user_creation_time"
    " user_id user_properties uuid version_name"
)
_COMPACT: Final = (
    "uuid event_type event_time user_id device_id session_id event_properties user_properties platform os_name"
    " device_type device_family country city ip_address library language $insert_id"
)


def _visitors(world: World, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what the parts of an Amplitude line share."""
    is_web = world.number("web", "person", 3) > 0
    clicked = ["[Amplitude] Element Clicked"] * 3
    kind = world.pick("event", "row", [*_EVENTS[6:], *clicked, *["[Amplitude] Page Viewed"] * 6])
    begins = (pl.col("step") == 0) & (world.number("begins", "visit", 4) == 0)
    return frame.with_columns(
        is_web.alias("web"),
        pl.when(begins).then(pl.lit("session_start")).otherwise(kind).alias("event"),
        pl.col("time").dt.strftime("%Y-%m-%d %H:%M:%S%.6f").alias("at"),
        (pl.col("time") + pl.duration(milliseconds=1_250))
        .dt.strftime("%Y-%m-%d %H:%M:%S%.6f")
        .alias("later"),
    ).with_columns(
        pl.when((pl.col("event") == "[Amplitude] Page Viewed") & ~pl.col("web"))
        .then(pl.lit("[Amplitude] Screen Viewed"))
        .otherwise("event")
        .alias("event")
    )


def _amplitude(world: World, *, large: bool) -> dict[str, pl.Expr]:
    """Return the members of an Amplitude line that are not null, by key."""
    web = pl.col("web")
    is_known = world.number("known", "visit", 5) > 0
    city, country = world.pick("city", "person", _CITIES), world.pick("country", "person", _COUNTRIES)
    device = (
        pl.when(web)
        .then(world.pick("device", "person", _DEVICES))
        .otherwise(world.pick("phone", "person", _PHONES))
    )
    number = [world.number(name, "person", 250) for name in ("ip one", "ip two")]
    texts = {
        "$insert_id": world.uuid("insert", "row"),
        "city": city,
        "client_event_time": pl.col("at"),
        "client_upload_time": pl.col("later"),
        "country": country,
        "device_family": device,
        "device_id": world.uuid("device", "person"),
        "device_type": device,
        "event_time": pl.col("at"),
        "event_type": pl.col("event"),
        "ip_address": pl.format("203.0.{}.{}", *number),
        "language": world.pick("language", "person", ["English", "German", "French"]),
        "library": pl.when(web).then(pl.lit("amplitude-ts/2.16.1")).otherwise(pl.lit("amplitude-ios/8.22.2")),
        "os_name": pl.when(web).then(world.pick("browser", "person", _BROWSERS)).otherwise(pl.lit("ios")),
        "os_version": world.pick("os version", "person", ["17.4.1", "126", "125", "17"]),
        "platform": pl.when(web).then(pl.lit("Web")).otherwise(pl.lit("iOS")),
        "processed_time": pl.col("later"),
        "region": city,
        "server_received_time": pl.col("later"),
        "server_upload_time": pl.col("later"),
        "user_creation_time": pl.lit("2014-12-30 09:15:27.123000"),
        "uuid": world.uuid("event", "row"),
    }
    bare = {
        "amplitude_id": pl.col("person") + 847_000_000_000,
        "app": pl.lit(434_735),
        "data": pl.lit(
            '{"path":"/2/httpapi","user_properties_updated":true,"group_first_event":{},"group_ids":{}}'
        ),
        "data_type": pl.lit('"event"'),
        "event_id": pl.col("row"),
        "event_properties": _event_properties(world, large=large),
        "group_properties": pl.lit("{}"),
        "groups": pl.when(is_known)
        .then(pl.concat_str(pl.lit('{"company":["acme-'), pl.col("person") % 997, pl.lit('"]}')))
        .otherwise(pl.lit("{}")),
        "plan": pl.lit("{}"),
        "session_id": pl.col("begun").dt.epoch("ms"),
        "user_id": pl.when(is_known)
        .then(pl.concat_str(pl.lit('"'), _user(world), pl.lit('"')))
        .otherwise(pl.lit("null")),
        "user_properties": _user_properties(world),
    }
    return {key: _text(key, value) for key, value in texts.items()} | {
        key: _bare(key, value) for key, value in bare.items()
    }


def _event_properties(world: World, *, large: bool) -> pl.Expr:
    """Return six to ten properties, others for pages, screens, clicks and the shop's own events."""
    event, path = pl.col("event"), world.pick("path", "row", _PATHS)
    is_page, is_click = event.str.ends_with("Page Viewed"), event.str.ends_with("Clicked")
    is_screen, is_start = event.str.ends_with("Screen Viewed"), event == "session_start"
    page = [
        _text("[Amplitude] Page Domain", pl.lit("shop.example.com")),
        _text("[Amplitude] Page Path", path),
        _text("[Amplitude] Page Location", pl.concat_str(pl.lit("https://shop.example.com"), path)),
        _text("[Amplitude] Page Title", pl.lit('Kettles & \\"more\\"')),
    ]
    view = [
        *page,
        _text("referrer", world.pick("referrer", "visit", _REFERRERS)),
        _text("utm_source", world.pick("source", "visit", _SOURCES)),
        _bare("[Amplitude] Page Counter", pl.col("step")),
    ]
    click = [
        *page,
        _text("[Amplitude] Element Tag", pl.lit("button")),
        _text("[Amplitude] Element Text", pl.lit("Add to cart")),
        _text("[Amplitude] Element Class", pl.lit("btn btn-primary")),
        _text("[Amplitude] Element ID", pl.lit("add")),
    ]
    screen = [
        _text("[Amplitude] Screen Name", path),
        *(_text(f"source_{place}", world.pick("source", "visit", _SOURCES)) for place in range(4)),
        _bare("depth", pl.col("step")),
    ]
    sale = [
        _text("product_id", pl.format("sku-{}", world.number("sku", "row", 5_000))),
        _bare("price", _price(world)),
        _bare("quantity", world.number("quantity", "row", 5) + 1),
        _text("category", pl.lit("kitchen")),
        _bare("in_stock", pl.lit("true")),
        _bare("tags", pl.lit('["new","sale"]')),
        _text("note", pl.lit(_NOTE)) if large else None,
    ]
    return (
        pl.when(is_start)
        .then(pl.lit("{}"))
        .when(is_page)
        .then(_object(*view))
        .when(is_click)
        .then(_object(*click))
        .when(is_screen)
        .then(_object(*screen))
        .otherwise(_object(*sale))
    )


def _user_properties(world: World) -> pl.Expr:
    """Return what Amplitude knows of the person, the same on every one of their events."""
    return _object(
        _text("plan", world.pick("plan", "person", _PLANS)),
        _text("company_size", world.pick("size", "person", _SIZES)),
        _bare("orders", world.number("orders", "person", 40)),
        _text("initial_utm_source", world.pick("source", "person", [*_SOURCES, "EMPTY"])),
        _text("initial_referrer", pl.lit("EMPTY")),
    )


def _price(world: World) -> pl.Expr:
    return ((world.number("amount", "row", 50_000) + 99) / 100).round(2)


def _user(world: World) -> pl.Expr:
    return pl.format("user_{}", pl.col("person") + 100_000 + world.seed)


def _text(key: str, value: pl.Expr) -> pl.Expr:
    """Return a member whose value is text without quotes, or with them escaped."""
    return pl.concat_str(pl.lit(f'"{key}":"'), value, pl.lit('"'))


def _bare(key: str, value: pl.Expr) -> pl.Expr:
    """Return a member whose value is JSON already."""
    return pl.concat_str(pl.lit(f'"{key}":'), value)


def _object(*members: pl.Expr | None) -> pl.Expr:
    """Return a JSON object of the members."""
    inside = pl.concat_str([member for member in members if member is not None], separator=",")
    return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))


def _lines(frame: pl.DataFrame, *members: pl.Expr) -> pl.DataFrame:
    """Return one JSON object a row, as text."""
    return frame.select(_object(*members).alias("line"))
