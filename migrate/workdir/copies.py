"""A file for people: written whole from what the checkpoint knows, and never over what a person changed in it."""

import errno
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.disk import sync

_STEP: Final = 1 << 20
_ACCEPTED: Final = -1
"""In the place of a version: it is to be written anew, whatever it tells."""


class Found(Enum):
    """What there is under a copy's name."""

    OURS = auto()
    """What was written, byte for byte; or nothing, where nothing was written."""
    GONE = auto()
    EDITED = auto()
    """Other bytes than were written."""


@dataclass(frozen=True)
class Print:
    """By what a file's bytes are known again: their number and their CRC-32."""

    size: int = 0
    sum: int = 0

    def then(self, data: bytes) -> "Print":
        """Return the print of these bytes and more."""
        return Print(self.size + len(data), zlib.crc32(data, self.sum))


@dataclass(frozen=True)
class Copy:
    """A file that people read and edit. What it tells is kept elsewhere, so that it can be made again at any time.

    The checkpoint counts, under the file's name, how often what it tells has changed.
    """

    checkpoint: Checkpoint
    name: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.checkpoint.workdir / self.name

    def state(self) -> Found:
        """Return what there is; raises OSError for what is no file."""
        known = self._known()
        if not self.path.exists():
            return Found.GONE if any(one.size for one in known) else Found.OURS
        if not self.path.is_file():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        sizes = {one.size for one in known}
        return (
            Found.OURS if self.path.stat().st_size in sizes and _print(self.path) in known else Found.EDITED
        )

    def is_current(self) -> bool:
        """Return whether it tells all that there is to tell."""
        return bool(self._fact().get("version", 0) == self._version())

    def is_accepted(self) -> bool:
        """Return whether what is there was written by a person, and `accept`ed."""
        return bool(self._fact().get("version") == _ACCEPTED)

    def accept(self, found: Print, *, is_kept: bool) -> dict[str, dict[str, Any]]:
        """Return the fact, to be noted, that takes what is there for ours; `is_kept`: it is to be kept all the same."""
        known = [found.size, found.sum]
        return {self._key: {"known": [known], "version": _ACCEPTED, "kept": known if is_kept else None}}

    def write(self, lines: Iterable[bytes], *, is_kept: bool = False) -> Path | None:
        """Write the file anew, all of it or nothing; return under which name the file that was there is kept.

        It is kept if `is_kept`, or if it was accepted so; else the result is None.
        """
        fact, version = self._fact(), self._version()
        beside = self.path.with_name(f"{self.name}.next")
        made = Print()
        with beside.open("wb") as file:
            for line in lines:
                file.write(line)
                made = made.then(line)
            file.flush()
            os.fsync(file.fileno())
        known = [*fact.get("known", []), [made.size, made.sum]]
        self.checkpoint.note(**{self._key: fact | {"known": known}})
        is_wanted = is_kept or (fact.get("kept") and Print(*fact["kept"]) == _print(self.path))
        kept = self._aside() if self.path.exists() and is_wanted else None
        if made.size or self.path.exists():
            beside.replace(self.path)
        else:
            beside.unlink()
        sync(self.path.parent)
        self.checkpoint.note(**{self._key: {"known": [[made.size, made.sum]], "version": version}})
        return kept

    def _aside(self) -> Path:
        """Move the file to a name that is free; return it."""
        stem, _, ending = self.name.rpartition(".")
        number = 1
        while (path := self.path.with_name(f"{stem}.edited-{number}.{ending}")).exists():
            number += 1
        return self.path.rename(path)

    @property
    def _key(self) -> str:
        return f"copy {self.name}"

    def _fact(self) -> dict[str, Any]:
        """Return what is noted of the file."""
        return dict(self.checkpoint.facts().get(self._key, {}))

    def _known(self) -> list[Print]:
        """Return the files that are ours: the one that was written last, perhaps the one that was about to be."""
        return [Print(*one) for one in self._fact().get("known", [])]

    def _version(self) -> int:
        return self.checkpoint.counts().get(self.name, 0)


def noticed(checkpoint: Checkpoint, edited: Mapping[str, str]) -> list[str]:
    """Return what is to be said of copies that are not what was written; `edited`: name -> what is done with edits."""
    found = []
    for name, then in edited.items():
        copy = Copy(checkpoint, name)
        state = copy.state()
        if state is Found.EDITED:
            found.append(f"{copy.path}: was changed by hand; {then}")
        if state is Found.GONE:
            found.append(f"{copy.path}: is gone; 'migrate rejects' makes it again of what is known")
    return found


def _print(path: Path) -> Print:
    """Return the print of a file, that of nothing where there is none."""
    found = Print()
    if not path.exists():
        return found
    with path.open("rb") as file:
        while data := file.read(_STEP):
            found = found.then(data)
    return found
