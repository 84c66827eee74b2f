"""`migrate plan`: which of the inputs there is to plan, or to plan again, and the planning of it."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, NoReturn

from migrate.cli.config import rules_here
from migrate.cli.options import PlanOptions, SourceOptions, TalkOptions, WorkOptions
from migrate.cli.session import end, open_session, start_talk
from migrate.cli.settings import build_settings
from migrate.cli.show import show_planned
from migrate.cli.state import EDITED
from migrate.cli.trial import unconfigured
from migrate.cli.typed import typed_command
from migrate.errors import Refused, UsageError
from migrate.inputs.names import archive_of, path_of, source_name
from migrate.plan.changed import Changed, look
from migrate.planning import Planning
from migrate.report.pace import Following
from migrate.report.talk import Talk
from migrate.session import Session
from migrate.settings import Settings, Work
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.records import Input


class Todo(NamedTuple):
    """What there is to plan in a workdir."""

    work: Work
    again: Sequence[str] = ()
    """Sources whose plan is to be made anew."""
    resend: bool = False
    """Whether rows of theirs that changed after they were sent are sent again, where they may be."""


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
    todo = find_todo(settings, source.inputs, workdir, options)
    with open_session(workdir, talk, create=True) as session:
        plan_todo(session, todo, talk, options.people)
        if not session.is_stopping:
            show_planned(session.checkpoint, talk)
        end(session, talk, sending=False)


def workdir_of(options: WorkOptions, settings: Settings) -> Path:
    """Return the workdir that is named, or the one of all that is planned of a platform here."""
    return options.workdir or Path(f"{settings.platform}.workdir")


def check_existing(options: WorkOptions, workdir: Path) -> None:
    """Raise Refused where a workdir is to be there, and nothing ever was planned in it."""
    if options.existing and not (workdir / FILE).exists():
        raise Refused(
            f"{workdir}: nothing is planned there, and --existing begins no new workdir; look whether the path is "
            "right and its disk is there, or leave --existing out once, to begin one"
        )


def plan_todo(
    session: Session, todo: Todo, talk: Talk, people: Path | None, following: Following | None = None
) -> None:
    """Plan, with progress, and say what was set aside; `people` is a folder that workdirs share.

    `following` is what is done after it.
    """
    for name in todo.work.skipped.get("emptied", ()):
        talk.say(f"note: {name}: nothing in it to read by now; what was planned of it stands")
    with talk.planning(following) as progress:
        Planning.of(session, todo.work, people).plan(
            progress, command=typed_command(), again=todo.again, resend=todo.resend
        )
    aside = session.checkpoint.set_aside()
    for name in session.set_aside:
        talk.say(f"error: {name}: set aside: {aside[name].why}")


def find_todo(settings: Settings, inputs: Sequence[str], workdir: Path, options: WorkOptions) -> Todo:
    """Return what there is to plan in a workdir; raises UsageError where inputs or --again name what they must not."""
    own = {_absolute(workdir / name) for name in EDITED}
    for given in inputs:
        if _absolute(Path(given)) in own:
            raise UsageError(
                f"input {given}: it is written anew by migrate itself; name a copy of it, in which the rows are mended"
            )
    asked = _asked(options.again)
    planned = _planned(workdir, asked)
    work = settings.work(inputs, planned.stamps, paths=planned.paths)
    there = {job.source.name for job in work.jobs}
    meant = planned.meant_of(there, asked)
    if missing := [name for name in meant if name not in there]:
        raise UsageError(
            f"--again: {missing[0]} is not among the inputs; name it as an input, too (files that were planned "
            "together are planned again together; if one is gone, send what is planned first, with 'migrate apply')"
        )
    if unknown := asked - {part for name in there for part in (name, archive_of(name))}:
        raise UsageError(f"--again: {min(unknown)} is not among the inputs; name it as an input, too")
    todo = Todo(work, meant, resend=options.resend_changed)
    if settings.limit is not None or not planned.stamps:
        return todo
    known = {name: one for name, one in planned.inputs.items() if name not in meant}
    return _with_changed(todo, look(known, work.jobs, options.on_changed), inputs, workdir)


def _with_changed(todo: Todo, changed: Changed, inputs: Sequence[str], workdir: Path) -> Todo:
    """Return what there is to plan with the files that have changed: planned anew, or passed over.

    A file that was planned together with one that is not there, and not sent, cannot be planned anew by itself: it is
    left to be set aside.
    """
    work, meant = todo.work, [*todo.again]
    if changed.replan:
        every = _planned(workdir, {*meant, *changed.replan})
        work = work.settings.work(inputs, every.stamps, paths=every.paths)
        there = {job.source.name for job in work.jobs}
        for name in changed.replan:
            mates = _planned(workdir, {name}).meant_of(there, {name})
            if there.issuperset(mates):
                meant += [mate for mate in mates if mate not in meant]
    jobs = [job for job in work.jobs if job.source.name not in changed.skip]
    skipped = work.skipped | ({"changed": [*changed.skip]} if changed.skip else {})
    return todo._replace(work=replace(work, jobs=jobs, skipped=skipped, looked=changed.looked), again=meant)


class _Planned(NamedTuple):
    """What is planned in a workdir already."""

    inputs: Mapping[str, Input] = {}
    stamps: Mapping[str, str] = {}
    """The stamps that files had, by name; not of those to plan again."""
    meant: Sequence[str] = ()
    """Files to plan again; those that were planned together are planned again together."""
    paths: Collection[Path] = ()
    """Where all of them lay."""
    sent: Collection[str] = ()
    """Those of `meant` of which nothing is left to send: what was planned of them stands where they are gone."""

    def meant_of(self, there: Collection[str], asked: Collection[str]) -> list[str]:
        """Return the files to plan again if these are `there`, and these were `asked` for."""
        return [name for name in self.meant if name in there or name in asked or name not in self.sent]


def _planned(workdir: Path, asked: set[str]) -> _Planned:
    """Return what is planned in a workdir, and what is to be planned again if these are asked for."""
    if not (workdir / FILE).exists():
        return _Planned()
    with Checkpoint.open(workdir, create=True) as checkpoint:
        meant = [
            name
            for name in checkpoint.together(asked)
            if {name, archive_of(name)} & asked or path_of(name).exists() or checkpoint.has_unsent(name)
        ]
        inputs = checkpoint.inputs()
        planned = {name: known.stamp for name, known in inputs.items() if known.planned}
        paths = {path_of(name) for name in planned}
        if not checkpoint.extent()[0]:
            return _Planned({}, {}, meant, paths)  # it may begin anew, under other settings
        sent = {name for name in meant if not checkpoint.has_unsent(name)}
        stamps = {name: stamp for name, stamp in planned.items() if name not in meant}
        return _Planned(inputs, stamps, meant, paths, sent)


def _asked(again: Sequence[Path]) -> set[str]:
    """Return the sources named by --again: by their files' paths, or as messages call them."""
    paths = [_absolute(path) for path in again]
    return {source_name(path) if os.path.lexists(path) else path for path in paths}


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links are not followed
