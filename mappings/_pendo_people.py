"""Pendo's visitors and accounts: who is who, and what is known of each."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from mappings._pendo_columns import ANONYMOUS, is_anonymous, moment, visitor
from migrate.kit import events, expr, links
from migrate.kit.cells import Json, members, object_text, reader
from migrate.kit.declare import REST, Options

METADATA: Final = re.compile(
    r"(?:metadata[_.])?(agent|custom|salesforce|hubspot|segmentio|segment|pendo|auto)(?:_{1,2}|\.|$)(.*)",
    re.IGNORECASE | re.DOTALL,
)
"""How metadata stand in a file: as an object for each group of them (`agent`), or a column each (`agent_email`)."""
_ORDER: Final = ("agent", "custom", "salesforce", "hubspot", "segmentio", "segment", "pendo", "auto")


def is_metadata(columns: frozenset[str]) -> bool:
    """Return whether these are the columns of visitors or of accounts: an id, and metadata."""
    ids = columns & {"id", "visitorid", "accountid"}
    is_told = any(METADATA.fullmatch(name) for name in columns) or "metadata" in columns
    return bool(ids) and is_told and "eventid" not in columns


def to_links(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return which anonymous visitor an event says to have been which one, and who is identified.

    One who was identified and becomes another is not the same person: two people share a browser.
    """
    old, new = visitor("oldVisitorId"), visitor()
    time = moment(options)
    is_known = pl.when(~is_anonymous()).then(new)
    was_anonymous = pl.when(is_anonymous("oldVisitorId")).then(old)
    was_known = pl.when(~is_anonymous("oldVisitorId") & (old != new)).then(old)
    return links.concat(
        [
            links.linked(rows, anonymous=was_anonymous, identified=is_known, time=time, why="identify event"),
            links.refused(rows, anonymous=was_known, identified=is_known, why="one user after another"),
            links.identified(rows, is_known, why="visitor"),
        ]
    )


def whose(name: str) -> pl.Expr:
    """Return whose metadata a row has: `id` in Pendo's files, else a column of its own."""
    return expr.first(pl.col("id"), pl.col(name))


def has_no_name() -> pl.Expr:
    """Return whether a row of visitors is of one whom nobody has identified."""
    return whose("visitorId").str.starts_with(ANONYMOUS)


def known_visitor() -> pl.Expr:
    """Return the visitor a row is of, null for one whom nobody has identified.

    All that Pendo knows of such a one are its own notes, of visits; beside what is told of the person whom that visitor
    became, they would stand for the later state.
    """
    return pl.when(~has_no_name()).then(whose("visitorId"))


def to_profiled(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return which visitors are people who are known."""
    return links.profiled(rows, known_visitor(), why="visitors")


def to_profiles(rows: pl.LazyFrame, _options: Options) -> pl.LazyFrame:
    """Return the metadata of each visitor who is known, as they were when they were exported."""
    known = expr.each_row(pl.col(REST), metadata)
    return events.profiles(rows, distinct_id=known_visitor(), timestamp=None, set=known)


def to_groups(rows: pl.LazyFrame, options: Options) -> pl.LazyFrame:
    """Return the metadata of each account."""
    kind, known = pl.lit(options.group_type), expr.each_row(pl.col(REST), metadata)
    return events.groups(
        rows, group_type=kind, group_key=whose("accountId"), timestamp=None, properties=known.fill_null("{}")
    )


def metadata(rest: str) -> str | None:
    """Return metadata under their own names; of two of a name the second is called after its group, too."""
    found: dict[str, Json] = {}
    told = sorted(_told(members(rest) or {}), key=lambda one: _ORDER.index(one[0]) if one[0] else -1)
    for group, name, value in told:
        if bytes(value) == b"null":
            continue
        free = name if name not in found else f"{group}_{name}"
        found.setdefault(free, value)
    return object_text(found)


def _told(columns: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """Yield each field with its group, "" where it has none."""
    for column, value in columns.items():
        if column.lower() == "metadata" and (inner := members(_plain(value))) is not None:
            yield from _told(inner)
            continue
        match = METADATA.fullmatch(column)
        if match is None:
            yield "", column, value
        elif match[2]:
            yield match[1].lower(), match[2], value
        elif (inner := members(_plain(value))) is not None:
            yield from ((match[1].lower(), name, one) for name, one in inner.items())
        elif bytes(value) != b"null":
            yield match[1].lower(), match[1], value


def _plain(value: Json) -> bytes:
    """Return an object's text, also of one that is a text in a cell of CSV."""
    text = bytes(value)
    return reader(str)(text).encode() if text.startswith(b'"') else text
