"""What became of a request, and why one waits, in words for a log."""

from collections import Counter
from typing import Final

from migrate.apply.outcome import Accepted, Judged, Outcome, Retry, Split, Stop
from migrate.apply.watch import Fate, Wait
from migrate.screen import amount, counted, shown

_SHORT: Final = 0.1
"""Seconds that a request waits for the rate and nothing is told of it."""


def of_fate(fate: Fate) -> str:
    """Return which request it was, and what became of it."""
    request, outcome = fate.request, fate.outcome
    if not request.events:
        return f"asked whether there is capture v1: {_of_question(outcome)}"
    if isinstance(outcome, Accepted):
        result = "200, accepted"
    elif isinstance(outcome, Judged):
        said = Counter(one.result for one in outcome.verdicts.values())
        result = ", ".join(["200", *(f"{count:,} {shown(name)}" for name, count in said.most_common())])
    elif isinstance(outcome, Split):
        result = f"{outcome.status}: {outcome.message}"
    else:
        result = outcome.reason
    day = f"{request.day}, " if request.day else ""
    return (
        f"request {fate.number:,}: {day}{counted(request.events, 'event')}, {amount(len(request.data))}, attempt "
        f"{request.attempt:,}, {outcome.seconds:.2f} s: {result}"
    )


def _of_question(outcome: Outcome) -> str:
    """Return what is known of capture v1 by an answer."""
    if isinstance(outcome, Accepted):
        return "there is"
    if isinstance(outcome, Split):
        return f"no, {outcome.status}"
    return outcome.reason if isinstance(outcome, Retry | Stop) else ""


def of_wait(wait: Wait) -> str:
    """Return why a request waits and for how long; nothing of a wait for the rate that is hardly one."""
    if not wait.reason:
        return f"waits {wait.seconds:.1f} s: rate limit" if wait.seconds >= _SHORT else ""
    asked = " (its Retry-After)" if wait.is_asked else ""
    return f"waits {wait.seconds:.1f} s{asked}: attempt {wait.attempt:,} failed, {wait.reason}"
