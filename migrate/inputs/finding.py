"""What a user names → the files it stands for: folders, patterns and days gone through, what is none passed over."""

import fnmatch
import functools
import glob
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from migrate.errors import UsageError
from migrate.inputs.dated import Span, is_dated, paths, pattern
from migrate.inputs.names import expanded, source_name
from migrate.inputs.passed import GONE, NOWHERE, is_of_people, is_workdir, mode_of, why_passed
from migrate.inputs.prefixes import objects
from migrate.inputs.stored import Stored
from migrate.inputs.unchanged import Unchanged
from migrate.log import own_kind
from migrate.stores.objects import Object
from migrate.stores.urls import is_url

_REJECTS: Final = "rejects.jsonl"
"""What a workdir holds to be mended and planned again."""
_KINDS: Final = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


def _absolute(given: str) -> Path:
    """Return the path from the root that is meant; raises UsageError where none can be."""
    try:
        return Path(os.path.abspath(expanded(given)))  # noqa: PTH100 - resolve() would follow links
    except ValueError as error:
        raise UsageError(f"input {given}: {error}; check the path") from None


class Finder:
    """Looks for files, and takes note of what is passed over."""

    def __init__(self, *, skip_unreadable: bool, planned: Mapping[str, str | None], span: Span) -> None:
        self.skipped: dict[str, list[str]] = {}
        self._skip_unreadable = skip_unreadable
        self.unchanged = Unchanged(planned)
        self._span = span

    def files(self, given: str) -> Sequence[Stored]:
        """Return the files, or objects, an input stands for."""
        if is_dated(given):
            return self._of_days(given)
        if is_url(given):
            return self._below(given)
        path = _absolute(given)
        mode, why = mode_of(path)
        if stat.S_ISREG(mode):
            return [] if self.unchanged.holds(str(path)) else [path]
        before = self._passed()
        if stat.S_ISDIR(mode):
            files = list(self._walk(path))
        elif glob.has_magic(given) and not mode:
            files = list(self._matches(path))
        else:
            what = "not a file or folder" if mode else why
            raise UsageError(f"input {given}: {what}; check the path")
        if not files and self._passed() == before:
            self._refuse_empty(given, path.as_posix())
        return files

    def _below(self, given: str) -> list[Object]:
        """Return the objects that an address stands for."""
        before = self._passed()
        found = self._objects(given)
        if not found and self._passed() == before:
            self._refuse_empty(given, given)
        return found

    def _objects(self, given: str) -> list[Object]:
        """Return the same, none where there is nothing."""
        return [one for one in objects(given, self.skip) if not self.unchanged.holds_object(one)]

    def _refuse_empty(self, given: str, path: str) -> None:
        """Take note of an input that holds nothing, or refuse it where it never held anything."""
        if not self._was_planned(path):
            raise UsageError(
                f"input {given}: nothing in it to read; name a folder or pattern that holds files"
            )
        self.skip("emptied", path)

    def _passed(self) -> int:
        """Return how much was passed by that is something: what is planned as it is, folders that cannot be read."""
        return len(self.unchanged.found) + len(self.skipped.get("unreadable", []))

    def _of_days(self, given: str) -> Sequence[Stored]:
        """Return the files that an input stands for whose path holds a day."""
        days, files, first = paths(given, self._span), list[Stored](), self._passed()
        for day in days:
            before = self._passed()
            found = self._objects(day) if is_url(day) else self._of_day(day)
            if not found and self._passed() == before:
                self.skip("missing", day if is_url(day) else _absolute(day).as_posix())
            files += found
        every = pattern(given)
        is_there = files or self._passed() > first
        if is_there or self._was_planned(every if is_url(every) else str(_absolute(every))):
            return files
        asked = f"of {len(days):,} days or hours from {days[0]} to {days[-1]}" if days else "of no day"
        raise UsageError(f"input {given}: nothing there to read {asked}; check the path, and --since")

    def _of_day(self, given: str) -> Sequence[Stored]:
        """Return the files that the path of a day stands for, none where there is nothing."""
        path = _absolute(given)
        return list(self._matches(path) if glob.has_magic(given) else self._visible(path))

    def _was_planned(self, path: str) -> bool:
        """Return whether anything is planned that lay in a folder, or that a pattern stood for."""
        given = Path(path)
        pattern = str(given)
        return any(
            given in path.parents
            or any(fnmatch.fnmatchcase(str(one), pattern) for one in (path, *path.parents))
            for path in map(Path, self.unchanged.planned)
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
            if self.unchanged.holds(match):
                continue
            path = Path(match)
            inside = path.parents[: len(path.parents) - len(above.parents)]
            workdir = next(filter(is_plan, inside), None)
            if workdir is None or path.name == _REJECTS:
                yield from self._visible(path)
            elif workdir.as_posix() not in self.skipped.get("workdir", []):
                self.skip("workdir", workdir.as_posix())

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
                self.skip("workdir", folder.as_posix())
                continue
            inside = os.path.join(folder, "")  # noqa: PTH118 - so that a path is made of what is new alone
            for name in self._entries(folder):
                if self.unchanged.holds(inside + name):
                    continue
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
            self.skip(reason, path.as_posix())
        elif is_of_people(path):
            self.skip("workdir", path.as_posix())
        elif stat.S_ISREG(mode):
            if kind := own_kind(path):
                self.skip(kind, path.as_posix())
            else:
                yield path
        elif mode:
            self.skip(_KINDS.get(stat.S_IFMT(mode), "device"), path.as_posix())
        elif why != GONE:
            self._unreadable(path, OSError(0, why))
        elif path.is_symlink():
            self.skip("dangling_link", path.as_posix())

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

    def skip(self, reason: str, path: str) -> None:
        """Pass over what lies at a path."""
        self.note(reason, source_name(path))

    def note(self, reason: str, name: str) -> None:
        """Take note of the name of what is passed over."""
        self.skipped.setdefault(reason, []).append(name)
