"""`migrate status` and `migrate rejects`: how a workdir is, and what is open in it."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import look, open_session, start_talk, tell
from migrate.errors import MigrateError, UsageError
from migrate.report import commands
from migrate.report import rejects as rejects_screen
from migrate.report import status as status_screen
from migrate.report.numbers import NOTHING, of_run, summary
from migrate.report.sections import Line
from migrate.report.states import states, with_states
from migrate.report.talk import Talk
from migrate.screen import masked
from migrate.session import Session
from migrate.workdir import asides, rejects
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import noticed
from migrate.workdir.database import FILE
from migrate.workdir.hold import holder, writable

EDITED: Final = {
    "rejects.jsonl": "it has no effect there; 'migrate rejects' keeps it under another name, and says how to plan it",
    "parked.jsonl": "'migrate resend' sends what was mended in it",
}
"""Files of a workdir that people read and edit -> what becomes of one that was edited."""


def show_status(workdirs: Sequence[Path], talking: TalkOptions) -> NoReturn:
    """Show how workdirs are, one after another; what is wrong with one does not keep the others from being shown."""
    talk = start_talk(talking)
    codes = []
    for number, workdir in enumerate(workdirs):
        if number:
            talk.show([Line("")])
        try:
            codes.append(_show_status(workdir, talk))
        except MigrateError as error:
            codes.append(error.exit_code)
            talk.say(f"error: {error}")
            is_empty = not (workdir / FILE).exists()
            numbers = replace(NOTHING, workdir=str(workdir), state="nothing_planned" if is_empty else None)
            talk.json(
                numbers, of_run(NOTHING, NOTHING, datetime.now(UTC), error.exit_code, masked(str(error)))
            )
    sys.exit(exits.of_several(codes))


def _show_status(workdir: Path, talk: Talk) -> int:
    """Show how a workdir is; it is not held, so that it can be looked at while another process works in it."""
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        working = holder(workdir)
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        found = states(checkpoint, numbers, working)
        numbers = with_states(numbers, found)
        numbers = replace(numbers, notes=[*numbers.notes, *noticed(checkpoint, EDITED)])
        needs = commands.needs(numbers.next) if numbers.next else ()
        talk.show(status_screen.lines(numbers, found, needs))
        code = exits.of_state(numbers)
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
    return code


def list_rejects(workdir: Path, dismissed: str | None, talking: TalkOptions) -> NoReturn:
    """Show what is open in a workdir, but for what is `dismissed`: all of one reason, from now on.

    Raises UsageError where nothing is open for this reason.
    """
    talk = start_talk(talking)
    with open_session(workdir, talk) as session:
        session.refresh()
        if dismissed is not None:
            _dismiss(session, dismissed)
        numbers, _ = look(session)
        talk.show(rejects_screen.lines(session.checkpoint, numbers))
        code = exits.of_state(numbers)
        tell(session, talk, numbers, code)
    sys.exit(code)


def _dismiss(session: Session, reason: str) -> None:
    """Say no more of what is rejected or set aside for a reason."""
    checkpoint = session.checkpoint
    if asides.dismiss(checkpoint, reason) + rejects.dismiss(checkpoint, reason):
        return
    reasons = {
        *summary(checkpoint).open_rejects,
        *(one.reason for one in checkpoint.set_aside().values() if not one.is_dismissed),
    }
    found = f"; these are: {', '.join(sorted(reasons))}" if reasons else ""
    raise UsageError(f"--dismiss: nothing is open for this reason, found '{reason}'{found}")
