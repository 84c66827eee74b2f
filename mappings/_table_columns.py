"""The columns of a spec → how a table comes by them: read, copied, gone into, mapped, typed, or computed by SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import polars as pl

from mappings._table_spec import LISTS, Spec, is_sql, path, shown, sql_name
from mappings._table_sql import Query, check, query, within
from migrate.errors import UsageError
from migrate.kit import expr, objects
from migrate.kit.declare import POSITION, REST, Computed, inside

_TYPES: Final[dict[str, pl.DataType]] = {
    "text": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "timestamp": pl.Datetime("us"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
}
TYPES: Final = tuple(_TYPES)
_ZONE: Final = r"(?i)(?:z|utc|[+-]\d\d(?::?\d\d)?)\s*$"
"""What a time ends with that says its zone; a date alone ends with `-dd`, and has no colon."""
_NO_VALUES: Final = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Duration, pl.Object)


@dataclass
class Columns:
    """Which columns of rows have what a spec names: columns, paths into them, SQL."""

    spec: Spec
    table: str | None = None
    """What the table is called, where a spec may have several."""
    declared: list[str] = field(default_factory=list)
    """Columns of the table."""
    copied: list[str] = field(default_factory=list)
    """Undeclared columns that are looked at; they stay among the properties, as they are."""
    inner: list[str] = field(default_factory=list)
    """Columns of exploded elements that are read one by one."""
    looked: list[str] = field(default_factory=list)
    """All columns of exploded elements that are looked at."""
    computed: dict[str, Computed] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    types: dict[str, pl.DataType] = field(default_factory=dict)
    """SQL -> the type it has, under the name that stands for it."""

    @classmethod
    def of(cls, spec: Spec, wanted: Sequence[str] = (), table: str | None = None) -> Self:
        """Return the columns of a spec; a `UsageError` names the key whose SQL is not to be evaluated.

        Those that are `wanted`, as others look them up, are read one by one, too.
        """
        columns = cls(spec, table=table, declared=[*wanted])
        columns.queries = {key: query(sql, f"spec: {key}") for key, sql in spec.queries.items()}
        columns._check_identity()
        columns._read()
        for key, found in columns.queries.items():
            columns._compute(key, found)
        apart = (*(key for key in LISTS if key != "dedup_key"), "rename", "types")
        for key, column in (*spec.named(), *spec.beside()):
            if key.partition(".")[0] not in apart:
                columns.name(column)  # what it takes is computed from now on
        return columns

    def _check_identity(self) -> None:
        """Raise a `UsageError` where what an event is known by hangs on another table, whose next export may differ."""
        plain = [("uuid", self.spec.uuid), *(("dedup_key", one) for one in self.spec.lists["dedup_key"])]
        for key, column in (*plain, *self.asked()):
            if key.partition("[")[0] in {"uuid", "dedup_key"} and column in self.spec.joined():
                why = "and the same row would be another event once it is found, or another value is"
                raise UsageError(
                    f"spec: {key}: {shown(column)} is looked up, {why}; name columns of the row alone"
                )

    def asked(self) -> list[tuple[str, str]]:
        """Return the keys that have SQL, each with a column that it names."""
        return [(key, column) for key, found in self.queries.items() for column in found.columns]

    def name(self, column: str) -> str:
        """Return the column of rows that has what the spec calls so."""
        if is_sql(column):
            return column
        if self.spec.is_position(column):
            return POSITION
        if column in self.spec.values:
            return self._value(column)
        return self._plain(column)

    def col(self, column: str) -> pl.Expr:
        """Return it as an expression."""
        return pl.col(self.name(column))

    def text(self, column: str) -> pl.Expr:
        """Return it as text: times as ISO 8601."""
        return _as_text(self.col(column), self.types.get(column))

    def is_typed(self, column: str) -> bool:
        """Return whether it is SQL whose values are numbers or Booleans."""
        dtype = self.types.get(column)
        return dtype is not None and (dtype.is_numeric() or dtype == pl.Boolean)

    def known(self, column: str) -> bool:
        """Return whether rows have the column by itself."""
        return column in self.declared or column in self.copied or column in self.looked

    def of_element(self) -> list[str] | None:
        """Return the columns of the element that `dedup_key` is made of, None where its place is one of them."""
        names = self.spec.lists["dedup_key"]
        found = [*names, *(column for key, column in self.asked() if sql_name(key) in names)]
        if any(map(self.spec.is_position, found)):
            return None
        return list(dict.fromkeys(filter(self.spec.is_inner, found)))

    def _read(self) -> None:
        """Find out which columns are read one by one, and which are copied from among the others."""
        spec, of_ids = self.spec, set(self.spec.of_ids())
        in_sql = self.asked()
        ids = [column for key, column in in_sql if sql_name(key) in of_ids]
        declared = list(dict.fromkeys([*spec.declared(), *ids, *self.declared]))
        named = [column for _, column in (*spec.beside(), *in_sql)]
        self.inner = [column for column in declared if spec.is_inner(column)]
        inner = [column for column in (*declared, *named) if spec.is_inner(column)]
        self.looked = list(dict.fromkeys(one for column in inner for one in (column, self._path(column)[0])))
        self.declared = [column for column in declared if spec.is_own(column)]
        if spec.explode is not None:
            self.declared = list(dict.fromkeys([*self.declared, spec.explode.column]))
            self.types[spec.explode.position] = pl.Int64()
        named = [column for column in named if spec.is_own(column)]
        paths = [path(column)[0] for column in (*self.declared, *named) if path(column)[1]]
        named += [one.on for one in spec.joins.values() if spec.is_own(one.on)]
        self.looked += [one.on for one in spec.joins.values() if spec.is_inner(one.on)]
        taken = self.taken()
        for column in dict.fromkeys((*named, *paths)):
            if column not in self.declared:
                is_apart = column in spec.lists["drop"] or column in taken
                (self.declared if is_apart else self.copied).append(column)

    def properties(self) -> list[str]:
        """Return the columns read one by one that are properties."""
        gone = self.spec.gone() | ({self.spec.explode.column} if self.spec.explode is not None else set())
        return [column for column in (*self.declared, *self.inner) if column not in gone]

    def taken(self) -> set[str]:
        """Return the names of properties that are not those of undeclared columns."""
        spec = self.spec
        names = {spec.tables["rename"].get(column, column) for column in self.properties()}
        return (
            names
            | spec.properties_of.keys()
            | spec.shapes.keys()
            | ({spec.uuid} if spec.uuid and not is_sql(spec.uuid) else set())
        )

    def raw(self, column: str) -> str:
        """Return the column of rows that has a column of the file as it was read."""
        if column in self.declared or column in self.spec.joined():
            return column
        explode = self.spec.explode
        return inside(explode.column if explode and explode.holds(column) else REST, column)

    def _path(self, column: str) -> tuple[str, tuple[str | int, ...]]:
        """Return the column and the steps behind it that a name is, if it is a path; of an element, its key first."""
        explode = self.spec.explode
        if explode is None or not explode.holds(column):
            return path(column)
        whole, steps = path(f"_{column.removeprefix(explode.column)}")
        if whole != "_" or not isinstance(steps[0], str):
            return column, ()
        return f"{explode.column}.{steps[0]}", steps[1:]

    def _plain(self, column: str) -> str:
        """Return the column of rows that has a column of the file; where none is called so, what a path leads to."""
        if column in self.spec.joined():
            return self._joined(column)
        root, steps = self._path(column)
        if not steps:
            return self.raw(column)
        name = f"_path.{column}"
        if name not in self.computed:
            found = objects.at(pl.col(self.raw(root)), steps)
            own = [pl.col(self.raw(column))] if self.known(column) else []
            self.computed[name] = Computed(value=pl.coalesce([*own, found]), counted=column)
        return name

    def _joined(self, column: str) -> str:
        """Return the column of rows that has one of another table: a copy, so that ids in it are judged."""
        name = f"_join.{column}"
        self.computed.setdefault(name, Computed(value=pl.col(column), counted=column))
        return name

    def _value(self, column: str) -> str:
        """Return the column of rows that has a column's values as `[values]` maps them."""
        name = f"_value.{column}"
        if name not in self.computed:
            told = self.spec.values[column]
            plain = pl.col(self._plain(column))
            mapped = plain.replace([*told], [*told.values()])
            self.computed[name] = Computed(value=mapped, counted=column)
        return name

    def _typed(self, column: str) -> str:
        """Return the column of rows that has a column as `[types]` says, for SQL."""
        kind = self.spec.types.get(column, "text")
        given = self.name(column)
        if kind == "text" or given == POSITION:
            return given
        name = f"_type.{column}"
        if name not in self.computed:
            self.computed[name] = Computed(value=_cast(pl.col(given), kind), of=given, counted=column)
        return name

    def _compute(self, key: str, found: Query) -> None:
        """Add a column for SQL."""
        names = {column: self._typed(column) for column in found.columns}
        types = {column: _TYPES[self.spec.types.get(column, "text")] for column in found.columns}
        types |= {column: pl.Int64() for column in found.columns if self.spec.is_position(column)}
        dtype = check(found, types, f"spec: {key}")
        if isinstance(dtype, _NO_VALUES):
            raise UsageError(
                f"spec: {key}: expected text, a number, true or false, or a time, found {dtype}; cast it"
            )
        is_condition = key == "where" or key.endswith(".where")
        if is_condition and dtype != pl.Boolean:
            raise UsageError(
                f"spec: {key}: expected a condition, found {dtype}; use where = \"column = 'value'\""
            )
        name, value = sql_name(key), found.value
        if name in self.spec.times():
            value = within(value, types)
        if name in self._as_text():
            value, dtype = _as_text(value, dtype), pl.String()
        self.types[name] = dtype
        self.computed[name] = Computed(value=value, names=names, counted=key)

    def _as_text(self) -> set[str | None]:
        """Return the SQL whose value is text, whatever it is made of."""
        spec = self.spec
        session = None if spec.session is None else spec.session.id
        return {*spec.of_ids(), *spec.lists["dedup_key"], spec.event, session}

    def of_ids(self) -> list[str]:
        """Return the columns of rows that hold ids, those that ids are made of among them."""
        ids = self.spec.of_ids()
        made = [column for key, column in self.asked() if sql_name(key) in ids]
        read = [self.raw(one) for one in (*ids, *made) if one in self.declared or one in self.inner]
        joined = [self.name(one) for one in made if one in self.spec.joined()]
        return list(dict.fromkeys([*read, *joined, *(one for one in map(self.name, ids) if one != POSITION)]))

    def of_times(self) -> list[str]:
        """Return the columns of rows that hold the event's time, as text."""
        time = self.spec.timestamp
        if time is None:
            return []
        if not is_sql(time.column):
            return [self.name(time.column)]
        names = [name for name in self.computed[time.column].sources().values() if name != POSITION]
        return [self.computed[one].of or one if one.startswith("_type.") else one for one in names]

    def of_links(self) -> list[str]:
        """Return the columns of rows that links are made of."""
        spec = self.spec
        asked = [one for link in spec.links for one in (link.anonymous, link.identified, link.where)]
        asked += [spec.where, None if spec.timestamp is None else spec.timestamp.column]
        return list(dict.fromkeys(self.name(one) for one in asked if one is not None))


def _cast(text: pl.Expr, kind: str) -> pl.Expr:
    """Return text as a type of `[types]`, null where it is none."""
    if kind == "int":
        return expr.integer(text)
    if kind == "float":
        return expr.number(text)
    if kind == "bool":
        return expr.boolean(text)
    if kind == "timestamptz":
        return expr.timestamp(text)
    if kind == "date":
        return expr.timestamp(text.str.strip_chars().str.slice(0, 10)).dt.date()
    says_zone = text.str.contains(":") & text.str.contains(_ZONE)
    return expr.timestamp(pl.when(~says_zone).then(text)).dt.replace_time_zone(None)


def _as_text(value: pl.Expr, dtype: pl.DataType | None) -> pl.Expr:
    """Return a value as text, as a cell of it would be."""
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return expr.iso(value.dt.replace_time_zone("UTC").dt.cast_time_unit("us")).str.strip_suffix("Z")
        return expr.iso(value.dt.convert_time_zone("UTC").dt.cast_time_unit("us"))
    return value if dtype is None or dtype == pl.String else value.cast(pl.String)
