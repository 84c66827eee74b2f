"""How far a verification came, noted range by range, so that one that was stopped goes on where it was."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from migrate.verifying.counting import Asked, Difference, differences
from migrate.verifying.ledger import MERGING, NONE, Count

FILE: Final = "verify.jsonl"
_GOOD_FOR: Final = timedelta(days=1)
"""So long what was counted is gone on with; later it is counted anew."""


class Step(msgspec.Struct, frozen=True):
    """What a range came to."""

    until: datetime
    planned: Count
    there: Count
    found: dict[str, int]
    """Day → how many events there are of it."""
    by_day: dict[str, int]
    """Day → how many events were acknowledged of it; likewise by event."""
    by_event: dict[str, int]
    merging: dict[str, int]
    """Day → events that may make one person of two ids."""
    differences: list[Difference]
    uncounted: list[str]

    @classmethod
    def of(cls, asked: Asked) -> "Step":
        """Return what a range that was asked for comes to."""
        by_day, by_event, merging, found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for (day, _), count in asked.there.items():
            found[day] += count.uuids
        planned = NONE
        for day, events in asked.span.planned.items():
            for event, count in events.items():
                planned = planned.plus(count)
                by_day[day] += count.uuids
                by_event[event] += count.uuids
                merging[day] += count.events if event in MERGING else 0
        return cls(
            until=asked.span.until,
            planned=planned,
            there=_sum(asked.there.values()),
            found=dict(found),
            by_day=dict(by_day),
            by_event=dict(by_event),
            merging=dict(+merging),
            differences=differences(asked),
            uncounted=asked.uncounted,
        )


class Tally:
    """All ranges together."""

    def __init__(self) -> None:
        self.planned = self.there = NONE
        self.found: Counter[str] = Counter()
        self.by_day: Counter[str] = Counter()
        self.by_event: Counter[str] = Counter()
        self.merging: dict[str, int] = {}
        self.differences: list[Difference] = []
        self.uncounted: list[str] = []

    def add(self, step: Step) -> None:
        """Add a range."""
        self.planned, self.there = self.planned.plus(step.planned), self.there.plus(step.there)
        self.found.update(step.found)
        self.by_day.update(step.by_day)
        self.by_event.update(step.by_event)
        self.merging.update(step.merging)
        self.differences += step.differences
        self.uncounted += step.uncounted

    def replace(self, days: Collection[str], now: Iterable[Difference]) -> None:
        """Put what differs by `now` in the place of what differed on these days."""
        before = {one[:2]: one for one in self.differences if one.day in days}
        after = {one[:2]: one for one in now}
        for key in before.keys() | after.keys():
            planned = (before.get(key) or after[key]).planned  # what does not differ is as it was planned
            was, there = (found[key].there if key in found else planned for found in (before, after))
            more = Count(there.events - was.events, there.uuids - was.uuids)
            self.there = self.there.plus(more)
            self.found[key[0]] += more.uuids
        others = [one for one in self.differences if one.day not in days]
        self.differences = sorted([*others, *after.values()])


class Progress:
    """The notes in a workdir; of another question, or older than a day, they are begun anew.

    `question` is what decides the answer: the ledger, the project, the days.
    """

    def __init__(self, workdir: Path, question: str, now: datetime) -> None:
        self._path = workdir / FILE
        self.steps: list[Step] = []
        """What is known already, in order."""
        head = self._read(question, now) or {"question": question, "begun": now.isoformat()}
        self._path.write_bytes(msgspec.json.Encoder().encode_lines([head, *self.steps]))

    def add(self, step: Step) -> None:
        """Note what a range came to."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(step) + b"\n")

    def end(self) -> None:
        """Forget it all: the end was reached."""
        self._path.unlink(missing_ok=True)

    def _read(self, question: str, now: datetime) -> dict[str, str] | None:
        """Read what is known; return the head of the notes, None where they are not gone on with."""
        try:
            first, *lines = self._path.read_bytes().splitlines()
            head: dict[str, str] = msgspec.json.decode(first, type=dict[str, str])
            if head["question"] != question or now - datetime.fromisoformat(head["begun"]) > _GOOD_FOR:
                return None
        except (FileNotFoundError, ValueError, KeyError):
            return None
        for line in lines:
            try:
                self.steps.append(msgspec.json.decode(line, type=Step))
            except msgspec.DecodeError:
                break  # torn by a kill, and so the last one
        return head


def _sum(counts: Iterable[Count]) -> Count:
    events = uuids = 0
    for one in counts:
        events, uuids = events + one.events, uuids + one.uuids
    return Count(events, uuids)
