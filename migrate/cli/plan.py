"""`migrate plan`: which of the inputs there is to plan, or to plan again, and the planning of it."""

from functools import partial
from pathlib import Path
from typing import NoReturn

from migrate.asking.planned import SAID
from migrate.cli.config import rules_here
from migrate.cli.options import PlanOptions, SourceOptions, TalkOptions, WorkOptions
from migrate.cli.session import end, open_session, start_talk
from migrate.cli.settings import build_settings
from migrate.cli.show import show_planned
from migrate.cli.trial import unconfigured
from migrate.cli.typed import is_said, typed_command
from migrate.errors import Refused, UsageError
from migrate.plan.choosing import check, chosen
from migrate.planning import Planning
from migrate.report import ruled
from migrate.report.pace import Following
from migrate.report.talk import Talk
from migrate.session import Session
from migrate.settings import Settings
from migrate.stores.buckets import asked_again
from migrate.todo import Todo, Wishes, find_todo
from migrate.workdir.database import FILE


def plan(source: SourceOptions, options: PlanOptions, talking: TalkOptions) -> NoReturn:
    """Plan into a workdir, and say what is in it; of a trial nobody knows yet that it goes to a sandbox."""
    talk = start_talk(talking)
    settings = build_settings(source, limit=options.limit, rules=rules_here())
    if settings.limit is not None:
        settings, options = settings.untold(), unconfigured(options)
        if options.workdir is None:
            raise UsageError(
                f"--workdir: missing; name one for the first rows, as {workdir_of(options, settings)} is that of all "
                "of them; or look at them with 'migrate run … --dry-run', or 'migrate preview'"
            )
    workdir = workdir_of(options, settings)
    check_existing(options, workdir)
    parts = parts_of(options)
    todo = find_todo(settings, source.inputs, workdir, wishes_of(options))
    with open_session(workdir, talk, create=True) as session:
        plan_todo(session, todo, talk, options, parts=parts)
        if not session.is_stopping:
            show_planned(session.checkpoint, talk)
        end(session, talk, sending=False)


def workdir_of(options: WorkOptions, settings: Settings) -> Path:
    """Return the workdir that is named, or the one of all that is planned of a platform here."""
    return options.workdir or Path(f"{settings.platform}.workdir")


def parts_of(options: WorkOptions) -> str | None:
    """Return the folder in a storage in which the files of the plan are to lie; raises UsageError where it is none."""
    if options.parts is None:
        return None
    from migrate.workdir.far import address  # noqa: PLC0415 - it knows storages, and is slow to import

    return address(options.parts)


def check_existing(options: WorkOptions, workdir: Path) -> None:
    """Raise Refused where a workdir is to be there, and nothing ever was planned in it."""
    if options.existing and not (workdir / FILE).exists():
        raise Refused(
            f"{workdir}: nothing is planned there, and --existing begins no new workdir; look whether the path is "
            "right and its disk is there, or leave --existing out once, to begin one"
        )


def plan_todo(  # noqa: PLR0913 - what is planned, how and where, and who hears of it
    session: Session,
    todo: Todo,
    talk: Talk,
    options: WorkOptions,
    following: Following | None = None,
    *,
    parts: str | None = None,
) -> None:
    """Plan, with progress, and say what was set aside; `following` is what is done after it.

    `parts`: the folder in a storage in which the plan's files are to lie.
    """
    session.executor = partial(chosen, kind=options.executor, workers=options.workers)
    session.workers = options.workers
    if options.limit is None:  # first rows are planned here
        is_far = parts is not None or session.checkpoint.depot.is_far
        check(options.executor, session.workdir, todo.work.jobs, is_far=is_far)
    for name in todo.work.skipped.get("emptied", ()):
        talk.say(f"note: {name}: nothing in it to read by now; what was planned of it stands")
    for name in todo.emptied:
        talk.say(
            f"note: {name}: no row in it by now; what was planned of it and not sent is not sent any more"
        )
    with talk.planning(following) as progress:
        Planning.of(session, todo.work, options.people, parts).plan(
            progress,
            command=typed_command(),
            again=todo.again,
            emptied=todo.emptied,
            resend=todo.resend,
        )
    if (asked := asked_again()) is not None:
        talk.say(f"note: {asked}")
    session.checkpoint.note(**{SAID: is_said("person_properties")})
    session.remark(ruled.near(todo.work.settings.ruling))
    aside = session.checkpoint.set_aside()
    for name in session.set_aside:
        talk.say(f"error: {name}: set aside: {aside[name].why}")


def wishes_of(options: WorkOptions) -> Wishes:
    """Return what is wanted of files that are planned already."""
    return Wishes(again=options.again, on_changed=options.on_changed, resend=options.resend_changed)
