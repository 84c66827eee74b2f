"""The columns that a table's functions and rules ask for: tried on no rows, before the first is read."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from migrate.errors import UsageError
from migrate.kit.declare import ROW, Options, Table
from migrate.kit.schemas import FRAMEWORK, OBJECT_COLUMNS, TEXT_COLUMNS, Schema, row_schema

_NAME: Final = re.compile(r'unable to find column "([^"]*)"')

Ask = Callable[[pl.LazyFrame], pl.LazyFrame]
"""What one field of a table makes of rows."""


def check_columns(platform: str, table: Table, options: Options, *, is_run: bool = False) -> None:
    """Check that a table's functions and rules ask only for columns that its rows have; raises UsageError.

    Nothing is computed, unless it `is_run` on no rows: polars tells from the columns and their types alone.
    """
    known = row_schema(table, options)
    for field, ask in _of_rows(table, options):
        _try(f"{platform}: {table.name}: {field}", ask, known, is_run=is_run)
    if table.link_columns is not None:
        known = {name: known[name] for name in known if name in {*table.link_columns, *FRAMEWORK}}
    for field, ask in _of_links(table, options):
        _try(f"{platform}: {table.name}: {field}", ask, known, is_run=is_run)


def _of_rows(table: Table, options: Options) -> Iterator[tuple[str, Ask]]:
    """Yield the fields that see whole rows."""
    functions = {"to_events": table.to_events, "to_profiles": table.to_profiles, "to_groups": table.to_groups}
    yield from ((name, _of_function(one, options)) for name, one in functions.items() if one is not None)
    rules = {f"warnings[{name!r}]": rule for name, rule in table.warnings.items()}
    for name, rule in table.filters.items():
        rules[f"filters[{name!r}]"] = rule if isinstance(rule, pl.Expr) else rule(options)
    rules |= {} if table.resolve is None else {"resolve": table.resolve}
    keys = table.recover_keys
    rules |= {"recover" if len(keys) == 1 else f"recover[{place}]": key for place, key in enumerate(keys)}
    yield from ((name, _of_rule(rule)) for name, rule in rules.items())


def _of_links(table: Table, options: Options) -> Iterator[tuple[str, Ask]]:
    """Yield the fields that see no other columns than `link_columns`."""
    functions = {"to_links": table.to_links, "to_recoveries": table.to_recoveries, "clock": table.clock}
    yield from ((name, _of_function(one, options)) for name, one in functions.items() if one is not None)


def _of_function(function: Callable[[pl.LazyFrame, Options], pl.LazyFrame], options: Options) -> Ask:
    return lambda rows: function(rows, options)


def _of_rule(rule: pl.Expr) -> Ask:
    return lambda rows: rows.select_seq(rule)


def _try(where: str, ask: Ask, known: Schema, *, is_run: bool) -> None:
    """Ask no rows of these columns; raise UsageError where another is wanted."""
    try:
        asked = ask(pl.LazyFrame(schema=known))
        if not isinstance(asked, pl.LazyFrame):
            raise UsageError(
                f"{where} must return a LazyFrame, found {type(asked).__name__}; return what events.events makes"
            )
        found = asked.collect_schema()
        if is_run and (wrong := _wrong(where, found)):
            raise UsageError(f"{where}: {wrong}")
        if is_run:
            asked.collect()
    except pl.exceptions.ColumnNotFoundError as error:
        named = _NAME.search(str(error))
        name = named[1] if named else str(error).partition("\n")[0]
        raise UsageError(
            f"{where} asks for a column '{name}' that its rows do not have, known are {', '.join(known)}; "
            "spell it as there, or declare it"
        ) from error


def _wrong(where: str, found: pl.Schema) -> str | None:
    """Return why nothing can be made of what a field returns; None where something can."""
    field = where.rpartition(": ")[2]
    if field == "to_events":
        missing = [name for name in (ROW, *TEXT_COLUMNS, *OBJECT_COLUMNS, "timestamp") if name not in found]
        return (
            f"no column '{missing[0]}' in what it returns; return what events.events makes"
            if missing
            else None
        )
    if field.startswith(("filters[", "warnings[")):
        (kind,) = found.dtypes()
        if kind not in {pl.Boolean, pl.Null}:
            return f"expected true or false, found {kind}; compare it with something"
    return None
