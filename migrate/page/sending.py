"""Sending over time: how fast it went, how long it waited and for what, and what was answered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from migrate.page import sparks
from migrate.workdir.sendings import Minute

_ROWS: Final = 24
"""Lines of the table that stands beside the picture."""
_DONE: Final = "200"


class Stretch(NamedTuple):
    """Some of the time, from `begun` on; `seconds` are those of its slots, in which anything was done."""

    begun: str
    seconds: int
    events: int
    requests: int
    bytes: int
    others: int
    """Answers that were not 200."""
    waited: float
    """Seconds, summed over requests."""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Sending:
    """All of it; pictures have a slot of time as their unit, slots without anything left out."""

    stretches: Sequence[Stretch] = ()
    slots: int = 0
    slot: int = 0
    """Seconds of a slot."""
    rate: str = ""
    most: float = 0.0
    """Events a second of the fastest slot."""
    waited: str = ""
    others: str = ""
    breaks: str = ""
    """Where time was left out."""
    answers: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[str, float] = field(default_factory=dict)


def gather(minutes: Sequence[Minute]) -> Sending:
    """Return how a workdir was sent."""
    if not minutes:
        return Sending()
    slots = [_stretch([one]) for one in minutes]
    step = -(-len(minutes) // _ROWS)
    answers = Counter[str]()
    waits: dict[str, float] = {}
    for one in minutes:
        answers.update(one.answers)
        for why, seconds in one.waited.items():
            waits[why] = waits.get(why, 0.0) + seconds
    return Sending(
        [_stretch(minutes[place : place + step]) for place in range(0, len(minutes), step)],
        len(minutes),
        minutes[0].seconds,
        sparks.spark([round(1_000 * one.rate) for one in slots], sparks.BARS),
        max(one.rate for one in slots),
        sparks.spark([round(one.waited) for one in slots], sparks.HEIGHT),
        sparks.bars(
            [one.others for one in slots], max(one.others for one in slots), offset=0.5, step=1, height=12
        ),
        "".join(
            f"M{place} 0v{sparks.BARS}"
            for place in range(1, len(minutes))
            if _is_apart(*minutes[place - 1 :][:2])
        ),
        dict(sorted(answers.items(), key=lambda one: (-one[1], one[0]))),
        dict(sorted(waits.items(), key=lambda one: (-one[1], one[0]))),
    )


def _stretch(minutes: Sequence[Minute]) -> Stretch:
    """Return slots as one."""
    return Stretch(
        minutes[0].begun,
        sum(one.seconds for one in minutes),
        sum(one.accepted + one.duplicate + one.parked for one in minutes),
        sum(one.requests for one in minutes),
        sum(one.bytes for one in minutes),
        sum(count for one in minutes for answer, count in one.answers.items() if answer != _DONE),
        sum(sum(one.waited.values()) for one in minutes),
    )


def _is_apart(one: Minute, other: Minute) -> bool:
    """Return whether there is time between two slots in which nothing was done."""
    end = datetime.fromisoformat(one.begun) + timedelta(seconds=one.seconds)
    return datetime.fromisoformat(other.begun) > end
