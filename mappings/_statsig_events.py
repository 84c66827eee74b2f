"""Statsig's events, however they were written: where each form keeps its parts, and what they are in PostHog."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from migrate.kit import events, expr, links, objects, values
from migrate.kit.declare import PROPERTIES, REST, Bag, Options, inside

NAMES: Final = {"auto_capture::page_view": "$pageview", "auto_capture::page_view_end": "$pageleave"}
ERROR: Final = "auto_capture::error"
EXPOSURES: Final = {
    "statsig::gate_exposure": "gate",
    "statsig::config_exposure": "config",
    "statsig::experiment_exposure": "config",
    "statsig::layer_exposure": "config",
}
"""Events of flags that were asked, and under which key each says which."""
TOLD: Final = (
    *(
        "gate",
        "gateValue",
        "config",
        "experimentGroupName",
        "message",
        "sessionID",
        "page_url",
        "current_url",
    ),
    *("referrer", "user_agent", "locale", "timezone", "screen_width", "screen_height"),
    *("viewport_width", "viewport_height"),
)
OF_USER: Final = (
    "userID",
    "email",
    "custom",
    "customIDs",
    "country",
    "ip",
    "userAgent",
    "locale",
    "appVersion",
)
OF_SDK: Final = (
    *("sdkType", "sdkVersion", "stableID", "sessionID", "systemName", "systemVersion", "deviceModel"),
    *("appIdentifier", "appVersion"),
)
_THROWN: Final = r"^(?:Uncaught )?([A-Z]\w*(?:Error|Exception)): (?s:(.*))$"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """In which columns one form of events keeps its parts."""

    name: str
    value: str
    told: str
    user: str
    sdk: str
    user_id: str
    stable_id: str | None = None
    ids: str | None = None
    number: str | None = None

    def bags(self, options: Options) -> dict[str, Bag]:
        """Return how the objects of rows are opened."""
        keys = tuple(options.group_keys)
        found = {
            self.told: Bag(keys=TOLD),
            self.user: Bag(keys=OF_USER, drops=frozenset({"userID"})),
            self.sdk: Bag(keys=OF_SDK, drops=frozenset({"stableID"})),
        }
        return found | ({self.ids: Bag(keys=keys)} if self.ids else {})

    def says(self, key: str) -> pl.Expr:
        """Return one of `TOLD`."""
        return expr.stripped(pl.col(inside(self.told, key)))

    def of_user(self, key: str) -> pl.Expr:
        """Return one of `OF_USER`."""
        return expr.stripped(pl.col(inside(self.user, key)))

    def of_sdk(self, key: str) -> pl.Expr:
        """Return one of `OF_SDK`."""
        return expr.stripped(pl.col(inside(self.sdk, key)))

    def person(self) -> pl.Expr:
        """Return the user's id."""
        own = values.known(pl.col(self.user_id))
        return pl.coalesce(expr.identifier(own), expr.identifier(self.of_user("userID")))

    def device(self) -> pl.Expr:
        """Return the stable id, which is a device's."""
        own = [expr.identifier(values.known(pl.col(self.stable_id)))] if self.stable_id else []
        return pl.coalesce(*own, expr.identifier(self.of_sdk("stableID")))

    def unit(self, key: str) -> pl.Expr:
        """Return one of the user's own ids, as of a company."""
        told = objects.fields(self.of_user("customIDs"), [key]).struct.field(key)
        own = [pl.col(inside(self.ids, key))] if self.ids else []
        return values.known(pl.coalesce(*own, told))


def moment(options: Options) -> pl.Expr:
    """Return when it happened: milliseconds, or a time of a warehouse, whose clock is UTC."""
    text = pl.col("timestamp")
    number = text.str.strip_chars().str.extract(r"^(\d{10,16}(?:\.\d+)?)$")
    return pl.coalesce(expr.timestamp(text, zone=options.source_timezone), expr.unix_by_size(number))


def flag(shape: Shape) -> dict[str, pl.Expr]:
    """Return which flag was asked, and what it answered as far as the row says it; as text and as JSON text."""
    name = pl.col(shape.name)
    key = name.replace_strict(EXPOSURES, default=None, return_dtype=pl.String)
    asked = pl.when(key == "gate").then(shape.says("gate")).when(key == "config").then(shape.says("config"))
    said = shape.says("gateValue").str.to_lowercase()
    passed = pl.when((key == "gate") & said.is_in(["true", "false"])).then(said)
    group = pl.when(key == "config").then(objects.quoted(shape.says("experimentGroupName")))
    return {"$feature_flag": asked, "$feature_flag_response": pl.coalesce(passed, group)}


def thrown(shape: Shape) -> pl.Expr:
    """Return `$exception_list` of an error whose message says its type, null of all others."""
    message = pl.when(pl.col(shape.name) == ERROR).then(
        pl.coalesce(shape.says("message"), pl.col(shape.value))
    )
    parts = message.str.extract_groups(_THROWN).struct
    one = pl.struct(parts.field("1").alias("type"), parts.field("2").alias("value"))
    return pl.when(parts.field("1").is_not_null()).then(pl.concat_list(one))


def seen(shape: Shape) -> dict[str, pl.Expr]:
    """Return where it happened: of what is captured by itself, `value` is the page's address where nothing else is."""
    captured = pl.col(shape.name).str.starts_with("auto_capture::")
    value = pl.when(captured & pl.col(shape.value).str.contains(r"^https?://")).then(pl.col(shape.value))
    url = pl.coalesce(shape.says("page_url"), shape.says("current_url"), value)
    viewed = pl.when(pl.col(shape.name) == "auto_capture::page_view").then(url)
    page = values.page(url, referrer=shape.says("referrer"), web=viewed.is_not_null())
    return {**page, **values.campaign(url)}


def software(shape: Shape) -> dict[str, pl.Expr]:
    """Return on which device and with which library."""
    text = pl.coalesce(shape.says("user_agent"), shape.of_user("userAgent"))
    agent = values.user_agent(text).struct
    locale = pl.coalesce(shape.says("locale"), shape.of_user("locale"))
    sizes = ("screen_width", "screen_height", "viewport_width", "viewport_height")
    return {
        "$browser": agent.field("browser"),
        "$browser_version": agent.field("version"),
        "$os": pl.coalesce(values.system(shape.of_sdk("systemName")), agent.field("system")),
        "$os_version": shape.of_sdk("systemVersion"),
        "$device_type": pl.coalesce(values.device_type(shape.of_sdk("deviceModel")), agent.field("kind")),
        "$device_model": shape.of_sdk("deviceModel"),
        "$raw_user_agent": text,
        "$browser_language": values.language(locale),
        "$locale": locale,
        "$timezone": shape.says("timezone"),
        "$ip": shape.of_user("ip"),
        "$geoip_country_code": values.country_code(shape.of_user("country")),
        "$app_version": pl.coalesce(shape.of_sdk("appVersion"), shape.of_user("appVersion")),
        "$app_namespace": shape.of_sdk("appIdentifier"),
        "$lib": shape.of_sdk("sdkType"),
        "$lib_version": shape.of_sdk("sdkVersion"),
        **{f"${name}": expr.number(shape.says(name)) for name in sizes},
    }


def session(shape: Shape) -> dict[str, pl.Expr]:
    """Return the session, whose start no row says: PostHog's id is made from its UTC day."""
    number = pl.coalesce(shape.says("sessionID"), shape.of_sdk("sessionID"))
    time = pl.col("_time")
    start = pl.when(number.is_not_null()).then(time.dt.truncate("1d").dt.epoch("ms"))
    owner = pl.coalesce("_device", "_person")
    return {"$session_id": expr.session_id(start, time, number, owner), "statsig_session_id": number}


def dedup_key(shape: Shape) -> pl.Expr:
    """Return the event's own id; where the form has none, all that a row says."""
    number = expr.stripped(pl.col(shape.number)) if shape.number else pl.lit(None, pl.String)
    bags = (shape.told, shape.user, shape.sdk, *([shape.ids] if shape.ids else []), REST)
    said = (pl.col(shape.name), pl.col(shape.value), pl.col("_person"), pl.col("_device"))
    whole = [expr.canonical(pl.col(bag), where=number.is_null()) for bag in bags]
    when = pl.col("_time").dt.epoch("us")
    return pl.coalesce(
        expr.key(pl.lit("event"), number, where=number.is_not_null()),
        expr.key(pl.lit("row"), when, *said, *whole, where=number.is_null()),
    )


def to_events(rows: pl.LazyFrame, options: Options, *, shape: Shape) -> pl.LazyFrame:
    """Return the event each row is."""
    rows = rows.with_columns_seq(
        moment(options).alias("_time"),
        shape.person().alias("_person"),
        shape.device().alias("_device"),
        thrown(shape).alias("_thrown"),
        **{f"_{name}": value for name, value in flag(shape).items()},
    )
    asked, failed = pl.col("_$feature_flag").is_not_null(), pl.col("_thrown").is_not_null()
    name = expr.stripped(pl.col(shape.name))
    answer = {"$feature_flag_response": pl.col("_$feature_flag_response")}
    number = {"statsig_event_id": expr.stripped(pl.col(shape.number))} if shape.number else {}
    extra = {
        **seen(shape),
        **software(shape),
        **session(shape),
        **number,
        "$device_id": pl.col("_device"),
        "$feature_flag": pl.col("_$feature_flag"),
        "$exception_list": pl.col("_thrown"),
        "statsig_value": expr.stripped(pl.col(shape.value)),
    }
    return events.events(
        rows,
        event=pl.when(asked)
        .then(pl.lit("$feature_flag_called"))
        .when(failed)
        .then(pl.lit("$exception"))
        .otherwise(expr.lookup(name, NAMES)),
        distinct_id=pl.coalesce("_person", "_device"),
        timestamp=pl.col("_time"),
        dedup_key=dedup_key(shape),
        laid=pl.col(PROPERTIES),
        properties=objects.text_with(answer, json=tuple(answer)),
        extra=extra,
        groups={kind: shape.unit(key) for key, kind in options.group_keys.items()},
    )


def to_profiles(rows: pl.LazyFrame, options: Options, *, shape: Shape) -> pl.LazyFrame:
    """Return what events tell of their user: address, and the customer's own properties of users."""
    own = pl.when(shape.of_user("custom").str.starts_with("{")).then(shape.of_user("custom"))
    return events.profiles(
        rows,
        distinct_id=shape.person(),
        timestamp=moment(options),
        set=objects.completed(own, objects.text({"email": shape.of_user("email")})),
    )


def to_links(rows: pl.LazyFrame, options: Options, *, shape: Shape) -> pl.LazyFrame:
    """Return whose device it is, by the rows that name both."""
    ids = {"anonymous": shape.device(), "identified": shape.person()}
    return links.linked(rows, **ids, time=moment(options), why="seen together")
