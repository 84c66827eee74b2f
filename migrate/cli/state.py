"""`migrate status` and `migrate rejects`: how a workdir is, and what is open in it."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import open_session, start_talk, tell
from migrate.errors import UsageError
from migrate.report import rejects as rejects_screen
from migrate.report import status as status_screen
from migrate.report.numbers import of_run, summary
from migrate.session import Session
from migrate.workdir import asides, rejects
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.copies import noticed
from migrate.workdir.hold import writable

EDITED: Final = {
    "rejects.jsonl": "it has no effect there; 'migrate rejects' keeps it under another name, and says how to plan it",
    "parked.jsonl": "'migrate resend' sends what was mended in it",
}
"""Files of a workdir that people read and edit -> what becomes of one that was edited."""


def show_status(workdir: Path, talking: TalkOptions) -> NoReturn:
    """Show how a workdir is; it is not held, so that it can be looked at while another process works in it."""
    talk = start_talk(talking)
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        numbers = replace(numbers, notes=[*numbers.notes, *noticed(checkpoint, EDITED)])
        go_on = status_screen.next_command(checkpoint, numbers)
        talk.show(status_screen.lines(numbers, go_on))
        code = exits.of_state(numbers)
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
    sys.exit(code)


def list_rejects(workdir: Path, dismissed: str | None, talking: TalkOptions) -> NoReturn:
    """Show what is open in a workdir, but for what is `dismissed`: all of one reason, from now on.

    Raises UsageError where nothing is open for this reason.
    """
    talk = start_talk(talking)
    with open_session(workdir, talk) as session:
        session.refresh()
        if dismissed is not None:
            _dismiss(session, dismissed)
        numbers = summary(session.checkpoint, is_whole=talk.is_whole)
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
