"""What became of a request, and why one waits, in words for a log."""

from typing import Final

from migrate.apply.outcome import Accepted, Split
from migrate.apply.watch import Fate, Wait
from migrate.screen import amount, counted

_SHORT: Final = 0.1
"""Seconds that a request waits for the rate and nothing is told of it."""


def of_fate(fate: Fate) -> str:
    """Return which request it was, and what became of it."""
    request, outcome = fate.request, fate.outcome
    if isinstance(outcome, Accepted):
        result = "200, accepted"
    elif isinstance(outcome, Split):
        result = f"{outcome.status}: {outcome.message}"
    else:
        result = outcome.reason
    day = f"{request.day}, " if request.day else ""
    return (
        f"request {fate.number:,}: {day}{counted(request.events, 'event')}, {amount(len(request.data))}, attempt "
        f"{request.attempt:,}, {outcome.seconds:.2f} s: {result}"
    )


def of_wait(wait: Wait) -> str:
    """Return why a request waits and for how long; nothing of a wait for the rate that is hardly one."""
    if not wait.reason:
        return f"waits {wait.seconds:.1f} s: rate limit" if wait.seconds >= _SHORT else ""
    asked = " (its Retry-After)" if wait.is_asked else ""
    return f"waits {wait.seconds:.1f} s{asked}: attempt {wait.attempt:,} failed, {wait.reason}"
