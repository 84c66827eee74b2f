"""Which of several files of a name belongs to another file: the one beside it, or of its day, told by names alone.

Two days in two names speak against each other, and so do two names before the same day where one is an archive's
("rsid_2024-04-03-lookup_data.tar.gz" belongs to "01-rsid_2024-04-03.tsv.gz", and not to "01-other_2024-04-03.tsv.gz").
Of the others those in the same folder or archive are nearer than those elsewhere, those of the same day nearer than
those of none, and then those that have most folders in common.
"""

import posixpath
import re
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

_DAY: Final = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?:[-_.T]?(\d{6}))?(?!\d)"
)
_PART: Final = re.compile(r"^\d+[-_.]")


class _Place(NamedTuple):
    """What a source's name tells of where it belongs."""

    container: str
    """The folder it lies in, in the archive if it is in one."""
    folders: tuple[str, ...]
    """The folders on the disk."""
    times: frozenset[str]
    """The days, or hours, that its name and folders say."""
    file: str
    """The name of the file, or of the archive, on the disk."""
    is_member: bool


def nearest(name: str, among: Iterable[str]) -> list[str]:
    """Return those of these sources that belong to the source of this name, all that are equally near.

    Where they lie in several folders or archives, nobody can say which are meant.
    """
    own = _place(name)
    ranked: dict[tuple[bool, bool, int], list[str]] = {}
    for one in among:
        if one != name and (rank := _rank(own, _place(one))) is not None:
            ranked.setdefault(rank, []).append(one)
    return ranked[max(ranked)] if ranked else []


def container(name: str) -> str:
    """Return the folder, or the archive and the folder in it, that a source lies in."""
    return _place(name).container


def _rank(own: _Place, other: _Place) -> tuple[bool, bool, int] | None:
    """Return how near another is, the more the nearer; None where it belongs elsewhere."""
    is_beside = own.container == other.container
    mine, others = own.times - other.times, other.times - own.times
    if mine and others:
        return None
    stems = _stem(own.file), _stem(other.file)
    if other.is_member and not is_beside and "" not in stems and stems[0] != stems[1]:
        return None
    common = len(posixpath.commonprefix([own.folders, other.folders]))
    return is_beside, bool(other.times) and not others and not mine, common


def _stem(file: str) -> str:
    """Return what stands before the day in a file's name, without the number of a part; nothing where there is none."""
    found = _DAY.search(file)
    return "" if found is None else _PART.sub("", file[: found.start()])


@cache
def _place(name: str) -> _Place:
    disk, _, member = name.partition("!")
    folder, _, file = disk.rpartition("/")
    inside = member.rpartition("/")[0]
    times = frozenset("".join(part or "" for part in found) for found in _DAY.findall(name))
    return _Place(
        f"{disk}!{inside}" if member else folder, tuple(folder.split("/")), times, file, bool(member)
    )
