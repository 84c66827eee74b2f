"""What a user may say under `[rules]`: each rule a field, with what it says and an example; read from TOML, checked.

Rules stand by name in alphabetical order, so that the same rules in another order are the same.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final

from migrate.errors import UsageError
from migrate.payload.checks import MAX_NAME
from migrate.payload.payloads import Imprint
from migrate.payload.properties import LIBRARY
from migrate.payload.special import MERGE_EVENTS, units
from migrate.rules.values import trace

Value = str | int | float | bool | list[Any] | dict[str, Any]

PROTECTED: Final = frozenset(
    {*Imprint(platform="", import_id="").forced(), "$process_person_profile", *LIBRARY}
)
"""Properties that an import must have, whatever the rules say."""
HOLDERS: Final = ("$set", "$set_once", "$group_set")
"""Objects of properties of persons and groups, whose own names the rules are about."""
MEANT: Final = frozenset({*HOLDERS, "$unset", "$groups", "$group_type", "$group_key", "$anon_distinct_id"})
"""What PostHog acts upon, and no rule makes or takes away; what persons and groups are told is a choice of its own."""
TELLING: Final = ("$set", "$groupidentify", *MERGE_EVENTS)
"""Events that PostHog changes persons and groups by."""
ADDRESSES: Final = ("$ip", "ip")
_SALT_LETTERS: Final = 16
_MOST_DIGITS: Final = 2**53


def rule(summary: str, example: str, *, empty: object = ()) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Declare a rule: what it does, and how it may stand in a file; `empty` where nothing is said."""
    metadata = {"summary": summary, "example": example}
    if empty is dict:
        return field(default_factory=dict, metadata=metadata)
    return field(default=empty, metadata=metadata)


@dataclass(frozen=True, kw_only=True, repr=False)
class Rules:
    """What the user has said; without anything they are not in effect. The salt is in no repr."""

    drop: tuple[str, ...] = rule(
        "Properties to leave out, of events, persons and groups.", '["email", "*_phone"]'
    )
    drop_anywhere: tuple[str, ...] = rule(
        "The same, also inside of objects and lists, at any depth.", '["password", "*token*"]'
    )
    keep_only: tuple[str, ...] = rule(
        "Leave out all properties but these; PostHog's own too, unless `$*` is among them.",
        '["plan", "price", "$*"]',
    )
    hash: tuple[str, ...] = rule(
        "Properties whose values are replaced by an HMAC-SHA-256 of them, at any depth; needs hash_salt.",
        '["email"]',
    )
    hash_salt: str = rule(
        "The salt of hash, 16 letters or more: from the environment or a file.",
        '{ env = "HASH_SALT" }',
        empty="",
    )
    shorten_ip: tuple[str, ...] | None = rule(
        "Addresses lose what tells one machine from others (IPv4 /24, IPv6 /48), at any depth: true for `$ip` and "
        "`ip`, or the names of more; what is no address there is left out.",
        "true",
        empty=None,
    )
    rename: Mapping[str, str] = rule(
        "Properties under another name; one that is called so already stays, the other is left out.",
        '{ plan_name = "plan" }',
        empty=dict,
    )
    constants: Mapping[str, Value] = rule(
        "Properties of events that have none of this name.", '{ environment = "production" }', empty=dict
    )
    tags: Mapping[str, Value] = rule(
        "Properties of every event, whatever the source says.", '{ imported_from = "acme" }', empty=dict
    )
    event_names: Mapping[str, str] = rule(
        "Events under another name.", '{ signup = "signed up" }', empty=dict
    )
    drop_events: tuple[str, ...] = rule("Events to leave out, by name.", '["heartbeat", "debug_*"]')
    only_events: tuple[str, ...] = rule(
        "Leave out all events but these, and but those that tell who is who and of persons and groups.",
        '["order *"]',
    )
    never_import: tuple[str, ...] = rule(
        "Ids of which nothing is imported: no event, no person, no link.", '["monitoring"]'
    )
    never_link: tuple[str, ...] = rule("Ids that are made one with no other.", '["kiosk-1"]')

    @cached_property
    def identity(self) -> str | None:
        """A digest of what decides which events there are, and whose; None without any of it."""
        return self._digest(*ON_EVENTS)

    @cached_property
    def rest(self) -> str | None:
        """A digest of what else is decided; of the salt only whether it is the same. None without any of it."""
        names = [one.name for one in fields(self) if one.name not in {*ON_EVENTS, "hash_salt"}]
        return self._digest(*names, salt=trace(self.hash_salt) if self.hash_salt else "")

    @cached_property
    def personal(self) -> str | None:
        """A digest of what keeps values from being sent as they are; None without any of it."""
        return self._digest(*ON_VALUES, salt=trace(self.hash_salt) if self.hash_salt else "")

    @property
    def changes_properties(self) -> bool:
        """Whether anything is to be done with properties of events."""
        return self.rest is not None or bool(self.never_import or self.never_link)

    @cached_property
    def unlinked(self) -> frozenset[str]:
        """Ids that are made one with no other."""
        return frozenset((*self.never_import, *self.never_link))

    def _digest(self, *names: str, salt: str = "") -> str | None:
        said = {
            name: value for name in names if (value := getattr(self, name)) or (name, value) == _USUAL_IPS
        }
        if not said:
            return None
        if "rename" in said:
            said["rename"] = [*said["rename"].items()]  # of two with one new name the first has it
        text = json.dumps([said, salt], sort_keys=True).encode()
        return hashlib.blake2b(text, digest_size=8).hexdigest()


NO_RULES: Final = Rules()
ON_EVENTS: Final = ("event_names", "drop_events", "only_events", "never_import", "never_link")
"""Rules that decide which events there are, and whose; the others decide what they say."""
ON_VALUES: Final = ("drop", "drop_anywhere", "keep_only", "hash", "shorten_ip")
"""Rules that keep values from being sent as they are."""
_USUAL_IPS: Final = ("shorten_ip", ())
_ON_WHAT_IS_STRIPPED: Final = ("drop_events", "only_events", "never_import", "never_link")
"""Rules about names and ids, which are compared without the blanks around them."""
_PATTERNS: Final = ("drop", "drop_anywhere", "keep_only", "hash", "shorten_ip")
_OBJECTS: Final = ("constants", "tags")
_PAIRS: Final = ("rename", "event_names")


def read(
    table: Mapping[str, Any], where: str, secret: Callable[[str, Any], str] = lambda _, value: str(value)
) -> Rules:
    """Return the rules of a table of TOML; raises UsageError, which says `where`, for what cannot be meant.

    `secret` returns what a reference stands for; it is given the name of the rule and what is said.
    """
    known = [one.name for one in fields(Rules)]
    said: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        place = f"{where} {key}"
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; is {near[0]} meant?" if near else ""
            raise UsageError(f"{place}: no such rule{hint} (rules are {', '.join(known)})")
        if name in said:
            raise UsageError(f"{place}: said twice, with a hyphen and with an underscore; leave one out")
        said[name] = secret(name, value) if name == "hash_salt" else _value(name, value, place)
    rules = Rules(**{name: value for name, value in said.items() if value is not None})
    _check(rules, where)
    return rules


def _value(name: str, value: object, place: str) -> object:
    """Return what is said of one rule, as it is kept; None for nothing."""
    if name in _OBJECTS:
        return {key: _plain(one, f"{place}.{key}") for key, one in _table(value, place).items()}
    if name in _PAIRS:
        pairs = _table(value, place)
        for key, one in pairs.items():
            _text(one, f"{place}.{key}")
        return pairs
    if name == "shorten_ip" and isinstance(value, bool):
        return () if value else None
    if not isinstance(value, list):
        raise UsageError(f'{place}: not a list of names, found {_shown(value)}; write {name} = ["…"]')
    for one in value:
        _text(one, place)
    return tuple(sorted({one.strip() for one in value} if name in _ON_WHAT_IS_STRIPPED else set(value)))


def _table(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f'{place}: not a table, found {_shown(value)}; write {{ name = "…" }}')
    if "" in value:
        raise UsageError(f"{place}: a name that is empty; name the property")
    return value


def _text(value: object, place: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f'{place}: not a name, found {_shown(value)}; write it as "…"')


def _plain(value: object, place: str) -> object:
    """Return a constant; raises UsageError for what JSON or PostHog cannot keep as it is."""
    if isinstance(value, dict):
        return {key: _plain(one, f"{place}.{key}") for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, place) for one in value]
    is_number = isinstance(value, int | float) and not abs(value) <= _MOST_DIGITS
    if not isinstance(value, str | int | float) or is_number:
        raise UsageError(
            f'{place}: neither text nor true, false or a number up to 2^53, found {_shown(value)}; write it as "…"'
        )
    return value


def _check(rules: Rules, where: str) -> None:
    """Raise UsageError for rules about what PostHog acts upon, or that cannot do what they are there for."""
    if rules.hash and len(rules.hash_salt) < _SALT_LETTERS:
        found = f"{len(rules.hash_salt)} letters" if rules.hash_salt else "nothing"
        raise UsageError(
            f"{where} hash_salt: hash needs one of {_SALT_LETTERS} letters or more, found {found}, as whoever guesses "
            'it finds out the values; write hash_salt = { env = "HASH_SALT" }'
        )
    made = {
        "rename": [*rules.rename, *rules.rename.values()],
        "constants": rules.constants,
        "tags": rules.tags,
    }
    exact = {name: [one for one in getattr(rules, name) or () if "*" not in one] for name in _PATTERNS}
    del exact["keep_only"]
    for name, names in {**made, **exact}.items():
        for one in names:
            if one in MEANT or one in PROTECTED:
                why = "what PostHog acts upon" if one in MEANT else "what every import must have"
                way = "; see --person-properties" if one in HOLDERS else ""
                raise UsageError(f"{where} {name}: {one} is {why}, and stays as it is{way}; leave it out")
    for one in (*rules.event_names, *rules.event_names.values()):
        if one.strip() in TELLING:
            raise UsageError(
                f"{where} event_names: {one} is an event that PostHog changes persons or groups by; leave it out"
            )
    if long := [one for one in rules.event_names.values() if units(one) > MAX_NAME]:
        raise UsageError(
            f"{where} event_names: longer than {MAX_NAME} characters, found '{long[0][:40]}…'; give a shorter one"
        )


def _shown(value: object) -> str:
    return json.dumps(value) if isinstance(value, str | int | float | list) else type(value).__name__
