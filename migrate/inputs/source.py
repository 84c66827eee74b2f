"""One source: a file or an archive member, its bytes and its fingerprint."""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from migrate.errors import Unfit
from migrate.inputs.archives import Member, is_tar
from migrate.inputs.layers import MAGIC_BYTES, compression, unwrap
from migrate.inputs.rejected import HEAD_BYTES, Place, RejectedRows, RejectLine, RejectLines, is_rejects
from migrate.inputs.streams import STEP, Meter, Metered, Truncated, peek, read_up_to

_SEPARATORS: Final = re.compile(r"[/!]")
_ESCAPES: Final = {"\\\\": "\\", "\\x21": "!"}
_ESCAPED: Final = re.compile(r"\\\\|\\x21")
_ENDINGS: Final = re.compile(
    r"(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|avro|orc|snappy|gz|gzip|zst|zstd|bz2|xz|zip|c\d{3}))+$",
    re.IGNORECASE,
)
_PART: Final = re.compile(
    r"(part|data|file|export|shard)?[-_.]?\d[\d_-]*(-of-\d+|_part_\d+|[-_.](tid-)?[0-9a-f-]{8,}.*)?",
    re.IGNORECASE,
)
_TIMES: Final = re.compile(r"(day|hr|hour|date|dt|year|month|y|m|d)=", re.IGNORECASE)
_NUMBERED: Final = re.compile(
    r"""(
      [-_.]?\d+-of-\d+         # -00000-of-00010: Beam, Spark
    | [-_.]?\d{3,}_part_\d+     # 0001_part_00: Redshift
    | (_\d{1,2}){2}_\d{1,3}     # _0_0_0: Snowflake
    | [-_](0\d\d+|(?!0)\d{5,}) # _001: split; _12345: a day; _000000000012: BigQuery
    | (?<=[^\W\d_])0\d\d+      # 000: Redshift, one after another
    )+$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Numbers of parts as unloads put them behind a name; others may belong to it: orders_2024, top_100."""


@dataclass(frozen=True)
class Source:
    """One file of rows: a file on disk, or a member of an archive."""

    name: str
    """Absolute path with forward slashes; `archive!member` for a member; safe to print."""
    size: int
    """Bytes it takes up on disk, or in its archive."""
    path: Path = field(repr=False)
    """The file on disk, or the archive."""
    member: Member | None = field(default=None, repr=False)
    lines: RejectLines | None = field(default=None, repr=False, compare=False)
    """Of a rejects.jsonl of ours: those of one file, whose rows alone are meant."""
    fault: str | None = field(default=None, repr=False)
    """Why nothing of it is to be read."""
    meter: Meter | None = field(default=None, repr=False, compare=False)
    """What is told how far the rows are read."""

    @property
    def called(self) -> str:
        """The name of the file that its rows are of: of rows that were rejected, the one that they were in first."""
        return self.name if self.lines is None else self.lines.file

    @property
    def stem(self) -> str:
        """What its rows are a table of, told by its name without endings and numbers of parts.

        A part of something ("part-00000-…", "000000000012") has the name of its folder; of "key=value" it is the
        value, and folders that are dates or numbers are passed over.
        """
        return stem_of(self.name)

    def raw(self) -> BinaryIO:
        """Return the stored bytes; of a member, the bytes that unpacking the archive would give."""
        with _explained(self):
            return self.path.open("rb") if self.member is None else self.member.open(self.path)

    def open(self) -> BinaryIO:
        """Return the bytes with up to four layers of compression taken off, told by content, never by name.

        A rejects.jsonl of ours gives the rows that its lines hold. Reads may be short. Where the data end early or
        are damaged, everything readable is delivered and then `Truncated` is raised.
        """
        if self.fault is not None:
            raise Unfit(self.name, "unreadable", self.fault)
        if self.lines is not None:
            return cast("BinaryIO", RejectedRows(self.raw(), self.name, self.lines))
        head, stream = peek(unwrap(self._stored()), HEAD_BYTES)
        if is_rejects(head):
            stream.close()
            why = "a rejects.jsonl in an archive, compressed or under another ending; unpack it, and name it .jsonl"
            raise Unfit(self.name, "unreadable", why)
        if head.startswith(b"PK\3\4") or is_tar(head):
            stream.close()
            why = "an archive inside an archive or a compressed file; unpack it first"
            raise Unfit(self.name, "nested_archive", why)
        return stream

    def places(self) -> Iterator[tuple[int, Place]]:
        """Yield where rows were that a rejects.jsonl of ours holds, by the numbers that they have here."""
        if self.lines is not None:
            with self.raw() as file:
                yield from self.lines.places(file)

    def texts(self) -> Iterator[tuple[int, RejectLine]]:
        """Yield the lines of a rejects.jsonl of ours that have only the text of a row, with their numbers."""
        if self.lines is not None:
            with self.raw() as file:
                yield from ((number, one) for number, one in self.lines.rejects(file) if one.is_text)

    def _stored(self) -> BinaryIO:
        """Return the stored bytes; of a file on disk, whose size is known, metered."""
        stored = self.raw()
        if self.meter is None or self.member is not None:
            return stored
        return cast("BinaryIO", Metered(stored, self.meter, self.size))

    @contextmanager
    def seekable(self) -> Iterator[BinaryIO | Path]:
        """Give something pyarrow can seek in: the path itself, or an unpacked copy in a temporary file."""
        if self.member is None:
            with self.raw() as stored:
                plain = compression(read_up_to(stored, MAGIC_BYTES)) is None
            if plain:
                yield self.path
                return
        with self.open() as stream, tempfile.TemporaryFile() as copy:
            while data := stream.read(STEP):
                copy.write(data)
            copy.seek(0)
            yield cast("BinaryIO", copy)


def stem_of(name: str) -> str:
    """Return the stem of a source by its name, see `Source.stem`."""
    parts = [_ESCAPED.sub(lambda found: _ESCAPES[found[0]], one) for one in _SEPARATORS.split(name)]
    names = [name.rpartition("=")[2] for name in parts if not _TIMES.match(name)]
    *folders, last = [_ENDINGS.sub("", name) for name in names] or [""]
    telling = [name for name in folders if not _PART.fullmatch(name)] if _PART.fullmatch(last) else []
    return _NUMBERED.sub("", telling[-1] if telling else last)


class Stems(Collection[str]):
    """The stems of sources, in lower case; worked out when they are asked for, as of many few mappings ask."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset(stem_of(name).lower() for name in self._names)

    def __iter__(self) -> Iterator[str]:
        """Yield each of them once."""
        return iter(self._stems)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._stems)

    def __contains__(self, stem: object) -> bool:
        """Whether a stem is among them."""
        return stem in self._stems


class Fingerprint(NamedTuple):
    """Which bytes a source held."""

    size: int
    digest: str


def fingerprint(source: Source) -> Fingerprint:
    """Return size and blake2b digest of `source.raw()`; raises `Unfit` if the file is gone or cut short."""
    if source.lines is not None:
        return _of_whole(replace(source, lines=None, name="", size=0), stamp(source))
    return _of_bytes(source)


@lru_cache(maxsize=1)
def _of_whole(source: Source, _: str) -> Fingerprint:
    """Return the fingerprint of a file of which there are many sources, worked out once for its stamp."""
    return _of_bytes(source)


def _of_bytes(source: Source) -> Fingerprint:
    """Return the fingerprint of all bytes of a source."""
    digest, size = hashlib.blake2b(digest_size=32), 0
    try:
        with source.raw() as stream:
            while data := stream.read(STEP):
                digest.update(data)
                size += len(data)
    except Truncated as error:
        raise Unfit(source.name, "cut_short", f"{error}; fetch it again") from error
    return Fingerprint(size, digest.hexdigest())


def stamp(source: Source) -> str:
    """Return the identity of the file (or archive) on disk: while it stays the same, so does the fingerprint."""
    with _explained(source):
        return stamp_of(source.path)


def stamp_of(path: Path) -> str:
    """Return the same of a file (or archive) by its path."""
    return stamped(path.stat())


def stamped(status: os.stat_result) -> str:
    """Return the same of what `stat` says of a file."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
        why = f"cannot be read any more ({error.strerror}); put the file back or plan again"
        raise Unfit(source.name, reason, why) from error
