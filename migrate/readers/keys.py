"""Root keys of JSON lines: which are declared, dropped or neither, on every line, and the rest they make."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec
import polars as pl

from migrate.mapping import Table
from migrate.readers.care import Anything
from migrate.readers.records import Header, spelled

_FAILURES: Final = (msgspec.DecodeError, RecursionError)
_FORBIDDEN: Final = frozenset(map(chr, range(32))) | {'"', "\\"}
"""msgspec takes no field names with these; such keys are looked at one by one."""

_FEW: Final = 8
"""So many columns are taken out of the lines here, in half the time that reading them column-wise takes."""
_REMEMBERED: Final = 100_000
_PIECE_BYTES: Final = 1 << 16
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
        self._expected = set(self.spelling.values())
        known = {*self._expected, *table.dropped, *dropped}
        self._seen = [key for key in header.columns if key in known]
        self._unseen = known.difference(header.columns)
        self._objects = {self.spelling[name] for name in table.objects}
        self._known = _checker([*self._seen, *sorted(self._unseen)], frozenset()).decode
        self._are_few = len(self._expected) <= _FEW and not self._objects
        """Whether `cells` can be told: few columns are wanted, and so far each has held texts and whole numbers."""
        self._sound = self._new_checker()
        self._mostly_known = True

    @property
    def seen(self) -> list[str]:
        """The keys read column-wise that any line had so far, in a sound block or at the start of the file."""
        return [key for key in self._seen if key in self._expected]

    def are_sound(self, block: bytes) -> bool:
        """Whether lines are objects with declared and dropped keys alone, objects where the table declares them."""
        return all(self._decoded(piece) is not None for piece in _pieces(block))

    def cells(self, block: bytes) -> pl.DataFrame | None:
        """Return the cells of sound lines by key, where few are wanted; None where they are not simply told."""
        if not self._are_few:
            return None
        found: dict[str, list[str | int | None]] = {}
        height = 0
        for piece in _pieces(block):
            lines = self._decoded(piece)
            if lines is None or not self._are_few:
                return None
            for key, place in self._told:
                found.setdefault(key, [None] * height).extend(map(place, lines))
            height += len(lines)
        try:
            return pl.DataFrame({key: _texts(values) for key, values in found.items()})
        except ValueError:  # a whole number of thousands of digits
            return None

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

    def _decoded(self, lines: bytes) -> Sequence[Any] | None:
        """Return lines decoded by `_sound`, None where one is not sound."""
        while True:
            try:
                return self._sound.decode_lines(lines)
            except msgspec.ValidationError:
                if self._learned(lines):
                    continue
                if not self._are_few:
                    return None
                self._are_few = False
                self._sound = self._new_checker()
            except _FAILURES:
                return None

    def _learned(self, lines: bytes) -> bool:
        """Take note of the known keys that are new in these lines; False if there are none."""
        new = [key for line in lines.split(b"\n") for key in _keys(line) if key in self._unseen]
        if not new:
            return False
        self._unseen.difference_update(new)
        self._seen += dict.fromkeys(new)
        self._sound = self._new_checker()
        return True

    def _new_checker(self) -> msgspec.json.Decoder[Any]:
        """Return what decodes sound lines, of the keys seen so far."""
        fields = _fields(self._seen)
        self._told = [(key, attrgetter(field)) for key, field in fields.items() if key in self._expected]
        return _checker(self._seen, self._objects, self._expected if self._are_few else frozenset())

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


def _keys(line: bytes) -> Iterable[str]:
    """Return the keys of an object, none for anything else."""
    try:
        return _members(line)
    except _FAILURES:
        return ()


def _pieces(block: bytes) -> Iterator[bytes]:
    """Cut a block into pieces of whole lines, so small that what is read of one stays in the processor's cache.

    2.2 µs a row of 55 keys, where 3 MB at once take 3.8 and line by line takes 2.3 with the cutting (measured).
    """
    start = 0
    while start < len(block):
        end = block.rfind(b"\n", start, start + _PIECE_BYTES) + 1
        end = end or block.find(b"\n", start + _PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end


def _fields(keys: Sequence[str]) -> dict[str, str]:
    """Return a field's name for each key."""
    return {key: f"f{index}" for index, key in enumerate(keys) if not _FORBIDDEN.intersection(key)}


def _texts(values: Sequence[str | int | None]) -> pl.Series:
    """Return texts as they are and whole numbers in their digits."""
    for dtype in (pl.String, pl.Int64):
        with suppress(TypeError, OverflowError):
            return pl.Series(values, dtype=dtype).cast(pl.String)
    return pl.Series([str(value) if isinstance(value, int) else value for value in values], dtype=pl.String)


def _checker(
    keys: Sequence[str], objects: AbstractSet[str], told: AbstractSet[str] = frozenset()
) -> msgspec.json.Decoder[Any]:
    """Return a decoder that raises for lines with any other key, or without an object where one must be.

    What is told is decoded, and must be text or a whole number; all else is looked at no closer.
    Keys in the order in which lines have them are found twice as fast (18 of 60, measured).
    """
    fields = _fields(keys)
    types = {key: str | int | None if key in told else msgspec.Raw for key in fields}
    types |= dict.fromkeys(objects & types.keys(), Anything | None)
    line = msgspec.defstruct(
        "Line",
        [(field, types[key], None) for key, field in fields.items()],
        rename={field: key for key, field in fields.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(line)
