"""`migrate undo`: what of an import is in PostHog, how it can be deleted; its people are, where that is asked for."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import check_there, look, open_session, start_talk, tell
from migrate.cli.verify import access_of
from migrate.cli.verifying import UndoOptions
from migrate.errors import UsageError
from migrate.report import commands, undone
from migrate.report.question import ask_word
from migrate.report.sections import Line, labelled
from migrate.report.talk import Talk
from migrate.session import Session
from migrate.undoing import Deleted, There, delete_people, look_there


def undo(workdir: Path, asking: UndoOptions, talking: TalkOptions) -> NoReturn:
    """Show what there is of what was sent from a workdir; delete its people, once the import's name is typed."""
    talk = start_talk(talking)
    check_there(workdir)
    if asking.delete_persons and not sys.stdin.isatty():
        raise UsageError(
            "--delete-persons: needs a terminal, on which the name of the import is typed, as it cannot be undone; "
            "nothing was deleted"
        )
    with open_session(workdir, talk) as session:
        access = access_of(session, asking)
        there, found = look_there(session, access), None
        if there is not None:
            talk.show(undone.lines(there, f"{commands.status(session.checkpoint, 'undo')} --delete-persons"))
            if asking.delete_persons and there.events and _is_meant(session, there, talk):
                found = delete_people(session, access, there)
        if found is not None:
            talk.show(undone.deleted(found))
        code = _code(session, found)
        numbers, _ = look(session)
        if there is not None:
            numbers = replace(numbers, asked={"undo": undone.document(there, found)})
        tell(session, talk, numbers, code)
    sys.exit(code)


def _is_meant(session: Session, there: There, talk: Talk) -> bool:
    """Return whether the name of the import is typed."""
    text = [
        Line(""),
        labelled("delete", f"people of {there.ids:,} ids, with all of their events, but for who has others"),
    ]
    question = f"type the name of the import ({there.import_id}) to delete them; this cannot be undone"
    try:
        is_meant = ask_word(text, question, there.import_id)
    except KeyboardInterrupt:
        session.interrupted, is_meant = True, False
    if not is_meant:
        talk.say("nothing was deleted")
    return is_meant


def _code(session: Session, found: Deleted | None) -> int:
    if session.is_stopping:
        return exits.INTERRUPTED
    return exits.LEFT_OUT if found is not None and (found.unasked or found.failed) else exits.DONE
