"""What there is to plan: every source with the table it belongs to, recognised before anything is planned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from migrate import readers
from migrate.errors import Unfit, UsageError
from migrate.inputs import Source
from migrate.mapping import Platform, Table

_SHOWN_COLUMNS = 12


@dataclass(frozen=True, kw_only=True)
class Job:
    """One source to plan: what it is, which table it belongs to, how to read it."""

    source: Source
    header: readers.Header
    table: Table


def recognised(
    sources: Sequence[Source],
    platform: Platform,
    header: Callable[[Source], readers.Header | None],
    *,
    skip_unknown: bool,
    skipped: dict[str, list[str]],
) -> tuple[list[Job], list[Unfit]]:
    """Return what there is to plan, after looking into every file, and which files cannot be looked into.

    Files without rows are added to `skipped`. Raises UsageError for files that no table of the platform takes, and
    for those that a table refuses, naming them all, before anything is planned.
    """
    jobs, unknown = [], []
    unfit: list[Unfit] = []
    for source, known in _headers(sources, header, unfit):
        found = known
        if found is None:
            skipped.setdefault("empty", []).append(source.name)
            continue
        if found.doubt:
            raise UsageError(f"{source.name}: {found.doubt}")
        found, table = _read_as(found, platform, source.stem)
        if found.value is not None and (table is None or table.missing):
            raise UsageError(
                f"{source.name}: its first line is a row and no header, found '{found.value}'; name its columns with "
                "--columns a,b,… (or columns = [...] in a spec), or have them numbered with --no-header"
            )
        if table is None:
            unknown.append((source.name, found.columns))
            continue
        if table.refusal:
            raise UsageError(f"{source.name}: {table.refusal}")
        # Of JSON, and of what is inside of a wrapper, only the start was seen.
        is_whole = found.wrapper is None and found.format in {"avro", "csv", "orc", "parquet"}
        if is_whole and table.missing and (message := table.missing(_columns(found))):
            raise UsageError(f"{source.name}: {message}")
        jobs.append(Job(source=source, header=found, table=table))
    if unknown and not skip_unknown:
        raise UsageError(_unknown(unknown, platform))
    if unknown:
        skipped.setdefault("unknown", []).extend(name for name, _ in unknown)
    return jobs, unfit


def _headers(
    sources: Sequence[Source], header: Callable[[Source], readers.Header | None], unfit: list[Unfit]
) -> Iterator[tuple[Source, readers.Header | None]]:
    """Yield what is in each file, but for those that cannot be looked into."""
    for source in sources:
        try:
            found = header(source)
        except Unfit as error:
            unfit.append(error)
        else:
            yield source, found


def _read_as(header: readers.Header, platform: Platform, file: str) -> tuple[readers.Header, Table | None]:
    """Return how a file is read and for which table; for the rows inside where no table takes it as it is."""
    within = header.within
    table = platform.table_for(header.columns, file) if header.columns else _first(platform)
    if table is None and header.partitions:
        table = platform.table_for(_columns(header), file)
    if within is None or (table and not (table.missing and table.missing(_columns(header)))):
        return header, table
    return within, platform.table_for(within.columns, file) if within.columns else _first(platform)


def _columns(header: readers.Header) -> tuple[str, ...]:
    """Return the columns of a file and those that its folders are."""
    return (*header.columns, *(name for name, _ in header.partitions if header.partition(name)))


def _first(platform: Platform) -> Table:
    """Return the table that answers for a file in which nothing can be read: its rejects are what is planned."""
    return next(table for table in platform.tables if not table.refusal)


def _unknown(unknown: list[tuple[str, tuple[str, ...]]], platform: Platform) -> str:
    """Return the message about files that no table takes."""
    name, columns = unknown[0]
    more = f" (and {len(unknown) - 1} more files)" if len(unknown) > 1 else ""
    tables = ", ".join(table.name for table in platform.tables)
    found = ", ".join(columns[:_SHOWN_COLUMNS]) + (", …" if len(columns) > _SHOWN_COLUMNS else "")
    return (
        f"{name}{more}: no table of {platform.title} ({tables}) has these columns, found {found}; "
        "name the right platform, or pass over such files with --skip-unknown"
    )
