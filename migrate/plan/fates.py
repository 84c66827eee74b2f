"""A part with events that are not all to be sent alike → a part for each fate."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from migrate.plan.changes import ids
from migrate.workdir import dayfile
from migrate.workdir.disk import sync
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Seal

_LETTERS: Final = {Fate.AS_OTHERS: "o", Fate.AGAIN: "a", Fate.STAYS: "s"}
"""What stands behind the name of the part that another was."""


def divided(workdir: Path, part: Part, fates: pl.DataFrame) -> list[Part]:
    """Return the parts, durably written beside it, that a part becomes, itself where all its events are as others.

    `fates`: `id` and `fate` of those that are not, as `changes.compare` finds them.
    """
    known, whole = fates.unique("id"), workdir / part.path
    if not any(_fates(frame, known).is_not_null().any() for frame in dayfile.frames(whole, ["uuid"])):
        return [part]
    files: dict[Fate, tuple[Path, dayfile.DayFile]] = {}
    for frame in dayfile.frames(whole):
        fate = _fates(frame, known).fill_null(Fate.AS_OTHERS.value)
        for one in Fate:
            if (mine := frame.filter(fate == one.value)).height:
                if one not in files:
                    path = workdir / _named(part, one)
                    files[one] = path, dayfile.DayFile(path)
                size = int(mine["payload"].str.len_bytes().sum())
                files[one][1].add(dayfile.arrow(mine), size)
    return [_written(part, fate, path, file.close()) for fate, (path, file) in files.items()]


def _named(part: Part, fate: Fate) -> str:
    """Return the path of what has this fate of a part."""
    stem, _, ending = part.path.rpartition(".")
    return f"{stem}{_LETTERS[fate]}.{ending}"


def _written(part: Part, fate: Fate, path: Path, written: dayfile.Written) -> Part:
    """Return the part that is written, made durable."""
    sync(path)
    sync(path.parent)
    return replace(
        part,
        path=_named(part, fate),
        events=written.events,
        bytes=written.bytes,
        first=written.first,
        last=written.last,
        seal=Seal.of(path),
        fate=fate,
    )


def _fates(frame: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """Return the fate of each event, null where it is that of others."""
    found = pl.DataFrame({"id": ids(frame["uuid"])}).join(known, on="id", how="left", maintain_order="left")
    return found["fate"]
