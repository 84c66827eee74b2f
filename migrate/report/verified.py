"""What PostHog has of what was sent → a screen: how much was compared, what differs and why, what to make of it."""

from collections.abc import Iterator
from threading import Lock
from typing import Final

from migrate.report.live import Part
from migrate.report.sections import BOLD, WARNING, Line, labelled
from migrate.screen import counted
from migrate.verifying.verdict import Cause, Example, Finding, Verdict

_MOST_NAMES: Final = 5


def lines(verdict: Verdict) -> Iterator[Line]:
    """Yield the screen."""
    there = min(verdict.there.uuids, verdict.planned.uuids)
    yield labelled(
        "compared",
        f"{counted(verdict.planned.uuids, 'event')} of {counted(verdict.days, 'day')} that PostHog has acknowledged: "
        f"{there:,} are there",
    )
    for one in verdict.findings:
        yield from _difference(one)
    if merges := verdict.merges.planned:
        asked = f"{verdict.merges.done:,} of {verdict.merges.asked:,} that were asked for have come true"
        yield labelled("merges", f"{merges:,} planned: {asked}")
    for why, events in verdict.not_compared.items():
        yield labelled("left out", f"{counted(events, 'event')}, {why}")
    for hour in verdict.uncounted:
        yield labelled("left out", f"{hour}: PostHog could not count this hour in its ten seconds", WARNING)
    for what in verdict.unseen:
        yield labelled("unseen", what)
    yield labelled("verdict", sentence(verdict), BOLD)


def sentence(verdict: Verdict) -> str:
    """Return what to make of it."""
    if verdict.uncounted:
        return "not all could be counted; ask again when PostHog is less busy"
    causes = {str(one.cause): 0 for one in verdict.findings if not one.passes}
    for one in verdict.findings:
        if not one.passes:
            causes[str(one.cause)] += one.events
    if causes:
        named = ", ".join(f"{events:,} {cause}" for cause, events in causes.items())
        return f"PostHog has not what it acknowledged: {named}"
    if any(one.cause is Cause.NOT_THERE_YET for one in verdict.findings):
        return "nothing is known to be wrong: some is not there yet, ask again later"
    if verdict.findings:
        return "nothing is wrong: what differs goes away by itself"
    return "all that PostHog acknowledged is there"


def _difference(one: Finding) -> Iterator[Line]:
    """Yield one difference: its cause, when and what it is, and a few of the events."""
    days = sorted(one.days)
    when = f"on {days[0]}" if len(days) == 1 else f"on {len(days):,} days from {days[0]} to {days[-1]}"
    text = f"{counted(one.events, 'event')} {one.cause}, {when}: {one.why}"
    yield labelled("passes" if one.passes else "differs", text, "" if one.passes else WARNING)
    names = one.names.most_common(_MOST_NAMES)
    more = ", …" if len(one.names) > _MOST_NAMES else ""
    yield labelled("", f"{', '.join(f'{events:,} {name}' for name, events in names)}{more}")
    yield from (labelled("", _example(example)) for example in one.examples)


def _example(one: Example) -> str:
    place = f", from {one.place}" if one.place else ""
    now = f": now {one.now}" if one.now else ""
    return f"such as {one.event} of {one.day}, uuid {one.uuid}{place}{now}"


class Verifying:
    """How far a verification is."""

    def __init__(self) -> None:
        self._done = self._days = 0
        self._why = ""
        self._lock = Lock()

    def note(self, done: int, days: int) -> None:
        """Note how many days are counted, of how many."""
        with self._lock:
            self._done, self._days, self._why = done, days, ""

    def wait(self, seconds: float, why: str) -> None:
        """Note that it waits for so many seconds, and why."""
        with self._lock:
            self._why = f"waits {seconds:.0f} s: {why}" if seconds >= 1 else ""

    def parts(self, _now: float) -> Iterator[Part]:
        """Yield the parts of its line."""
        with self._lock:
            yield Part(
                f"verifying {self._done:,}/{counted(self._days, 'day')}" if self._days else "verifying"
            )
            if self._why:
                yield Part(self._why, ((1, ""),))
