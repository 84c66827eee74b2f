"""One command's session in a workdir: the lock, the signals, what is told when it ends, and how."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import Final, NoReturn

import click

from migrate import VERSION
from migrate.cli import exits
from migrate.cli.early import context_of
from migrate.cli.interrupt import answered_by, asking, note_asked
from migrate.cli.options import TalkOptions
from migrate.cli.ready import locate
from migrate.cli.told import notices_here, until_told
from migrate.cli.typed import typed_command, typed_line
from migrate.errors import MigrateError, Refused, Stopped, UsageError
from migrate.log import Wanted, opened
from migrate.logline import Record
from migrate.page import written
from migrate.report import commands, document, history, rejects, status, trial
from migrate.report.numbers import Summary, of_run, summary
from migrate.report.states import Found, states, with_states
from migrate.report.talk import Talk
from migrate.screen import is_text, masked
from migrate.session import Session
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import check_begun
from migrate.workdir.history import Keeper
from migrate.workdir.hold import made, reserved, writable

_KEPT: Final = ("run", "plan", "apply", "resend")
"""Commands that have a line in the history of their workdir."""


def start_talk(options: TalkOptions) -> Talk:
    """Return what talks with the user, as much as was asked for; its log is closed when the command ends.

    Raises UsageError where the log cannot be written.
    """
    if options.verbose and options.quiet:
        raise UsageError(
            "--verbose: found with --quiet, which shows warnings and errors only; leave one out, or tell the rest to a "
            "--log-file"
        )
    begun = Record("begun", f"begun: {typed_line()} (version {VERSION})", {"version": VERSION})
    wanted = Wanted(options.log_file, options.verbose, options.quiet, options.log_json)
    log = until_told(opened(wanted, begun, context_of(click.get_current_context())))
    talk = Talk(
        quiet=options.quiet,
        as_json=options.as_json,
        rows=options.samples.rows,
        is_whole=options.samples.is_full,
        log=log,
    )
    if (notices := notices_here()) is not None:
        notices.talk = talk
    return talk


def check_there(workdir: Path) -> None:
    """Raise Refused where a workdir is not there."""
    if not workdir.is_dir():
        raise Refused(f"{workdir}: no such workdir; plan first with 'migrate plan'")


@contextmanager
def open_session(
    workdir: Path, talk: Talk, *, create: bool = False, is_throwaway: bool = False
) -> Iterator[Session]:
    """Hold a workdir; the first SIGINT, SIGTERM or SIGHUP stops the work in good order, the second leaves at once.

    A terminal that goes may say SIGHUP more than once, and means no more by it. An error of ours is told in JSON, too,
    with what was done until then; a workdir that was just made, of which nothing is known by then, is removed. Raises
    Refused where the workdir is not there, unless it is to be made, or where another process holds it.
    """
    if not is_text(str(workdir.absolute())):
        raise UsageError(
            f"--workdir: a folder whose name is not UTF-8, found {str(workdir.absolute())!a}; name one elsewhere"
        )
    if not create:
        check_there(workdir)
    check_begun(workdir)
    with (
        writable(workdir),
        made(workdir) as unmake,
        reserved(workdir) as release,
        Checkpoint.open(workdir, create=create) as checkpoint,
    ):
        session = Session(
            checkpoint,
            is_throwaway=is_throwaway,
            before=summary(checkpoint),
            rows=talk.rows,
            shows_whole=talk.is_whole,
            on_warning=talk.warn,
            on_remark=lambda text: talk.say(f"note: {text}"),
            on_log=talk.log.tell,
        )
        session.tidy()
        command = click.get_current_context().info_name
        if not is_throwaway and command in _KEPT:
            session.history = Keeper(checkpoint, command, session.started, history.counts(session.before))

        def stop(number: int, _: object) -> None:
            if session.interrupted:
                if number == signal.SIGHUP:
                    return
                _leave(session, talk)
            note_asked()
            session.stop()  # first: the next signal may come while it is said
            talk.say("interrupted: finishing what is in flight; again to leave now")

        with answered_by(stop):
            try:
                with writable(workdir):
                    yield session
            except MigrateError as error:
                release()
                locate(error, click.get_current_context())
                is_void = "platform" not in checkpoint.facts()
                is_begun = session.phase is not None or (isinstance(error, Stopped) and not is_void)
                session.is_refused = not is_begun
                message = masked(str(error))
                session.note_stop(error.why if isinstance(error, Stopped) else "refused", message)
                numbers, found = look(session)
                if is_void and unmake():
                    numbers = replace(numbers, workdir=None)
                if is_begun:
                    # the message is the last line of the screen
                    found = [one._replace(text=one.text.removesuffix(f": {message}")) for one in found]
                    show(session, talk, numbers, found)
                tell(session, talk, numbers, error.exit_code, str(error))
                error.is_told = True
                raise


def _leave(session: Session, talk: Talk) -> NoReturn:
    """Leave at once, in the middle of whatever is done; the checkpoint is not asked, the numbers are those before.

    It is noted there that the work was interrupted, where nothing is being noted in this very moment.
    """
    for number in asking():
        signal.signal(
            number, lambda *_: os._exit(exits.INTERRUPTED)
        )  # where what is written here is not taken
    with suppress(Exception):  # whatever was being written when the signal came
        talk.say("\nleft at once; the same command goes on")
    with suppress(Exception):
        error = "left at once: the numbers are those from before this command, which goes on where it was"
        run = of_run(session.before, session.before, session.started, exits.INTERRUPTED, error)
        talk.json_unheld(session.before, run)
    with suppress(Exception), Checkpoint.beside(session.workdir) as checkpoint:
        session.note_stop(checkpoint=checkpoint)
        if session.history is not None:
            session.history.end(datetime.now(UTC), exits.INTERRUPTED, checkpoint=checkpoint)
    with suppress(Exception):
        if (notices := notices_here()) is not None and talk.summary is not None:
            notices.tell(exits.INTERRUPTED, talk.summary, is_hurried=True)
    os._exit(exits.INTERRUPTED)


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
    """Return the numbers of the workdir, with the states that hold, and these.

    A workdir that goes when the session ends has no place, and what is next is what does for good what it tried.
    """
    numbers = summary(session.checkpoint, session.judged, is_whole=session.shows_whole)
    found = states(session.checkpoint, numbers, stopped=session.stopped)
    numbers = with_states(numbers, found)
    asked = {} if session.verdict is None else {"verify": session.verdict.document()}
    if asked or session.fetched:
        numbers = replace(numbers, asked={**session.fetched, **asked})
    if session.is_throwaway:
        numbers = replace(numbers, workdir=None, next=session.for_good or None)
    return numbers, found


def show(
    session: Session, talk: Talk, numbers: Summary, found: Sequence[Found], *, planned: bool = False
) -> None:
    """Show how the workdir is, and what is next; of a trial, what there is to know before it goes.

    `planned`: whether this command has planned, and tells of the plan, too.
    """
    checkpoint = session.checkpoint
    if session.is_throwaway:
        talk.show(trial.lines(checkpoint, numbers, typed_command().shown(None), session.for_good))
        return
    if session.set_aside:  # why was the last thing said of them
        told = dict.fromkeys(session.set_aside, "said above")
        numbers = replace(
            numbers, set_aside={name: told.get(name, why) for name, why in numbers.set_aside.items()}
        )
    if numbers.events.accepted:
        talk.show(trial.said(checkpoint))
    needs = commands.needs(numbers.next) if numbers.next else ()
    if not planned:
        talk.show(status.brief(numbers, found, needs, commands.status(checkpoint, "show")))
        return
    talk.show(status.lines(numbers, found, needs, checkpoint.numbers().examples))


def say_why(
    talk: Talk, code: int, numbers: Summary, found: Sequence[Found], checkpoint: Checkpoint | None
) -> None:
    """Say in a line why a command ends with this code, where only warnings are wanted: else its screen says so.

    `checkpoint` is that of a workdir that stays.
    """
    if not talk.quiet or code in {exits.DONE, exits.AS_ASKED, exits.INTERRUPTED}:
        return
    where = f"{checkpoint.workdir}: " if checkpoint else ""
    if code == exits.LEFT_OUT and "verify" in numbers.asked and not exits.of_state(numbers):
        return  # the verdict was said
    if code == exits.LEFT_OUT:
        way = commands.status(checkpoint, "rejects") if checkpoint else None
        talk.warn(where + rejects.left_open(numbers, way))
    elif found:
        talk.warn(f"{where}{found[0].text}{f'; next: {found[0].next[0]}' if found[0].next else ''}")


def tell(session: Session, talk: Talk, numbers: Summary, code: int, error: str | None = None) -> None:
    """Print the JSON summary, where one is asked for, with what this process did of it; then keep how it ended."""
    run = of_run(session.before, numbers, session.started, code, error and masked(error))
    talk.keep(numbers)
    talk.json(replace(numbers, notes=[*numbers.notes, *session.remarks]), run)
    if session.history is not None:
        with suppress(Stopped), writable(session.workdir):  # a disk that takes no note is no matter
            session.history.end(datetime.fromisoformat(run.ended), code, history.counts(numbers))
    if not session.is_throwaway and not session.is_refused:
        written.keep(session.checkpoint, talk.warn, is_whole=session.shows_whole)


def end(session: Session, talk: Talk, *, sending: bool, planned: bool = True) -> NoReturn:
    """Show what was done by a command that has `planned`, or was `sending`, and exit as the numbers say."""
    session.note_stop()
    if session.phase == "sending" and not summary(session.checkpoint, session.judged).events.pending:
        session.finish("sending")
    numbers, found = look(session)
    code = exits.of_work(session, numbers, sending=sending)
    _finish(session, talk, (numbers, found), code, planned=planned)
    with suppress(Stopped), writable(session.workdir):
        exits.note_told(session.checkpoint, code)
    sys.exit(code)


def end_unsent(session: Session, talk: Talk) -> NoReturn:
    """Show how the workdir is, and exit: the answer was no."""
    talk.say("nothing was sent")
    code = exits.of_no(session)
    _finish(session, talk, look(session), code)
    sys.exit(code)


def _finish(
    session: Session, talk: Talk, looked: tuple[Summary, list[Found]], code: int, *, planned: bool = False
) -> None:
    """Show and tell what was done by a command that ends with this code."""
    numbers, found = looked
    if code == exits.AS_ASKED:
        text = f"stopped as {session.asked} asks; the same command goes on"
        (talk.log.said if talk.quiet else talk.say)(text)
    document.write(session.workdir, numbers)
    if session.copies:
        talk.show(rejects.mended(session.checkpoint, session.copies, session.before, numbers))
    show(session, talk, numbers, found, planned=planned)
    way = session.for_good or None if session.is_throwaway else commands.set_right(session.checkpoint)
    if talk.quiet and numbers.set_aside:  # else the screen says so
        talk.warn(rejects.left_aside([*numbers.set_aside], way))
    if code == exits.LEFT_OUT or not numbers.set_aside:
        say_why(talk, code, numbers, found, None if session.is_throwaway else session.checkpoint)
    is_aside = code == exits.SET_ASIDE and session.set_aside
    tell(session, talk, numbers, code, rejects.left_aside(session.set_aside, way) if is_aside else None)
    if not numbers.balanced:
        raise AssertionError(f"the sums do not balance, which is a bug: {numbers}")
