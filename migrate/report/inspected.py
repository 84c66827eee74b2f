"""The screen of what was inspected: kind by kind what it is, its times and columns, what goes wrong, what is next."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from migrate.findings import Finding, findings
from migrate.inspecting import Inspection, Kind
from migrate.inspection.columns import Column, chosen
from migrate.report.numbers import RowCounts
from migrate.report.secrets import is_secret, veiled
from migrate.report.sections import BOLD, WARNING, Line, changed, labelled, passed_over, places, rows, warned
from migrate.report.tables import table
from migrate.report.ways import Way, needs_zone
from migrate.screen import amount, counted, shortened, shown

FORMATS: Final = {
    "csv": "delimited text",
    "json": "a JSON array",
    "jsonl": "JSON objects",
    "parquet": "Parquet",
    "avro": "Avro",
    "orc": "ORC",
}
_DELIMITERS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
_MOST_COLUMNS: Final = 40
_MOST_FILES: Final = 15
_NAME: Final = 40
_IDS: Final = re.compile(
    r"(?i)(id|uuid|guid|key|token|e?mail|phone|mobile|address|\bip|_ip|user|user_?name|(first|last|full) ?_?name)$"
)
"""Columns whose values are somebody's, by their names."""
_EXAMPLE: Final = 24


def lines(found: Inspection, ways: Sequence[Way], *, is_whole: bool) -> Iterator[Line]:
    """Yield the screen; `is_whole`: with all columns and all names of files."""
    yield Line(f"{counted(found.files, 'file')} in {counted(len(found.kinds), 'kind')}")
    for kind in found.kinds:
        yield Line("")
        yield from _kind(kind, is_whole=is_whole)
    if found.unfit or found.skipped:
        yield Line("")
    for name, why in [*found.unfit.items()][: None if is_whole else _MOST_FILES]:
        yield labelled("aside", f"{name}: {why}", WARNING)
    if not is_whole and len(found.unfit) > _MOST_FILES:
        yield labelled("", f"… and {counted(len(found.unfit) - _MOST_FILES, 'file')} more (-v)", WARNING)
    yield from passed_over({reason: len(names) for reason, names in found.skipped.items()}, found.skipped)
    if ways:
        yield Line("")
    for number, way in enumerate(ways):
        yield labelled("or" if number else "next", "", command=way.command)
        yield from [labelled("", way.why)] if way.why else []


def example(column: Column) -> str:
    """Return a value of a column, shortened, without secrets: of an id or an address its first letters alone."""
    text = veiled(column.example or "", column.name)
    if is_secret(column.name):
        return text
    if column.role("event") is None and (_IDS.search(column.name) or column.role("person") or "@" in text):
        return shown(shortened(text)) if text else ""
    bare = shown(
        " ".join(text.split())
    )  # before it is cut: of a secret that is cut nobody would know that it is one
    return bare if len(bare) <= _EXAMPLE else f"{bare[:_EXAMPLE]}…"


def title(kind: Kind) -> str:
    """Return what a kind of files is, in words."""
    if not kind.order:
        return "unknown: no platform here has these columns"
    return " or ".join(f"{one.title}, {one.table.name}" for one in kind.order)


def _kind(kind: Kind, *, is_whole: bool) -> Iterator[Line]:
    size = sum(file.source.size for file in kind.files)
    yield Line(f"{title(kind)}: {counted(len(kind.files), 'file')}, {amount(size)}", BOLD)
    names = [file.source.name for file in kind.files]
    some = names if is_whole else [*names[:1], *(["…"] if len(names) > 2 else []), *names[1:][-1:]]  # noqa: PLR2004
    for number, name in enumerate(some):
        yield labelled("" if number else "files", name)
    for near in kind.near:
        yield labelled("near", f"{near.title}, {near.table}, if it had {' and '.join(near.lacks)}")
    yield labelled("format", ", ".join(_format(kind)))
    if kind.refusal is not None:
        yield labelled("refused", kind.refusal, WARNING)
    yield _looked(kind)
    yield from _times(kind)
    for name, why in kind.faults.items():
        yield labelled("aside", f"{name}: {why}", WARNING)
    yield from _columns(kind, is_whole=is_whole)
    yield from _wrong(kind)


def _format(kind: Kind) -> Iterator[str]:
    header = kind.file.read_as
    yield FORMATS[header.format]
    if header.wrapper is not None:
        yield f"rows inside of {header.wrapper}"
    if header.format == "csv":
        yield f"separated by {_DELIMITERS.get(header.delimiter or ',', repr(header.delimiter))}"
        yield from [f"as {header.layout.dialect} writes it"] if header.layout.dialect else []
    if header.format in {"csv", "json", "jsonl"}:
        yield header.encoding
    yield from (
        one if one in {"gzip", "zstd", "bz2", "xz"} else f"in a {one}" for one in reversed(kind.file.packed)
    )


def _looked(kind: Kind) -> Line:
    some = f"{len(kind.looked)} of them" if len(kind.files) > 1 else "it"
    if kind.is_whole:
        return labelled("looked", f"at all {counted(kind.rows, 'row')}")
    if not kind.looked:
        return labelled("looked", "at the columns alone")
    about = f", of about {kind.about:,}" if kind.about is not None else ""
    which = "all files" if len(kind.files) > 1 else "the file"
    rows_of = f"the first {counted(kind.rows, 'row')} of {some}{about}"
    return labelled("looked", f"at the columns of {which}, and at {rows_of}")


def _times(kind: Kind) -> Iterator[Line]:
    clock = kind.clock
    if clock is None:
        return
    if clock.first is not None:
        yield labelled("times", f"{clock.first} to {clock.last}, in the rows looked at")
    if needs_zone(kind):
        way = "taken for UTC unless --source-timezone says it"
        way = (
            way
            if kind.order
            else "say it as zone in a spec, or with --source-timezone, or it is taken for UTC"
        )
        yield labelled("zone", f"not known: {clock.why}; {way}", WARNING)
    else:
        yield labelled("zone", f"UTC: {clock.why}")


def _columns(kind: Kind, *, is_whole: bool) -> Iterator[Line]:
    if not kind.looked:
        names = [_short(name) for name in kind.names][: None if is_whole else _MOST_COLUMNS]
        more = ", …" if len(names) < len(kind.names) else ""
        yield labelled("columns", f"{len(kind.names):,}: {', '.join(names)}{more}")
        return
    full = [column for column in kind.columns if column.values]
    empty = len(kind.columns) - len(full)
    of_them = f", {empty:,} of them with nothing in the rows looked at" if empty else ""
    yield labelled("columns", f"{len(kind.columns):,}{of_them}")
    shown_columns = full if is_whole else full[:_MOST_COLUMNS]
    if shown_columns:
        titles = ("name", "type", "filled", "distinct", "example", "could be")
        cells = [_cells(column) for column in shown_columns]
        yield from (
            Line(f"  {line.text}") for line in table(titles, cells, {"name", "type", "example", "could be"})
        )
    if len(full) > len(shown_columns):
        yield Line(f"  … and {len(full) - len(shown_columns):,} more (-v)")
    if kind.order:
        return
    for number, (what, some) in enumerate(chosen(kind.columns).items()):
        told = [f"{_short(one.name)} ({role.why})" for one in some[:2] if (role := one.role(what))]
        text = "; or ".join(told) if told else "no column is called like one, or looks like one"
        yield labelled("" if number else "guess", f"{what}: {text}")


def _cells(column: Column) -> tuple[str, ...]:
    more = f"~{column.estimate:,}" if column.estimate else f"{column.distinct:,}"
    could = ", ".join(role.what for role in column.roles)
    return _short(column.name), column.type, f"{column.filled:.0%}", more, example(column), could


def _short(name: str) -> str:
    """Return a column's name as it fits into a table."""
    bare = shown(" ".join(name.split()) or name)
    return bare if len(bare) <= _NAME else f"{bare[:_NAME]}…"


def _wrong(kind: Kind) -> Iterator[Line]:
    """Yield what became of the rows, and what goes wrong in them."""
    found = findings(kind)
    examples = {one.reason: one.at for one in found}
    if kind.outlook is not None:
        numbers = kind.outlook.numbers
        counts = RowCounts(numbers.read, numbers.mapped, dict(numbers.filtered), dict(numbers.rejected))
        yield from rows(counts, examples)
        yield from changed(numbers.repairs)
        yield from warned(numbers.warnings, examples)
    else:
        yield from (
            labelled("rejected", f"{one.count:,} {one.reason}{places(one.at)}", WARNING)
            for one in found
            if one.sort == "rejected"
        )
        yield from changed({one.reason: one.count for one in found if one.sort == "changed"})
    yield from (_sentence(one) for one in found if one.why)


def _sentence(one: Finding) -> Line:
    where = f"  ({', '.join(map(_short, one.at))})" if one.at else ""
    return labelled("warning", f"{one.count:,} {one.reason}: {one.why}{where}", WARNING)
