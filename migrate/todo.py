"""What of the inputs there is to plan in a workdir: what is new, changed, asked for again, or was left out by time."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from migrate.errors import UsageError
from migrate.inputs.names import archive_of, path_text, source_name
from migrate.inputs.stored import stored_of
from migrate.pinning import begins_anew
from migrate.plan import lookups
from migrate.plan.changed import Changed, OnChanged, look
from migrate.settings import Settings, Work
from migrate.stores.urls import is_url
from migrate.workdir import parked, renewal, windows
from migrate.workdir.checkpoint import REJECTS, Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.records import BEFORE, Aside, Input, Window

_EDITED: Final = (REJECTS, parked.PARKED)
"""What lies in a workdir for people to copy or change, and is no input there."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is wanted of files that are planned already."""

    again: Sequence[str | Path] = ()
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
        if _absolute(given) in own:
            raise UsageError(
                f"input {given}: it is written anew by migrate itself; name a copy of it, in which the rows are mended"
            )
    asked = _asked(wishes.again)
    planned = _planned(workdir, settings, asked)
    work = settings.work(inputs, planned.stamps, paths=planned.paths, anew=planned.known)
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
    as_they_are = {*changed.skip, *changed.set_aside}
    wider = [
        name for name in planned.left_out if name in others and name in work.names and name not in as_they_are
    ]
    if changed.replan or wider:
        more = {*changed.replan, *wider}
        planned = _planned(workdir, settings, {*meant, *more}, more)
        work = settings.work(inputs, planned.stamps, paths=planned.paths, anew=planned.known)
        there = {job.source.name for job in work.jobs}
        ready = planned.ready(there, more)
        waiting = there & {*wider} - {*ready, *changed.replan}
        work = replace(work, set_aside=work.set_aside | planned.waiting(waiting, there))
        meant += ready
    told = lookups.changed(
        {job.source.name: job for job in work.jobs}, changed.looked.keys() & set(changed.replan)
    )
    work = replace(work, remarks=[*work.remarks, *told])
    return todo._replace(work=_arranged(work, planned, changed), again=meant)


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
        "together; if one is gone, first finish the plan without --again, then send it with 'migrate apply')"
    )


class _Planned(NamedTuple):
    """What is planned in a workdir already."""

    inputs: Mapping[str, Input] = {}
    stamps: Mapping[str, str] = {}
    """The stamps that files had, by name; not of those to plan again."""
    meant: Sequence[str] = ()
    """Files to plan again; those that were planned together are planned again together, but for those `apart`."""
    apart: Collection[str] = ()
    """Those of `meant` that go without those they were planned with."""
    paths: Mapping[str, str | None] = {}
    """Where all of them lay, with the stamp of files of which all is planned, and nothing is to be planned again."""
    done: Collection[str] = ()
    """Those of which nothing is left to send or to tell: what was planned of them stands where they are gone."""
    left_out: Sequence[str] = ()
    """Those of which rows were left out that are asked for now."""
    known: Collection[str] = ()
    """Those that are planned, and those that are set aside."""

    def meant_of(self, there: Collection[str], asked: Collection[str]) -> list[str]:
        """Return the files to plan again if these are `there`, and these were `asked` for."""
        return [name for name in self.meant if name in there or name in asked or name not in self.done]

    def ready(self, there: set[str], wanted: set[str]) -> list[str]:
        """Return which `wanted` files that are `there` can be planned anew, with those that have to go with them.

        Where one of these is not there, what is not sent or told of it would be lost: then the others stay as they are.
        """
        found = {name for name in self.apart if name in there}
        for mates in self._bound(there).values():
            if there.issuperset(mates) and not wanted.isdisjoint(mates):
                found.update(mates)
        return [name for name in self.meant if name in found]

    def waiting(self, names: Collection[str], there: set[str]) -> dict[str, Aside]:
        """Return why these files, which are `there`, cannot be planned of a wider time now."""
        why = (
            "rows of it that --since or --until left out are asked for now, and it was planned together with {}, which "
            "is not there, by a command that did not come to its end; run the same command again once this one has"
        )
        return {
            name: Aside("left_out", why.format(gone), self.inputs[name].stamp)
            for mates in self._bound(there).values()
            for gone in [mate for mate in mates if mate not in there][:1]
            for name in mates
            if name in names
        }

    def _bound(self, there: Collection[str]) -> dict[int | None, list[str]]:
        """Return the files that are planned again together, or not at all."""
        bound: dict[int | None, list[str]] = {}
        for name in self.meant_of(there, ()):
            if name not in self.apart:
                bound.setdefault(self.inputs[name].lead, []).append(name)
        return bound


def _planned(workdir: Path, settings: Settings, asked: set[str], alone: Collection[str] = ()) -> _Planned:
    """Return what is planned in a workdir, and what is to be planned again if these are asked for.

    Those that may go `alone` take no other with them, where that can be.
    """
    if not (workdir / FILE).exists():
        return _Planned()
    with Checkpoint.open(workdir, create=True) as checkpoint:
        inputs = checkpoint.inputs()
        planned = {name: known.stamp for name, known in inputs.items() if known.planned}
        if begins_anew(checkpoint, settings):
            return _Planned(paths=dict.fromkeys(map(path_text, planned)))
        apart = renewal.apart(checkpoint, alone)
        mates = renewal.together(checkpoint, asked - apart, apart)
        untold = renewal.untold(checkpoint)
        done = {name for name in mates if inputs[name].lead not in untold and not checkpoint.has_unsent(name)}
        meant = [
            name
            for name in mates
            if name not in done or {name, archive_of(name)} & asked or stored_of(name).exists()
        ]
        return _Planned(
            inputs=inputs,
            stamps={name: stamp for name, stamp in planned.items() if name not in meant},
            meant=meant,
            apart=apart,
            paths=_paths(inputs, {*meant, *checkpoint.set_aside()}),
            done=done,
            known={*planned, *checkpoint.set_aside()},
            left_out=windows.left_out(checkpoint, Window(settings.since, settings.until)),
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


def _asked(again: Iterable[str | Path]) -> set[str]:
    """Return the sources named by --again: by their files' paths, or as messages call them."""
    given = [os.fspath(path) for path in again]
    addresses = {one for one in given if is_url(one)}
    paths = [_absolute(one) for one in given if one not in addresses]
    return addresses | {source_name(path) if os.path.lexists(path) else path for path in paths}


def _absolute(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links are not followed
