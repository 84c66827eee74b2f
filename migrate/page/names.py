"""Event names: how many events each has, what became of them, from which day to which, which came or went."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from migrate.page.days import Days
from migrate.page.times import Bins
from migrate.page.vanished import Seen
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
    stragglers: int = 0
    """Events after the last day, of one that vanished: so few that it has."""


@dataclass(frozen=True)
class Names:
    """All names, most events first."""

    all: Sequence[Name] = ()
    bins: Bins = field(default_factory=Bins)
    vanished: Sequence[Name] = ()
    """Steady before, and not there any more while others go on, but for stragglers; most events first."""
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
    totals, bins = Counter[str](), days.bins
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    binned: list[Counter[str]] = [Counter() for _ in range(bins.count)]
    seen = Seen(bins)
    outcomes = Outcomes.of(checkpoint)
    month, place = "", None
    for of_day in daynames.days(checkpoint):
        day, events = of_day.day, of_day.planned
        outcomes.add(of_day)
        if day[:7] != month:
            month, place = day[:7], bins.place(day) if bins.count else None
        (totals if place is None else binned[place]).update(events)
        if place is not None and days.first <= day <= days.last:
            seen.add(day, place, events)
        last.update(dict.fromkeys(events, day))
        for name in events.keys() - first.keys():
            first[name] = day
    for counts in binned:
        totals.update(counts)
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
    vanished, appeared = list[Name](), list[Name]()
    for one in found:
        if (gone := seen.gone(one.name, one.first, one.bins)) is not None:
            vanished.append(replace(one, last=gone.last, stragglers=gone.stragglers))
        if seen.has_come(one.name, one.first):
            appeared.append(one)
    return Names(found, bins, vanished, appeared)
