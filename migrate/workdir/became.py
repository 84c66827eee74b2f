"""What became of the events of each name: exact, but where an earlier version sent them.

Of a round that is done the parts tell which names it had; of one that is under way it keeps the names of what is
settled; of duplicates it keeps the names; a parked event is known by itself. What is neither is accepted.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from migrate.workdir import daynames, parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.daynames import UNKNOWN, Day

_ROUNDS: Final = "SELECT day, accepted + duplicate + parked, duplicate, done, settled, duplicates FROM rounds"


class Became(NamedTuple):
    """What became of planned events; the numbers add up to those that are planned."""

    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
    waiting: int = 0
    """Not settled, held ones too."""
    unsure: int = 0
    """One of the others but parked, and nobody knows which: an earlier version of ours, which kept no names, sent
    their day and left duplicates out of it, or stopped on the way."""


NOTHING: Final = Became()


@dataclass
class _Settled:
    """What the rounds of a day came to."""

    done: int = 0
    """Events settled in rounds that are done."""
    under_way: int = 0
    """Events settled in others."""
    duplicate: int = 0
    names: Counter[str] = field(default_factory=Counter)
    """Of those that are under way."""
    duplicates: Counter[str] = field(default_factory=Counter)


@dataclass
class Outcomes:
    """What became of the events of all names, day by day."""

    waiting: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    _rounds: dict[str, _Settled] = field(default_factory=dict)
    _parked: Mapping[str, Counter[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Outcomes":
        """Return those of a workdir, to which each of its days is still to be added."""
        found: dict[str, _Settled] = {}
        for day, settled, duplicate, done, names, duplicates in checkpoint.query(_ROUNDS):
            one = found.setdefault(day, _Settled())
            one.done += settled if done else 0
            one.under_way += 0 if done else settled
            one.duplicate += duplicate
            for known, kept in ((one.names, None if done else names), (one.duplicates, duplicates)):
                known.update({} if kept is None else daynames.unpacked(kept))
        return cls(_rounds=found, _parked=parked.names(checkpoint))

    def add(self, day: Day) -> None:
        """Add what became of a day's events."""
        self.waiting.update(day.waiting)
        rounds, refused = self._rounds.get(day.day, _Settled()), self._parked.get(day.day, Counter())
        if not (day.under_way or refused or rounds.duplicate) and rounds.done == sum(day.settled.values()):
            return  # all that is settled is accepted
        planned = day.planned
        names, duplicates, refused = (
            _within(planned, one) for one in (rounds.names, rounds.duplicates, refused)
        )
        self.parked.update(refused)
        ended = duplicates + refused
        is_known = (
            (rounds.done, rounds.under_way) == (sum(day.settled.values()), names.total())
            and duplicates.total() == rounds.duplicate
            and all(count <= day.under_way.get(name, 0) for name, count in names.items())
            and all(count <= day.settled.get(name, 0) + names[name] for name, count in ended.items())
        )
        if is_known:
            self.duplicate.update(duplicates)
            self.waiting.update(Counter(day.under_way) - names)
        else:
            self.unsure.update(Counter(planned) - Counter(day.waiting) - refused)

    def became(self, name: str, planned: int) -> Became:
        """Return what became of the events of a name, of which so many are planned."""
        rest = (self.duplicate[name], self.parked[name], self.waiting[name], self.unsure[name])
        return Became(max(0, planned - sum(rest)), *rest)


def _within(planned: Mapping[str, int], names: Mapping[str, int]) -> Counter[str]:
    """Return names as a day that has events of unknown names has them: what is of none that is planned is of these."""
    if UNKNOWN not in planned:
        return Counter(names)
    found = Counter({name: min(count, planned.get(name, 0)) for name, count in names.items()})
    found[UNKNOWN] += sum(names.values()) - found.total()
    return found
