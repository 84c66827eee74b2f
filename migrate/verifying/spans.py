"""Days and what was acknowledged of them → ranges of time to ask for: a month each at the most, and so many rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from migrate.verifying.ledger import ByEvent

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
_MOST: Final = 31 * DAY
_MOST_ROWS: Final = 20_000
"""Days and events of a range, of the 50,000 that an answer may have: there may be more than was planned."""


@dataclass(frozen=True)
class Span:
    """A range of whole days, [since, until), and what was acknowledged of each; of a day with nothing there is none."""

    since: datetime
    until: datetime
    planned: dict[str, ByEvent] = field(default_factory=dict)


def spans(
    days: Iterable[tuple[str, ByEvent]], *, is_whole: bool, since: datetime | None = None
) -> Iterator[Span]:
    """Yield ranges that hold these days, oldest first; from `since` on, where that is given.

    With `is_whole` days between them are in the ranges, too: nothing of the import should be there.
    """
    held: dict[str, ByEvent] = {}
    rows, begin = 0, since
    until = since
    for day, events in days:
        here = midnight(day)
        is_apart = until is not None and here != until and not is_whole
        is_full = begin is not None and (here + DAY - begin > _MOST or rows + len(events) > _MOST_ROWS)
        if held and begin is not None and until is not None and (is_apart or is_full):
            yield Span(begin, until, held)
            held, rows, begin = {}, 0, until
        if begin is None or (is_apart and not held):
            begin = here
        if not held and here - begin >= _MOST:
            yield Span(begin, here)
            begin = here
        held[day] = events
        rows, until = rows + len(events), here + DAY
    if held and begin is not None and until is not None:
        yield Span(begin, until, held)


def halves(since: datetime, until: datetime) -> tuple[datetime, datetime, datetime] | None:
    """Return a range as two, at midnight or at a full hour; None of a single hour, or less."""
    step = DAY if until - since > DAY else HOUR
    steps = (until - since) // step
    return (since, since + (steps // 2) * step, until) if steps > 1 else None


def midnight(day: str) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
