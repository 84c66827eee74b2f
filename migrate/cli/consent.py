"""Whether events may leave: asked once a workdir, with what speaks against it, before the first goes to a PostHog."""

import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from migrate.apply.delivery import Delivery
from migrate.apply.target import is_sandbox
from migrate.asking.checked import Finding, Weight
from migrate.asking.planned import plan_of
from migrate.checking import Known
from migrate.cli.session import end_unsent
from migrate.cli.target import SANDBOX
from migrate.errors import Refused, UsageError
from migrate.report import trial
from migrate.report.numbers import summary
from migrate.report.question import ask, lines
from migrate.report.sections import Line
from migrate.report.talk import Talk
from migrate.screen import counted
from migrate.session import Session
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE


def check_answer(workdir: Path, delivery: Delivery, *, yes: bool, is_throwaway: bool = False) -> None:
    """Raise UsageError where there is nobody to be asked, and nobody has said `yes`, now or before.

    `is_throwaway`: whether the workdir goes when the command ends, and cannot remember an answer.
    """
    if yes or sys.stdin.isatty() or is_confirmed(workdir, delivery):
        return
    given = "give it" if is_throwaway else "give it once, this workdir remembers it"
    raise UsageError(
        f"--yes: needed before the first event goes to {delivery.url}, which cannot be undone, as there is no terminal "
        f"to ask; look at 'migrate run … --dry-run' first, then {given}"
    )


def check_trial(checkpoint: Checkpoint, delivery: Delivery) -> None:
    """Raise Refused where first rows that tell of people, as they do in a sandbox, are to be sent for good."""
    facts = checkpoint.facts()
    tells = facts.get("--limit") is not None and facts.get("--host") is None
    if tells and delivery.target != SANDBOX and not is_sandbox(delivery.url):
        raise Refused(
            f"--host: this workdir holds a trial for a sandbox, which tells of people whom its first rows do not know, "
            f"found {delivery.url}; plan a trial for this host into another --workdir, or all rows"
        )


def confirm(  # noqa: PLR0913 - what is asked about, and who has said what
    session: Session,
    delivery: Delivery,
    talk: Talk,
    what: Literal["pending", "parked"],
    *,
    yes: bool,
    known: Known | None = None,
) -> None:
    """Ask before the first event goes to a real PostHog, unless it is said `yes`; once a workdir. No is the end.

    `what`: which events are to be sent. `known`: the project, where it could be asked. Raises Refused where what it
    says forbids sending.
    """
    if what == "pending":
        session.checkpoint.note(min_age=delivery.min_age)
    now = datetime.now(UTC)
    numbers = summary(session.checkpoint, now)
    goes = numbers.events.parked if what == "parked" else numbers.events.pending
    found: Sequence[Finding] = ()
    if goes and known is not None and not session.is_stopping:
        found = _found(session.checkpoint, known, talk, now, yes=yes)
    if yes:
        session.checkpoint.note(confirmed=True)
    if goes and not session.is_stopping and delivery.target != SANDBOX and is_sandbox(delivery.url):
        (talk.log.said if talk.quiet else talk.say)(trial.IN_SANDBOX)
    if not goes or session.is_stopping or is_confirmed(session.workdir, delivery):
        return
    check_answer(session.workdir, delivery, yes=yes, is_throwaway=session.is_throwaway)
    of_trial = " of a trial" if session.checkpoint.facts().get("--limit") is not None else ""
    session.checkpoint.note(asked_for=delivery.target)
    question = f"send {counted(goes, 'event')}{of_trial} to {delivery.url}? this cannot be undone"
    if not (yes or _ask(session, lines(session.checkpoint, numbers, delivery, now, found), question)):
        end_unsent(session, talk)
    session.checkpoint.note(confirmed=True)


def _found(
    checkpoint: Checkpoint, known: Known, talk: Talk, now: datetime, *, yes: bool
) -> Sequence[Finding]:
    """Return what the project means for the plan; where nobody is asked, what speaks against sending is said.

    Raises Refused where something forbids it.
    """
    found = known.findings(plan_of(checkpoint), now)
    if forbidden := [one.text for one in found if one.weight is Weight.FORBIDS]:
        raise Refused(f"project {known.project.id}: {forbidden[0]}")
    for one in found:
        if yes and one.weight is Weight.ASKS:
            talk.warn(f"{one.about}: {one.text}")
    return found


def is_confirmed(workdir: Path, delivery: Delivery) -> bool:
    """Return whether events may leave without a question: they did, it was said that they may, or it is a trial."""
    if delivery.target == SANDBOX or is_sandbox(delivery.url):
        return True
    if not (workdir / FILE).exists():
        return False
    with Checkpoint.open(workdir, create=True) as checkpoint:
        return bool(checkpoint.facts().get("confirmed") or rounds.outcome(checkpoint).accepted)


def _ask(session: Session, text: Iterator[Line], question: str) -> bool:
    """Ask, and return whether the answer is yes; an interrupt is a no, at once."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return ask(text, question)
    except KeyboardInterrupt:
        session.interrupted = True
        return False
    finally:
        signal.signal(signal.SIGINT, before)
