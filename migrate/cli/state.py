"""`migrate status` and `migrate rejects`: how a workdir is, and what is open in it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import open_session, say_why, start_talk, tell
from migrate.cli.showing import StatusOptions
from migrate.errors import MigrateError, Refused, UsageError
from migrate.report import commands, history
from migrate.report import rejects as rejects_screen
from migrate.report import status as status_screen
from migrate.report.numbers import NOTHING, Summary, of_run, summary
from migrate.report.sections import Line, labelled
from migrate.report.states import State, states, with_states
from migrate.report.status import Workdir
from migrate.report.talk import Talk
from migrate.screen import counted, masked
from migrate.workdir import asides, parked, standing
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import noticed
from migrate.workdir.database import has_nothing
from migrate.workdir.history import entries
from migrate.workdir.hold import Holder, holder, writable

_OF_PARKED: Final = "parked"
"""What is dismissed where what PostHog refused is meant."""
EDITED: Final = {
    "rejects.jsonl": "it has no effect there; 'migrate rejects' keeps it under another name, and says how to plan it",
    "parked.jsonl": "'migrate resend' sends what was mended in it",
}
"""Files of a workdir that people read and edit -> what becomes of one that was edited."""


def show_status(workdirs: Sequence[Path], options: StatusOptions, talking: TalkOptions) -> NoReturn:
    """Show how workdirs are, several in one table; what is wrong with one does not keep the others from being shown."""
    talk = start_talk(talking)
    found = [_status(workdir, options, talk, is_alone=len(workdirs) == 1) for workdir in workdirs]
    if len(workdirs) > 1:
        talk.show(status_screen.several(found))
    for error in (one.error for one in found if one.error is not None):
        talk.say(f"error: {error}")
    sys.exit(exits.of_several(one.code for one in found))


def _status(workdir: Path, options: StatusOptions, talk: Talk, *, is_alone: bool) -> Workdir:
    """Return how a workdir is, and print it: as JSON, where that is asked for, and as a screen where it `is_alone`."""
    try:
        return _show(workdir, options, talk, is_alone=is_alone)
    except MigrateError as error:
        state = State.NOTHING_PLANNED if has_nothing(workdir) else State.UNUSABLE
        numbers = replace(NOTHING, workdir=str(workdir), state=str(state))
        message, code = masked(str(error)), error.exit_code
        talk.json(numbers, of_run(NOTHING, NOTHING, datetime.now(UTC), code, message))
        return Workdir(str(workdir), numbers, code, error=message)


def _show(workdir: Path, options: StatusOptions, talk: Talk, *, is_alone: bool) -> Workdir:
    """Show how a workdir is; it is not held, so that it can be looked at while another process works in it."""
    if os.path.lexists(workdir) and not workdir.is_dir():
        what = "a link to nothing" if workdir.is_symlink() else "a file"
        raise Refused(
            f"{workdir}: not a workdir, found {what}; give the folder that was named with --workdir"
        )
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        working = holder(workdir)
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        found = states(checkpoint, numbers, working)
        numbers = with_states(numbers, found)
        numbers = replace(numbers, notes=[*numbers.notes, *noticed(checkpoint, EDITED)])
        needs = commands.needs(numbers.next) if numbers.next else ()
        if options.history:
            done = entries(checkpoint, history.counts(numbers))
            numbers = replace(numbers, history=[vars(one) for one in done])
            talk.show([] if is_alone else [Line(str(workdir))])
            talk.show(history.lines(done, is_running=working is not None))
        if is_alone:
            show = commands.status(checkpoint, "show")
            ending = status_screen.ending(found, needs)
            talk.show(ending if options.history else status_screen.brief(numbers, found, needs, show))
        code = exits.of_state(numbers)
        say_why(talk, code, numbers, found, checkpoint)
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
    return Workdir(str(workdir), numbers, code, found[0].text)


def list_rejects(workdir: Path, dismissed: Sequence[str], talking: TalkOptions) -> NoReturn:
    """Show what is open in a workdir, but for what is `dismissed`: all of these reasons, from now on.

    Raises UsageError, and dismisses none, where nothing is open for one of them.
    """
    talk = start_talk(talking)
    if not dismissed and holder(workdir) is not None:
        with writable(workdir), Checkpoint.open(workdir) as checkpoint:
            numbers, code = _list(checkpoint, talk, holder(workdir))
            talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
        sys.exit(code)
    with open_session(workdir, talk) as session:
        session.refresh()
        files = _dismiss(session.checkpoint, dismissed)
        numbers, code = _list(session.checkpoint, talk)
        if files:
            talk.show([labelled("closed", f"{counted(files, 'file')} set aside, dismissed, said no more of")])
        tell(session, talk, numbers, code)
    sys.exit(code)


def _list(checkpoint: Checkpoint, talk: Talk, working: Holder | None = None) -> tuple[Summary, int]:
    """Show what is open; return the numbers, and the exit code that says whether anything is.

    `working`: the other process that works there.
    """
    numbers = summary(checkpoint, is_whole=talk.is_whole)
    found = states(checkpoint, numbers, working)
    numbers = with_states(numbers, found)
    talk.show(rejects_screen.lines(checkpoint, numbers))
    code = exits.of_state(numbers)
    say_why(talk, code, numbers, found, checkpoint)
    return numbers, code


def _dismiss(checkpoint: Checkpoint, dismissed: Sequence[str]) -> int:
    """Say no more of what is rejected or set aside for these reasons; return how many files were set aside."""
    reasons = {
        *standing.by_reason(checkpoint),
        *(one.reason for one in checkpoint.set_aside().values() if not one.is_dismissed),
    }
    if parked.refusals(checkpoint):
        reasons.add(_OF_PARKED)
    if unknown := [reason for reason in dismissed if reason not in reasons]:
        found = f"; these are: {', '.join(sorted(reasons))}" if reasons else ""
        raise UsageError(f"--dismiss: nothing is open for this reason, found '{unknown[0]}'{found}")
    files = 0
    for reason in dismissed:
        files += asides.dismiss(checkpoint, reason)
        standing.dismiss(checkpoint, reason)
        if reason == _OF_PARKED:
            parked.dismiss(checkpoint)
    return files
