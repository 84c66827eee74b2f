"""What of the inputs there is to plan in a workdir: what is new, changed, asked for again, or was left out by time."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from migrate.errors import UsageError
from migrate.inputs.names import archive_of, path_of, path_text, source_name
from migrate.plan.changed import Changed, OnChanged, look
from migrate.settings import Settings, Work
from migrate.workdir import parked, renewal, windows
from migrate.workdir.checkpoint import REJECTS, Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.records import BEFORE, Input, Window

_EDITED: Final = (REJECTS, parked.PARKED)
"""What lies in a workdir for people to copy or change, and is no input there."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is wanted of files that are planned already."""

    again: Sequence[Path] = ()
    """Those to be planned anew whatever they hold."""
    on_changed: OnChanged | None = None
    """What becomes of those that have changed; None: those whose rows have ids are planned anew."""
    resend: bool = False
    """Whether rows that changed after they were sent are sent again, where PostHog keeps the later version."""


class Todo(NamedTuple):
    """What there is to plan in a workdir."""

    work: Work
    again: Sequence[str] = ()
    """Sources whose plan is to be made anew."""
    resend: bool = False
    """Whether rows of theirs that changed after they were sent are sent again, where they may be."""
    emptied: Sequence[str] = ()
    """Those of them in which there is no row by now."""


def find_todo(settings: Settings, inputs: Sequence[str], workdir: Path, wishes: Wishes) -> Todo:
    """Return what there is to plan in a workdir; raises UsageError where inputs or --again name what they must not."""
    own = {_absolute(workdir / name) for name in _EDITED}
    for given in inputs:
        if _absolute(Path(given)) in own:
            raise UsageError(
                f"input {given}: it is written anew by migrate itself; name a copy of it, in which the rows are mended"
            )
    asked = _asked(wishes.again)
    window = Window(settings.since, settings.until)
    planned = _planned(workdir, asked, (), window)
    work = settings.work(inputs, planned.stamps, paths=planned.paths)
    there = {job.source.name for job in work.jobs}
    empty = {*work.skipped.get("empty", ())}
    meant = planned.meant_of(there, asked)
    missing = [name for name in meant if name not in there]
    emptied = [name for name in missing if name in empty and {name, archive_of(name)} & asked]
    known = {part for name in (*there, *meant) for part in (name, archive_of(name))}
    for name in [*(name for name in missing if name not in emptied), *sorted(asked - known)]:
        raise UsageError(f"--again: {name} {_why_not(name, work, empty, is_planned=name in missing)}")
    todo = Todo(work, meant, wishes.resend, emptied)
    if settings.limit is not None or not planned.inputs:
        return todo
    others = {name: one for name, one in planned.inputs.items() if name not in meant}
    changed = look(others, work.jobs, wishes.on_changed)
    wider = [name for name in planned.left_out if name in others and name not in changed.skip]
    if changed.replan or wider:
        replan = {*meant, *changed.replan, *wider}
        planned = _planned(workdir, replan, {*changed.replan, *wider}, window)
        work = settings.work(inputs, planned.stamps, paths=planned.paths)
        meant += _whole(planned, {job.source.name for job in work.jobs}, replan - {*meant})
    return todo._replace(work=_arranged(work, planned, changed), again=meant)


def _whole(planned: "_Planned", there: set[str], replan: set[str]) -> list[str]:
    """Return which files can be planned anew, with those that were planned together with them: where all are `there`.

    What is not sent of one that is gone would be lost; then the others are left as they are, or to be set aside.
    """
    together: dict[int | None, list[str]] = {}
    for name in planned.meant_of(there, replan):
        together.setdefault(planned.inputs[name].lead, []).append(name)
    return [
        name
        for mates in together.values()
        if there.issuperset(mates) and not replan.isdisjoint(mates)
        for name in mates
    ]


def _arranged(work: Work, planned: "_Planned", changed: Changed) -> Work:
    """Return the work without what is passed over as changed; what is planned anew loses no time it is planned of."""
    before = windows.known(planned.inputs, {job.source.name for job in work.jobs}) if work.jobs else {}
    jobs = [
        replace(job, window=job.window | before.get(job.source.name, job.window))
        for job in work.jobs
        if job.source.name not in changed.skip
    ]
    skipped = work.skipped | ({"changed": [*changed.skip]} if changed.skip else {})
    return replace(work, jobs=jobs, skipped=skipped, looked=changed.looked)


def _why_not(name: str, work: Work, empty: Collection[str], *, is_planned: bool) -> str:
    """Return why a source cannot be planned anew, and what to do; `is_planned`: it, or what it is planned with, was."""
    for one in (name, archive_of(name)):
        if one in work.set_aside:
            return f"cannot be planned as it is now, {work.set_aside[one].why}"
    if name in empty and is_planned:
        return (
            "has no row by now, and files that were planned together are planned again together; name it with --again, "
            "too, if what was planned of it is not to be sent, or put it back as it was"
        )
    if archive_of(name) in empty:
        is_part = "is of a file that has no row by now; put that back as it was"
        return is_part if is_planned else "has no row by now, and nothing of it is left to send; leave it out"
    for reason, names in work.skipped.items():
        if name in names:
            return f"is passed over ({reason}), and not planned; leave it out, or put it back as it was"
    if not is_planned:
        return "is not among the inputs; name it as an input, too"
    return (
        "is not among the inputs; name it as an input, too (files that were planned together are planned again "
        "together; if one is gone, send what is planned first, with 'migrate apply')"
    )


class _Planned(NamedTuple):
    """What is planned in a workdir already."""

    inputs: Mapping[str, Input] = {}
    stamps: Mapping[str, str] = {}
    """The stamps that files had, by name; not of those to plan again."""
    meant: Sequence[str] = ()
    """Files to plan again; those that were planned together are planned again together."""
    paths: Mapping[str, str | None] = {}
    """Where all of them lay, with the stamp of files of which all is planned, and nothing is to be planned again."""
    sent: Collection[str] = ()
    """Those of `meant` of which nothing is left to send: what was planned of them stands where they are gone."""
    left_out: Sequence[str] = ()
    """Those of which rows were left out that are asked for now."""

    def meant_of(self, there: Collection[str], asked: Collection[str]) -> list[str]:
        """Return the files to plan again if these are `there`, and these were `asked` for."""
        return [name for name in self.meant if name in there or name in asked or name not in self.sent]


def _planned(workdir: Path, asked: set[str], alone: Collection[str], window: Window) -> _Planned:
    """Return what is planned in a workdir, and what is to be planned again if these are asked for.

    Those that may go `alone` take no other with them of which nothing is left to send.
    """
    if not (workdir / FILE).exists():
        return _Planned()
    with Checkpoint.open(workdir, create=True) as checkpoint:
        meant = [
            name
            for name in renewal.together(checkpoint, asked, alone)
            if {name, archive_of(name)} & asked or path_of(name).exists() or checkpoint.has_unsent(name)
        ]
        inputs = checkpoint.inputs()
        planned = {name: known.stamp for name, known in inputs.items() if known.planned}
        if not checkpoint.has_events():  # it may begin anew, under other settings
            return _Planned({}, {}, meant, dict.fromkeys(map(path_text, planned)))
        return _Planned(
            inputs=inputs,
            stamps={name: stamp for name, stamp in planned.items() if name not in meant},
            meant=meant,
            paths=_paths(inputs, {*meant, *checkpoint.set_aside()}),
            sent={name for name in meant if not checkpoint.has_unsent(name)},
            left_out=windows.left_out(checkpoint, window),
        )


def _paths(inputs: Mapping[str, Input], others: Collection[str]) -> dict[str, str | None]:
    """Return the paths of planned inputs, with a stamp where all of it is planned and nothing is among the `others`."""
    odd, found = {path_text(name) for name in others}, dict[str, str | None]()
    for name, known in inputs.items():
        if BEFORE in name or name.startswith("("):
            continue
        path = path_text(name)
        is_whole = known.planned and path not in odd and found.get(path, known.stamp) == known.stamp
        found[path] = known.stamp if is_whole else None
    return found


def _asked(again: Iterable[Path]) -> set[str]:
    """Return the sources named by --again: by their files' paths, or as messages call them."""
    paths = [_absolute(path) for path in again]
    return {source_name(path) if os.path.lexists(path) else path for path in paths}


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links are not followed
