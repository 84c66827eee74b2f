"""The rows of a trial: what is known of each at once, and all of it for the few that are looked at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

import msgspec

from migrate.kit.declare import Table
from migrate.preview import MAPPED, Preview
from migrate.serving import fields

Show = Literal["all", "mapped", "told", "filtered", "rejected", "warned", "changed"]
_ALL: Final = "all"
_FLAGS: Final = frozenset({"warned", "changed"})


class View(msgspec.Struct, frozen=True):
    """Which rows are looked at: of a kind, with an event of this name, so many from one on."""

    show: Show = "all"
    event: str | None = None
    start: int = 0
    count: int = 10


class _Properties(msgspec.Struct):
    """What of a payload's properties says who is who."""

    anonymous: object = msgspec.field(default=None, name="$anon_distinct_id")
    alias: object = None


class Payload(msgspec.Struct):
    """What of a payload is known of all rows."""

    event: str
    distinct_id: str
    properties: _Properties


payload: Final = msgspec.json.Decoder(Payload).decode


@dataclass(frozen=True)
class Row:
    """A source row, and what became of it."""

    place: str
    outcome: str
    """`mapped`, `told` (tells of a person or a group alone), `filtered` or `rejected`."""
    why: str | None
    events: Sequence[str]
    warnings: Sequence[str]
    is_changed: bool
    """Whether it became something else under what is saved."""
    preview: Preview = field(repr=False)
    table: Table | None = field(default=None, repr=False)
    """What it was read as."""

    @classmethod
    def of(
        cls,
        one: Preview,
        table: Table | None,
        events: Sequence[str],
        warnings: Sequence[str],
        *,
        is_changed: bool,
    ) -> Self:
        """Return what is known at once of a row of a table."""
        return cls(one.place, _outcome(one.why), one.why, events, warnings, is_changed, one, table)

    def is_shown(self, view: View) -> bool:
        """Return whether it is among those that are looked at."""
        if view.event is not None and view.event not in self.events:
            return False
        if view.show in _FLAGS:
            return bool(self.warnings) if view.show == "warned" else self.is_changed
        return view.show in {_ALL, self.outcome}

    def whole(self) -> Mapping[str, Any]:
        """Return all of it, its source beside its payloads."""
        became = [fields.flat(text) for text in self.preview.payloads]
        source, payloads = fields.beside(fields.flat(self.preview.source), became, self.table)
        return {
            "place": self.place,
            "outcome": self.outcome,
            "why": self.why,
            "events": self.events,
            "warnings": self.warnings,
            "changed": self.is_changed,
            "source": source,
            "payloads": payloads,
        }


def page(rows: Sequence[Row], view: View) -> dict[str, Any]:
    """Return those that are looked at, and how many there are like them."""
    found = [row for row in rows if row.is_shown(view)]
    start = max(0, view.start)
    return {"rows": [row.whole() for row in found[start : start + max(0, view.count)]], "of": len(found)}


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """Return how many rows there are of each kind."""
    kinds = Counter(row.outcome for row in rows)
    return {
        "all": len(rows),
        **{name: kinds[name] for name in ("mapped", "told", "filtered", "rejected")},
        "warned": sum(bool(row.warnings) for row in rows),
        "changed": sum(row.is_changed for row in rows),
    }


def _outcome(why: str | None) -> str:
    if why is None:
        return "mapped"
    return "told" if why == MAPPED else why.partition(":")[0]
