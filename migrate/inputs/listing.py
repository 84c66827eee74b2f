"""From what a user names to the sources it stands for, in natural order, each once.

An input that is not there, is no file or folder, or holds nothing at all is a wrong command, but for a folder that held
what is planned. What lies in a folder and
cannot be read costs itself alone: a file is set aside by name, a folder is refused unless it is to be passed over.
"""

import fnmatch
import functools
import glob
import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from migrate.errors import Unfit, UsageError
from migrate.inputs.archives import Member, members
from migrate.inputs.guises import hollow
from migrate.inputs.names import natural, shown, source_name
from migrate.inputs.passed import GONE, NOWHERE, is_of_people, is_workdir, mode_of, why_passed
from migrate.inputs.rejected import RejectLines, Unreadable, origins
from migrate.inputs.source import Source
from migrate.log import is_log

_REJECTS: Final = "rejects.jsonl"
"""What a workdir holds to be mended and planned again."""
_URL: Final = re.compile(r"[a-z][a-z0-9+]+://")
_KINDS: Final = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


@dataclass(frozen=True)
class Sources:
    """What the inputs come to: sources in natural order, and what was left aside, by reason."""

    sources: list[Source]
    skipped: dict[str, list[str]]
    """Reason (`hidden`, `marker`, `empty`, `duplicate`, `workdir`, `replaced`, `link`, `emptied` …) -> names."""
    unfit: list[Unfit] = field(default_factory=list)
    """Files that cannot be read, and archives that cannot be looked into."""


def sources(
    inputs: Sequence[str], *, skip_unreadable: bool = False, planned: Collection[Path] = ()
) -> Sources:
    """Return the sources that files, folders, globs and archives stand for, in natural order, each once.

    A folder or glob that holds nothing and once held files that are `planned` is skipped as `emptied`. Raises
    `UsageError` for any other input that holds nothing, or does not exist, and for a folder that cannot be read, unless
    such are to be skipped.
    """
    listing = _Listing(skip_unreadable=skip_unreadable, planned=planned)
    paths = {path: None for given in inputs for path in listing.files(given)}
    for path in sorted(paths, key=lambda path: natural(path.as_posix())):
        listing.add(path)
    found = sorted(listing.found, key=lambda source: natural(source.name))
    skipped = {reason: sorted(names, key=natural) for reason, names in sorted(listing.skipped.items())}
    return Sources(found, skipped, listing.unfit)


class _Listing:
    """Files on their way to becoming sources."""

    def __init__(self, *, skip_unreadable: bool, planned: Collection[Path] = ()) -> None:
        self.found: list[Source] = []
        self.skipped: dict[str, list[str]] = {}
        self.unfit: list[Unfit] = []
        self._skip_unreadable = skip_unreadable
        self._planned = planned
        self._inodes: set[tuple[int, int]] = set()

    def files(self, given: str) -> list[Path]:
        """Return the files an input stands for."""
        if _URL.match(given):
            raise UsageError(f"input {given}: URLs are not read; download the files and name their folder")
        path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - resolve() would follow links
        mode, why = mode_of(path)
        if stat.S_ISREG(mode):
            return [path]
        before = len(self.skipped.get("unreadable", []))
        if stat.S_ISDIR(mode):
            files = list(self._walk(path))
        elif glob.has_magic(given) and not mode:
            files = list(self._matches(path))
        else:
            what = "not a file or folder" if mode else why
            raise UsageError(f"input {given}: {what}; check the path")
        if not files and len(self.skipped.get("unreadable", [])) == before:
            if self._was_planned(path):
                self._skip("emptied", path.as_posix())
                return []
            raise UsageError(
                f"input {given}: nothing in it to read; name a folder or pattern that holds files"
            )
        return files

    def _was_planned(self, given: Path) -> bool:
        """Return whether anything is planned that lay in a folder, or that a pattern stood for."""
        pattern = str(given)
        return any(
            given in path.parents
            or any(fnmatch.fnmatchcase(str(one), pattern) for one in (path, *path.parents))
            for path in self._planned
        )

    def _matches(self, pattern: Path) -> Iterator[Path]:
        """Yield the files that a pattern stands for; the folders it looks into must be readable."""
        above = pattern.parent
        while glob.has_magic(str(above)):
            for folder in glob.iglob(str(above), recursive=True):  # noqa: PTH207
                if os.path.isdir(folder):  # noqa: PTH112 - a name of any length
                    self._entries(Path(folder))
            above = above.parent
        self._entries(above)
        is_plan = functools.cache(is_workdir)
        for match in glob.iglob(str(pattern), recursive=True):  # noqa: PTH207
            path = Path(match)
            inside = path.parents[: len(path.parents) - len(above.parents)]
            workdir = next(filter(is_plan, inside), None)
            if workdir is None or path.name == _REJECTS:
                yield from self._visible(path)
            elif workdir.as_posix() not in self.skipped.get("workdir", []):
                self._skip("workdir", workdir.as_posix())

    def _walk(self, top: Path) -> Iterator[Path]:
        """Go through a folder; a link that leads back up is not followed again."""
        waiting: list[tuple[Path, frozenset[tuple[int, int]]]] = [(top, frozenset())]
        while waiting:
            folder, above = waiting.pop()
            try:
                status = folder.stat()
            except OSError as error:
                self._unreadable(folder, error)
                continue
            here = (status.st_dev, status.st_ino)
            if here in above:
                continue
            if is_workdir(folder):
                self._skip("workdir", folder.as_posix())
                continue
            for name in self._entries(folder):
                path = folder / name
                if self._is_folder(path):
                    waiting.append((path, above | {here}))
                else:
                    yield from self._file(path)

    def _visible(self, path: Path) -> Iterator[Path]:
        """Yield the files that a path stands for."""
        if self._is_folder(path):
            yield from self._walk(path)
        else:
            yield from self._file(path)

    def _is_folder(self, path: Path) -> bool:
        """Return whether there is a folder to go through."""
        return not why_passed(path.name) and stat.S_ISDIR(mode_of(path)[0])

    def _file(self, path: Path) -> Iterator[Path]:
        """Yield a file, or take note of why it is passed over; what is no file is never opened."""
        reason = why_passed(path.name)
        mode, why = (0, "") if reason else mode_of(path)
        if reason:
            self._skip(reason, path.as_posix())
        elif is_of_people(path):
            self._skip("workdir", path.as_posix())
        elif stat.S_ISREG(mode):
            if is_log(path):
                self._skip("log", path.as_posix())
            else:
                yield path
        elif mode:
            self._skip(_KINDS.get(stat.S_IFMT(mode), "device"), path.as_posix())
        elif why != GONE:
            self._unreadable(path, OSError(0, why))
        elif path.is_symlink():
            self._skip("dangling_link", path.as_posix())

    def _entries(self, folder: Path) -> list[str]:
        """Return the names in a folder; none, where it cannot be read and is to be passed over."""
        try:
            return os.listdir(folder)  # noqa: PTH208 - names alone
        except OSError as error:
            if error.errno not in NOWHERE:  # else it is gone, or never was
                self._unreadable(folder, error)
            return []

    def _unreadable(self, folder: Path, error: OSError) -> None:
        """Pass over a folder that cannot be read, or refuse it."""
        name = source_name(folder.as_posix())
        if not self._skip_unreadable:
            raise UsageError(
                f"{name}: cannot be looked into ({error.strerror}), so that what is in it would be left out; "
                "see to its permissions, or pass over it with --skip-unknown"
            )
        if name not in self.skipped.get("unreadable", []):
            self.skipped.setdefault("unreadable", []).append(name)

    def add(self, path: Path) -> None:
        """Take up a file, or the members of an archive; one that cannot be read is set aside."""
        name = source_name(path.as_posix())
        try:
            status = path.stat()
            is_twice = (status.st_dev, status.st_ino) in self._inodes
            inside = None if is_twice or not status.st_size else members(path)
            rejected = None if is_twice or inside is not None else _origins(path)
            self._inodes.add((status.st_dev, status.st_ino))
        except OSError as error:
            why = f"cannot be read ({error.strerror}); see to its permissions"
            self.unfit.append(Unfit(name, "unreadable", why))
            return
        except Unfit as error:
            self.unfit.append(error)
            return
        except Unreadable as error:
            self._take(Source(name, status.st_size, path, fault=str(error)))
            return
        if is_twice:
            self._skip("duplicate", path.as_posix())
        elif inside is not None:
            self._add_members(path, inside)
        elif rejected is None:
            self._take(Source(name, status.st_size, path))
        # Rows of each file by themselves: what table they are of is told by their columns and their file's name.
        for lines in rejected or ():
            self._take(Source(f"{name}!{shown(lines.file)}", lines.size, path, lines=lines))

    def _add_members(self, archive: Path, inside: Sequence[Member]) -> None:
        """Take up an archive's members; of two with one name the later replaces the earlier, as in unpacking."""
        if not inside:
            self._skip("empty", archive.as_posix())
        last = {posixpath.normpath(member.name): member for member in inside if member.skipped is None}
        unread: list[tuple[str, Member]] = []
        before = len(self.found)
        for member in inside:
            name = source_name(archive.as_posix(), member.name)
            reason = next(filter(None, map(why_passed, member.name.split("/"))), None) or member.skipped
            if reason is None and last[posixpath.normpath(member.name)] is not member:
                reason = "replaced"
            if reason:
                self._note(reason, name)
            elif member.trouble:
                unread.append((name, member))
            else:
                self._take(Source(name, member.size, archive, member))
        self._set_aside(archive, unread, is_all=len(self.found) == before)

    def _set_aside(self, archive: Path, unread: Sequence[tuple[str, Member]], *, is_all: bool) -> None:
        """Set members aside that cannot be read; the archive, where none of it can."""
        troubles = {member.trouble for _, member in unread}
        if is_all and len(troubles) == 1:
            name, member = unread[0]
            reason, why = member.trouble or ("", "")
            self.unfit.append(Unfit(source_name(archive.as_posix()), reason, f"'{shown(member.name)}' {why}"))
            return
        for name, member in unread:
            reason, why = member.trouble or ("", "")
            self.unfit.append(Unfit(name, reason, why))

    def _take(self, source: Source) -> None:
        if source.size:
            self.found.append(source)
        elif why := hollow(source.name):
            self.unfit.append(Unfit(source.name, "no_export", why))
        else:
            self._note("empty", source.name)

    def _skip(self, reason: str, path: str) -> None:
        self._note(reason, source_name(path))

    def _note(self, reason: str, name: str) -> None:
        self.skipped.setdefault(reason, []).append(name)


def _origins(path: Path) -> list[RejectLines] | None:
    """Return the lines of a rejects.jsonl of ours, by the files whose rows they hold; None of any other file."""
    if path.suffix.lower() not in {".jsonl", ".json", ".ndjson"}:
        return None
    with path.open("rb") as stream:
        return origins(stream)
