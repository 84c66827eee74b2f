"""One source: a file or an archive member, its bytes and its fingerprint."""

import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from migrate.errors import Unfit
from migrate.inputs.archives import Member, is_tar
from migrate.inputs.digests import Digest
from migrate.inputs.far import Far
from migrate.inputs.layers import MAGIC_BYTES, compression, unwrap
from migrate.inputs.rejected import HEAD_BYTES, Place, RejectedRows, RejectLine, RejectLines, is_rejects
from migrate.inputs.spans import Span
from migrate.inputs.stored import UNREADABLE, Stored, size_of, stamp_of, unfit
from migrate.inputs.streams import STEP, Meter, Metered, Slice, Truncated, peek, read_up_to
from migrate.stores.objects import Object
from migrate.stores.tallies import Tally, spans
from migrate.stores.troubles import Trouble

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
    path: Stored = field(repr=False)
    """The file on disk, or the object; or the archive."""
    member: Member | None = field(default=None, repr=False)
    lines: RejectLines | None = field(default=None, repr=False, compare=False)
    """Of a rejects.jsonl of ours: those of one file, whose rows alone are meant."""
    fault: str | None = field(default=None, repr=False)
    """Why nothing of it is to be read."""
    meter: Meter | None = field(default=None, repr=False, compare=False)
    """What is told how far the rows are read."""
    tally: Tally | None = field(default=None, repr=False, compare=False)
    """What is told which bytes of an object are read."""
    span: Span | None = field(default=None, repr=False)
    """Which of its rows are meant, where that is not all; its `size` is theirs, then."""

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
            if isinstance(self.path, Path):
                return self.path.open("rb") if self.member is None else self.member.open(self.path)
            if self.member is None:
                return cast("BinaryIO", Far(self.path.open(tally=self.tally), self._unfit))
            return cast("BinaryIO", Far(self.member.open(self.path), self._unfit, self.tally))

    def _unfit(self, trouble: Trouble) -> Unfit:
        return unfit(self.name, trouble)

    def open(self) -> BinaryIO:
        """Return the bytes with up to four layers of compression taken off, told by content, never by name.

        A rejects.jsonl of ours gives the rows that its lines hold. Reads may be short. Where the data end early or
        are damaged, everything readable is delivered and then `Truncated` is raised.
        """
        if self.fault is not None:
            raise Unfit(self.name, "unreadable", self.fault)
        if self.lines is not None:
            return cast("BinaryIO", RejectedRows(self.raw(), self.name, self.lines))
        if self.span is not None:
            return self._spanned(self.span)
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

    def _spanned(self, span: Span) -> BinaryIO:
        """Return the bytes of a span of text, which lies as it is in a file on disk or an object."""
        size = span.end - span.start
        with _explained(self):
            if isinstance(self.path, Path):
                stored = cast("BinaryIO", Slice(self.path.open("rb"), span.start, size))
            else:
                part = Slice(self.path.open(tally=self.tally, until=span.end), span.start, size)
                stored = cast("BinaryIO", Far(cast("BinaryIO", part), self._unfit))
        if self.meter is None:
            return stored
        return cast("BinaryIO", Metered(stored, self.meter, size))

    @property
    def is_plain(self) -> bool:
        """Whether it is a file or an object that holds its rows as they are, so that any part of it can be read."""
        if self.member or self.lines or self.fault:
            return False
        with self.raw() as stored:
            return compression(read_up_to(stored, MAGIC_BYTES)) is None

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

    def tallied(self) -> "Source":
        """Return the same, with what notes which bytes of it are read, where it is an object."""
        return replace(self, tally=None if isinstance(self.path, Path) else Tally())

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
            if plain and isinstance(self.path, Path):
                yield self.path
                return
            if plain and isinstance(self.path, Object):
                try:
                    with self.path.open(tally=self.tally) as stored:
                        yield stored
                except Trouble as error:  # and no OSError, which is pyarrow's about what the bytes say
                    raise self._unfit(error) from error
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


def fingerprint(source: Source, before: Fingerprint | None = None) -> Fingerprint:
    """Return size and digest of the bytes that are stored; raises `Unfit` if the file is gone or cut short.

    Of a file it is the blake2b digest of all of `source.raw()`. Of an object it is of what was read of it, where that
    is told by its tally; else of those bytes that the fingerprint `before` is of, so that no others are read.
    """
    if source.lines is not None:
        return _of_whole(replace(source, lines=None, name="", size=0, tally=None), stamp(source))
    if isinstance(source.path, Object):
        return _of_object(source, source.path, before)
    return _of_bytes(source)


def fingerprint_of_spans(spans: Sequence[Source]) -> Fingerprint:
    """Return the fingerprint of an object whose spans were read, which are all of it: of what was read of any.

    It is what it would be had the object been read at once: of text all blocks, of Parquet those of the footer and of
    the columns that are needed. The footer alone, by which it is cut, would not do: pages may change beneath it. That
    all of them are one object's is not to be told by it: each range is asked for of the object that was listed.
    """
    tally = Tally()
    for one in spans:
        tally.join(one.tally or Tally())
    return fingerprint(replace(spans[0], span=None, tally=tally))


def _of_object(source: Source, stored: Object, before: Fingerprint | None) -> Fingerprint:
    """Return the fingerprint of an object, or of a member of one."""
    if source.member is not None:
        found = source.tally and source.tally.stream
        return Fingerprint(*found) if found else _of_bytes(source)
    with _explained(source):
        size = size_of(stored)
        if source.tally is not None and source.tally.is_begun:
            return Fingerprint(size, source.tally.text())
        if before is not None and before.size != size:
            return Fingerprint(size, "")
        tally = Tally()
        with stored.open(tally=tally) as file:
            for start, end in (before and spans(before.digest)) or [(0, size)]:
                file.seek(start)
                left = min(end, size) - start
                while left > 0 and (data := file.read(min(STEP, left))):
                    left -= len(data)
    return Fingerprint(size, tally.text())


@lru_cache(maxsize=1)
def _of_whole(source: Source, _: str) -> Fingerprint:
    """Return the fingerprint of a file of which there are many sources, worked out once for its stamp."""
    return _of_bytes(source)


def _of_bytes(source: Source) -> Fingerprint:
    """Return the fingerprint of all bytes of a source."""
    try:
        with Digest(source.raw()) as digest:
            return Fingerprint(*digest.whole())
    except Truncated as error:
        raise Unfit(source.name, "cut_short", f"{error}; fetch it again") from error


def stamp(source: Source) -> str:
    """Return what stays the same of the file, object or archive while its bytes, and so the fingerprint, do."""
    with _explained(source):
        return stamp_of(source.path)


@contextmanager
def _explained(source: Source) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise unfit(source.name, error) from error
