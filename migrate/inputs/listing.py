"""From what a user names to the sources it stands for, in natural order, each once."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from migrate.errors import UsageError
from migrate.inputs.archives import Member, members
from migrate.inputs.rejected import Lines, Unreadable, origins
from migrate.inputs.source import Source

_WORKDIR: Final = b"PMIG"
_MARK_END: Final = 72
"""Where SQLite keeps what an application writes of itself (https://www.sqlite.org/fileformat.html#application_id)."""
_MARKER: Final = re.compile(
    r"complete|_SUCCESS|_(committed|started)_.*|_(common_)?metadata|.*\.(crc|md5)|manifest(\.json)?|.*[._]manifest"
)
_MARKER_FOLDERS: Final = {"_delta_log", "_temporary"}
_URL: Final = re.compile(r"[a-z][a-z0-9+]+://")


@dataclass(frozen=True)
class Sources:
    """What the inputs come to: sources in natural order, and what was left aside, by reason."""

    sources: list[Source]
    skipped: dict[str, list[str]]
    """Reason (`hidden`, `marker`, `empty`, `duplicate`, `workdir`) -> names."""


def sources(inputs: Sequence[str]) -> Sources:
    """Return the sources that files, folders, globs and archives stand for, in natural order, each once.

    Raises `UsageError` for an input that does not exist or holds nothing, and for a broken or encrypted archive.
    """
    listing = _Listing()
    paths = {path: None for given in inputs for path in listing.files(given)}
    for path in sorted(paths, key=lambda path: _natural(path.as_posix())):
        listing.add(path)
    found = sorted(listing.found, key=lambda source: _natural(source.name))
    return Sources(
        found, {reason: sorted(names, key=_natural) for reason, names in sorted(listing.skipped.items())}
    )


class _Listing:
    """Files on their way to becoming sources."""

    def __init__(self) -> None:
        self.found: list[Source] = []
        self.skipped: dict[str, list[str]] = {}
        self._inodes: set[tuple[int, int]] = set()

    def files(self, given: str) -> list[Path]:
        """Return the files an input stands for."""
        if _URL.match(given):
            raise UsageError(f"input {given}: URLs are not read; download the files and name their folder")
        path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - resolve() would follow links
        if path.is_file():
            return [path]
        if path.is_dir():
            files = list(self._walk(path, frozenset()))
        elif glob.has_magic(given):
            matches = (Path(match) for match in glob.iglob(str(path), recursive=True))  # noqa: PTH207
            files = [file for match in matches for file in self._visible(match)]
        else:
            what = "not a file or folder" if path.exists() else "no such file or folder"
            raise UsageError(f"input {given}: {what}; check the path")
        if not files:
            raise UsageError(
                f"input {given}: nothing in it to read; name a folder or pattern that holds files"
            )
        return files

    def _walk(self, folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
        """Go through a folder; a link that leads back up is not followed again."""
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            return
        if _is_workdir(folder):
            self._skip("workdir", folder.as_posix())
            return
        for child in folder.iterdir():
            yield from self._visible(child, above | {here})

    def _visible(self, path: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
        reason = _reason(path.name)
        if reason:
            self._skip(reason, path.as_posix())
        elif path.is_dir():
            yield from self._walk(path, above)
        elif path.is_file():
            yield path

    def add(self, path: Path) -> None:
        """Take up a file, or the members of an archive."""
        name = path.as_posix()
        try:
            status = path.stat()
            inside = members(path) if status.st_size else None
        except OSError as error:
            raise UsageError(f"{name}: cannot be read ({error.strerror}); check its permissions") from error
        if (status.st_dev, status.st_ino) in self._inodes:
            self._skip("duplicate", name)
            return
        self._inodes.add((status.st_dev, status.st_ino))
        if inside is not None:
            self._add_members(path, inside)
            return
        try:
            rejected = _origins(path)
        except Unreadable as error:
            self._take(Source(_shown(name), status.st_size, path, fault=str(error)))
            return
        if rejected is None:
            self._take(Source(_shown(name), status.st_size, path))
        # Rows of each file by themselves: what table they are of is told by their columns and their file's name.
        for lines in rejected or ():
            self._take(Source(f"{_shown(name)}!{_shown(lines.file)}", lines.size, path, lines=lines))

    def _add_members(self, archive: Path, inside: Sequence[Member]) -> None:
        before = len(self.found)
        for member in inside:
            name = f"{archive.as_posix()}!{member.name}"
            reason = next(filter(None, map(_reason, member.name.split("/"))), None)
            if reason:
                self._skip(reason, name)
            else:
                self._take(Source(_shown(name), member.size, archive, member))
        if len(self.found) == before:
            raise UsageError(f"{archive}: an archive with nothing in it to read; check what was packed")

    def _take(self, source: Source) -> None:
        if source.size:
            self.found.append(source)
        else:
            self._skip("empty", source.name)

    def _skip(self, reason: str, name: str) -> None:
        self.skipped.setdefault(reason, []).append(_shown(name))


def _origins(path: Path) -> list[Lines] | None:
    """Return the lines of a rejects.jsonl of ours, by the files whose rows they hold; None of any other file."""
    if path.suffix.lower() not in {".jsonl", ".json", ".ndjson"}:
        return None
    with path.open("rb") as stream:
        return origins(stream)


def _is_workdir(folder: Path) -> bool:
    """Return whether a folder is a workdir of ours, whose plan is no export; told by its checkpoint's own mark."""
    try:
        with (folder / "checkpoint.sqlite").open("rb") as file:
            return file.read(_MARK_END)[_MARK_END - len(_WORKDIR) :] == _WORKDIR
    except OSError:
        return False


def _reason(name: str) -> str | None:
    """Return why a file or folder of this name is left aside when it was not named itself."""
    if name == "__MACOSX" or (name.startswith(".") and name not in {".", ".."}):
        return "hidden"
    return "marker" if _MARKER.fullmatch(name) or name in _MARKER_FOLDERS else None


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key: runs of digits by value, everything else by code point; `_9#0` before `_10#0`."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if index % 2 else (0, part) for index, part in enumerate(parts)] + [(0, name)]


def _shown(name: str) -> str:
    """Return a name that a terminal, a log and SQLite can take, whatever bytes it has."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
