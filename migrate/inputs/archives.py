"""Archives: told by their content, their members read where they are, nothing ever unpacked or written."""

from collections.abc import Sequence
from typing import BinaryIO, Final, Protocol

from migrate.inputs.layers import unwrap
from migrate.inputs.stored import Stored
from migrate.inputs.streams import read_up_to
from migrate.inputs.tars import tar_members
from migrate.inputs.zips import zip_members

_TAR_MAGIC: Final = slice(257, 262)
HEAD_BYTES: Final = 512


class Member(Protocol):
    """One file inside an archive."""

    @property
    def name(self) -> str:
        """Its path in the archive: only a name, never a place to write to."""

    @property
    def size(self) -> int:
        """Bytes it takes up in the archive."""

    @property
    def skipped(self) -> str | None:
        """Why it is passed over, a word; None for a file."""

    @property
    def trouble(self) -> tuple[str, str] | None:
        """Why it cannot be read, a word and what to say of it; None where it can."""

    def open(self, archive: Stored) -> BinaryIO:
        """Return its bytes as unpacking the archive would give them."""


def members(path: Stored) -> Sequence[Member] | None:
    """Return the files in an archive, told by its content; None if the file is no archive.

    Raises `Unfit` for an archive that is broken.
    """
    with path.open("rb") as file:
        head = read_up_to(file, HEAD_BYTES)
        if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
            return zip_members(path)
        if is_tar(head):
            return list(tar_members(path, compressed=False))
        file.seek(0)
        stream = unwrap(file)
        if stream is not file and is_tar(read_up_to(stream, HEAD_BYTES)):
            return list(tar_members(path, compressed=True))
    return None


def is_tar(head: bytes) -> bool:
    """Return whether these first bytes are of a tar."""
    return head[_TAR_MAGIC] == b"ustar"
