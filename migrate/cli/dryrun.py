"""`migrate run --dry-run`: a plan in a folder that goes away again, and all there is to know before sending."""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.options import RunOptions, SourceOptions, TalkOptions
from migrate.cli.plan import Todo, plan_todo
from migrate.cli.session import open_session, start_talk, tell
from migrate.cli.settings import build_settings
from migrate.people.file import PeopleFile
from migrate.preview import examples
from migrate.report import dryrun
from migrate.report.numbers import summary
from migrate.throwaway import DRY_RUN, throwaway
from migrate.workdir.hold import writable


def rehearse(source: SourceOptions, options: RunOptions, talking: TalkOptions) -> NoReturn:
    """Plan, and show what would be sent; where --people is given, with a copy of it."""
    talk = start_talk(talking)
    work = build_settings(source, limit=options.limit).work(source.inputs)
    beside = _beside(options.workdir)
    with (
        writable(beside or Path(gettempdir())),
        throwaway(DRY_RUN, beside) as folder,
        open_session(folder, talk, create=True, is_throwaway=True) as session,
    ):
        people = options.people
        file = PeopleFile(session.checkpoint, people and PeopleFile(session.checkpoint, people).copy())
        plan_todo(session, Todo(work), talk, file.shared)
        numbers = replace(summary(session.checkpoint), workdir=None)
        code = exits.of_work(session, numbers, sending=False)
        if session.interrupted:
            tell(session, talk, numbers, code)
            sys.exit(code)
        jobs = [job for job in work.jobs if job.source.name not in numbers.set_aside]
        with file.open() as known:
            rows = list(examples(replace(work, jobs=jobs), 3, known))
            talk.show(dryrun.lines(session.checkpoint, numbers, rows))
        tell(session, talk, numbers, code)
    sys.exit(code)


def _beside(workdir: Path | None) -> Path | None:
    """Return the folder in which the workdir would be, where there is one: it has room for a plan."""
    return None if workdir is None or not workdir.parent.is_dir() else workdir.parent
