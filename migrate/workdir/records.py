"""What the checkpoint keeps: inputs, parts, rounds, numbers, as values."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Self

import msgspec

from migrate.workdir.seals import Seal

BEFORE: Final = " (planned before, "
"""Stands behind the name of an input that is planned anew, before the number of what was planned of it."""
_EXAMPLES: Final = 3
Packed = bytes
"""Names with how many events each has, as `daynames.packed` writes them."""


def names_before(name: str) -> tuple[str, str]:
    """Return between which names those lie of all that was planned before of an input that was planned anew."""
    return f"{name}{BEFORE}", f"{name}{BEFORE}:"  # behind the digits


@dataclass
class Numbers:
    """What planning one input came to. Always `read == mapped + Σ filtered + Σ rejected`."""

    read: int = 0
    again: int = 0
    """Rows among those read that were read before, or are again: of copies of rejects, of sources planned anew."""
    mapped: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    group_types: set[str] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    """Source column that its table drops -> in how many files it is."""
    untold: Counter[str] = field(default_factory=Counter)
    """Bound of the time -> rows filtered by another name, of which what they tell of persons was left out by it."""
    damaged: list[str] = field(default_factory=list)
    """Names of inputs that could not be read to their end."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """A few rows for each reason, as `file:row`."""
    wanted: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Reason of rejects -> table -> the columns that decide it."""

    def add(self, other: "Numbers") -> None:
        """Add another input's numbers to these."""
        self.read += other.read
        self.again += other.again
        self.mapped += other.mapped
        for name in ("filtered", "rejected", "repairs", "warnings", "names", "dropped", "untold"):
            if more := getattr(other, name):
                getattr(self, name).update(more)
        self.group_types |= other.group_types
        self.damaged += other.damaged
        for reason, places in other.examples.items():
            for place in places:
                self.add_example(reason, place)
        for reason, tables in other.wanted.items():
            self.wanted.setdefault(reason, {}).update(tables)

    def go_on(self, more: "Numbers") -> None:
        """Add those of more rows of the same input, so that it makes no difference where they were parted.

        Of rejects the first examples are kept, of all else the first one, as parts tell no more.
        """
        examples = {
            reason: places
            for reason, places in more.examples.items()
            if reason in more.rejected or reason not in self.examples
        }
        self.add(replace(more, examples=examples))

    def add_example(self, reason: str, place: str) -> None:
        """Keep a place for a reason, as long as there are few."""
        known = self.examples.setdefault(reason, [])
        if len(known) < _EXAMPLES:
            known.append(place)

    def kept(self) -> dict[str, object]:
        """Return the numbers as they are kept; event names are kept apart, once for all inputs."""
        kept = {name: value for name, value in vars(self).items() if name != "names"}
        return kept | {"group_types": sorted(self.group_types)}

    def to_json(self) -> str:
        """Return the same as JSON."""
        return json.dumps(self.kept(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the numbers kept as `to_json` wrote them."""
        kept = msgspec.json.decode(text)
        for name in ("filtered", "rejected", "repairs", "warnings", "dropped", "untold"):
            kept[name] = Counter(kept.get(name) or None)
        kept["group_types"] = set(kept["group_types"])
        return cls(**kept)


class Window(NamedTuple):
    """The time of which events are planned, from `since` on and before `until`; None is without end."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, since: str | None, until: str | None) -> Self:
        """Return the window of two texts as `texts` gives them."""
        return cls(*(None if text is None else datetime.fromisoformat(text) for text in (since, until)))

    def texts(self) -> tuple[str | None, str | None]:
        """Return both ends as ISO 8601."""
        since, until = (None if one is None else one.isoformat() for one in self)
        return since, until

    def __or__(self, other: "Window") -> "Window":
        """Return the window that holds both."""
        since = None if self.since is None or other.since is None else min(self.since, other.since)
        until = None if self.until is None or other.until is None else max(self.until, other.until)
        return Window(since, until)


ALWAYS: Final = Window()


class Input(NamedTuple):
    """A source file as it was when it was planned; `planned` says whether all of it is. `size` is bytes."""

    id: int
    name: str
    stamp: str
    size: int
    digest: str
    planned: bool
    window: Window = ALWAYS
    """The time of which it is planned."""
    lead: int | None = None
    """The number of the input that it was planned together with."""


class Fate(StrEnum):
    """What becomes of a part's events, where its source was planned before and rows of it have changed."""

    AS_OTHERS = ""
    """They are sent, but for those that were."""
    AGAIN = "again"
    """They are sent, though they were: PostHog keeps the later version."""
    STAYS = "stays"
    """They are not sent: PostHog has them otherwise, and would keep both."""


class Change(StrEnum):
    """What a changed row means for its event, as it is counted."""

    REPLACED = "replaced"
    """Changed before it was sent: it is sent as it is now."""
    KEPT = "kept"
    """Changed after it was sent: what was sent stays."""
    RESENT = "resent"
    """Changed after it was sent: sent again under the same uuid."""
    VANISHED = "vanished"
    """No longer in its source, and not sent: it is not sent any more."""
    VANISHED_SENT = "vanished_sent"
    """No longer in its source, and sent: it stays in PostHog."""
    UNKNOWN = "unknown"
    """Sent, and in a file of the plan that cannot be read: whether it changed is not known."""


@dataclass(frozen=True)
class Part:
    """One Parquet file of a day: the events of one input. `first` and `last` are microseconds since 1970."""

    path: str
    input: int
    day: str
    events: int
    bytes: int
    first: int
    last: int
    leads: bool
    """Whether its events go before all others of the day: they say who is who."""
    seal: Seal
    anew: bool = False
    """Whether its source was planned before: its events may have been sent with another distinct_id."""
    increment: int = 1
    """The increment it was planned with: the sources that were new in the workdir at one time."""
    fate: Fate = Fate.AS_OTHERS
    names: Packed | None = field(default=None, compare=False, repr=False)
    """How many events of each name it holds; None where that is not counted."""


class OfDay(NamedTuple):
    """What a span has of a day: events, and bytes of their payloads."""

    events: int
    bytes: int


@dataclass(frozen=True)
class Span:
    """A Parquet file of events of one input, of many days, in timestamp order; see `Part` for `first` and `last`."""

    path: str
    input: int
    days: Mapping[str, OfDay]
    first: int
    last: int
    seal: Seal


@dataclass(frozen=True)
class Aside:
    """Why a source is set aside: a word, a sentence, the stamp it had; whether people have dismissed it."""

    reason: str
    why: str
    stamp: str = ""
    is_dismissed: bool = False


@dataclass(frozen=True)
class Round:
    """A day's parts that are sent together; parts that come later make another round."""

    day: str
    number: int
    position: int
    """How many events of the round are settled, in the order they are sent."""
    parts: tuple[Part, ...]
    earlier: tuple[Part, ...]
    """Parts of earlier rounds of the day: sent already, so their events are duplicates; none of what is sent again."""


@dataclass(frozen=True)
class Renewed:
    """A source that was planned anew: the numbers of the input it was, and of the one it is."""

    before: int
    now: int
    is_same: bool
    """Whether its bytes are the same."""
    is_same_time: bool
    """Whether it is planned of the same time."""


@dataclass(frozen=True)
class Settled:
    """What became of some events."""

    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
