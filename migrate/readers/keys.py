"""Root keys of JSON lines: which are declared, dropped or neither, on every line, and the rest they make."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

import msgspec

from migrate.mapping import Table
from migrate.readers.records import Header, spelled

_FAILURES: Final = (msgspec.DecodeError, RecursionError)
_FORBIDDEN: Final = frozenset(map(chr, range(32))) | {'"', "\\"}
"""msgspec takes no field names with these; such keys are looked at one by one."""

_REMEMBERED: Final = 100_000
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_Place = Literal["declared", "dropped"] | bytes
"""What a key is: a column in any spelling, nothing to pass on, or a member of the rest under this JSON name."""


class Keys:
    """What the root keys of one file's lines are to a table."""

    def __init__(self, table: Table, header: Header) -> None:
        self.spelling = {name: name for name in table.columns} | spelled(table.columns, header.columns)
        """Declared column -> the key read for it column-wise; other spellings are found line by line."""
        self._lowered = {name.lower() for name in table.columns}
        self._dropped = {name.lower() for name in table.dropped}
        self._places: dict[str, _Place] = {}
        dropped = {key for key in header.columns if key.lower() in self._dropped}
        self._known = _checker({*self.spelling.values(), *table.dropped, *dropped})
        self._expected = set(self.spelling.values())
        self._mostly_known = True

    def rests(self, lines: Mapping[int, bytes]) -> tuple[dict[int, str], set[int]]:
        """Return the rest of each line that has one, and the lines that need to be read with care."""
        unsure = self._unsure(lines) if self._mostly_known else lines
        rests: dict[int, str] = {}
        careful: set[int] = set()
        for index in unsure:
            try:
                rest = self._rest(_members(lines[index]))
            except _FAILURES:
                rest = None
            if rest is None:
                careful.add(index)
            elif rest:
                rests[index] = rest
        self._mostly_known = len(rests) < len(lines) / 2
        return rests, careful

    def split(self, members: Mapping[str, bytes]) -> tuple[dict[str, bytes], str | None]:
        """Return the declared members by column name, exact spellings first, and the rest."""
        left = dict(members)
        declared = {name: left.pop(name) for name in self.spelling if name in left}
        lowered: dict[str, str] = {}
        for key in left:
            lowered.setdefault(key.lower(), key)
        for name in self.spelling:
            if name not in declared and name.lower() in lowered:
                declared[name] = left.pop(lowered.pop(name.lower()))
        rest = [
            msgspec.json.encode(key) + b":" + value
            for key, value in left.items()
            if key.lower() not in self._dropped and value != b"null"
        ]
        return declared, _object(rest) or None

    def _unsure(self, lines: Mapping[int, bytes]) -> list[int]:
        """Return the lines with keys that are neither declared nor dropped, or that are no objects."""
        unsure = []
        for index, line in lines.items():
            try:
                self._known(line)
            except _FAILURES:
                unsure.append(index)
        return unsure

    def _rest(self, members: Mapping[str, msgspec.Raw]) -> str | None:
        """Return the rest of a line, perhaps empty; None if a column is there in an unexpected spelling."""
        rest: list[bytes] = []
        for key, value in members.items():
            place = self._places.get(key) or self._place(key)
            if place == "declared":
                return None
            if place != "dropped" and (text := bytes(value)) != b"null":
                rest.append(place + text)
        return _object(rest)

    def _place(self, key: str) -> _Place:
        if key in self._expected or key.lower() in self._dropped:
            place: _Place = "dropped"
        elif key.lower() in self._lowered:
            return "declared"
        else:
            place = msgspec.json.encode(key) + b":"
        if len(self._places) < _REMEMBERED:
            self._places[key] = place
        return place


def _object(members: Iterable[bytes]) -> str:
    """Return an object of these members, or no text for none."""
    inside = b",".join(members)
    return f"{{{inside.decode()}}}" if inside else ""


def _checker(keys: Iterable[str]) -> Callable[[bytes], object]:
    """Return a function that raises for a line with any other key."""
    names = [key for key in sorted(keys) if not _FORBIDDEN.intersection(key)]
    fields = [(f"f{index}", msgspec.Raw, msgspec.Raw()) for index in range(len(names))]
    rename = {f"f{index}": name for index, name in enumerate(names)}
    line = msgspec.defstruct("Line", fields, rename=rename, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(line).decode
