"""The spec of any flat file: which column plays which part, and where that contradicts itself or a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from migrate.errors import UsageError

_KINDS: Final = ("json", "numbers", "booleans")
LISTS: Final = (*_KINDS, "dedup_key", "drop", "keep")
TABLES: Final = ("rename", "set", "set_once", "groups")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A spec that has been read: which column plays which part."""

    event: str | None
    event_name: str | None
    distinct_id: Sequence[str]
    timestamp: str
    format: str
    zone: str | None
    uuid: str | None
    lists: Mapping[str, Sequence[str]]
    tables: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, str | float | bool]
    nulls: Sequence[str]

    def kinds(self) -> dict[str, str]:
        """Return the columns that are more than text, each with its kind."""
        return {column: kind for kind in _KINDS for column in self.lists[kind]}

    def identity(self) -> dict[str, str]:
        """Return the columns that become the event's own text, each with the key that says so."""
        own = {self.event: "event", self.timestamp: "timestamp", self.uuid: "uuid"}
        own |= {column: f"groups.{kind}" for kind, column in self.tables["groups"].items()}
        own[self.distinct_id[0]] = "distinct_id"
        return {column: key for column, key in own.items() if column is not None}

    def consumed(self) -> dict[str, str]:
        """Return the columns whose value stands elsewhere in the event, each with the key that says so."""
        person = {
            column: f"{key}.{name}"
            for key in ("set", "set_once")
            for name, column in self.tables[key].items()
        }
        return person | self.identity()

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield every key that names a column, with the column."""
        yield from ((key, column) for column, key in self.identity().items())
        yield from (("distinct_id", column) for column in self.distinct_id)
        yield from ((key, column) for key in LISTS for column in self.lists[key])
        yield from ((f"rename.{column}", column) for column in self.tables["rename"])
        for key in ("set", "set_once", "groups"):
            yield from ((f"{key}.{name}", column) for name, column in self.tables[key].items())

    def declared(self) -> list[str]:
        """Return the columns that are read one by one; the others come together, in `REST`."""
        kinds = self.kinds()
        return list(dict.fromkeys([*self.consumed(), *self.distinct_id, *self.lists["dedup_key"], *kinds]))

    def gone(self) -> set[str]:
        """Return the columns that are no properties."""
        return (self.consumed().keys() - set(self.lists["keep"])) | set(self.lists["drop"])

    def properties(self) -> list[str]:
        """Return the declared columns that are properties."""
        gone = self.gone()
        return [column for column in self.declared() if column not in gone]

    def added(self) -> Iterator[tuple[str, str]]:
        """Yield the keys that give properties new names, with the name."""
        yield from ((f"rename.{column}", name) for column, name in self.tables["rename"].items())
        yield from ((f"constants.{name}", name) for name in self.constants)


def shown(value: object) -> str:
    """Return what a spec has, as the message shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def wrong(key: str, expected: str, found: object, use: str) -> UsageError:
    """Return the error for a key whose value is of no use."""
    return UsageError(f"spec: {key}: expected {expected}, found {shown(found)}; use {use}")


def contradictions(spec: Spec) -> Iterator[str]:
    """Return what a spec says that cannot all be meant, a sentence each."""
    return chain(_misread(spec), _misplaced(spec), _named_twice(spec))


def _misread(spec: Spec) -> Iterator[str]:
    """Yield where a column is of two kinds, or of one that its part in the event rules out."""
    kinds, identity = spec.kinds(), spec.identity()
    for kind in _KINDS:
        for column in spec.lists[kind]:
            if kinds[column] != kind:
                yield f"{kind}: {column} is in {kinds[column]} too; take it out of one"
            elif column in identity and column not in spec.lists["keep"]:
                yield f"{kind}: {column} is the column of {identity[column]}; take it out of {kind}"


def _misplaced(spec: Spec) -> Iterator[str]:
    """Yield where two keys want a column in different places."""
    consumed, keep = spec.consumed(), spec.lists["keep"]
    wanted = {column: key for key, column in spec.named() if key not in ("drop", "dedup_key")}
    for column in spec.lists["drop"]:
        if column in wanted:
            yield f"drop: {column} is used by {wanted[column]}; take it out of one"
    for column in keep:
        if column not in consumed:
            yield f"keep: {column} stays a property anyway; take it out of keep"
    for column in spec.tables["rename"]:
        if column in consumed and column not in keep:
            yield f"rename.{column}: {column} is used by {consumed[column]} and no property; add it to keep"


def _named_twice(spec: Spec) -> Iterator[str]:
    """Yield where two properties would have one name."""
    taken = {name: name for name in spec.properties() if name not in spec.tables["rename"]}
    for key, name in spec.added():
        if name in taken:
            yield f"{key}: {taken[name]} gives a property {shown(name)} already; choose another name"
        taken[name] = key


def missing(spec: Spec, columns: Sequence[str]) -> str | None:
    """Return what the spec names and a file with these columns lacks or has already."""
    found = ", ".join(columns)
    for key, column in spec.named():
        if column not in columns:
            return f"spec: {key}: no column {shown(column)} in the file, found {found}; spell it as there"
    passing = set(columns) - spec.gone() - spec.tables["rename"].keys()
    for key, name in spec.added():
        if name in passing:
            return f"spec: {key}: the file has a column {shown(name)} already; choose another name"
    return None
