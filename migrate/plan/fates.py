"""A part with events that are not all to be sent alike → a part for each fate, or for those of some files alone."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from migrate.plan.versions import ids
from migrate.workdir import dayfile, daynames
from migrate.workdir.depot import Depot
from migrate.workdir.disk import sync
from migrate.workdir.records import Fate, Part
from migrate.workdir.seals import Seal

_LETTERS: Final = {Fate.AS_OTHERS: "o", Fate.AGAIN: "a", Fate.STAYS: "s"}
"""What stands behind the name of the part that another was."""
_LEFT: Final = "l"
_KNOWN_BY: Final = ("uuid", "event", "distinct_id")


def divided(depot: Depot, part: Part, fates: pl.DataFrame) -> list[Part]:
    """Return the parts, durably written beside it, that a part becomes, itself where all its events are as others.

    `fates`: `id` and `fate` of those that are not, as `changes.compare` finds them.
    """
    with depot.near([part.path]):
        found = _divided(depot.workdir, part, fates.unique("id"))
    if found != [part]:
        depot.keep({one.path: depot.workdir / one.path for one in found})
    return found


def _divided(workdir: Path, part: Part, known: pl.DataFrame) -> list[Part]:
    whole = workdir / part.path
    if not any(_fates(frame, known).is_not_null().any() for frame in dayfile.frames(whole, _KNOWN_BY)):
        return [part]
    files: dict[Fate, tuple[Path, dayfile.DayFile]] = {}
    for frame in dayfile.frames(whole):
        fate = _fates(frame, known).fill_null(Fate.AS_OTHERS.value)
        for one in Fate:
            if (mine := frame.filter(fate == one.value)).height:
                if one not in files:
                    path = workdir / _beside(part, _LETTERS[one])
                    files[one] = path, dayfile.DayFile(path)
                _add(files[one][1], mine)
    return [
        _written(replace(part, path=_beside(part, _LETTERS[fate]), fate=fate), path, file.close())
        for fate, (path, file) in files.items()
    ]


def of_files(depot: Depot, part: Part, names: Collection[str]) -> Part | None:
    """Return the part, durably written beside it, of the events of these files; None where there are none.

    A part that cannot be read stays as it is: it is refused before it is sent.
    """
    if not names:
        return None
    with depot.near([part.path]):
        found = _of_files(depot.workdir, part, names)
    if found is not None and found != part:
        depot.keep({found.path: depot.workdir / found.path})
    return found


def _of_files(workdir: Path, part: Part, names: Collection[str]) -> Part | None:
    file, path = None, workdir / _beside(part, _LEFT)
    try:
        for frame in dayfile.frames(workdir / part.path):
            if (mine := frame.filter(pl.col("file").is_in(list(names)))).height:
                file = file or dayfile.DayFile(path)
                _add(file, mine)
    except dayfile.UNREADABLE:
        return part
    return None if file is None else _written(replace(part, path=_beside(part, _LEFT)), path, file.close())


def _add(file: dayfile.DayFile, frame: pl.DataFrame) -> None:
    """Write events, and count them by name."""
    file.add(dayfile.arrow(frame), int(frame["payload"].str.len_bytes().sum()))
    file.names.update(dict(frame["event"].value_counts().iter_rows()))


def _beside(part: Part, letter: str) -> str:
    """Return the path of what is written beside a part."""
    stem, _, ending = part.path.rpartition(".")
    return f"{stem}{letter}.{ending}"


def _written(part: Part, path: Path, written: dayfile.Written) -> Part:
    """Return the part that is written, made durable; `part` has its path and its fate."""
    sync(path)
    sync(path.parent)
    return replace(
        part,
        events=written.events,
        bytes=written.bytes,
        first=written.first,
        last=written.last,
        seal=Seal.of(path),
        names=daynames.packed(written.names),
    )


def _fates(frame: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """Return the fate of each event, null where it is that of others."""
    found = pl.DataFrame({"id": ids(frame)}).join(known, on="id", how="left", maintain_order="left")
    return found["fate"]
