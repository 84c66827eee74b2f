"""Properties as JSON text → as the rules want them, whatever they come in."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from migrate.jsontext.parse import Raw, encoded, raw_object
from migrate.payload.special import OTHER_ID
from migrate.rules.declared import Rules
from migrate.rules.fates import HELD, Fate, Fates
from migrate.rules.values import Hash, shortened

PREFIX: Final = "rule:"
"""Stands before a rule's name where its effect is counted."""
NOTHING_LEFT: Final = f"{PREFIX}nothing_left"
"""Under which name rows are counted that told of persons or groups alone, nothing of which is left."""
IS_ID: Final = "personal_id"
"""Under which name events are counted whose distinct_id, or a group's key, is a value to be left out or hashed."""
_CONTAINERS: Final = (b"{", b"[")
_BEFORE: Final = ',"properties":'
_NUMBERED: Final = tuple(f"$group_{number}" for number in range(5))
_GROUP_OF: Final = ("$group_type", "$group_key")
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_names: Final = msgspec.json.Decoder(list[str]).decode
_text: Final = msgspec.json.Decoder(str).decode


class _Event(msgspec.Struct):
    """A payload, as far as it is looked into."""

    event: str
    distinct_id: str
    properties: dict[str, Raw]


_event: Final = msgspec.json.Decoder(_Event).decode


class Bags:
    """The rules on properties, made ready. What they do is counted, each under its name."""

    def __init__(self, rules: Rules) -> None:
        self._unlinked = rules.unlinked
        self._rename = rules.rename
        self._hash = Hash(rules.hash_salt)
        self._constants = {name: Raw(encoded(value)) for name, value in rules.constants.items()}
        self._tags = {name: Raw(encoded(value)) for name, value in rules.tags.items()}
        self.fates = Fates(rules)

    def payload(self, payload: str, counts: Counter[str]) -> str:
        """Return a finished event's payload."""
        event = _event(payload)
        if not self._rule_event(event, counts):
            return payload
        head = payload[: payload.index(_BEFORE)]
        return f"{head}{_BEFORE}{encoded(event.properties).decode()}}}"

    def told(self, text: str | None, counts: Counter[str]) -> str | None:
        """Return what is told of a person or group, an object; None where nothing is left."""
        if text is None:
            return None
        bag = raw_object(text)
        is_changed = self._rule(bag, counts)
        return (encoded(bag).decode() if is_changed else text) if bag else None

    def is_personal_group(self, text: str | None) -> bool:
        """Return whether properties name a type of groups whose keys are to be left out or hashed."""
        raw = raw_object(text).get(_GROUP_OF[0], b"") if text is not None and _GROUP_OF[0] in text else b""
        return bytes(raw).startswith(b'"') and self.fates.is_personal(_text(raw))

    def _rule_event(self, event: _Event, counts: Counter[str]) -> bool:
        """Change what stands in an event's properties; return whether anything is another."""
        bag, other, is_changed = event.properties, OTHER_ID.get(event.event), False
        apart = _GROUP_OF if event.event == "$groupidentify" else () if other is None else (other,)
        if other is not None and other in bag and self._is_unlinked(event, bag[other]):
            del bag[other]
            counts[f"{PREFIX}never_link"] += 1
            is_changed = True
        groups = bag.get("$groups")
        is_changed |= self._rule(bag, counts, event, apart)
        if groups is not None and bag.get("$groups") is not groups:
            _leave_out_keys(bag, groups)
        for name, value in self._constants.items():
            if name not in bag and name != other:
                bag[name], is_changed = value, True
                counts[f"{PREFIX}constants"] += 1
        for name, value in self._tags.items():
            if name != other:
                bag[name], is_changed = value, True
                counts[f"{PREFIX}tags"] += 1
        return is_changed

    def _is_unlinked(self, event: _Event, raw: Raw) -> bool:
        """Return whether an event would make one of ids that are made one with no other."""
        ids = self._unlinked
        if not ids or event.distinct_id in ids:
            return bool(ids)
        return bytes(raw).startswith(b'"') and _text(raw).strip() in ids

    def _rule(
        self,
        bag: dict[str, Raw],
        counts: Counter[str],
        event: _Event | None = None,
        apart: Collection[str] = (),
    ) -> bool:
        """Change an object of properties, an event's, or a person's or group's; return whether anything is another.

        Of an event what is `apart` stays.
        """
        touched = self.fates.touched(bag, is_event=event is not None)
        is_changed, moved = False, {}
        for name in touched:
            if name in apart:
                continue
            raw = bag[name]
            value, new = self._ruled(name, raw, counts, event)
            if value is raw and new == name:
                continue
            is_changed = True
            if value is not None and new == name:
                bag[name] = value
                continue
            del bag[name]
            if value is not None:
                moved[name] = value
        if self.fates.is_deep:
            is_changed |= self._rule_values(bag, touched, counts)
        if moved:
            self._move(bag, moved, apart, counts)
        return is_changed

    def _ruled(
        self, name: str, raw: Raw, counts: Counter[str], event: _Event | None
    ) -> tuple[Raw | None, str]:
        """Return a property's value and name; None for a value that is left out."""
        if event is not None and name in HELD:
            return self._held(name, raw, counts), name
        fate = self.fates.of(name)
        if event is not None and fate.is_personal and raw in _ids(event):
            counts[IS_ID] += 1
        return self._value(raw, fate, counts), fate.name

    def _rule_values(self, bag: dict[str, Raw], done: Collection[str], counts: Counter[str]) -> bool:
        """Change what stands inside of values; return whether anything is another."""
        is_changed = False
        for name, raw in bag.items():
            if bytes(raw)[:1] in _CONTAINERS and name not in done:
                bag[name] = value = self._deep(raw, counts)
                is_changed |= value is not raw
        return is_changed

    def _move(
        self,
        bag: dict[str, Raw],
        moved: Mapping[str, Raw],
        apart: Collection[str],
        counts: Counter[str],
    ) -> None:
        """Put values under their other names, in the order of the rules; what is called so already stays."""
        for name, new in self._rename.items():
            if name not in moved:
                continue
            is_taken = new in bag or new in apart
            counts[f"{PREFIX}{'rename_taken' if is_taken else 'rename'}"] += 1
            if not is_taken:
                bag[new] = moved[name]

    def _held(self, name: str, raw: Raw, counts: Counter[str]) -> Raw | None:
        """Return an object of properties, or of groups, inside of an event's properties; None where nothing is left."""
        text = bytes(raw)
        if name == "$unset" and text.startswith(b"["):
            return self._unset(raw)
        if not text.startswith(b"{"):
            return self._deep(raw, counts)
        members = raw_object(text.decode())
        if name == "$groups":
            left = {kind: key for kind, key in members.items() if not self.fates.is_personal(kind)}
            counts.update(+Counter({f"{PREFIX}groups": len(members) - len(left)}))
            return raw if len(left) == len(members) else Raw(encoded(left)) if left else None
        return Raw(encoded(members)) if self._rule(members, counts) else raw

    def _unset(self, raw: Raw) -> Raw:
        """Return the names of properties to be taken from a person, as they are called by the rules."""
        try:
            names = _names(raw)
        except msgspec.ValidationError:
            return raw
        renamed = [self._rename.get(name, name) for name in names]
        return raw if renamed == names else Raw(encoded(renamed))

    def _value(self, raw: Raw, fate: Fate, counts: Counter[str]) -> Raw | None:
        if fate.dropped is not None:
            counts[f"{PREFIX}{fate.dropped}"] += 1
            return None
        if fate.is_hashed:
            counts[f"{PREFIX}hash"] += 1
            return self._hash.of(raw)
        if fate.is_short:
            counts[f"{PREFIX}shorten_ip"] += 1
            return shortened(raw)
        return self._deep(raw, counts)

    def _deep(self, raw: Raw, counts: Counter[str]) -> Raw:
        """Return a value with what the rules say of names at any depth; its own text where they say nothing of it."""
        if not self.fates.is_deep:
            return raw
        text = bytes(raw)
        if text.startswith(b"["):
            elements = _list(text)
            new = [self._deep(one, counts) for one in elements]
            return raw if all(map(_is, elements, new)) else Raw(encoded(new))
        if not text.startswith(b"{"):
            return raw
        is_same, found = True, {}
        for name, one in raw_object(text.decode()).items():
            value = self._value(one, self.fates.inside(name), counts)
            is_same = is_same and value is one
            if value is not None:
                found[name] = value
        return raw if is_same else Raw(encoded(found))


def _leave_out_keys(bag: dict[str, Raw], before: Raw) -> None:
    """Leave out the keys of groups that have been left out, as PostHog writes them beside (`$group_0` … `$group_4`)."""
    left = raw_object(bytes(bag.get("$groups", b"{}")).decode())
    gone = [key for kind, key in raw_object(bytes(before).decode()).items() if kind not in left]
    for name in _NUMBERED:
        if bag.get(name) in gone:
            del bag[name]


def _ids(event: _Event) -> Sequence[Raw]:
    """Return the ids that an event is sent with: of its person, of its groups."""
    groups = bytes(event.properties.get("$groups", b""))
    keys = raw_object(groups.decode()).values() if groups.startswith(b"{") else ()
    return (Raw(encoded(event.distinct_id)), *keys)


def _is(one: Raw, other: Raw) -> bool:
    return one is other
