"""What becomes of a property for its name: worked out once a name, as most are of no interest to any rule.

A name is judged as the source's mapping calls it and as it is renamed to: what is to be left out, hashed or shortened
is so under both.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from migrate.rules.declared import ADDRESSES, HOLDERS, PROTECTED, Rules
from migrate.rules.names import Names

HELD: Final = frozenset({*HOLDERS, "$groups", "$unset"})
"""What of an event holds properties, or groups, of others."""
_MOST: Final = 50_000
_MOST_NEAR: Final = 1_000


class Fate(NamedTuple):
    """What becomes of a property."""

    dropped: str | None
    """The rule that leaves it out."""
    is_hashed: bool
    is_short: bool
    name: str
    is_personal: bool
    """Whether its values are to be left out or hashed, by a rule that says so of them."""
    is_plain: bool
    """Whether no rule has an interest in it."""


class Fates:
    """The rules on names, made ready."""

    def __init__(self, rules: Rules) -> None:
        self._rename = rules.rename
        self._drop = Names(rules.drop, ignores_case=True)
        self._anywhere = Names(rules.drop_anywhere, ignores_case=True)
        self._keep = Names(rules.keep_only)
        self._hashed = Names(rules.hash, ignores_case=True)
        addresses = () if rules.shorten_ip is None else (*ADDRESSES, *rules.shorten_ip)
        self._short = Names(addresses, ignores_case=True)
        self.is_deep = bool(self._anywhere or self._hashed or self._short)
        """Whether any rule holds at any depth."""
        self.is_any = self.is_deep or bool(self._drop or self._keep or self._rename)
        self._renamed: set[str] = set()
        self.near: dict[str, set[str]] = {}
        """Names that a rule on values does not mean, each with what it has met that ends so, and goes as it is."""
        self._known: dict[str, Fate] = {}
        self._inside: dict[str, Fate] = {}
        self._plain: tuple[set[str], set[str]] = (set(), set())

    def is_personal(self, name: str) -> bool:
        """Return whether values of this name are to be left out or hashed; of groups of such a type they are the keys.

        A key is an id, and is never hashed: such groups are left out.
        """
        return any(name in names for names in (self._drop, self._anywhere, self._hashed))

    def touched(self, bag: Iterable[str], *, is_event: bool) -> Sequence[str]:
        """Return the names that a rule has an interest in; of an event also those that hold others."""
        plain = self._plain[is_event]
        if plain.issuperset(bag):
            return ()
        if len(plain) >= _MOST:
            plain.clear()
        found = []
        for name in bag:
            if name in plain:
                continue
            is_held = is_event and name in HELD
            if (is_event and name in PROTECTED) or (self.of(name).is_plain and not is_held):
                plain.add(name)
            else:
                found.append(name)
        return found

    def of(self, name: str) -> Fate:
        """Return what becomes of a property of an event, person or group."""
        return _asked(name, self._known, self._found)

    def inside(self, name: str) -> Fate:
        """Return what becomes of a name inside of a value, at any depth."""
        return _asked(name, self._inside, self._found_inside)

    def _found_inside(self, name: str) -> Fate:
        dropped = "drop_anywhere" if name in self._anywhere else None
        return _fate(dropped, name, name, is_hashed=name in self._hashed, is_short=name in self._short)

    def _found(self, name: str) -> Fate:
        new = self._rename.get(name, name)
        one, other = self.inside(name), self.inside(new)
        dropped = one.dropped or other.dropped
        if name in self._drop or new in self._drop:
            dropped = "drop"
        elif dropped is None and self._keep and name not in self._keep and new not in self._keep:
            dropped = "keep_only"
        if name in self._rename:
            self._renamed.add(name)
        is_hashed, is_short = one.is_hashed or other.is_hashed, one.is_short or other.is_short
        fate = _fate(dropped, name, new, is_hashed=is_hashed, is_short=is_short)
        if dropped is None and not is_hashed and not is_short:
            for meant in filter(
                None, (names.like(new) for names in (self._drop, self._anywhere, self._hashed))
            ):
                found = self.near.setdefault(meant, set())
                if len(found) < _MOST_NEAR:
                    found.add(name)
        return fate

    def unmet(self) -> dict[str, list[str]]:
        """Return what the rules name that no property was called by so far, by rule."""
        found = {
            "drop": self._drop.unmet(),
            "drop_anywhere": self._anywhere.unmet(),
            "keep_only": self._keep.unmet(),
            "hash": self._hashed.unmet(),
            "shorten_ip": [one for one in self._short.unmet() if one not in ADDRESSES],
            "rename": [one for one in self._rename if one not in self._renamed],
        }
        return {rule: names for rule, names in found.items() if names}


def _asked(name: str, known: dict[str, Fate], find: Callable[[str], Fate]) -> Fate:
    """Return what is known of a name, or is found and then known."""
    fate = known.get(name)
    if fate is None:
        if len(known) >= _MOST:
            known.clear()
        fate = known[name] = find(name)
    return fate


def _fate(dropped: str | None, name: str, new: str, *, is_hashed: bool, is_short: bool) -> Fate:
    is_personal = is_hashed or dropped not in {None, "keep_only"}
    is_plain = dropped is None and not is_hashed and not is_short and name == new
    return Fate(dropped, is_hashed, is_short, new, is_personal, is_plain)
