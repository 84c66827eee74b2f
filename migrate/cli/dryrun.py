"""`migrate run --dry-run`: a plan in a folder that goes away again, and all there is to know before sending."""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.config import rules_here
from migrate.cli.options import RunOptions, SendOptions, SourceOptions, TalkOptions
from migrate.cli.plan import plan_todo
from migrate.cli.session import open_session, say_why, start_talk, tell
from migrate.cli.settings import build_settings
from migrate.cli.show import show_planned
from migrate.cli.trial import is_untold
from migrate.people.file import PeopleFile
from migrate.report import ruled, status, trial
from migrate.report.numbers import summary
from migrate.report.sections import Line
from migrate.throwaway import DRY_RUN, throwaway
from migrate.todo import Todo
from migrate.workdir.hold import writable


def rehearse(
    source: SourceOptions, options: RunOptions, sending: SendOptions, talking: TalkOptions
) -> NoReturn:
    """Plan, and show what would be sent; where --people is given, with a copy of it."""
    talk = start_talk(talking)
    if options.fetch:
        talk.say("note: a dry run fetches nothing, and reads what is there")
    if options.parts:
        talk.say("note: a dry run writes nothing to --parts, and its plan goes with it")
    settings = build_settings(source, limit=options.limit, rules=rules_here())
    work = (settings.untold() if is_untold(options, sending) else settings).work(source.inputs, anew=())
    beside = _beside(options.workdir)
    with (
        writable(beside or Path(gettempdir())),
        throwaway(DRY_RUN, beside) as folder,
        open_session(folder, talk, create=True, is_throwaway=True) as session,
    ):
        people = options.people
        file = PeopleFile(session.checkpoint, people and PeopleFile(session.checkpoint, people).copy())
        plan_todo(session, Todo(work), talk, replace(options, people=file.shared))
        session.remark(ruled.unmet(work.settings.ruling))
        numbers = replace(summary(session.checkpoint, is_whole=talk.is_whole), workdir=None)
        code = exits.of_work(session, numbers, sending=False)
        if session.interrupted:
            tell(session, talk, numbers, code)
            sys.exit(code)
        show_planned(session.checkpoint, talk)
        talk.show(status.lines(numbers, [], (), session.checkpoint.numbers().examples))
        talk.show(trial.said(session.checkpoint))
        talk.show([Line("nothing was sent")])
        say_why(talk, code, numbers, (), None)
        tell(session, talk, numbers, code)
    sys.exit(code)


def _beside(workdir: Path | None) -> Path | None:
    """Return the folder in which the workdir would be, where there is one: it has room for a plan."""
    return None if workdir is None or not workdir.parent.is_dir() else workdir.parent
