"""The page in its place: written aside and put there whole, over an earlier one of ours alone."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from migrate.errors import UsageError
from migrate.page.letters import MARK
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.disk import sync
from migrate.workdir.hold import Holder

PAGE: Final = "report.html"


def write(
    checkpoint: Checkpoint, path: Path | None = None, *, is_whole: bool = False, working: Holder | None = None
) -> Path:
    """Write the page of a workdir, there unless a `path` is named, and return where it lies.

    Ids are shortened, unless they are wanted `is_whole`; `working`: the other process that works there. Raises
    UsageError where something else lies in its place, OSError where it cannot be written.
    """
    from migrate.page.gathered import gather  # noqa: PLC0415 - who does not write a page needs none of it
    from migrate.page.render import page  # noqa: PLC0415

    place = Path(os.path.realpath(path or checkpoint.workdir / PAGE))  # a link stays one
    check_place(place)
    _put(place, page(gather(checkpoint, is_whole=is_whole, working=working)).encode())
    return path or checkpoint.workdir / PAGE


def keep(checkpoint: Checkpoint, warn: Callable[[str], None], *, is_whole: bool) -> None:
    """Write the page beside report.json; what is wrong with it is told, and changes nothing of how a command ends."""
    try:
        write(checkpoint, is_whole=is_whole)
    except Exception as error:  # noqa: BLE001 - the command has done its work, which may have taken hours
        warn(f"{PAGE} is not written, {error or type(error).__name__}; 'migrate report' writes it")


def check_place(place: Path) -> None:
    """Raise UsageError where something lies that is no page of ours, and is not to be replaced."""
    if not os.path.lexists(place):
        return
    if not place.is_file():
        raise UsageError(f"{place}: no file, and no report is written in its place; name another with -o")
    with place.open("rb") as file:
        start = file.read(len(MARK))
    if start and start != MARK.encode():
        raise UsageError(
            f"{place}: is there and no report of migrate's; name another with -o, it would be replaced"
        )


def _put(place: Path, data: bytes) -> None:
    """Write a file aside, and put it in its place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        sync(beside)
        beside.replace(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
