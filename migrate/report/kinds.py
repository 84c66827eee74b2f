"""What was inspected → one JSON object, with all that the screen says and more."""

from collections.abc import Sequence
from dataclasses import asdict

from migrate.findings import findings
from migrate.inputs import names
from migrate.inspecting import Inspection, Kind
from migrate.inspection.columns import Column, chosen
from migrate.report.inspected import example
from migrate.report.ways import Way, needs_zone
from migrate.screen import masked


def document(found: Inspection, ways: Sequence[Way], code: int) -> dict[str, object]:
    """Return it as JSON has it."""
    return {
        "inputs": [masked(names.shown(one)) for one in found.inputs],
        "files": found.files,
        "kinds": [_kind(kind) for kind in found.kinds],
        "set_aside": found.unfit,
        "skipped": found.skipped,
        "next": [way._asdict() for way in ways],
        "run": {"exit_code": code, "error": None},
    }


def _kind(kind: Kind) -> dict[str, object]:
    header, clock, outlook = kind.file.read_as, kind.clock, kind.outlook
    first = kind.order[0] if kind.order else None
    return {
        "platform": first and first.platform,
        "table": first and first.table.name,
        "platforms": [
            {"platform": one.platform, "title": one.title, "table": one.table.name} for one in kind.order
        ],
        "refusal": kind.refusal,
        "near": [
            {"platform": one.platform, "title": one.title, "table": one.table, "lacks": one.lacks}
            for one in kind.near
        ],
        "files": [file.source.name for file in kind.files],
        "bytes": sum(file.source.size for file in kind.files),
        "format": header.format,
        "encoding": header.encoding if header.format in {"csv", "json", "jsonl"} else None,
        "delimiter": header.delimiter,
        "dialect": header.layout.dialect,
        "inside": header.wrapper,
        "packed": [*kind.file.packed],
        "looked_at": {
            "files": kind.looked,
            "rows": kind.rows,
            "whole": kind.is_whole,
            "of_about": kind.about,
        },
        "columns": [_column(column) for column in kind.columns]
        or [{"name": masked(name)} for name in kind.names],
        "could_be": {what: [masked(one.name) for one in some] for what, some in chosen(kind.columns).items()},
        "times": None if clock is None else asdict(clock) | {"needs_source_timezone": needs_zone(kind)},
        "rows": None
        if outlook is None
        else {
            "read": outlook.numbers.read,
            "mapped": outlook.numbers.mapped,
            "filtered": outlook.numbers.filtered,
            "rejected": outlook.numbers.rejected,
        },
        "problems": [asdict(one) for one in findings(kind)],
        "set_aside": kind.faults,
    }


def _column(column: Column) -> dict[str, object]:
    return {
        "name": masked(column.name),
        "type": column.type,
        "filled": round(column.filled, 4),
        "distinct": column.distinct,
        "distinct_estimate": column.distinct if column.estimate is None else column.estimate,
        "example": example(column) or None,
        "odd": column.odd,
        "words_for_nothing": column.words,
        "times": column.clock and asdict(column.clock),
        "could_be": [{"what": role.what, "why": role.why} for role in column.roles],
    }
