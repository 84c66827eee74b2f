"""What a mapping module declares: a platform, its tables, and how a table's rows become events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import polars as pl

ROW: Final = "_row"
"""Int64: where a row stands in its file, from 1; line for JSONL, record without the header for CSV."""

REST: Final = "_rest"
"""String: a JSON object of every column or root key the table does not declare, null where there is none."""

PersonProperties = Literal["set", "set_once", "none"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The user's choices that change payloads; a workdir planned with others is refused."""

    person_properties: PersonProperties = "set"
    source_timezone: str = "UTC"
    keep: frozenset[str] = frozenset()
    """Names of filters that are turned off."""


ToEvents = Callable[[pl.LazyFrame, Options], pl.LazyFrame]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One kind of file of a platform.

    `columns` declares the source columns and their types; the reader delivers exactly these, in any case a file
    spells them, null where a file lacks one, plus `ROW` and `REST`. String means "as text, whatever the file's
    own type": numbers in their own digits, times as ISO 8601, nested values as JSON text, empty cells as null.

    `to_events` takes rows and returns an event frame (see `migrate.events`); it must be pure.
    """

    name: str
    columns: Mapping[str, pl.DataType | type[pl.DataType]]
    matches: Callable[[frozenset[str]], bool]
    """Whether a file with these columns (lower case) is of this table."""
    to_events: ToEvents
    objects: Sequence[str] = ()
    """Declared columns that hold JSON objects; a cell that is none rejects its row as `bad_json`."""
    rename: Mapping[str, str | None] = field(default_factory=dict)
    """Source property -> its name in PostHog, or None to drop it by name; all others pass on unchanged."""
    filters: Mapping[str, pl.Expr] = field(default_factory=dict)
    """Rule name -> predicate over rows; a row it holds for is left out and counted under that name."""
    warnings: Mapping[str, pl.Expr] = field(default_factory=dict)
    """What is counted and said -> predicate over rows; a row it holds for is mapped all the same."""
    dropped: frozenset[str] = frozenset()
    """Source columns deliberately not carried over, so that `REST` does not pass them on."""
    ordinals: bool = False
    """Identical rows of one file are different events: the n-th repeat gets a key of its own."""
    refusal: str | None = None
    """Why a file of this table cannot be migrated, and what to export instead."""
    missing: Callable[[Sequence[str]], str | None] | None = None
    """What the spec names and a file with these columns lacks (or has already), as a sentence, or None.

    For tables described by the user; called with the columns as the file spells them, raised as a `UsageError`.
    """


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform: `mappings/<platform>.py` holds one as `MAPPING`."""

    title: str
    tables: Sequence[Table] = ()
    reads: str = ""
    """The formats and shapes it takes, in a phrase."""
    from_spec: Callable[[Mapping[str, Any]], Sequence[Table]] | None = None
    """Builds the tables from a TOML document, for platforms described by the user."""

    def table_for(self, columns: Iterable[str]) -> Table | None:
        """Return the first table these columns belong to, or None."""
        lowered = frozenset(name.lower() for name in columns)
        return next((table for table in self.tables if table.matches(lowered)), None)


def has(*names: str) -> Callable[[frozenset[str]], bool]:
    """Return a `Table.matches` that holds when all these columns are there."""
    wanted = frozenset(name.lower() for name in names)
    return wanted.issubset
