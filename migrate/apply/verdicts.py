"""What PostHog says of each event of a request → what became of them; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from migrate.apply.capture import SERVER_WORDS, shown
from migrate.apply.outcome import DROPPED, HANDED_BACK, TAKEN, Verdict


@dataclass
class Sorted:
    """Events of one request by what is said of them, each as its number among them, from 0."""

    accepted: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    """What is said of events that are accepted → of how many."""
    dropped: dict[int, str] = field(default_factory=dict)
    """Those that are not to be sent again → why."""
    again: list[int] = field(default_factory=list)
    """Those that are not stored, and may be later."""
    silent: list[int] = field(default_factory=list)
    """Those of which nothing is said."""
    unknown: dict[int, str] = field(default_factory=dict)
    """Those of which something is said that no one knows → what."""

    @property
    def unsettled(self) -> list[int]:
        """Those that are to be sent again, in order."""
        return sorted([*self.again, *self.silent])


def sort(verdicts: Mapping[str, Verdict], uuids: Sequence[str]) -> Sorted:
    """Return the events by what is said of them, found by their canonical uuids. Of other uuids nothing is made."""
    others = _not_simply_ok(verdicts, uuids)
    if any(verdict is None for _, verdict in others):
        others = _not_simply_ok(_canonical(verdicts), uuids)
    found = Sorted(accepted=len(uuids) - len(others))
    for number, verdict in others:
        if verdict is None:
            found.silent.append(number)
        elif verdict.result in TAKEN:
            found.accepted += 1
            found.warnings[_words(verdict)] += 1
        elif verdict.result == DROPPED:
            found.dropped[number] = f"drop: {_words(verdict)}"
        elif verdict.result == HANDED_BACK:
            found.again.append(number)
        else:
            found.unknown[number] = shown(verdict.result, "")
    return found


def _not_simply_ok(verdicts: Mapping[str, Verdict], uuids: Sequence[str]) -> list[tuple[int, Verdict | None]]:
    """Return the events that need a second look, with what is said of them: nearly always none."""
    return [
        (number, one)
        for number, one in enumerate(map(verdicts.get, uuids))
        if one is None or one.result != "ok" or one.details is not None
    ]


def _words(verdict: Verdict) -> str:
    """Return what is said beside a result, the result itself where nothing is."""
    details = verdict.details
    text = "" if details is None else details if isinstance(details, str) else repr(details)
    return shown(text, "", limit=SERVER_WORDS) or verdict.result


def _canonical(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Return verdicts under the canonical spelling of their uuids, too; what is said in that spelling stands."""
    found = {}
    for name, verdict in verdicts.items():
        try:
            found[str(UUID(name))] = verdict
        except ValueError:
            continue
    return {**found, **verdicts}
