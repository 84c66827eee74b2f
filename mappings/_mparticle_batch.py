"""The objects of an mParticle batch, each as one flat object of properties: its events, device, app, identities.

What the app itself sent with an event (`custom_attributes`) keeps its names; all that mParticle says of the event, the
device and the app is `mparticle_<field>`, but for what PostHog has a name for. Nested lists and objects stay what they
are, those that are empty are nothing. Numbers of 64 bits that are ids become text, since JSON's readers round them.
"""

from collections.abc import Callable, Iterable
from typing import Final

from migrate.kit import cells
from migrate.kit.cells import Json, Members

WHOLE: Final = "(whole)"
"""Under this name is all that an object of a person holds; mParticle's own names have no brackets."""
OTHERS: Final = "others"
"""Under this name are the ids of a person that are no customer's."""
OURS: Final = "mparticle_"
EMPTY: Final = frozenset((b"null", b"{}", b"[]", b'""'))
IDS: Final = frozenset(("event_id", "session_id", "message_id", "batch_id"))
PLACE: Final = {
    "latitude": "$geoip_latitude",
    "longitude": "$geoip_longitude",
    "region_code": "$geoip_subdivision_1_code",
    "city_name": "$geoip_city_name",
    "postal_code": "$geoip_postal_code",
}
COUNTRY: Final = f"{OURS}location_country_code"
DEVICE: Final = (
    *("platform", "os_version", "device_model", "device_manufacturer", "brand", "device", "is_tablet"),
    *("screen_width", "screen_height", "locale_language", "locale_country", "network_carrier"),
    "http_header_user_agent",
)
"""Fields of `device_info` that PostHog has a name for."""
APP: Final = ("application_name", "application_version", "application_build_number", "package")
TOKENS: Final = frozenset(
    ("push_token", "registration_token", "push_message_token", "pl_crash_report_file_base64")
)
"""What opens a way to a phone, and a binary file: nothing to be kept among properties."""


def event(text: str) -> str | None:
    """Return an event of a batch as one flat object; raises `ValueError` where its `data` is no object."""
    outer = _object(Json(text.encode("utf-8", "surrogatepass")))
    data = _object(outer.pop("data", _NULL))
    custom = _object(data.pop("custom_attributes", _NULL))
    action = _object(data.pop("product_action", _NULL))
    found = dict(_placed(data.pop("location", _NULL)))
    if "action" in action:
        action["product_action"] = action.pop("action")
    for part in (data, action, outer):
        found.update(_named(part, OURS))
    if found.get(f"{OURS}event_start_unixtime_ms") == found.get(f"{OURS}timestamp_unixtime_ms"):
        found.pop(f"{OURS}event_start_unixtime_ms", None)
    products = found.pop(f"{OURS}products", None)
    told = found | {
        f"{OURS}custom_{name}" if name in found else name: value for name, value in custom.items()
    }
    if products is not None:
        told["products" if "products" not in told else f"{OURS}products"] = products
    return cells.object_text(told)


def context(text: str) -> str | None:
    """Return what a batch says of its place and of the plan that its data follow."""
    found = _object(Json(text.encode("utf-8", "surrogatepass")))
    plan, where = (_object(found.pop(name, _NULL)) for name in ("data_plan", "location"))
    told = dict(_named(plan, OURS)) | dict(_placed(cells.json_of(None) if not where else _text(where)))
    return cells.object_text(told | dict(_named(found, f"{OURS}context_")))


def known(names: Iterable[str], prefix: str) -> Callable[[str], str | None]:
    """Return what reads an object of which some fields keep their names and all others get a prefix."""
    kept = frozenset(names)

    def read(text: str) -> str | None:
        found = _object(Json(text.encode("utf-8", "surrogatepass")))
        plain = {name: value for name, value in found.items() if name in kept and bytes(value) not in EMPTY}
        others = {name: value for name, value in found.items() if name not in kept}
        return cells.object_text(plain | dict(_named(others, prefix)))

    return read


def identities(text: str) -> str | None:
    """Return a person's `customer_id`, and as one object, `others`, all other ids by their type.

    As sent they are an object, as forwarded a list of `{identity_type, identity, …}`; of a type that is listed twice
    the one updated last counts.
    """
    value = cells.value_of(text)
    if isinstance(value, list):
        value = {one["identity_type"]: one.get("identity") for one in sorted(value, key=_updated)}
    if value is not None and not isinstance(value, dict):
        raise ValueError(text)
    told = {name: one for name, one in (value or {}).items() if one not in {None, ""}}
    customer = told.pop("customer_id", None)
    others = {name: str(one) for name, one in told.items()}
    found = {"customer_id": None if customer is None else str(customer), OTHERS: others or None}
    return cells.sorted_text({name: one for name, one in found.items() if one is not None})


def attributes(text: str) -> str | None:
    """Return a person's attributes; mParticle's own, as `$firstname`, lose the `$`, which is PostHog's."""
    found = _object(Json(text.encode("utf-8", "surrogatepass")))
    bare = {name.removeprefix("$"): value for name, value in found.items() if name.startswith("$")}
    told = bare | {name: value for name, value in found.items() if not name.startswith("$")}
    return cells.object_text({name: value for name, value in told.items() if bytes(value) not in EMPTY})


def _updated(one: dict[str, object]) -> int:
    """Return when an identity was updated last."""
    return int(str(one.get("timestamp_unixtime_ms") or 0))


def _object(value: Json) -> dict[str, Json]:
    """Return the members of an object, none of null; raises `ValueError` of anything else."""
    text = bytes(value)
    if text == b"null":
        return {}
    found = cells.members(text)
    if found is None:
        raise ValueError(text)
    return dict(found)


def _text(members: Members) -> Json:
    """Return members as the object they are."""
    return Json((cells.object_text(members) or "{}").encode())


def _named(members: Members, prefix: str) -> Iterable[tuple[str, Json]]:
    """Yield members with a prefix before those that have none, without empty ones and tokens."""
    for name, value in members.items():
        text = bytes(value)
        if text in EMPTY or name in TOKENS:
            continue
        is_number = name in IDS and not text.startswith((b'"', b"{", b"["))
        yield (
            name if name.startswith(OURS) else prefix + name,
            Json(b'"' + text + b'"') if is_number else value,
        )


def _placed(location: Json) -> Iterable[tuple[str, Json]]:
    """Yield where something happened by PostHog's names, what it has no name for as `mparticle_location_…`."""
    for name, value in _object(location).items():
        if bytes(value) in EMPTY:
            continue
        yield PLACE.get(name, f"{OURS}location_{name.removeprefix('location_')}"), value


_NULL: Final = Json(b"null")
