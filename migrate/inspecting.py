"""Inputs → what they are: their files by kind, whose they are, their columns and times, what goes wrong in them.

The columns of all files are looked at; of each kind the first rows of a few files.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from migrate.beside import Beside
from migrate.candidates import Candidate, Candidates, Near
from migrate.errors import MigrateError, Unfit
from migrate.inputs.layers import MAGIC_BYTES, compression
from migrate.inputs.listing import sources
from migrate.inputs.source import Source
from migrate.inputs.streams import read_up_to
from migrate.inputs.tars import TarMember
from migrate.inputs.zips import ZipMember
from migrate.inspection.clocks import Clock
from migrate.inspection.columns import Column, Row, chosen, columns_of
from migrate.inspection.first import first
from migrate.outlook import Ahead, Outlook
from migrate.plan.jobs import wrong
from migrate.readers.dialects import Layout
from migrate.readers.files import JSON
from migrate.readers.headers import HEAD_BYTES, misread, read_header
from migrate.readers.records import Header, Reject

FILES: Final = 3
"""Of so many files of a kind the rows are looked at: the first, the last, and one in the middle."""
KINDS: Final = 24
"""Of so many kinds at the most."""
MANY: Final = 50
"""Of so many files the columns are looked for in a megabyte of each, of JSON; of those beyond in less."""
_HEAD_BYTES: Final = 64 << 10
_CHECKED_BYTES: Final = 2 << 20
"""So much of a file is looked at for text that is not valid in its encoding."""
_LIKE: Final = 2
"""Files of JSON without a platform are of one kind if one in so many of their keys is in both."""


@dataclass(frozen=True)
class File:
    """A file with its header, and the platforms it is named for."""

    source: Source
    header: Header
    candidates: Sequence[Candidate]
    packed: tuple[str, ...]
    """What it lies in and is compressed with."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, as they are read: those inside of a wrapper where that is what is meant."""
        read = self.candidates[0].header if self.candidates else self.header
        return (*read.columns, *(name for name, _ in read.partitions if read.partition(name)))

    @property
    def read_as(self) -> Header:
        """How its rows are read: those inside of a wrapper where a platform takes them, or nothing else is there."""
        if self.candidates:
            return self.candidates[0].header
        within = self.header.within
        return within if within is not None and within.columns else self.header


@dataclass
class Kind:
    """Files that are alike, and what is found in the first rows of some."""

    files: list[File]
    names: dict[str, None]
    """The columns of all its files."""
    near: list[Near] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    """The files whose rows were looked at."""
    rows: int = 0
    """So many rows were looked at."""
    about: int | None = None
    """So many rows all its files have, about; None where that cannot be said."""
    is_whole: bool = False
    """Whether these are all rows of all files."""
    columns: list[Column] = field(default_factory=list)
    rejects: list[tuple[str, Reject]] = field(default_factory=list)
    """Files and what could not be read in them, where no platform says more."""
    counts: dict[str, int] = field(default_factory=dict)
    """What was repaired there, by name."""
    outlook: Outlook | None = None
    """What would become of the rows, where the platform is known."""
    faults: dict[str, str] = field(default_factory=dict)
    """Files that would be set aside -> why."""
    order: list[Candidate] = field(default_factory=list)
    """The platforms it is named for, the likeliest first."""

    @property
    def file(self) -> File:
        """The first of its files."""
        return self.files[0]

    @property
    def clock(self) -> Clock | None:
        """When its rows are, and in which zone, as far as the rows tell that were looked at."""
        if self.order:
            return self.outlook.clock(self.order[0].title) if self.outlook else None
        column = next(iter(chosen(self.columns)["time"]), None)
        return None if column is None else column.clock

    @property
    def refusal(self) -> str | None:
        """Why none of its files is to be planned as they are."""
        return self.order[0].refusal if self.order else None


@dataclass
class Inspection:
    """What inputs are."""

    inputs: tuple[str, ...]
    kinds: list[Kind] = field(default_factory=list)
    unfit: dict[str, str] = field(default_factory=dict)
    """Files that are no export, or cannot be read -> why."""
    skipped: dict[str, list[str]] = field(default_factory=dict)
    """Files that are passed over, by reason."""

    @property
    def files(self) -> int:
        """How many files there are that hold something, readable or not."""
        return sum(len(kind.files) for kind in self.kinds) + len(self.unfit)


def inspect(
    inputs: Sequence[str],
    *,
    encoding: str | None = None,
    layout: Layout | None = None,
    partitions: bool = True,
) -> Inspection:
    """Return what the inputs are; raises UsageError where there is no such input."""
    listed = sources(inputs, skip_unreadable=True)
    found = Inspection(tuple(inputs), skipped={reason: [*names] for reason, names in listed.skipped.items()})
    found.unfit.update({one.name: one.why for one in listed.unfit})
    names = [source.name for source in listed.sources]
    candidates = Candidates(names)
    read = partial(read_header, encoding=encoding, layout=layout or Layout(), partitions=partitions)
    if layout is None or layout == Layout():
        read = partial(candidates.header, read, Beside(names, listed.sources))
    for source in listed.sources:
        _sort_in(found, source, read, candidates)
    found.kinds.sort(key=lambda kind: -len(kind.files))
    for number, kind in enumerate(found.kinds):
        kind.order = [*kind.file.candidates]
        if not kind.order:
            kind.near = candidates.near([*kind.names], kind.file.source.stem)
        if number < KINDS:
            _look(kind, candidates, names)
    _settle(found.kinds)
    return found


def _sort_in(
    found: Inspection, source: Source, read: Callable[..., Header | None], candidates: Candidates
) -> None:
    """Add a file to the kind it is of, to a new one, or to those that are none.

    Of very many files the first stretch is looked at alone, if by that a file is of a kind that is there.
    """
    stretches = (_HEAD_BYTES, HEAD_BYTES) if found.files >= MANY else (HEAD_BYTES,)
    for head_bytes in stretches:
        try:
            header = read(source, head_bytes=head_bytes)
            if header is None:
                found.skipped.setdefault("empty", []).append(source.name)
                return
            file = File(source, header, candidates.of(source, header), _packed(source))
            kind = next((kind for kind in found.kinds if _is_alike(kind, file)), None)
            is_known = kind is not None and header.damage is None
            why = None if file.candidates or is_known else wrong(source, header, None)
        except MigrateError as error:
            found.unfit[source.name] = error.why if isinstance(error, Unfit) else str(error)
            return
        if why is None and not file.read_as.columns:
            why = "no_record", "nothing in it can be read as a row; see what it is, or fetch it again", False
        if why is not None:
            found.unfit[source.name] = why[1]
            return
        if kind is not None:
            kind.files.append(file)
            kind.names |= dict.fromkeys(file.columns)
            return
    found.kinds.append(Kind([file], dict.fromkeys(file.columns)))


def _is_alike(kind: Kind, file: File) -> bool:
    """Return whether a file is of a kind: of the same tables in the same format; of no table, with the same columns."""
    one = kind.file
    if _written(one) != _written(file) or _tables(one) != _tables(file):
        return False
    if file.candidates:
        return True
    mine, others = {*file.columns}, {*kind.file.columns}
    if file.header.format in JSON:
        return _LIKE * len(mine & others) >= max(len(mine), len(others))
    return mine == others


def _written(file: File) -> tuple[object, ...]:
    header = file.header
    return header.format, header.encoding, header.delimiter, header.layout, file.packed, file.read_as.wrapper


def _tables(file: File) -> list[tuple[str, str, str | None]]:
    return [(one.platform, one.table.name, one.refusal) for one in file.candidates]


def _packed(source: Source) -> tuple[str, ...]:
    """Return what a source lies in, and what it is compressed with, in words."""
    archive = () if source.member is None else ("zip" if isinstance(source.member, ZipMember) else "tar",)
    if source.lines is not None:
        return ("rejects.jsonl of ours",)
    if isinstance(source.member, TarMember) and source.member.compressed:
        return (
            "compressed tar",
        )  # it is read from front to back: to look once more at each member would begin anew
    with source.raw() as stored:
        found = compression(read_up_to(stored, MAGIC_BYTES))
    return (*archive, *(() if found is None else (found[0],)))


def _chosen(files: Sequence[File]) -> list[File]:
    """Return the files whose rows are looked at: of files with days in their names they show the whole span."""
    places = {round(place * (len(files) - 1) / (FILES - 1)) for place in range(FILES)}
    return [files[place] for place in sorted(places)]


def _look(kind: Kind, candidates: Candidates, names: Sequence[str]) -> None:
    """Look at the first rows of some files of a kind."""
    rows: list[Row] = []
    about: list[float] = []
    is_whole = True
    some = _chosen(kind.files)
    ahead = None if not kind.order or kind.refusal else Ahead(kind.order[0], candidates, names)
    for file in some:
        name = file.source.name
        try:
            if (complaint := misread(file.source, file.read_as, _CHECKED_BYTES)) is not None:
                kind.faults[name] = complaint[1]
                continue
            seen = first(file.source, file.read_as)
            if ahead is not None:
                ahead.look(file.source, file.read_as)
        except Unfit as error:
            kind.faults[name] = error.why
            continue
        rows += seen.rows
        kind.looked.append(name)
        kind.rows += seen.read
        kind.rejects += [(name, one) for one in seen.rejects]
        for reason, count in seen.counts.items():
            kind.counts[reason] = kind.counts.get(reason, 0) + count
        is_whole &= seen.is_whole
        about += [seen.read / seen.share] if seen.share else [seen.read] if seen.is_whole else []
    kind.outlook = ahead.found if ahead and kind.looked else None
    kind.is_whole = is_whole and len(kind.looked) == len(kind.files)
    kind.about = round(sum(about) / len(about) * len(kind.files)) if about else None
    estimate = None if kind.is_whole or kind.about is None else max(kind.about, len(rows))
    kind.columns = columns_of(kind.names, rows, estimate)


def _settle(kinds: Iterable[Kind]) -> None:
    """Put the likelier of several platforms first: the one that rows speak of, or other files are of."""
    kinds = [*kinds]
    votes: dict[str, int] = {}
    for kind in kinds:
        said = _speaking(kind)
        if len(kind.order) == 1 or said:
            name = said or kind.order[0].platform
            votes[name] = votes.get(name, 0) + len(kind.files)
    for kind in kinds:
        said = _speaking(kind)
        kind.order.sort(key=lambda one: (one.platform != said, -votes.get(one.platform, 0)))


def _speaking(kind: Kind) -> str | None:
    """Return which of several platforms the names or the values of a kind's columns speak of, if they speak of one."""
    if len(kind.order) < _LIKE:
        return None
    text = " ".join([*kind.names, *(column.example or "" for column in kind.columns)]).lower()
    counts: Mapping[str, int] = {one.platform: text.count(one.platform[:6]) for one in kind.order}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] and sorted(counts.values())[-2] < counts[best] else None
