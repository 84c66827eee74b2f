"""Event names: how many events each has, what became of them, from which day to which, which came or went."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from migrate.page.days import Days
from migrate.page.times import Bins
from migrate.workdir import daynames
from migrate.workdir.became import NOTHING, Became, Outcomes
from migrate.workdir.checkpoint import Checkpoint

NOT_KNOWN: Final = "(names that are not known any more)"
ENDS: Final = {
    "accepted": "accepted",
    "duplicate": "duplicate",
    "parked": "parked",
    "waiting": "waiting",
    "unsure": "not known which",
}
"""What may have become of events, in the order in which it is shown."""
_ALWAYS: Final = {"accepted", "parked", "waiting"}
_OURS: Final = {"$identify", "$set", "$groupidentify"}
"""What is told of people and groups: that there is nothing new of them is no loss."""
_LONG: Final = 14
"""Days with events of others, at the least, on which one that is gone is not there."""
_TIMES: Final = 10
"""So many times longer than it is silent as a rule."""
_STEADY: Final = 10
"""Days on which it was there, at the least."""


@dataclass(frozen=True)
class Name:
    """An event name; days are UTC, empty where an earlier version of ours has not kept them."""

    name: str
    events: int
    first: str = ""
    last: str = ""
    bins: Sequence[int] = ()
    """Events by the bins of `Names`."""
    became: Became = NOTHING


@dataclass(frozen=True)
class Names:
    """All names, most events first."""

    all: Sequence[Name] = ()
    bins: Bins = field(default_factory=Bins)
    vanished: Sequence[Name] = ()
    """Steady before, and not there any more while others go on; most events first."""
    appeared: Sequence[Name] = ()
    """Not there at first, and steady from its first day on."""

    @property
    def became(self) -> Became:
        """What became of the events of all of them."""
        return Became(*map(sum, zip(NOTHING, *(one.became for one in self.all), strict=True)))

    @property
    def ends(self) -> Mapping[str, str]:
        """What may have become of events, in words, as far as there are any; nothing of what nothing is sent of."""
        became = self.became
        if became.waiting == sum(became):
            return {}
        return {name: words for name, words in ENDS.items() if getattr(became, name) or name in _ALWAYS}


def gather(checkpoint: Checkpoint, days: Days) -> Names:
    """Return the names of a workdir."""
    totals, active = Counter[str](), Counter[str]()
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    ended: dict[str, str] = {}  # but for strays
    bins = days.bins
    binned: list[Counter[str]] = [Counter() for _ in range(bins.count)]
    busy: list[str] = []
    month, place = "", None
    outcomes = Outcomes.of(checkpoint)
    for of_day in daynames.days(checkpoint):
        day, events = of_day.day, of_day.planned
        outcomes.add(of_day)
        if day[:7] != month:
            month, place = day[:7], bins.place(day) if bins.count else None
        (totals if place is None else binned[place]).update(events)
        if days.first <= day <= days.last:
            busy.append(day)
            active.update(events.keys())
            ended.update(dict.fromkeys(events, day))
        last.update(dict.fromkeys(events, day))
        for name in events.keys() - first.keys():
            first[name] = day
    for one in binned:
        totals.update(one)
    known = checkpoint.numbers().names
    found = [
        Name(
            name,
            totals[name] or known[name],
            first.get(name, ""),
            last.get(name, ""),
            [one[name] for one in binned] if name in first else (),
            outcomes.became(name, totals[name]),
        )
        for name in {*known, *first}
    ]
    found = [replace(one, name=NOT_KNOWN) if one.name == daynames.UNKNOWN else one for one in found]
    found.sort(key=lambda one: (-one.events, one.name))
    places = {day: place for place, day in enumerate(busy)}
    steady = [
        replace(one, last=ended[one.name])
        for one in found
        if active[one.name] >= _STEADY and one.name not in _OURS
    ]
    vanished, appeared = (
        [one for one in steady if _is_silent(one, active[one.name], places, len(busy) - 1, is_after=is_after)]
        for is_after in (True, False)
    )
    return Names(found, bins, [one for one in vanished if not _is_seasonal(one)], appeared)


def _is_seasonal(one: Name) -> bool:
    """Return whether a name was silent on its way for as many months as it is now: it may come again."""
    runs = [len([*some]) if not is_there else 0 for is_there, some in groupby(one.bins, bool)]
    return len(runs) > 1 and not one.bins[-1] and max(runs[1:-1], default=0) >= runs[-1]


def _is_silent(one: Name, active: int, places: dict[str, int], end: int, *, is_after: bool) -> bool:
    """Return whether a name is not there for far longer than usual, after its last day or before its first.

    `places`: of all days with events; a name is silent on days on which others are not.
    """
    begins, ends = places.get(one.first, 0), places.get(one.last, end)
    usual = (ends - begins + 1) / active
    silent = end - ends if is_after else begins
    return silent >= max(_LONG, _TIMES * usual)
