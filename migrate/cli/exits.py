"""Which exit code a command ends with: chosen here, and nowhere else.

An error of ours brings its own, by what is to be done next (`migrate.errors`); `main` hands it on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate.errors import Refused, Stopped, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate.report.numbers import Summary
    from migrate.session import Session
    from migrate.verifying.verdict import Verdict
    from migrate.workdir.checkpoint import Checkpoint

DONE: Final = 0
WRONG: Final = UsageError.exit_code
LEFT_OUT: Final = 3
"""Finished, and rows were rejected or events parked."""
STOPPED: Final = Stopped.exit_code
SET_ASIDE: Final = Refused.exit_code
"""A source was set aside, or the plan is not whole."""
AS_ASKED: Final = 6
_UNFIT: Final = {"harmed", "nothing_planned"}
_RUNNING: Final = "running"
"""States (`migrate.report.states.State`)."""
INTERRUPTED: Final = 130
MEANINGS: Final = {
    DONE: "done",
    WRONG: "wrong usage, nothing was done",
    LEFT_OUT: "done, with rows rejected or events parked that are new, or events missing in PostHog",
    STOPPED: "stopped, run again to resume",
    SET_ASIDE: "refused, or a source set aside, the others done",
    AS_ASKED: "stopped as asked, goes on next time",
    INTERRUPTED: "interrupted, run again to resume",
}
"""Each code in words; what is none of them is a bug."""
BUG: Final = "a bug, whose traceback is on stderr"
_GRAVEST: Final = (INTERRUPTED, WRONG, STOPPED, AS_ASKED, SET_ASIDE, LEFT_OUT, DONE)


def of_work(session: Session, numbers: Summary, *, sending: bool) -> int:
    """Return the code of a command that has planned, or was `sending`; `numbers` are the workdir's summary.

    A row that was rejected, an event that was parked, makes one command end with 3, not every one after it: see
    `note_told`.
    """
    pending = numbers.events.pending
    if session.interrupted:
        return INTERRUPTED
    if session.asked and (pending or not numbers.whole):
        return AS_ASKED
    if session.set_aside or not numbers.whole:
        return SET_ASIDE
    if sending and pending:
        return STOPPED  # 'migrate resend' leaves what was never sent to 'migrate apply'
    if session.verdict is not None and (code := of_verdict(session.verdict)):
        return code
    before = session.checkpoint.facts().get("seen", {})
    has_news = any(count > before.get(name, 0) for name, count in _left_out(session.checkpoint).items())
    return LEFT_OUT if has_news else DONE


def note_told(checkpoint: Checkpoint, code: int) -> None:
    """Note how many rows are rejected and events parked, once a command has done and said all, and ends with this code.

    Only who ends with 0 or 3 has told of them.
    """
    if code in {DONE, LEFT_OUT}:
        checkpoint.note(seen=_left_out(checkpoint))


def of_verdict(verdict: Verdict) -> int:
    """Return the code of what PostHog has: not all that it acknowledged, or not all could be counted."""
    if verdict.uncounted:
        return STOPPED
    return DONE if verdict.passes else LEFT_OUT


def of_no(session: Session) -> int:
    """Return the code of a command that was told not to send."""
    return INTERRUPTED if session.interrupted else DONE


def of_state(numbers: Summary) -> int:
    """Return the code of a command that tells how a workdir is: whether anything is open.

    A plan that is not whole is no fault while another process works at it.
    """
    if numbers.state in _UNFIT or (not numbers.whole and numbers.state != _RUNNING):
        return SET_ASIDE
    is_open = numbers.open_rejects or numbers.open_parked or numbers.set_aside
    return LEFT_OUT if is_open else DONE


def of_several(codes: Iterable[int]) -> int:
    """Return the gravest of the codes of several workdirs, or jobs."""
    return min(codes, key=_GRAVEST.index)


def of_preview(*, is_set_aside: bool) -> int:
    """Return the code of a preview, in which files were set aside or not."""
    return SET_ASIDE if is_set_aside else DONE


def _left_out(checkpoint: Checkpoint) -> dict[str, int]:
    """Return how many rows were ever rejected, and events parked."""
    counts = checkpoint.counts()
    return {name: counts.get(name, 0) for name in ("rejected", "parked")}
