"""The text in the editor: the file that the command named, read and saved, and no other file."""

import os
import secrets
from codecs import BOM_UTF8
from contextlib import suppress
from dataclasses import dataclass
from errno import EACCES
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Final

from migrate.errors import MigrateError, UsageError

LARGEST: Final = 1 << 20
"""Bytes of a spec or a mapping; no longer one is read or taken."""
_NEW: Final = ""
"""The version of a file that is not there yet."""
_WRITABLE: Final = 0o222
"""The bits of a mode that let anyone write."""


@dataclass(frozen=True)
class Text:
    """What a file says, and what tells that from what it says later."""

    text: str
    version: str
    has_mark: bool = False
    """Whether a byte order mark stands before it, as editors on Windows write one."""


class ChangedOnDisk(MigrateError):  # noqa: N818 - the word says what happened
    """The file is no longer what was read of it; `now` is what it says."""

    exit_code = 2

    def __init__(self, path: Path, now: Text) -> None:
        super().__init__(
            f"{path}: changed on disk since it was read here; keep what is in the editor, or take what is on disk"
        )
        self.now = now


class Paper:
    """A spec or a mapping, which may not be there yet."""

    def __init__(self, path: Path, *, is_new: bool = False) -> None:
        """`is_new`: one that is not there is an empty one. A link stays one: what it leads to is written."""
        self.path = path
        self._is_new = is_new

    def read(self) -> Text:
        """Return what it says; raises UsageError where that cannot be read."""
        try:
            with open(self.path, "rb", opener=_without_waiting) as file:
                is_file = S_ISREG(os.fstat(file.fileno()).st_mode)
                data = file.read(LARGEST + 1) if is_file else b""
        except FileNotFoundError as error:
            if self._is_new:
                return Text("", _NEW)
            raise UsageError(
                f"{self.path}: no such file any more; put it back, or end this server"
            ) from error
        except OSError as error:
            raise UsageError(
                f"{self.path}: cannot be read, found '{error.strerror}'; look whose file it is"
            ) from error
        if not is_file:
            raise UsageError(f"{self.path}: a pipe or a device, which cannot be edited; name a file")
        if len(data) > LARGEST:
            raise UsageError(f"{self.path}: longer than 1 MB, which no spec or mapping is; name another file")
        try:
            return Text(data.decode("utf-8-sig"), _version(data), data.startswith(BOM_UTF8))
        except UnicodeDecodeError as error:
            raise UsageError(
                f"{self.path}: not UTF-8, found {data[error.start : error.start + 1]!r} at byte {error.start:,}; save "
                "it as UTF-8"
            ) from error

    def save(self, text: str, version: str) -> Text:
        """Write the text, if the file still is what was read as that version; return it as it is then.

        Written beside it and put in its place, so that nobody finds half of it. Raises ChangedOnDisk, or UsageError.
        """
        now = self.read()
        if now.version != version:
            raise ChangedOnDisk(self.path, now)
        data = BOM_UTF8 * now.has_mark + text.encode(errors="replace")
        try:
            _replace(self.path.resolve(), data, is_new=now.version == _NEW)
        except OSError as error:
            raise UsageError(
                f"{self.path}: cannot be written, found '{error.strerror}'; look at the disk, and who may write it"
            ) from error
        return Text(text, _version(data), now.has_mark)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to is opened, too, where it would be waited for without end."""
    return os.open(path, flags | os.O_NONBLOCK)


def _replace(path: Path, data: bytes, *, is_new: bool) -> None:
    """Put other bytes in the place of a file, with its mode; raises OSError, also where it must not be written."""
    mode = 0o600 if is_new else path.stat().st_mode & 0o777
    if not is_new and not (mode & _WRITABLE and os.access(path, os.W_OK)):
        raise PermissionError(EACCES, "it is read-only")
    aside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with aside.open("xb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def _version(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
