"""Properties as JSON text → as the rules want them, whatever they come in.

A name is judged as the source's mapping calls it and as it is renamed to: what is to be left out, hashed or shortened
is so under both.
"""

from collections import Counter
from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from migrate.jsontext.parse import Raw, encoded, raw_object
from migrate.payload.special import OTHER_ID
from migrate.rules.declared import ADDRESSES, HOLDERS, PROTECTED, Rules
from migrate.rules.names import Names
from migrate.rules.values import Hash, shortened

PREFIX: Final = "rule:"
"""Stands before a rule's name where its effect is counted."""
NOTHING_LEFT: Final = f"{PREFIX}nothing_left"
"""Under which name rows are counted that told of persons or groups alone, nothing of which is left."""
IS_ID: Final = "personal_id"
"""Under which name events are counted whose distinct_id, or a group's key, is a value to be left out or hashed."""
_MOST: Final = 50_000
_NOTHING: Final = Raw(b"null")
_BEFORE: Final = ',"properties":'
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


class _Fate(NamedTuple):
    """What becomes of a property."""

    dropped: str | None
    """The rule that leaves it out."""
    hashed: bool
    short: bool
    name: str

    @property
    def is_personal(self) -> bool:
        return self.hashed or self.dropped not in {None, "keep_only"}


class Bags:
    """The rules on properties, made ready."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._drop = Names(rules.drop, ignores_case=True)
        self._anywhere = Names(rules.drop_anywhere, ignores_case=True)
        self._keep = Names(rules.keep_only)
        self._hashed = Names(rules.hash, ignores_case=True)
        addresses = () if rules.shorten_ip is None else (*ADDRESSES, *rules.shorten_ip)
        self._short = Names(addresses, ignores_case=True)
        self._hash = Hash(rules.hash_salt)
        self._is_deep = bool(self._anywhere or self._hashed or self._short)
        self._fates: dict[str, _Fate] = {}
        self._constants = {name: Raw(encoded(value)) for name, value in rules.constants.items()}
        self._tags = {name: Raw(encoded(value)) for name, value in rules.tags.items()}

    def payload(self, payload: str, counts: Counter[str]) -> str:
        """Return a finished event's payload; what the rules did is counted by name."""
        event = _event(payload)
        bag = self._properties(event, counts)
        head = payload[: payload.index(_BEFORE)]
        return f"{head}{_BEFORE}{encoded(bag).decode()}}}"

    @property
    def changes_told(self) -> bool:
        """Whether anything is to be done with what is told of persons and groups."""
        return self._is_deep or bool(self._drop or self._keep or self._rules.rename)

    def told(self, text: str | None, counts: Counter[str]) -> str | None:
        """Return what is told of a person or group, an object; None where nothing is left."""
        if text is None:
            return None
        bag = self._members(raw_object(text), counts)
        return encoded(bag).decode() if bag else None

    def is_personal(self, name: str) -> bool:
        """Return whether values of this name are to be left out or hashed; of groups of such a type they are the keys.

        A key is an id, and is never hashed: such groups are left out.
        """
        return any(name in names for names in (self._drop, self._anywhere, self._hashed))

    def _properties(self, event: _Event, counts: Counter[str]) -> dict[str, Raw]:
        bag, other = event.properties, OTHER_ID.get(event.event)
        apart = set(PROTECTED) if other is None else {*PROTECTED, other}
        if other is not None and other in bag and self._is_unlinked(event, bag[other]):
            del bag[other]
            counts[f"{PREFIX}never_link"] += 1
        if event.event == "$groupidentify":
            apart.update(_GROUP_OF)
        groups = bag.get("$groups", _NOTHING)
        keys = raw_object(bytes(groups).decode()).values() if bytes(groups).startswith(b"{") else ()
        ids = (Raw(encoded(event.distinct_id)), *keys)
        found = self._members(bag, counts, apart=apart, ids=ids)
        for name, value in self._constants.items():
            if name not in found and name != other:
                found[name] = value
                counts[f"{PREFIX}constants"] += 1
        for name, value in self._tags.items():
            if name != other:
                found[name] = value
                counts[f"{PREFIX}tags"] += 1
        return found

    def _is_unlinked(self, event: _Event, raw: Raw) -> bool:
        ids = self._rules.unlinked
        return bool(ids) and (
            event.distinct_id in ids or (bytes(raw).startswith(b'"') and _text(raw).strip() in ids)
        )

    def _members(
        self,
        bag: dict[str, Raw],
        counts: Counter[str],
        *,
        apart: set[str] | None = None,
        ids: Collection[Raw] = (),
    ) -> dict[str, Raw]:
        """Return the members of an object of properties; those `apart` stay, and only an event's hold others."""
        found: dict[str, Raw] = {}
        moved: dict[str, Raw] = {}
        for name, raw in bag.items():
            if apart is not None and (name in apart or name in _HELD):
                value = raw if name in apart else self._held(name, raw, counts)
                if value is not None:
                    found[name] = value
                continue
            fate = self._fate(name)
            if fate.is_personal and raw in ids:
                counts[IS_ID] += 1
            value = self._value(raw, fate, counts)
            if value is None:
                continue
            if fate.name == name:
                found[name] = value
            else:
                moved[name] = value
        for name in self._rules.rename if moved else ():
            if name in moved:
                new = self._rules.rename[name]
                is_taken = new in found or (apart is not None and new in apart)
                counts[f"{PREFIX}{'rename_taken' if is_taken else 'rename'}"] += 1
                if not is_taken:
                    found[new] = moved[name]
        return found

    def _held(self, name: str, raw: Raw, counts: Counter[str]) -> Raw | None:
        """Return an object of properties, or of groups, inside of an event's properties; None where nothing is left."""
        text = bytes(raw)
        if name == "$unset" and text.startswith(b"["):
            return self._unset(raw)
        if not text.startswith(b"{"):
            return self._deep(raw, counts)
        members = raw_object(text.decode())
        if name == "$groups":
            left = {kind: key for kind, key in members.items() if not self.is_personal(kind)}
            counts.update(+Counter({f"{PREFIX}groups": len(members) - len(left)}))
            return Raw(encoded(left)) if left else None
        return Raw(encoded(self._members(members, counts)))

    def _unset(self, raw: Raw) -> Raw:
        """Return the names of properties to be taken from a person, as they are called by the rules."""
        try:
            names = _names(raw)
        except msgspec.ValidationError:
            return raw
        return Raw(encoded([self._rules.rename.get(name, name) for name in names]))

    def _value(self, raw: Raw, fate: _Fate, counts: Counter[str]) -> Raw | None:
        if fate.dropped is not None:
            counts[f"{PREFIX}{fate.dropped}"] += 1
            return None
        if fate.hashed:
            counts[f"{PREFIX}hash"] += 1
            return self._hash.of(raw)
        if fate.short:
            counts[f"{PREFIX}shorten_ip"] += 1
            return shortened(raw)
        return self._deep(raw, counts)

    def _deep(self, raw: Raw, counts: Counter[str]) -> Raw:
        """Return a value with what the rules say of names at any depth; its own text where they say nothing of it."""
        if not self._is_deep:
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
            fate = self._inner(name)
            value = self._value(one, fate, counts)
            is_same = is_same and value is one
            if value is not None:
                found[name] = value
        return raw if is_same else Raw(encoded(found))

    def _fate(self, name: str) -> _Fate:
        """Return what becomes of a property of an event, person or group."""
        fate = self._fates.get(name)
        if fate is None:
            if len(self._fates) >= _MOST:
                self._fates.clear()
            new = self._rules.rename.get(name, name)
            inner, renamed = self._inner(name), self._inner(new)
            dropped = inner.dropped or renamed.dropped
            if name in self._drop or new in self._drop:
                dropped = "drop"
            elif dropped is None and self._keep and name not in self._keep and new not in self._keep:
                dropped = "keep_only"
            fate = _Fate(dropped, inner.hashed or renamed.hashed, inner.short or renamed.short, new)
            self._fates[name] = fate
        return fate

    def _inner(self, name: str) -> _Fate:
        """Return what becomes of a name at any depth."""
        dropped = "drop_anywhere" if name in self._anywhere else None
        return _Fate(dropped, name in self._hashed, name in self._short, name)


_HELD: Final = {*HOLDERS, "$groups", "$unset"}


def _is(one: Raw, other: Raw) -> bool:
    return one is other
