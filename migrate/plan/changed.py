"""Planned files that are there again: which hold what they held, and what becomes of those that have changed."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

from migrate.errors import Unfit
from migrate.inputs.source import Fingerprint, fingerprint, stamp
from migrate.plan.jobs import Job, only_informs
from migrate.workdir.records import Input

OnChanged = Literal["replan", "set-aside", "skip"]
WAYS: Final[tuple[OnChanged, ...]] = get_args(OnChanged)


class Looked(NamedTuple):
    """What a file held when it was looked at, and the stamp that it had."""

    stamp: str
    found: Fingerprint


class Changed(NamedTuple):
    """What was found out about planned files whose stamps are others now."""

    looked: Mapping[str, Looked] = {}
    """By name."""
    replan: Sequence[str] = ()
    """Those that have changed, and are to be planned anew."""
    skip: Sequence[str] = ()
    """Those that have changed, and are to be passed over."""
    set_aside: Sequence[str] = ()
    """Those that have changed, and are to be set aside."""


def look(known: Mapping[str, Input], jobs: Sequence[Job], way: OnChanged | None) -> Changed:
    """Return what becomes of the jobs that are planned and have changed, judged by their bytes.

    `way`: what becomes of all of them; None replans those whose rows have ids to know them again by. Of copies of
    rejects nothing is said here.
    """
    looked: dict[str, Looked] = {}
    ways: dict[OnChanged, list[str]] = {one: [] for one in WAYS}
    for job in jobs:
        source = job.source
        before = known.get(source.name)
        if before is None or not before.planned or source.lines is not None:
            continue
        try:
            now = stamp(source)
            if now == before.stamp:
                continue
            found = fingerprint(source, Fingerprint(before.size, before.digest))
        except Unfit:
            continue  # gone by now, or cut short: what was planned stands
        looked[source.name] = Looked(now, found)
        if found != (before.size, before.digest):
            ways[
                "replan"
                if only_informs(job.table)
                else way or ("set-aside" if job.table.ordinals else "replan")
            ].append(source.name)
    return Changed(looked, ways["replan"], ways["skip"], ways["set-aside"])
