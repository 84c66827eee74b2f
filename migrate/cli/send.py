"""`migrate apply` and `migrate resend`: what is planned is sent, in the time that is given for it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from migrate.apply.delivery import Delivery
from migrate.apply.pacing import Window
from migrate.cli.consent import confirm
from migrate.cli.options import SendOptions, TalkOptions
from migrate.cli.session import end, open_session, start_talk, stop_after
from migrate.cli.target import open_target
from migrate.cli.typed import typed_command
from migrate.report import rejects
from migrate.report.numbers import summary
from migrate.report.talk import Talk
from migrate.sending import resend, send
from migrate.session import Session


def apply_plan(workdir: Path, sending: SendOptions, talking: TalkOptions) -> NoReturn:
    """Send what is planned in a workdir and pending."""
    talk = start_talk(talking)
    with ExitStack() as stack:
        delivery, _ = open_target(sending, stack)
        session = stack.enter_context(open_session(workdir, talk))
        stack.enter_context(stop_after(session, sending.max_duration, "--max-duration"))
        send_pending(session, delivery, sending, talk)
        end(session, talk, sending=True)


def resend_parked(workdir: Path, sending: SendOptions, talking: TalkOptions) -> NoReturn:
    """Send what is parked in a workdir again."""
    talk = start_talk(talking)
    with ExitStack() as stack:
        delivery, _ = open_target(sending, stack)
        session = stack.enter_context(open_session(workdir, talk))
        stack.enter_context(stop_after(session, sending.max_duration, "--max-duration"))
        session.check_whole(partial=sending.partial)
        confirm(session, delivery, talk, "parked", yes=sending.yes)
        with _stay_within(session, sending.window):
            resend(session, delivery)
        talk.show(rejects.resent(session.checkpoint, session.before.events.parked))
        end(session, talk, sending=True)


def send_pending(session: Session, delivery: Delivery, sending: SendOptions, talk: Talk) -> None:
    """Send, with progress, once it is confirmed; raises Refused for a plan that is not whole, unless that is wanted."""
    if session.is_stopping:
        return
    session.check_whole(partial=sending.partial)
    confirm(session, delivery, talk, "pending", yes=sending.yes)
    with talk.applying(summary(session.checkpoint)) as progress, _stay_within(session, sending.window):
        send(session, delivery, progress, typed_command())


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
