"""Members of zip archives, found once in the archive's directory and read in place."""

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from isal import isal_zlib

from migrate.errors import Unfit
from migrate.inputs.layers import Decompressor, Layer, inflate, unbz2, unzstd
from migrate.inputs.names import source_name
from migrate.inputs.stored import Stored
from migrate.inputs.streams import STEP, Slice, Stream, Truncated

_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_ENCRYPTED: Final = 0x1
_METHODS: Final[dict[int, tuple[str, Callable[[], Decompressor]]]] = {
    zipfile.ZIP_DEFLATED: ("deflate", inflate),
    zipfile.ZIP_BZIP2: ("bz2", unbz2),
    20: ("zstd", unzstd),
    93: ("zstd", unzstd),
}


@dataclass(frozen=True)
class ZipMember:
    """Where a zip keeps a member, so that opening it does not read the zip's directory again."""

    name: str
    size: int
    """Bytes it takes up in the zip; 0 of an empty one, however that is packed."""
    offset: int
    method: int
    checksum: int
    trouble: tuple[str, str] | None = None
    skipped: str | None = None

    def open(self, archive: Stored) -> BinaryIO:
        """Return its unpacked bytes; they raise `Truncated` at the end if the checksum is another."""
        file = archive.open("rb")
        file.seek(self.offset)
        header = file.read(_LOCAL_HEADER.size)
        start = self.offset + len(header)
        if len(header) == _LOCAL_HEADER.size and header.startswith(b"PK\3\4"):
            start += sum(_LOCAL_HEADER.unpack(header)[-2:])
        stored: Stream = Slice(file, start, self.size)
        if self.method != zipfile.ZIP_STORED and self.size:
            stored = Layer(cast("BinaryIO", stored), *_METHODS[self.method], members=False)
        return cast("BinaryIO", _Checked(stored, self.checksum))


class _Checked(Stream):
    """A zip member whose checksum is compared at its end."""

    def __init__(self, member: Stream, checksum: int) -> None:
        super().__init__()
        self._member, self._checksum, self._running = member, checksum, 0

    def piece(self) -> bytes | None:
        data = self._member.read(STEP) or b""
        self._running = isal_zlib.crc32(data, self._running)
        if not data and self._running != self._checksum:
            raise Truncated("the zip member is damaged: its checksum is another")
        return data or None

    def close(self) -> None:
        self._member.close()
        super().close()


def zip_members(path: Stored) -> list[ZipMember]:
    """Return the files in a zip; raises `Unfit` for one that is broken."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        OverflowError,
        struct.error,
    ) as error:
        # What a zip holds stands at its end; zipfile says of one without an end that it is none.
        what = "cut off before its end" if "not a zip file" in str(error) else error
        why = f"broken zip archive ({what}); fetch or pack it again"
        raise Unfit(source_name(path.as_posix()), "broken_archive", why) from error
    return [
        ZipMember(
            entry.filename,
            0 if entry.file_size == entry.CRC == 0 else entry.compress_size,
            entry.header_offset,
            entry.compress_type,
            entry.CRC,
            _trouble(entry),
        )
        for entry in entries
        if not entry.is_dir()
    ]


def _trouble(entry: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Return why a member cannot be read, None where it can."""
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted", "is encrypted; unpack the archive with its password first"
    if entry.compress_type not in {zipfile.ZIP_STORED, *_METHODS}:
        return (
            "unknown_packing",
            f"is packed by zip method {entry.compress_type}, which cannot be read; unpack the archive first",
        )
    return None
