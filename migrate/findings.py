"""What goes wrong in a kind of files, told by the rows that were looked at: how often, why, and where."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from migrate.inspecting import Kind
from migrate.inspection.columns import Column, chosen

_EXAMPLES: Final = 3
_MOST_COLUMNS: Final = 5
_ONE: Final = 1


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong, or is to be known."""

    sort: str
    """`rejected`, `filtered`, `changed`, `warning` of rows, as the dry run has them; `column` of a column."""
    reason: str
    count: int
    why: str = ""
    """What that means, where its reason alone does not say it."""
    at: tuple[str, ...] = ()
    """Where: `file:row` of the first rows, or columns."""


def findings(kind: Kind) -> list[Finding]:
    """Return what goes wrong in a kind of files."""
    return [*(_foretold(kind) if kind.outlook is not None else _of_rows(kind)), *_of_columns(kind)]


def _foretold(kind: Kind) -> Iterator[Finding]:
    """Yield what the platform's mapping makes of the rows."""
    if kind.outlook is None:
        return
    numbers = kind.outlook.numbers
    counts = {
        "rejected": numbers.rejected,
        "filtered": numbers.filtered,
        "changed": numbers.repairs,
        "warning": numbers.warnings,
    }
    for sort, some in counts.items():
        for reason, count in some.items():
            yield Finding(sort, reason, count, at=tuple(numbers.examples.get(reason, [])[:_EXAMPLES]))
    if kind.outlook.duplicates:
        why = "rows with the key of another: PostHog keeps one of each"
        yield Finding("warning", "duplicate_key", kind.outlook.duplicates, why)


def _of_rows(kind: Kind) -> Iterator[Finding]:
    """Yield what of the rows cannot be read, or was repaired, where no platform says what they are."""
    places: dict[str, list[str]] = {}
    for name, one in kind.rejects:
        places.setdefault(one.reason, []).append(name if one.row is None else f"{name}:{one.row}")
    for reason, count in Counter(one.reason for _, one in kind.rejects).items():
        yield Finding("rejected", reason, count, at=tuple(places[reason][:_EXAMPLES]))
    for reason, count in kind.counts.items():
        yield Finding("changed", reason, count)


def _of_columns(kind: Kind) -> Iterator[Finding]:
    """Yield what is odd in the columns; in those that a platform reads, what its mapping makes of them says it."""
    if kind.order or not kind.looked:
        return
    if len(kind.names) == _ONE and kind.rows:
        yield Finding(
            "column", "one_column", 1, "all of a line is one cell: it is perhaps no table", (*kind.names,)
        )
    best = {what: some[0].name for what, some in chosen(kind.columns).items() if some}
    for column in kind.columns:
        yield from _of_column(column, {what for what, name in best.items() if name == column.name})
    empty = [column.name for column in kind.columns if not column.values]
    if empty and kind.rows:
        some = (*empty[:_MOST_COLUMNS], *(["…"] if len(empty) > _MOST_COLUMNS else []))
        yield Finding("column", "empty", len(empty), "columns without anything in the rows looked at", some)


def _of_column(column: Column, parts: set[str]) -> Iterator[Finding]:
    """Yield what is odd in a column that is the likeliest to be these parts of an event."""
    name = (column.name,)
    if column.odd:
        what = (
            "values of several kinds"
            if column.type == "mixed"
            else f"values among others of the type {column.type}"
        )
        yield Finding("column", "mixed_types", column.odd, what, name)
    if column.words:
        yield Finding("column", "null_text", column.words, "values that are a word for nothing", name)
    if column.clock is not None and column.clock.unreadable and "time" in parts:
        yield Finding("column", "bad_timestamp", column.clock.unreadable, "times that cannot be read", name)
    if column.float_like and parts & {"person", "key"}:
        yield Finding(
            "column",
            "float_like_id",
            column.float_like,
            "ids like 123.0, written as floats on their way",
            name,
        )
    if "key" in parts and column.distinct < column.values:
        again = column.values - column.distinct
        yield Finding(
            "column",
            "duplicate_key",
            again,
            "rows with the id of another: each is one event with it, if the id is the key",
            name,
        )
    for part in parts & {"time", "person", "event"}:
        if missing := column.rows - column.values:
            yield Finding(
                "column", f"no_{part}", missing, f"rows without anything in the likeliest {part}", name
            )
