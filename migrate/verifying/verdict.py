"""What a verification comes to: how much was compared, what differs, and the cause of each difference."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from migrate.verifying.ledger import NONE, Count

_EXAMPLES: Final = 3


class Cause(StrEnum):
    """Why PostHog has other events than it acknowledged."""

    NOT_THERE_YET = "not_there_yet"
    DUPLICATES_NOT_MERGED = "duplicates_not_merged"
    RETENTION = "retention"
    DROPPED = "dropped"
    QUOTA = "quota"
    LANE = "lane"
    CHANGED_SINCE = "changed_since"
    SENT_ELSEWHERE = "sent_elsewhere"
    MERGE_REFUSED = "merge_refused"
    UNEXPLAINED = "unexplained"


PASSING: Final = {Cause.NOT_THERE_YET, Cause.DUPLICATES_NOT_MERGED}
"""What goes away by itself."""


class Example(NamedTuple):
    """One event: its day, name and uuid; where its row is, and what is there in its place, where that is known."""

    day: str
    event: str
    uuid: str
    place: str = ""
    now: str = ""


class Judged(NamedTuple):
    """A cause, and the sentence that goes with it."""

    cause: Cause
    why: str


@dataclass
class Finding:
    """Differences of one cause, told in one sentence."""

    cause: Cause
    why: str
    events: int = 0
    days: set[str] = field(default_factory=set)
    names: Counter[str] = field(default_factory=Counter)
    """Event → how many of it."""
    examples: list[Example] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether nothing is to be done."""
        return self.cause in PASSING

    def kept(self) -> dict[str, Any]:
        """Return the same, whole, as it is kept in a workdir."""
        return {
            "cause": str(self.cause),
            "events": self.events,
            "why": self.why,
            "passes": self.passes,
            "days": sorted(self.days),
            "names": dict(sorted(self.names.items(), key=lambda one: (-one[1], one[0]))),
            "examples": [one._asdict() for one in self.examples],
        }

    def document(self) -> dict[str, Any]:
        """Return the same for `--json`."""
        days = sorted(self.days)
        return {
            "cause": str(self.cause),
            "events": self.events,
            "why": self.why,
            "days": len(days),
            "first_day": days[0] if days else None,
            "last_day": days[-1] if days else None,
            "names": dict(sorted(self.names.items(), key=lambda one: (-one[1], one[0]))[:20]),
            "examples": [one._asdict() for one in self.examples],
        }


class Findings:
    """What was found so far, by cause and sentence."""

    def __init__(self) -> None:
        self._found: dict[Judged, Finding] = {}

    def add(
        self, judged: Judged, events: int, day: str, event: str, examples: Iterable[Example] = ()
    ) -> None:
        """Add so many events of a day and a name, which may be none."""
        if events <= 0:
            return
        one = self._found.setdefault(judged, Finding(*judged))
        one.events += events
        one.days.add(day)
        one.names[event] += events
        one.examples += [*examples][: _EXAMPLES - len(one.examples)]

    def all(self) -> list[Finding]:
        """Return them all: in the order of their causes, the larger ones first."""
        order = [*Cause]
        return sorted(self._found.values(), key=lambda one: (order.index(one.cause), -one.events, one.why))


@dataclass(frozen=True)
class Merges:
    """Planned merges that were asked about: how many are planned, were asked, and have come true."""

    planned: int = 0
    asked: int = 0
    done: int = 0


@dataclass(frozen=True)
class Verdict:
    """All that a verification says."""

    planned: Count = NONE
    """What PostHog acknowledged: events, and their uuids."""
    there: Count = NONE
    days: int = 0
    findings: tuple[Finding, ...] = ()
    merges: Merges = Merges()
    not_compared: Mapping[str, int] = field(default_factory=dict)
    """Why events are not compared → how many are not, of those planned."""
    uncounted: tuple[str, ...] = ()
    """Hours, as `2024-04-03T12`, that PostHog could not count in its ten seconds."""
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    asked: int = 0
    """Requests."""
    by_day: Mapping[str, int] = field(default_factory=dict)
    """Day that was counted whole → events (uuids) PostHog has of this import."""

    @property
    def passes(self) -> bool:
        """Whether all that PostHog acknowledged is there, or will be."""
        return not self.uncounted and all(one.passes for one in self.findings)

    @property
    def open_days(self) -> list[str]:
        """Days of which it is not known yet whether all is there."""
        young = {day for one in self.findings if one.cause is Cause.NOT_THERE_YET for day in one.days}
        return sorted(young | {hour[:10] for hour in self.uncounted})

    def document(self) -> dict[str, Any]:
        """Return the same for `--json`."""
        causes: Counter[str] = Counter()
        for one in self.findings:
            causes[str(one.cause)] += one.events
        return {
            "passes": self.passes,
            "planned": {"events": self.planned.events, "uuids": self.planned.uuids},
            "there": {"events": self.there.events, "uuids": self.there.uuids},
            "days": self.days,
            "causes": dict(causes),
            "findings": [one.document() for one in self.findings],
            "merges": vars(self.merges),
            "not_compared": dict(self.not_compared),
            "uncounted": [*self.uncounted],
            "unseen": [*self.unseen],
            "asked": self.asked,
        }
