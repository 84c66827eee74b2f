"""What plan saw of the sources' rows and of the events' properties, kept while it plans."""

import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from migrate.workdir import daynames
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.records import BEFORE

ONE_IN: Final = 64
"""Of so many events one is looked at, told by its time and row, so that it is the same one on every run."""
FIRST: Final = 1_000
"""Of the first input's first so many rows all events are, so that there is something to see of few."""
MOST: Final = 2_000
"""Names of properties that are kept: the first ones in alphabetical order, whatever the order they are seen in."""
_MOST_BEYOND: Final = 50_000
"""Names beyond those that are told apart to be counted."""
_EXAMPLES: Final = 3
_TOGETHER: Final = 64
"""Looks that are kept apart before they are put together: a new one takes no longer after many, nor does reading."""
_UNDATED: Final = ""
"""Stands among the days of an input for its rows that have none."""


class _Kept(msgspec.Struct, array_like=True):
    """What was seen of events, as it is kept; what an earlier version did not keep is missing at the end."""

    sampled: dict[str, int]
    properties: dict[str, Any]
    beyond: set[int]
    renamed: dict[str, set[str]]
    dropped: set[str]
    made: dict[str, set[str]] = {}


@dataclass
class Property:
    """One property of events, those in `$set`, `$set_once` and `$groups` as `$set.email`."""

    filled: Counter[str] = field(default_factory=Counter)
    """UTC month ("2024-03") → how many of the events that were looked at have it."""
    types: Counter[str] = field(default_factory=Counter)
    """text, number, boolean, object or list → how many of a few values are."""
    examples: list[str] = field(default_factory=list)
    """Three different values at the most, as JSON text, each cut to 80 letters; of more, by a hash."""

    def add(self, other: "Property") -> None:
        """Add what is known of it from elsewhere."""
        self.filled.update(other.filled)
        self.types.update(other.types)
        if other.examples:
            self.examples = chosen({*self.examples, *other.examples})


@dataclass
class Look:
    """What was seen of rows and events; always `Σ rows + undated + before == Numbers.read`.

    Of a source that is planned anew the rows count as in `Numbers.read`, and what is seen of its properties is added
    to what was seen before. What is told of persons and groups without a row of its own is not looked at.
    """

    rows: Counter[str] = field(default_factory=Counter)
    """UTC day → source rows whose own time lies on it; filtered and rejected ones, too, if their time can be read."""
    undated: int = 0
    """Source rows without a time that can be read, or of one before 1900 or after 2199."""
    sampled: Counter[str] = field(default_factory=Counter)
    """UTC month → events that were looked at."""
    properties: dict[str, Property] = field(default_factory=dict)
    beyond: set[int] = field(default_factory=set)
    """Hashes of the names that are not kept."""
    renamed: dict[str, set[str]] = field(default_factory=dict)
    """Name of a property → what sources call it that tables, mappings and rules rename; of tables and rules whether or
    not any row had it."""
    made: dict[str, set[str]] = field(default_factory=dict)
    """Name of a property → the columns that a mapping makes it of otherwise, as far as a few rows tell."""
    dropped: set[str] = field(default_factory=set)
    """Properties of sources that tables drop by name, likewise."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Of `rows` those of which no event is wanted: of sources planned anew since, and beyond --since and --until."""
    before: int = 0
    """Rows that were read by an earlier version of ours, which kept nothing of them."""

    @property
    def more(self) -> int:
        """How many properties there are beside those that are kept; 50,000 stand for more."""
        return len(self.beyond)

    def add(self, other: "Look") -> None:
        """Add what was seen elsewhere; of both the same names are kept, in whatever order they are added."""
        self.rows.update(other.rows)
        self.undated += other.undated
        self.sampled.update(other.sampled)
        self.dropped |= other.dropped
        for own, others in ((self.renamed, other.renamed), (self.made, other.made)):
            for name, sources in others.items():
                own.setdefault(name, set()).update(sources)
        for name, one in other.properties.items():
            self.properties.setdefault(name, Property()).add(one)
        self._leave(other.beyond)
        if len(self.properties) > MOST:
            last = sorted(self.properties)[MOST:]
            self._leave(zlib.crc32(name.encode()) for name in last)
            for name in last:
                del self.properties[name]

    def _leave(self, hashes: Iterable[int]) -> None:
        """Count names that are not kept."""
        if len(self.beyond) < _MOST_BEYOND:
            self.beyond.update(hashes)


def chosen(examples: Iterable[str]) -> list[str]:
    """Return the examples that are kept of many: the same ones, in whatever order they come."""
    return sorted(examples, key=lambda text: (zlib.crc32(text.encode()), text))[:_EXAMPLES]


def first_input(checkpoint: Checkpoint) -> str | None:
    """Return the name of the first source of this workdir; None where it knows none."""
    row = checkpoint.query("SELECT name FROM inputs WHERE name NOT LIKE '(%' ORDER BY id LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def are_kept(checkpoint: Checkpoint) -> bool:
    """Return whether any events of this workdir were looked at."""
    return checkpoint.query("SELECT 1 FROM looks LIMIT 1").fetchone() is not None


def note(db: Database, lead: int, look: Look) -> None:
    """Keep what was seen of the sources planned under a number, within the transaction that notes them."""
    rows = daynames.packed(look.rows | ({_UNDATED: look.undated} if look.undated else {}))
    db.execute("UPDATE inputs SET rows = ? WHERE id = ?", (rows, lead))
    if not look.sampled and not look.made:
        return
    db.execute("INSERT INTO looks (look) VALUES (?)", (_packed(look),))
    (count,) = db.execute("SELECT count(*) FROM looks").fetchone()
    if count > _TOGETHER:
        whole = _together(db.execute("SELECT look FROM looks"))
        db.execute("DELETE FROM looks")
        db.execute("INSERT INTO looks (look) VALUES (?)", (_packed(whole),))


def look(checkpoint: Checkpoint) -> Look | None:
    """Return what was seen of all that is planned; None where nothing was kept of it."""
    found = _together(checkpoint.query("SELECT look FROM looks ORDER BY id"))
    is_kept = bool(found.sampled)
    sql = "SELECT name, since, until, rows FROM inputs WHERE rows IS NOT NULL"
    for name, since, until, rows in checkpoint.query(sql):
        is_kept, by_day = True, daynames.unpacked(rows)
        found.rows.update(by_day)
        if since or until or BEFORE in name:
            found.left_out.update(
                {
                    day: count
                    for day, count in by_day.items()
                    if BEFORE in name
                    or f"{day}T00:00:00+00:00" < (since or "")
                    or (until and day >= until[:10])
                }
            )
    if not is_kept:
        return None
    found.undated = found.rows.pop(_UNDATED, 0)
    found.left_out.pop(_UNDATED, None)
    found.before = max(0, checkpoint.numbers().read - found.rows.total() - found.undated)
    return found


def _together(kept: Iterable[tuple[bytes]]) -> Look:
    whole = Look()
    for (text,) in kept:
        whole.add(_unpacked(text))
    return whole


def _packed(look: Look) -> bytes:
    """Return what was seen of events, as it is kept."""
    properties = {name: [one.filled, one.types, one.examples] for name, one in look.properties.items()}
    renamed, made = (
        {name: sorted(sources) for name, sources in sorted(one.items())} for one in (look.renamed, look.made)
    )
    return msgspec.msgpack.encode(
        [look.sampled, properties, sorted(look.beyond), renamed, sorted(look.dropped), made]
    )


def _unpacked(kept: bytes) -> Look:
    found = msgspec.msgpack.decode(kept, type=_Kept)
    return Look(
        sampled=Counter(found.sampled),
        properties={
            name: Property(Counter(filled), Counter(types), examples)
            for name, (filled, types, examples) in found.properties.items()
        },
        beyond=found.beyond,
        renamed=found.renamed,
        dropped=found.dropped,
        made=found.made,
    )
