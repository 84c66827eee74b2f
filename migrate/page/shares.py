"""Properties over time: which share of the events has each, by month, and which were lost on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from migrate.page.times import Bins
from migrate.workdir.looks import Look

_ENOUGH: Final = 10
"""Of the events that were looked at so many should have it since: of fewer it may be chance."""
_STEADY: Final = 3
"""Months that tell what is usual."""
_SEEN: Final = 0.05
"""Share of the events that have a property which is missed when it is gone."""
_LOST: Final = 0.05
"""Of its usual share so much may be left of one that is lost."""


@dataclass(frozen=True)
class Property:
    """A property: of how many of the events that were looked at it is, and of which share of them in each bin."""

    name: str
    filled: int
    share: float
    shares: Sequence[float | None] = ()
    """By the bins of `Properties`; None where none was looked at."""
    types: Mapping[str, int] = field(default_factory=dict)
    examples: Sequence[str] = ()
    lost: str = ""
    """The month since which it is hardly there any more, though it was before."""
    before: float = 0.0
    """Its share until then, as the average of the months."""
    renamed: Sequence[str] = ()
    """What sources call it, where it has another name there."""
    made: Sequence[str] = ()
    """The columns that it is made of otherwise."""

    def by_year(self, bins: Bins) -> list[tuple[str, float | None]]:
        """Return its shares by year, as the average of those that are known."""
        found: dict[str, list[float]] = {}
        for label, share in zip(bins.labels, self.shares, strict=True):
            found.setdefault(label[:4], []).extend([] if share is None else [share])
        return [(year, sum(known) / len(known) if known else None) for year, known in found.items()]


@dataclass(frozen=True)
class Properties:
    """All properties that were kept, those of most events first."""

    all: Sequence[Property] = ()
    bins: Bins = field(default_factory=Bins)
    sampled: int = 0
    """Events that were looked at."""
    dropped: Sequence[str] = ()
    """Names that tables drop, where a source has them."""
    more: int = 0
    """Names beyond those that were kept."""
    is_known: bool = False


def gather(look: Look | None, bins: Bins) -> Properties:
    """Return the properties that planning saw."""
    if look is None:
        return Properties()
    sampled, by_bin = look.sampled.total(), bins.summed(look.sampled)
    found = []
    for name, one in look.properties.items():
        filled = bins.summed(one.filled)
        shares = [
            None if not all_ else min(1.0, part / all_) for part, all_ in zip(filled, by_bin, strict=True)
        ]
        total = one.filled.total()
        share = total / sampled if sampled else 0.0
        lost = _lost(shares, by_bin)
        since = "" if lost is None else bins.labels[lost]
        earlier = [known for known in shares[:lost] if known is not None] if since else []
        before = sum(earlier) / len(earlier) if earlier else 0.0
        sources = sorted(look.renamed.get(name, ())), sorted(look.made.get(name, ()))
        said = (one.types, one.examples, since, before, *sources)
        found.append(Property(name, total, share, shares, *said))
    found.sort(key=lambda one: (-one.filled, one.name))
    return Properties(found, bins, sampled, sorted(look.dropped), look.more, is_known=True)


def _lost(shares: Sequence[float | None], sampled: Sequence[int]) -> int | None:
    """Return since which bin a property is hardly there any more; None where it is, or never was, or nobody can say."""
    told = [
        (place, share, events)
        for place, (share, events) in enumerate(zip(shares, sampled, strict=True))
        if share is not None
    ]
    by_size = sorted(share for _, share, _ in told)
    usual = by_size[-1 - len(by_size) // 4] if by_size else 0.0
    since = len(told)
    while since and told[since - 1][1] < _LOST * usual:
        since -= 1
    missed = usual * sum(events for *_, events in told[since:])
    steady = [share for _, share, _ in told[:since] if share >= _SEEN]
    return told[since][0] if missed >= _ENOUGH and usual >= _SEEN and len(steady) >= _STEADY else None
