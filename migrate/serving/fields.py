"""A source row beside what it becomes, field by field: passed on, renamed, changed, dropped or added.

It is told by comparing names and values, as a reader would: which expression of a mapping made a value is not known.
Where that leaves a doubt, a field is plain.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from migrate.jsontext.parse import raw_object
from migrate.kit.declare import Table

PASSED: Final = "passed"
RENAMED: Final = "renamed"
CHANGED: Final = "changed"
DROPPED: Final = "dropped"
ADDED: Final = "added"
PLAIN: Final = ""
_ORDER: Final = (PASSED, RENAMED, CHANGED, PLAIN, DROPPED)
"""Of several payloads of a row the one that has most of a field counts."""
TIME: Final = "timestamp"
"""Of a payload it is the time in a spelling of its own."""
_NOTHING: Final = frozenset({"", "null", "{}", "[]"})
_LIKELY: Final = frozenset({"0", "1", "true", "false", "yes", "no"})
"""Values that many fields have: that two are alike tells nothing."""
_LONGEST: Final = 10_000
"""Characters of a value that are shown."""
_SECONDS: Final = {10: 1, 13: 1_000, 16: 1_000_000}
"""Digits of a Unix time of our days -> how many of its unit are a second."""
_text: Final = msgspec.json.Decoder(str).decode
_spelled: Final = json.JSONEncoder(ensure_ascii=False).encode


class Field(NamedTuple):
    """One line: what it is called, its value as JSON, what became of it, and the field beside it that is meant."""

    name: str
    value: str
    mark: str = PLAIN
    other: str = ""


Flat = Mapping[str, str]
"""Names, those inside of objects behind a dot -> values as JSON."""


def flat(text: str) -> dict[str, str]:
    """Return the fields of a JSON object."""
    return dict(_members(text, ""))


def _members(text: str, path: str) -> Iterator[tuple[str, str]]:
    for name, value in raw_object(text).items():
        raw = bytes(value)
        where = f"{path}{name}"
        if raw[:1] == b"{" and raw.strip(b"{} \t\r\n"):
            yield from _members(raw.decode(), f"{where}.")
        elif raw[:1] == b'"':
            yield where, _spelled(_text(raw))
        else:
            yield where, raw.decode()


def beside(
    source: Flat, payloads: Sequence[Flat], table: Table | None
) -> tuple[list[Field], list[list[Field]]]:
    """Return the fields of a row, and those of each of its payloads, with what became of them."""
    row = _Row(source, table)
    became = [row.payload(one) for one in payloads]
    return row.fields(is_event=bool(payloads)), became


def shown(fields: Flat) -> list[Field]:
    """Return fields that are compared with nothing."""
    return [Field(name, _cut(value)) for name, value in fields.items()]


class _Row:
    """A source row, and what of it was found in its payloads."""

    def __init__(self, source: Flat, table: Table | None) -> None:
        self._source = source
        self._bare = {name: bare(value) for name, value in source.items()}
        self._by_name: dict[str, list[str]] = {}
        self._by_value: dict[str, str] = {}
        for name, value in self._bare.items():
            self._by_name.setdefault(_last(name), []).append(name)
            self._by_value.setdefault(value, name)
        self._table = table
        self._columns = frozenset[str]() if table is None else frozenset(map(str.lower, table.columns))
        renames = {} if table is None else table.rename
        self._dropped = {name for name, new in renames.items() if new is None}
        self._dropped |= frozenset() if table is None else table.dropped
        self._renamed = {
            new: name for name in source if (new := renames.get(name) or renames.get(_last(name))) is not None
        }
        self._found: dict[str, tuple[str, str]] = {}

    def payload(self, payload: Flat) -> list[Field]:
        """Return the fields of a payload."""
        inner = {part for path in payload for part in path.split(".")[1:-1]}
        for name, value in self._bare.items():
            if _last(name) in inner and value[:1] == "{":
                self._note(name, PASSED, name)
        return [self._field(path, value) for path, value in payload.items()]

    def _field(self, path: str, value: str) -> Field:
        mark, name = self._mark(path, bare(value))
        if name:
            self._note(name, mark, path)
        return Field(path, _cut(value), mark, name)

    def _mark(self, path: str, value: str) -> tuple[str, str]:
        """Return what a field of a payload is, and which field of the source it comes from."""
        key = _last(path)
        moment = _moment(value) if path == TIME else None
        same = self._by_name.get(key, [])
        for name in same:
            if self._bare[name] == value or (moment is not None and _moment(self._bare[name]) == moment):
                return PASSED, name
        if (renamed := self._renamed.get(key)) is not None:
            return (RENAMED if self._bare[renamed] == value else CHANGED), renamed
        if same:
            return CHANGED, same[0]
        if value not in _NOTHING and value not in _LIKELY and value in self._by_value:
            return RENAMED, self._by_value[value]
        if moment is not None:
            for name, one in self._bare.items():
                if _moment(one) == moment:
                    return RENAMED, name
        return ADDED, ""

    def _note(self, name: str, mark: str, path: str) -> None:
        before = self._found.get(name)
        if before is None or _ORDER.index(mark) < _ORDER.index(before[0]):
            self._found[name] = mark, path

    def fields(self, *, is_event: bool) -> list[Field]:
        """Return the fields of the row; where it makes no event there is nothing to tell of them."""
        found = []
        for name, value in self._source.items():
            mark, other = self._found.get(name, (self._lost(name) if is_event else PLAIN, ""))
            found.append(Field(name, _cut(value), mark, other))
        return found

    def _lost(self, name: str) -> str:
        """Return what a field is that is in no payload: dropped, or used in a way that does not show."""
        if self._table is None or self._bare[name] in _NOTHING:
            return PLAIN
        if name in self._dropped or _last(name) in self._dropped:
            return DROPPED
        return PLAIN if name.partition(".")[0].lower() in self._columns else DROPPED


def _last(path: str) -> str:
    return path.rpartition(".")[2] or path


def bare(value: str) -> str:
    """Return a value as text: 19.90 of a CSV and the number of that spelling are the same."""
    return _text(value) if value[:1] == '"' else value


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value):,} characters)"


def _moment(text: str) -> datetime | None:
    """Return the time that a text is, if it is one without any doubt."""
    try:
        if text.isdecimal():
            unit = _SECONDS.get(len(text))
            return None if unit is None else datetime.fromtimestamp(int(text) / unit, UTC)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
