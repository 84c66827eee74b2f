"""What is missing, and what is known of the project → causes; pure.

Evidence goes from the strongest on: what the project's settings hide or drop, which events have ways of their own,
whether all is missing from some moment on, and last what PostHog itself has warned of.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from migrate.verifying.counting import Difference
from migrate.verifying.ledger import Sent
from migrate.verifying.verdict import Cause, Judged

YOUNG: Final = timedelta(hours=1)
"""What was acknowledged within this time may be on its way; of what is older it is named why it is missing."""
ONCE_MORE: Final = timedelta(days=1)
"""What was acknowledged within this time is asked for once more; where more comes, the rest may come, too."""
_MONTH: Final = 365.25 / 12
_MARGIN: Final = 3
"""Days by which months of the calendar and months of equal length differ at the most."""
_LANES: Final = {"$exception", "$$client_ingestion_warning", "$$heatmap", "$heatmap", "$performance_event"}
_OF_AI: Final = "$ai_"
_OF_SURVEYS: Final = {"survey sent", "survey shown", "survey dismissed"}
"""Events that capture takes off the way of all others, or counts against a quota of their own (§1.5, §9.2)."""
_MERGING: Final = frozenset({"$identify", "$create_alias", "$merge_dangerously"})
_ANY: Final = frozenset[str]()
_DROPS: Final[Mapping[str, frozenset[str]]] = {
    "feature_flag_called_duplicate": frozenset({"$feature_flag_called"}),
    "group_key_too_long": frozenset({"$groupidentify"}),
    "invalid_anon_distinct_id": _MERGING,
    "invalid_alias": _MERGING,
    "invalid_event_for_flags": _MERGING,
    "invalid_event_when_process_person_profile_is_false": _MERGING,
    "event_dropped_too_old": _ANY,
    "distinct_id_too_long": _ANY,
    "message_size_too_large": _ANY,
    "skipping_event_invalid_distinct_id": _ANY,
}
"""What ingestion warns of when it drops an event → of which names those are, or of any (posthog-ingestion.md §3.1)."""


@dataclass(frozen=True)
class Known:
    """What is known of the project and of the import before any event is looked at."""

    now: datetime
    sent: Mapping[str, Sent]
    """Day → when its events were acknowledged."""
    by_event: Mapping[str, int]
    """Event → how many were acknowledged; of some days alone it is not known of all."""
    retention_months: int | None = None
    is_enforced: bool | None = None
    oldest_seconds: float | None = None
    is_growing: bool = False
    """Whether more was there when it was asked again."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """Event → how many are missing."""


def of_settings(one: Difference, known: Known) -> Judged | None:
    """Return what the project's settings or the event's name say of a difference in which events are missing."""
    day = date.fromisoformat(one.day)
    if known.retention_months is not None and known.is_enforced is not False:
        floor = known.now.date() - timedelta(days=known.retention_months * _MONTH - _MARGIN)
        if day < floor:
            return Judged(
                Cause.RETENTION,
                f"the project shows {known.retention_months} months of history, and these are older; they are there "
                "again where its retention is raised",
            )
    sent = known.sent.get(one.day)
    if known.oldest_seconds is not None and sent is not None:
        oldest = sent.first.date() - timedelta(seconds=known.oldest_seconds)
        if day <= oldest:
            return Judged(
                Cause.DROPPED,
                f"the project drops events older than {known.oldest_seconds / 86_400:,.0f} days when they come; turn "
                "that off in its settings, and send them again from a new --workdir",
            )
    if known.is_growing and sent is not None and sent.last > known.now - ONCE_MORE:
        return Judged(
            Cause.NOT_THERE_YET,
            "more was there each time it was asked for: PostHog is still reading what it acknowledged; ask again "
            "later, or with --wait 70m",
        )
    is_young = sent is not None and sent.first > known.now - YOUNG
    if _has_lane(one.event) and _is_alone(one.event, known) and not is_young:
        return Judged(
            Cause.LANE,
            f"none of '{one.event}' is there: PostHog takes it to a place, or counts it against a quota, of its own; "
            "look for it in the product it belongs to",
        )
    return None


def _is_alone(event: str, known: Known) -> bool:
    """Return whether nothing of a name is there, while something of other names is."""
    lost = {name for name, count in known.by_event.items() if known.lost.get(name, 0) >= count}
    return event in lost and not all(name in lost for name in known.by_event if not _has_lane(name))


def _has_lane(event: str) -> bool:
    """Return whether events of this name do not go the way of all others."""
    return event in _LANES or event in _OF_SURVEYS or event.startswith(_OF_AI)


class Warned:
    """What ingestion has warned of since the import began, to be taken as the cause of so many events and no more."""

    def __init__(self, counts: Iterable[tuple[str, int]]) -> None:
        self._left: Counter[str] = Counter()
        self.of_merges = 0
        """Merges that were refused."""
        for kind, count in counts:
            if kind in _DROPS or "drop" in kind:
                self._left[kind] += count
            self.of_merges += count if kind.startswith("cannot_merge") else 0

    def take(self, event: str, missing: int) -> dict[Judged, int]:
        """Return of how many missing events of this name the warnings may be the cause, and which ones."""
        found: dict[Judged, int] = {}
        for kind in sorted(self._left, key=lambda kind: (not _DROPS.get(kind), kind)):
            names = _DROPS.get(kind, _ANY)
            taken = min(missing, self._left[kind]) if not names or event in names else 0
            if taken:
                self._left[kind] -= taken
                missing -= taken
                found[Judged(Cause.DROPPED, _dropped(kind))] = taken
        return found


def _dropped(kind: str) -> str:
    return (
        f"PostHog has warned of as many events that it dropped ({kind}) since the import began; the project's "
        "ingestion warnings show which"
    )
