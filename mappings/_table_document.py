"""A TOML document → the spec that it is; a sentence says where it is none."""

from collections.abc import Collection, Mapping
from typing import Any

from mappings import _table_keys
from mappings._table_checks import contradictions
from mappings._table_keys import KEYS, OF_EVENTS, SQL, TIME_KEYS, check_keys, is_name, names
from mappings._table_shapes import is_shape, read_shape
from mappings._table_spec import (
    LISTS,
    TABLES,
    Link,
    Session,
    Shape,
    Spec,
    Time,
    Told,
    sql_name,
    wrong,
)
from mappings._table_times import read_format, says_zone
from migrate.errors import UsageError
from migrate.kit import expr


class Document:
    """A TOML document, read key by key; the SQL in it is kept by key."""

    def __init__(self, document: Mapping[str, Any], known: Collection[str] = KEYS) -> None:
        self._document, self._known = document, known
        self._queries: dict[str, str] = {}

    def spec(self) -> Spec:
        """Return the spec; raise a `UsageError` that names the key where it is wrong."""
        document = self._document
        check_keys(document, self._known)
        tells = not {"profile", "links"}.isdisjoint(document) or isinstance(document.get("groups"), list)
        is_of_events = "event" in document or not tells
        for key in () if is_of_events else OF_EVENTS:
            if key in document:
                raise UsageError(
                    f"spec: {key}: found without event, and only events have one; add event, or take it out"
                )
        event, event_name = self._event() if is_of_events else (None, None)
        groups, told_groups = self._groups()
        tables = {key: self._table(key) for key in TABLES if key != "groups"} | {"groups": groups}
        is_asked = is_of_events or "distinct_id" in document
        distinct_id = self._distinct_id(document, "distinct_id") if is_asked else ()
        spec = Spec(
            event=event,
            event_name=event_name,
            distinct_id=distinct_id,
            timestamp=self._time("timestamp")
            if is_of_events or {"timestamp", "links"} & {*document}
            else None,
            uuid=self._column(document, "uuid", 'uuid = "column"') if "uuid" in document else None,
            lists={key: self._list(key) for key in LISTS},
            tables=tables,
            constants=_table_keys.constants(document),
            nulls=_table_keys.nulls(document),
            where=self._where(document, "where"),
            events=_table_keys.events(document),
            values=_table_keys.values(document),
            types=_table_keys.types(document),
            properties_of=self._table("properties", self._plain_properties()),
            shapes=self._shapes(),
            links=self._links(),
            profile=self._profile(distinct_id),
            told_groups=told_groups,
            session=self._session(),
            explode=_table_keys.explode(document),
            joins=_table_keys.joins(document),
            queries=self._queries,
        )
        for contradiction in contradictions(spec):
            raise UsageError(f"spec: {contradiction}")
        return spec

    def _source(self, key: str, value: object, expected: str, use: str) -> str:
        """Return the column that stands under a key, or what stands for the SQL that does."""
        if isinstance(value, Mapping) and set(value) == {"sql"} and is_name(value["sql"]):
            self._queries[key] = value["sql"]
            return sql_name(key)
        if not is_name(value):
            raise wrong(key, expected, value, use)
        return str(value)

    def _column(self, of: Mapping[str, Any], name: str, use: str, *, within: str = "") -> str:
        """Return the column, or SQL, under a key that has to be there."""
        key = within + name
        if name not in of:
            raise UsageError(f"spec: {key}: missing; use {use}")
        return self._source(key, of[name], "the name of a column", use)

    def _list(self, key: str) -> tuple[str, ...]:
        """Return the columns listed under a key, none where it is absent."""
        value = self._document.get(key, [])
        if key == "dedup_key" and isinstance(value, Mapping):
            return (self._source(key, value, "a list of columns", f'{key} = ["column", …] or {key} = {SQL}'),)
        if key == "dedup_key":
            return self._several(key, value, is_given=key in self._document)
        return names(key, value, is_given=key in self._document)

    def _several(self, key: str, value: object, *, is_given: bool = True) -> tuple[str, ...]:
        """Return the columns of a list that may hold SQL, too."""
        found = value
        if isinstance(value, list):
            found = [
                self._source(f"{key}[{place}]", one, "SQL", SQL) if isinstance(one, Mapping) else one
                for place, one in enumerate(value, 1)
            ]
        return names(key, found, is_given=is_given)

    def _table(self, key: str, of: Mapping[str, Any] | None = None, *, within: str = "") -> dict[str, str]:
        """Return the names given under a key, none where it is absent."""
        use = 'column = "new name"' if key == "rename" else 'name = "column"'
        value = (self._document if of is None else of).get(key, {})
        key = within + key
        if not isinstance(value, Mapping):
            raise wrong(key, "a table", value, f"[{key}] with lines of {use}")
        found = {}
        for name, one in value.items():
            where, expected = f"{key}.{name}", "a name" if key == "rename" else "the name of a column"
            if not is_name(name) or (key == "rename" and not is_name(one)):
                raise wrong(where, expected, one, use)
            found[name] = str(one) if key == "rename" else self._source(where, one, expected, use)
        return found

    def _plain_properties(self) -> Mapping[str, Any]:
        """Return the part of the document that says which property is a column, or SQL."""
        value = self._document.get("properties", {})
        if not isinstance(value, Mapping):
            return self._document
        return {"properties": {name: one for name, one in value.items() if not is_shape(one)}}

    def _shapes(self) -> dict[str, Shape]:
        """Return the properties that are laid out, of several columns or as JSON."""
        given = self._document.get("properties", {})
        return {
            name: read_shape(f"properties.{name}", one, self._source)
            for name, one in given.items()
            if is_shape(one)
        }

    def _event(self) -> tuple[str | None, str | None]:
        """Return the column of event names, or the one name of all events."""
        use = 'event = "column" or event = {constant = "name"}'
        value = self._document.get("event")
        if not isinstance(value, Mapping) or set(value) == {"sql"}:
            return self._column(self._document, "event", use), None
        if set(value) != {"constant"} or not is_name(value["constant"]):
            raise wrong("event", "a column or a constant", value, use)
        return None, str(value["constant"])

    def _distinct_id(self, of: Mapping[str, Any], name: str, *, within: str = "") -> tuple[str, ...]:
        """Return the columns that may name the person, in the order they are asked."""
        key, value = within + name, of.get(name)
        if isinstance(value, list):
            return self._several(key, value)
        return (self._column(of, name, f'{key} = "column" or {key} = ["first", "second"]', within=within),)

    def _time(self, key: str, of: Mapping[str, Any] | None = None, *, within: str = "") -> Time:
        """Return the column, the format and the zone of times."""
        given = self._document if of is None else of
        value, whole = given.get(key), within + key
        use = f'{whole} = "column" or {whole} = {{column = "…", format = "…", zone = "…"}}'
        if not isinstance(value, Mapping):
            return Time(column=self._column(given, key, use, within=within))
        check_keys(value, TIME_KEYS if "sql" in value else ("column", "format", "zone"), whole)
        if "sql" in value:
            column = self._source(whole, {"sql": value["sql"]}, "SQL", f"{whole} = {SQL}")
        elif is_name(value.get("column")):
            column = value["column"]
        else:
            raise wrong(f"{whole}.column", "the name of a column", value.get("column"), use)
        shape = read_format(value.get("format", "iso"), whole)
        if "zone" not in value:
            return Time(column=column, format=shape)
        if says_zone(shape):
            raise UsageError(
                f"spec: {whole}.zone: {value['format']} says the zone itself; take {whole}.zone out"
            )
        return Time(column=column, format=shape, zone=expr.zone_name(value["zone"], f"spec: {whole}.zone"))

    def _where(self, of: Mapping[str, Any], name: str, *, within: str = "") -> str | None:
        """Return what stands for a condition, None where there is none."""
        if name not in of:
            return None
        key = within + name
        if not is_name(of[name]):
            raise wrong(key, "a condition in SQL", of[name], f"{key} = \"column = 'value'\"")
        self._queries[key] = of[name]
        return sql_name(key)

    def _each(self, key: str, known: Collection[str]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the tables of a list of them, each with what messages call it."""
        value = self._document.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise wrong(key, "a list of tables", value, f"[[{key}]] before each")
        for place, one in enumerate(value, 1):
            check_keys(one, known, f"{key}[{place}]")
        return [(f"{key}[{place}]", one) for place, one in enumerate(value, 1)]

    def _links(self) -> list[Link]:
        """Return which ids are linked."""
        return [
            Link(
                key=key,
                anonymous=self._column(one, "anonymous", 'anonymous = "column"', within=f"{key}."),
                identified=self._column(one, "identified", 'identified = "column"', within=f"{key}."),
                where=self._where(one, "where", within=f"{key}."),
            )
            for key, one in self._each("links", ("anonymous", "identified", "where"))
        ]

    def _profile(self, distinct_id: tuple[str, ...]) -> Told | None:
        """Return what rows tell of persons; of the event's person where it is not said of whom."""
        value = self._document.get("profile")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise wrong("profile", "a table", value, "[profile] and [profile.set]")
        check_keys(value, ("distinct_id", "timestamp", "set", "set_once"), "profile")
        tables = {key: self._table(key, value, within="profile.") for key in ("set", "set_once")}
        if not any(tables.values()):
            raise UsageError('spec: profile.set: missing; use [profile.set] with lines of name = "column"')
        if "distinct_id" in value or not distinct_id:
            distinct_id = self._distinct_id(value, "distinct_id", within="profile.")
        at = self._time("timestamp", value, within="profile.") if "timestamp" in value else None
        return Told(key="profile", owner=distinct_id, at=at, set=tables["set"], set_once=tables["set_once"])

    def _groups(self) -> tuple[dict[str, str], list[Told]]:
        """Return group type -> the column of the group's key, and what rows tell of groups."""
        if not isinstance(self._document.get("groups", {}), list):
            return self._table("groups"), []
        keys: dict[str, str] = {}
        told = []
        for key, one in self._each("groups", ("type", "key", "properties")):
            kind = one.get("type")
            if not is_name(kind) or kind in keys:
                raise wrong(f"{key}.type", "a group type, each once", kind, 'type = "company"')
            keys[str(kind)] = self._column(one, "key", 'key = "column"', within=f"{key}.")
            named = self._table("properties", one, within=f"{key}.")
            if named:
                told.append(Told(key=key, owner=(keys[str(kind)],), set=named, kind=str(kind)))
        return keys, told

    def _session(self) -> Session | None:
        """Return by what sessions are told."""
        value = self._document.get("session_id")
        if value is None:
            return None
        use = 'session_id = "column" or session_id = {id = "…", start = "…"}'
        if not isinstance(value, Mapping) or set(value) == {"sql"}:
            return Session(id=self._source("session_id", value, "the name of a column", use))
        check_keys(value, ("id", "start"), "session_id")
        start = self._time("start", value, within="session_id.") if "start" in value else None
        return Session(id=self._column(value, "id", use, within="session_id."), start=start)


def read(document: Mapping[str, Any], known: Collection[str] = KEYS) -> Spec:
    """Return the spec in a TOML document; raise a `UsageError` that names the key where it is wrong."""
    return Document(document, known).spec()
