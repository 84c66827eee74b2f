"""What became of a request, and why one waits, for a log."""

from collections import Counter
from typing import Final

from migrate.apply.outcome import Accepted, Judged, Outcome, Retry, Split, Stop
from migrate.apply.watch import Fate, Wait
from migrate.logline import Record
from migrate.screen import amount, counted, shown

_SHORT: Final = 0.1
"""Seconds that a request waits for the rate and nothing is told of it."""


def of_fate(fate: Fate) -> Record:
    """Return which request it was, and what became of it."""
    request, outcome = fate.request, fate.outcome
    fields: dict[str, object] = {"attempt": request.attempt, "seconds": round(outcome.seconds, 3)}
    if not request.events:
        answer = _of_question(outcome)
        return Record("question", f"asked whether there is capture v1: {answer}", fields | {"answer": answer})
    result, words = _result(outcome)
    day = f"{request.day}, " if request.day else ""
    fields |= {"request": fate.number, "day": request.day or None, "events": request.events}
    return Record(
        "request",
        f"request {fate.number:,}: {day}{counted(request.events, 'event')}, {amount(len(request.data))}, attempt "
        f"{request.attempt:,}, {outcome.seconds:.2f} s: {words}",
        fields | {"bytes": len(request.data), "result": result, "answer": words},
    )


def _result(outcome: Outcome) -> tuple[str, str]:
    """Return what became of a request, in a word that stays and in the words of the line."""
    if isinstance(outcome, Accepted):
        return "accepted", "200, accepted"
    if isinstance(outcome, Judged):
        said = Counter(one.result for one in outcome.verdicts.values())
        return "judged", ", ".join(
            ["200", *(f"{count:,} {shown(name)}" for name, count in said.most_common())]
        )
    if isinstance(outcome, Split):
        return "refused", f"{outcome.status}: {outcome.message}"
    return "failed" if isinstance(outcome, Retry) else "stopped", outcome.reason


def _of_question(outcome: Outcome) -> str:
    """Return what is known of capture v1 by an answer."""
    if isinstance(outcome, Accepted):
        return "there is"
    if isinstance(outcome, Split):
        return f"no, {outcome.status}"
    return outcome.reason if isinstance(outcome, Retry | Stop) else ""


def of_wait(wait: Wait) -> Record | None:
    """Return why a request waits and for how long; nothing of a wait for the rate that is hardly one."""
    fields = {"seconds": round(wait.seconds, 3), "attempt": wait.attempt, "is_asked": wait.is_asked}
    if not wait.reason:
        text = f"waits {wait.seconds:.1f} s: rate limit"
        return Record("wait", text, fields | {"why": "rate limit"}) if wait.seconds >= _SHORT else None
    asked = " (its Retry-After)" if wait.is_asked else ""
    text = f"waits {wait.seconds:.1f} s{asked}: attempt {wait.attempt:,} failed, {wait.reason}"
    return Record("wait", text, fields | {"why": wait.reason})
