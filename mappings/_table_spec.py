"""The spec of any flat file: which column plays which part, and where that contradicts itself or a file."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from migrate.errors import UsageError
from migrate.kit.declare import Join

KINDS: Final = ("json", "numbers", "booleans")
LISTS: Final = (*KINDS, "dedup_key", "drop", "keep")
TABLES: Final = ("rename", "set", "set_once", "groups")
_SQL: Final = "_sql."
_PATH: Final = re.compile(r"([^.\[\]]+)((?:\.[^.\[\]]+|\[[0-9]{1,9}\])+)")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")


def sql_name(key: str) -> str:
    """Return what stands in the place of a column where the spec has SQL under a key."""
    return f"{_SQL}{key}"


def is_sql(name: str | None) -> bool:
    """Return whether this stands for SQL, not for a column."""
    return name is not None and name.startswith(_SQL)


def path(name: str) -> tuple[str, tuple[str | int, ...]]:
    """Return the column and the steps behind it that a name may be, none where it can only be a column's own."""
    found = _PATH.fullmatch(name)
    if found is None:
        return name, ()
    return found[1], tuple(key or int(place) for key, place in _STEP.findall(found[2]))


@dataclass(frozen=True, kw_only=True)
class Link:
    """Two ids that are one person's, as rows show them together."""

    key: str
    anonymous: str
    identified: str
    where: str | None = None


@dataclass(frozen=True, kw_only=True)
class Time:
    """Where a time stands, and how it is written."""

    column: str
    format: str = "iso"
    zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What rows tell of a person (`set`, `set_once`) or of a group (`set`), and of when."""

    key: str
    owner: Sequence[str]
    set: Mapping[str, str] = field(default_factory=dict)
    set_once: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    """The group's type."""
    at: Time | None = None
    """When it was so; None for a group, which is told of at the event's time, and for "as of the export"."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """By what a session is told from others, and when it began, if a column says that."""

    id: str
    start: Time | None = None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A value that `[properties]` lays out: a column, a fixed value as JSON text, or an object or list of such."""

    column: str | None = None
    is_json: bool = False
    constant: str | None = None
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    elements: Sequence["Shape"] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether no column has a part in it."""
        parts = (*self.members.values(), *self.elements)
        return self.column is None and all(one.is_fixed for one in parts)

    def columns(self, key: str) -> Iterator[tuple[str, str]]:
        """Yield the columns that have a part in it, each with the key that says so."""
        if self.column is not None:
            yield key, self.column
        for name, one in self.members.items():
            yield from one.columns(f"{key}.{name}")
        for place, one in enumerate(self.elements, 1):
            yield from one.columns(f"{key}[{place}]")


@dataclass(frozen=True, kw_only=True)
class Explode:
    """The column whose array gives a row for each of its elements, and what the place of an element is called."""

    column: str
    position: str = "position"

    def holds(self, column: str | None) -> bool:
        """Return whether a column is one of the elements', as `hits.time` is of `hits`."""
        return column is not None and column.startswith(f"{self.column}.")


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A spec that has been read: which column plays which part. SQL stands there as `sql_name`."""

    event: str | None
    event_name: str | None
    distinct_id: Sequence[str]
    timestamp: Time | None
    uuid: str | None
    lists: Mapping[str, Sequence[str]]
    tables: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, str | float | bool]
    nulls: Sequence[str]
    queries: Mapping[str, str] = field(default_factory=dict)
    """Key -> SQL."""
    where: str | None = None
    events: Mapping[str, str | None] = field(default_factory=dict)
    """An event's name in the file -> in PostHog, None where such events are left out."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    properties_of: Mapping[str, str] = field(default_factory=dict)
    """Property -> column, of `[properties]`."""
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    """Property -> what it is made of, of `[properties]`."""
    links: Sequence[Link] = ()
    profile: Told | None = None
    told_groups: Sequence[Told] = ()
    session: Session | None = None
    explode: Explode | None = None
    joins: Mapping[str, Join] = field(default_factory=dict)

    @property
    def has_events(self) -> bool:
        """Whether rows are events, and do not only tell of persons, groups, or links."""
        return self.event is not None or self.event_name is not None

    def is_inner(self, column: str | None) -> bool:
        """Return whether a column is one of the elements that `explode` makes rows of."""
        return self.explode is not None and self.explode.holds(column)

    def is_position(self, column: str | None) -> bool:
        """Return whether a column is the place of an element in its record."""
        return self.explode is not None and column == self.explode.position

    def joined(self) -> set[str]:
        """Return the columns that other tables have for a row."""
        return {f"{name}.{column}" for name, join in self.joins.items() for column in join.columns}

    def is_own(self, column: str) -> bool:
        """Return whether a column, or one that a path leads into, is to be in the file itself."""
        return not (self.is_inner(column) or self.is_position(column) or column in self.joined())

    def kinds(self) -> dict[str, str]:
        """Return the columns that are more than text, each with its kind."""
        return {column: kind for kind in KINDS for column in self.lists[kind]}

    def identity(self) -> dict[str, str]:
        """Return the columns that become the event's own text, each with the key that says so."""
        time = None if self.timestamp is None else self.timestamp.column
        own = {self.event: "event", time: "timestamp", self.uuid: "uuid"}
        own |= {column: f"groups.{kind}" for kind, column in self.tables["groups"].items()}
        if self.distinct_id:
            own[self.distinct_id[0]] = "distinct_id"
        return {column: key for column, key in own.items() if column is not None and not is_sql(column)}

    def consumed(self) -> dict[str, str]:
        """Return the columns whose value stands elsewhere in the event, each with the key that says so."""
        person = {
            column: f"{key}.{name}"
            for key in ("set", "set_once")
            for name, column in self.tables[key].items()
            if not is_sql(column)
        }
        return person | self.identity()

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield every key that gives a column a part in the event, with the column."""
        yield from ((key, column) for column, key in self.identity().items())
        yield from (("distinct_id", column) for column in self.distinct_id if not is_sql(column))
        yield from ((key, column) for key in LISTS for column in self.lists[key] if not is_sql(column))
        yield from ((f"rename.{column}", column) for column in self.tables["rename"])
        for key in ("set", "set_once", "groups"):
            pairs = self.tables[key].items()
            yield from ((f"{key}.{name}", column) for name, column in pairs if not is_sql(column))

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the other keys that name a column, which stays what it is beside that, with the column."""
        yield from ((f"values.{column}", column) for column in self.values)
        yield from ((f"types.{column}", column) for column in self.types)
        found = [(f"properties.{name}", column) for name, column in self.properties_of.items()]
        for name, shape in self.shapes.items():
            found += shape.columns(f"properties.{name}")
        for link in self.links:
            found += [(f"{link.key}.anonymous", link.anonymous), (f"{link.key}.identified", link.identified)]
        for told in self.told():
            found += [(f"{told.key}.{'key' if told.kind else 'distinct_id'}", one) for one in told.owner]
            found += [(f"{told.key}.timestamp", told.at.column)] if told.at else []
            for key, pairs in (("properties" if told.kind else "set", told.set), ("set_once", told.set_once)):
                found += [(f"{told.key}.{key}.{name}", column) for name, column in pairs.items()]
        if self.session is not None:
            found.append(("session_id.id", self.session.id))
            found += [("session_id.start", self.session.start.column)] if self.session.start else []
        yield from (pair for pair in found if not is_sql(pair[1]))

    def told(self) -> list[Told]:
        """Return what rows tell of persons and groups beside events."""
        return [*([] if self.profile is None else [self.profile]), *self.told_groups]

    def times(self) -> set[str]:
        """Return the columns, or SQL, that hold times."""
        found = [self.timestamp, *(told.at for told in self.told())]
        found += [] if self.session is None else [self.session.start]
        return {time.column for time in found if time is not None}

    def of_ids(self) -> list[str]:
        """Return the columns, or SQL, that say who or which group something is of."""
        found = [*self.distinct_id, *self.tables["groups"].values(), *([self.uuid] if self.uuid else [])]
        found += [one for link in self.links for one in (link.anonymous, link.identified)]
        found += [one for told in self.told() for one in told.owner]
        return list(dict.fromkeys(found))

    def declared(self) -> list[str]:
        """Return the columns that are read one by one; the others come together, in `REST`."""
        kinds = self.kinds()
        found = [*self.consumed(), *self.distinct_id, *self.lists["dedup_key"], *kinds, *self.of_ids()]
        return list(dict.fromkeys(one for one in found if not is_sql(one)))

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
        yield from ((f"properties.{name}", name) for name in (*self.properties_of, *self.shapes))
        if self.session is not None:
            yield "session_id", "$session_id"


def shown(value: object) -> str:
    """Return what a spec has, as the message shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def wrong(key: str, expected: str, found: object, use: str) -> UsageError:
    """Return the error for a key whose value is of no use."""
    return UsageError(f"spec: {key}: expected {expected}, found {shown(found)}; use {use}")


def near(name: str, known: Iterable[str]) -> str:
    """Return which names are meant where one is a slip of the hand, in any case; none where none is near."""
    lowered = {one.lower(): one for one in known}
    return " or ".join(lowered[one] for one in get_close_matches(name.lower(), [*lowered], 2, 0.75))
