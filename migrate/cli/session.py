"""One command's session in a workdir: the lock, the signals, what is told when it ends, and how."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import NoReturn

import click

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.errors import MigrateError, Refused, Stopped
from migrate.report import commands, document, rejects, status
from migrate.report.numbers import Summary, of_run, summary
from migrate.report.states import Found, states, with_states
from migrate.report.talk import Talk
from migrate.screen import masked, shown
from migrate.session import Session
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import hold, writable


def start_talk(options: TalkOptions) -> Talk:
    """Return what talks with the user, as much as was asked for."""
    return Talk(quiet=options.quiet, as_json=options.as_json)


@contextmanager
def open_session(workdir: Path, talk: Talk, *, create: bool = False) -> Iterator[Session]:
    """Hold a workdir; the first SIGINT or SIGTERM stops the work in good order, the second leaves at once.

    An error of ours is told in JSON, too, with what was done until then. Raises Refused where the workdir is not
    there, unless it is to be made, or where another process holds it.
    """
    if not create and not workdir.is_dir():
        raise Refused(f"{workdir}: no such workdir; plan first with 'migrate plan'")
    with writable(workdir):
        workdir.mkdir(parents=True, exist_ok=True)
    with writable(workdir), hold(workdir), Checkpoint.open(workdir, create=create) as checkpoint:
        session = Session(
            checkpoint,
            before=summary(checkpoint),
            on_warning=talk.warn,
            on_remark=lambda text: click.echo(shown(f"note: {text}"), err=True),
        )
        session.tidy()

        def stop(*_: object) -> None:
            if session.interrupted:
                os._exit(exits.INTERRUPTED)
            click.echo("interrupted: finishing what is in flight; again to leave now", err=True)
            session.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield session
        except MigrateError as error:
            is_begun = session.phase is not None
            message = masked(str(error))
            session.note_stop(error.why if isinstance(error, Stopped) else "refused", message)
            numbers, found = look(session)
            if is_begun or isinstance(error, Stopped):
                # the message is the last line of the screen
                found = [one._replace(text=one.text.removesuffix(f": {message}")) for one in found]
                show(talk, numbers, found)
            tell(session, talk, numbers, error.exit_code, str(error))
            error.is_told = True
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def stop_after(session: Session, seconds: float | None, option: str) -> Iterator[None]:
    """Stop the work after so long, as this option asks; None is never."""
    if seconds is None:
        yield
        return
    timer = Timer(seconds, session.stop_as_asked, [option])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def look(session: Session) -> tuple[Summary, list[Found]]:
    """Return the numbers of the workdir, with the states that hold, and these."""
    numbers = summary(session.checkpoint, session.judged)
    found = states(session.checkpoint, numbers)
    return with_states(numbers, found), found


def show(talk: Talk, numbers: Summary, found: Sequence[Found]) -> None:
    """Show how the workdir is, and what is next."""
    needs = commands.needs(numbers.next) if numbers.next else ()
    talk.show(status.lines(numbers, found, needs))


def tell(session: Session, talk: Talk, numbers: Summary, code: int, error: str | None = None) -> None:
    """Print the JSON summary, where one is asked for, with what this process did of it."""
    run = of_run(session.before, numbers, session.started, code, error and masked(error))
    talk.json(replace(numbers, notes=[*numbers.notes, *session.remarks]), run)


def end(session: Session, talk: Talk, *, sending: bool) -> NoReturn:
    """Show what was done by a command that has planned, or was `sending`, and exit as the numbers say."""
    session.note_stop()
    if session.phase == "sending" and not summary(session.checkpoint, session.judged).events.pending:
        session.finish("sending")
    numbers, found = look(session)
    _end(session, talk, numbers, found, exits.of_work(session, numbers, sending=sending))


def end_unsent(session: Session, talk: Talk) -> NoReturn:
    """Show how the workdir is, and exit: the answer was no."""
    click.echo("nothing was sent", err=True)
    numbers, found = look(session)
    _end(session, talk, numbers, found, exits.of_no(session))


def _end(session: Session, talk: Talk, numbers: Summary, found: Sequence[Found], code: int) -> NoReturn:
    if code == exits.AS_ASKED:
        click.echo(f"stopped as {session.asked} asks; the same command goes on", err=True)
    document.write(session.workdir, numbers)
    talk.show(rejects.mended(session.before, numbers))
    show(talk, numbers, found)
    tell(session, talk, numbers, code)
    if not numbers.balanced:
        raise AssertionError(f"the sums do not balance, which is a bug: {numbers}")
    sys.exit(code)
