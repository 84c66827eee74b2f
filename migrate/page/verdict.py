"""Is it whole, and safe to send: the one sentence that stands above all others."""

from collections.abc import Sequence
from typing import NamedTuple

from migrate.page.findings import Finding, Weight
from migrate.page.gathered import Gathered
from migrate.report.states import State
from migrate.screen import counted


class Verdict(NamedTuple):
    """The sentence; whether anything speaks against it; whether all that may be sent is."""

    sentence: str
    is_against: bool
    is_sent: bool = False

    def label(self, weight: Weight) -> str:
        """Return how grave a finding is, in words: of what is sent nothing can speak against sending it any more."""
        return "speaks against it" if self.is_sent and weight is Weight.AGAINST else weight


def verdict(found: Gathered, findings: Sequence[Finding]) -> Verdict:
    """Return what to make of a workdir, told by its states and by what stands out."""
    against = sum(one.weight is Weight.AGAINST for one in findings)
    look = sum(one.weight is Weight.LOOK for one in findings)
    is_sent = _is_sent(found)
    return Verdict(f"{_how(found)}{_but(against, look, is_sent=is_sent)}", bool(against), is_sent)


def _how(found: Gathered) -> str:
    """Return how the plan is: the first that holds."""
    states, events = {one.state for one in found.found}, found.numbers.events
    ways = {
        "The plan is harmed, and not to be sent as it is": State.HARMED in states,
        "A command is at work here; these are the numbers so far": State.RUNNING in states,
        "The plan is not whole, and not to be sent yet": not found.numbers.whole,
        "Nothing is planned": not events.planned,
        "The plan is whole, and all of it that may be sent is": _is_sent(found),
        "The plan is whole, and a part of it is sent": events.pending + events.held < events.planned,
        "The plan is whole, and nothing of it is sent": True,
    }
    return next(words for words, holds in ways.items() if holds)


def _is_sent(found: Gathered) -> bool:
    return bool(found.numbers.events.planned) and not found.numbers.events.pending


def _but(against: int, look: int, *, is_sent: bool) -> str:
    """Return what speaks against it."""
    what = "it" if is_sent else "sending it"
    if against:
        more = f", {look:,} more to look at" if look else ""
        speak = "speaks" if against == 1 else "speak"
        return f"; {counted(against, 'thing')} {speak} against {what}{more}."
    if look:
        return f"; nothing speaks against {what}, {counted(look, 'thing')} to look at."
    return f"; nothing was found that speaks against {what}."
