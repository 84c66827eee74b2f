"""What lies among files and is no export: hidden files, markers of other programs, workdirs of ours."""

import errno
import re
import stat
from pathlib import Path
from typing import Final

from migrate.stores.objects import Object
from migrate.stores.troubles import Trouble

_WORKDIR: Final = b"PMIG"
_PEOPLE: Final = b"PMIP"
_MARK_END: Final = 72
"""Where SQLite keeps what an application writes of itself (https://www.sqlite.org/fileformat.html#application_id)."""
_MARKER: Final = re.compile(
    r"complete|_SUCCESS|_(committed|started)_.*|_(common_)?metadata|.*\.(crc|md5)|manifest(\.json)?|.*[._]manifest"
)
_MARKER_FOLDERS: Final = {"_delta_log", "_temporary"}
NOWHERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
GONE: Final = "no such file or folder"


def mode_of(path: Path) -> tuple[int, str]:
    """Return what is at a path as `stat` has it; 0 and why, where that cannot be told."""
    try:
        return path.stat().st_mode, ""
    except OSError as error:
        return 0, GONE if error.errno in NOWHERE else error.strerror or "cannot be read"


def is_workdir(folder: Path) -> bool:
    """Return whether a folder is a workdir of ours, whose plan is no export; told by its checkpoint's own mark."""
    return _is_marked(folder / "checkpoint.sqlite", _WORKDIR)


def is_of_people(path: Path) -> bool:
    """Return whether a file is one of who is who, or its lock, as several workdirs may share it anywhere."""
    people = path.with_name("people.sqlite")
    return path.name in {people.name, "people.lock"} and _is_marked(people, _PEOPLE)


def is_ours(one: Object) -> bool:
    """Return whether an object is a file of ours that a workdir, or people, are told by."""
    try:
        with one.open() as file:
            return file.read(_MARK_END)[_MARK_END - len(_WORKDIR) :] in {_WORKDIR, _PEOPLE}
    except Trouble:
        return False


def _is_marked(path: Path, mark: bytes) -> bool:
    """Return whether a file is a database of ours, told by its own mark."""
    if not stat.S_ISREG(mode_of(path)[0]):
        return False
    try:
        with path.open("rb") as file:
            return file.read(_MARK_END)[_MARK_END - len(mark) :] == mark
    except OSError:
        return False


def why_passed(name: str) -> str | None:
    """Return why a file or folder of this name is left aside when it was not named itself."""
    if name == "__MACOSX" or (name.startswith(".") and name not in {".", ".."}):
        return "hidden"
    return "marker" if _MARKER.fullmatch(name) or name in _MARKER_FOLDERS else None
