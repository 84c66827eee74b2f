"""`migrate apply` and `migrate resend`: what is planned is sent, in the time that is given for it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from migrate.apply.delivery import Delivery
from migrate.apply.pacing import Window
from migrate.checking import Known
from migrate.cli.check import look
from migrate.cli.config import chosen_here
from migrate.cli.consent import check_trial, confirm, is_confirmed
from migrate.cli.options import SendOptions, TalkOptions
from migrate.cli.session import check_there, end, open_session, start_talk, stop_after
from migrate.cli.target import open_target
from migrate.cli.typed import typed_command
from migrate.cli.verify import check_askable, to_verify, verify_after
from migrate.cli.verifying import AfterOptions
from migrate.errors import UsageError
from migrate.report import rejects
from migrate.report.numbers import summary
from migrate.report.pace import Following, Pace
from migrate.report.talk import Talk
from migrate.screen import amount, counted
from migrate.sending import resend, send
from migrate.session import Session
from migrate.stores import waiting
from migrate.workdir import parked, rounds
from migrate.workdir.cleaning import clean
from migrate.workdir.typed import RESEND_LOST


def apply_plan(workdir: Path, sending: SendOptions, asking: AfterOptions, talking: TalkOptions) -> NoReturn:
    """Send what is planned in a workdir and pending."""
    talk = start_talk(talking)
    check_there(workdir)
    with ExitStack() as stack:
        delivery, local = open_target(sending, stack)
        access = check_askable(delivery, local, asking)
        known = look(delivery, asking, talk, is_asked=not is_confirmed(workdir, delivery))
        session = stack.enter_context(open_session(workdir, talk))
        _check_rules(session, rounds.unsettled(session.checkpoint, ""))
        stack.enter_context(stop_after(session, sending.max_duration, "--max-duration"))
        days = to_verify(session, access)
        send_pending(session, delivery, sending, talk, known)
        verify_after(session, access, asking, talk, days)
        stay_small(session, sending, talk)
        end(session, talk, sending=True, planned=False)


def resend_parked(workdir: Path, sending: SendOptions, talking: TalkOptions) -> NoReturn:
    """Send what is parked in a workdir again."""
    if sending.resend_lost:
        raise UsageError(
            f"{RESEND_LOST}: found with 'resend', which sends what is parked; type it with 'migrate apply'"
        )
    talk = start_talk(talking)
    check_there(workdir)
    with ExitStack() as stack:
        delivery, _ = open_target(sending, stack)
        session = stack.enter_context(open_session(workdir, talk))
        stack.enter_context(stop_after(session, sending.max_duration, "--max-duration"))
        session.check_whole(partial=sending.partial)
        confirm(session, delivery, talk, "parked", yes=sending.yes)
        numbers = summary(session.checkpoint)
        _check_rules(session, numbers.open_parked, "resend")
        events = numbers.events
        before = events.accepted + events.duplicate
        with (
            talk.sending(
                numbers.open_parked, before=before, delivery=delivery, pace=Pace(delivery.rate)
            ) as watch,
            _stay_within(session, sending.window),
        ):
            resend(session, delivery, watch)
        talk.show(rejects.resent(session.checkpoint, events.parked - parked.dismissed(session.checkpoint)))
        end(session, talk, sending=True, planned=False)


def _check_rules(session: Session, unsent: int, command: str = "apply") -> None:
    """Raise Refused where the configuration file has rules under which what is not sent yet would be another."""
    chosen = chosen_here()
    if chosen is None or not chosen.job.rules_said:
        return
    from migrate.pinning import check_unsent  # noqa: PLC0415 - it knows all that planning does, and is slow to import

    check_unsent(session.checkpoint, chosen.job.rules(), unsent, command)


def send_pending(
    session: Session, delivery: Delivery, sending: SendOptions, talk: Talk, known: Known | None = None
) -> None:
    """Send, with progress, once it is confirmed; raises Refused for a plan that is not whole, unless that is wanted.

    `known`: the project, where it could be asked.
    """
    if session.is_stopping:
        return
    session.check_whole(partial=sending.partial)
    check_trial(session.checkpoint, delivery)
    confirm(session, delivery, talk, "pending", yes=sending.yes, known=known)
    numbers = summary(session.checkpoint)
    events, pace = numbers.events, Pace.of(delivery.rate, numbers)
    before = events.planned - events.pending - events.held
    with (
        talk.sending(events.pending, before=before, delivery=delivery, pace=pace) as watch,
        _stay_within(session, sending.window),
    ):
        send(session, delivery, watch, typed_command(), resend_lost=sending.resend_lost)


def stay_small(session: Session, sending: SendOptions, talk: Talk) -> None:
    """Clean what was acknowledged long enough ago, where that is asked for, and say so."""
    if sending.keep_days is None or session.is_stopping:
        return
    with waiting.left_by(session.stopped_by):  # files of the plan may lie in a storage
        found = clean(
            session.checkpoint, datetime.now(UTC).date(), keep=sending.keep_days, dedup=sending.dedup_days
        )
    if found.stripped or found.removed:
        talk.say(
            f"cleaned: {amount(found.freed)}: payloads of {counted(found.stripped, 'file')} of the plan, and "
            f"{counted(found.removed, 'file')} whole; the numbers stay"
        )
    if found.harmed:
        talk.say(
            f"not cleaned: {counted(found.harmed, 'file')} of what was sent, lost or harmed since; as long as no event "
            "of their days is pending nothing needs them"
        )


def following(session: Session, delivery: Delivery) -> Following:
    """Return what is done after planning: what was pending before is sent, too."""
    return Following(session.before.events.pending, Pace.of(delivery.rate, session.before))


@contextmanager
def _stay_within(session: Session, window: Window | None) -> Iterator[None]:
    """Stop sending when the hours of --window end; begin none outside of them."""
    if window is None:
        yield
        return
    if not (left := window.left(datetime.now())):  # noqa: DTZ005 - hours of this machine's clock
        session.stop_as_asked("--window")
    with stop_after(session, left, "--window"):
        yield
