"""What there is to plan: every source with the table it belongs to, recognised before anything is planned."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from migrate.errors import Unfit, Unrecognised, UsageError
from migrate.inputs.guises import guise, no_text
from migrate.inputs.names import shown
from migrate.inputs.source import Source, stem_of
from migrate.inputs.stored import warmed
from migrate.kit import events
from migrate.kit.declare import EVERY_ROW, Platform, Table
from migrate.plan.joined import Joined
from migrate.readers.records import Header
from migrate.workdir.records import ALWAYS, Window

_SHOWN_COLUMNS: Final = 12
_SHOWN_CHARACTERS: Final = 40
_SHOWN_FILES: Final = 3
_COLUMN_NAMES: Final = "column_names"
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")

_TEXT: Final = {"csv", "json", "jsonl"}
"""Formats that are told by no mark of their own, so that anything may be taken for one."""
_ENDINGS: Final = {
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".avro", ".orc"),
    *(".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz"),
}


_ABSENT: Final = " in the file,"
"""What a table's `missing` says of a column that is not there."""
Likely = Callable[[Sequence[str], Source, Table | None], Mapping[str, str]]
"""The columns of a file, the file and the table that takes it -> the platforms it looks like instead, with titles."""


class Unknown(NamedTuple):
    """A file that no table of the platform takes, or that looks like another platform's."""

    name: str
    columns: Sequence[str]
    likely: Mapping[str, str]
    """The platforms it looks like, the likeliest first, with what people call them."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One source to plan: what it is, which table it belongs to, how to read it."""

    source: Source
    header: Header
    table: Table
    joined: Joined | None = None
    """What small tables tell of its rows."""
    window: Window = ALWAYS
    """The time of which its events are planned."""

    @property
    def kind(self) -> str:
        """What sources have in common of which about as much is written for each byte: table, format, compression."""
        endings = [end for end in PurePosixPath(self.source.name.lower()).suffixes[-2:] if end in _ENDINGS]
        return " ".join([self.table.name, *endings, *(["packed"] if self.source.member else [])])


def bytes_by_kind(jobs: Sequence[Job]) -> dict[str, int]:
    """Return how many bytes there are to read of each kind."""
    found = Counter[str]()
    for job in jobs:
        found[job.kind] += job.source.size
    return dict(found)


def recognise(  # noqa: PLR0913 - what is given, and how it is to be judged
    sources: Sequence[Source],
    platform: Platform,
    header: Callable[[Source], Header | None],
    *,
    skip_unknown: bool,
    skipped: dict[str, list[str]],
    is_alone: bool = True,
    likely: Likely = lambda *_: {},
) -> tuple[list[Job], list[Unfit]]:
    """Return what there is to plan, after looking into every file, and which files are set aside.

    One bad file costs one file. A file that is broken, is no text, or of which a table says that it cannot be read so,
    is set aside. What an option, or another export, would mend is a wrong command where no other file is there to
    plan (`is_alone`: none was planned before either): UsageError. So are files that no table of the platform takes,
    as nobody knows whether they were meant, and files that look like another platform's: all are named before anything
    is planned, unless they are to be skipped.
    Files without rows are added to `skipped`.
    """
    jobs = []
    unknown: list[Unknown] = []
    unfit: list[Unfit] = []
    mendable: list[Unfit] = []
    for source, found in _headers(sources, header, unfit):
        if found is None:
            skipped.setdefault("empty", []).append(source.name)
            continue
        known, table = read_as(found, platform, source.stem, source.called)
        others = likely(_columns(known), source, table) if known.columns else {}
        if (table is None or others) and skip_unknown:
            skipped.setdefault("unknown", []).append(source.name)
        elif others:
            unknown.append(Unknown(source.name, known.columns, others))
        elif fault := wrong(source, known, table):
            reason, why, is_mendable = fault
            (mendable if is_mendable else unfit).append(Unfit(source.name, reason, why))
        elif table is not None:
            jobs.append(Job(source=source, header=known, table=table))
        else:
            unknown.append(Unknown(source.name, known.columns, {}))
    if unknown:
        raise Unrecognised(_unknown(unknown, platform), [one.name for one in unknown], [*_likely(unknown)])
    if mendable and is_alone and not jobs:
        raise UsageError(str(mendable[0]))
    return jobs, unfit + mendable


def only_informs(table: Table) -> bool:
    """Return whether a table is there for others to look things up in, and for nothing else."""
    return table.lookup is not None and table.to_events is events.none


def with_header_files(platform: Platform) -> Platform:
    """Return the platform with a table more: of the files that name the columns of others, if no table takes those."""
    globs = [one.header_file for one in platform.headerless if one.header_file is not None]
    if not globs:
        return platform
    headers = Table(
        name=_COLUMN_NAMES,
        columns={},
        matches=lambda _: True,
        file=lambda stem: any(fnmatchcase(stem, stem_of(glob.lower())) for glob in globs),
        to_events=events.none,
        filters={"column_names": EVERY_ROW},
    )
    return replace(platform, tables=[*platform.tables, headers])


def wrong(source: Source, header: Header, table: Table | None) -> tuple[str, str, bool] | None:
    """Return why a file is set aside: a word, a sentence, and whether the command can mend it; None for any other."""
    is_read = table is not None and header.columns
    is_text = header.format in _TEXT and header.damage is None and source.lines is None
    if is_text and not is_read and (why := guise(source)) is not None:
        return "no_export", why, False
    if (doubt := _doubt(header, table)) is not None:
        return *doubt, True
    broken = _broken(source, header) if table is None else None
    return None if broken is None else (*broken, False)


def unseen(jobs: Sequence[Job]) -> list[str]:
    """Return what a user's own table asks for that the start of a file does not have, once each, with the first file.

    Of JSON only the start was seen: what is not there may come later, and is null as long as it does not.
    """
    found: dict[str, str] = {}
    for job in jobs:
        if job.table.missing and not _is_whole(job.header) and job.source.lines is None:
            message = job.table.missing(_columns(job.header))
            if message is not None and _ABSENT in message:
                found.setdefault(message.replace(_ABSENT, " in its first rows,"), job.source.name)
    return [f"{name}: {message}; it is null where a row has none" for message, name in found.items()]


def _is_whole(header: Header) -> bool:
    """Return whether all columns of a file were seen; of JSON, and of what a wrapper holds, only the start was."""
    return header.wrapper is None and header.format in {"avro", "csv", "orc", "parquet"}


def _doubt(header: Header, table: Table | None) -> tuple[str, str] | None:
    """Return why a file is not to be read so, a word and a sentence; None where it may be."""
    if header.doubt:
        return "unclear_dialect", header.doubt
    if header.value is not None and (table is None or table.missing):
        return "no_header", (
            f"its first line is a row and no header, found '{header.value}'; name its columns with "
            "--columns a,b,… (or columns = [...] in a spec), or have them numbered with --no-header"
        )
    if table is None:
        return None
    if table.refusal:
        return "not_to_be_imported", table.refusal
    if _is_whole(header) and table.missing and (message := table.missing(_columns(header))):
        return "missing_columns", message
    return None


def _broken(source: Source, header: Header) -> tuple[str, str] | None:
    """Return why no table takes a file that is broken, a word and a sentence; None for any other."""
    if header.damage is not None:
        return "cut_short", f"{header.damage}; fetch it again"
    if header.format != "csv":  # whose names are what they are, whatever is in them
        return None
    if header.is_torn and (torn := next((one for one in header.columns if "\n" in one.strip()), None)):
        why = f"a quote in its first line is not closed, found '{_short(torn.strip())}'; mend it, or fetch it again"
        return "unclosed_quote", why
    if any(_NO_TEXT.search(name) for name in header.columns):
        return "no_text", no_text(source)
    return None


def _short(name: str) -> str:
    """Return the start of what may be of any length, on one line."""
    start = shown(name[:_SHOWN_CHARACTERS])
    return start if len(name) <= _SHOWN_CHARACTERS else f"{start}…"


def _headers(
    sources: Sequence[Source], header: Callable[[Source], Header | None], unfit: list[Unfit]
) -> Iterator[tuple[Source, Header | None]]:
    """Yield what is in each file, but for those that cannot be looked into."""
    for source in warmed(sources, lambda source: source.path):
        try:
            found = header(source)
        except Unfit as error:
            unfit.append(error)
        else:
            yield source, found


def read_as(header: Header, platform: Platform, file: str, name: str = "") -> tuple[Header, Table | None]:
    """Return how a file is read and for which table; for the rows inside where no table takes it as it is."""
    within = header.within
    table = platform.table_for(header.columns, file, name) if header.columns else _first(platform)
    if table is None and header.partitions:
        table = platform.table_for(_columns(header), file, name)
    if within is None or (table and not (table.missing and table.missing(_columns(header)))):
        return header, table
    return within, platform.table_for(within.columns, file, name) if within.columns else _first(platform)


def _columns(header: Header) -> tuple[str, ...]:
    """Return the columns of a file and those that its folders are."""
    return (*header.columns, *(name for name, _ in header.partitions if header.partition(name)))


def _first(platform: Platform) -> Table:
    """Return the table that answers for a file in which nothing can be read: its rejects are what is planned."""
    return next(table for table in platform.tables if not table.refusal)


def _unknown(unknown: Sequence[Unknown], platform: Platform) -> str:
    """Return the message about files that no table takes: what they look like, if anything, and what to do."""
    first = max(unknown, key=lambda one: bool(one.likely))
    others = [one.name for one in unknown if one is not first]
    more = "".join(f", {name}" for name in others[: _SHOWN_FILES - 1])
    more += f" and {len(others) - _SHOWN_FILES + 1} more files (-v)" if len(others) >= _SHOWN_FILES else ""
    found = ", ".join(map(_short, first.columns[:_SHOWN_COLUMNS])) + (
        ", …" if len(first.columns) > _SHOWN_COLUMNS else ""
    )
    title = platform.title.partition(" (")[0]
    if likely := _likely(unknown):
        titles = " or ".join(f"{one}'s" for one in likely.values())
        commands = " or ".join(f"'migrate run {name} …'" for name in likely)
        return (
            f"{first.name}{more}: the columns look like {titles}, not like {title}'s, found {found}; try {commands}, "
            "or pass over such files with --skip-unknown"
        )
    tables = ", ".join(table.name for table in platform.tables if table.name != _COLUMN_NAMES)
    return (
        f"{first.name}{more}: no table of {title} ({tables}) has these columns, found {found}; nor has one of another "
        "platform: look with 'migrate inspect FILE', describe it with 'migrate spec FILE' for 'migrate run table' "
        "(docs/spec.md), or pass over such files with --skip-unknown"
    )


def _likely(unknown: Sequence[Unknown]) -> dict[str, str]:
    """Return the platforms that these files look like: those that all of them do, or else each that any does."""
    titles = {name: title for one in unknown for name, title in one.likely.items()}
    counts = Counter(name for one in unknown for name in one.likely)
    whole = sum(bool(one.likely) for one in unknown)
    of_all = {name: title for name, title in titles.items() if counts[name] == whole}
    return of_all or titles
