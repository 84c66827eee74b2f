"""How fast: over the last seconds, and at which rate sending will go on as far as that is known."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from migrate.report.numbers import Summary

SECONDS: Final = 10.0
"""What counts as the last seconds."""
_STEP: Final = 0.2
"""Seconds between two counts that are remembered."""


class Sliding:
    """How much was done a second, over the last seconds; counts only grow, and begin at `done`."""

    def __init__(self, now: float, done: int = 0) -> None:
        self._counts = deque([(now, done)])

    def note(self, now: float, done: int) -> None:
        """Note how much is done by now."""
        if len(self._counts) > 1 and now - self._counts[-2][0] < _STEP:
            self._counts.pop()
        self._counts.append((now, done))
        while self._counts[1][0] <= now - SECONDS:
            self._counts.popleft()

    def rate(self, now: float) -> float:
        """Return how much was done a second until now."""
        start, first = now - SECONDS, self._counts[0]
        for one in self._counts:
            if one[0] > start:
                break
            first = one
        seconds = now - max(start, first[0])
        return (self._counts[-1][1] - first[1]) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True)
class Pace:
    """Events a second: as many as may be sent, and as many as were; None is no limit, and not known."""

    limit: float | None = None
    reached: float | None = None

    @classmethod
    def of(cls, limit: float | None, numbers: Summary) -> "Pace":
        """Return the pace in a workdir of these numbers."""
        return cls(limit, numbers.events.accepted / numbers.seconds if numbers.seconds else None)

    @property
    def holds(self) -> float | None:
        """The rate that will hold: the limit, or what was reached before if that is less; None is not known."""
        return min((rate for rate in (self.limit, self.reached) if rate), default=None)


@dataclass(frozen=True)
class Following:
    """What a command does after it has planned: sends what is planned, and what is pending already, at a pace."""

    pending: int
    pace: Pace
