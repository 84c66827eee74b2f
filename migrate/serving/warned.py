"""Which rows a warning is of, as far as that can be told of rows; the counts of a plan tell only how many."""

from collections import Counter
from collections.abc import Iterator

import polars as pl

from migrate.kit.declare import ROW
from migrate.payload import checks
from migrate.payload.losses import losses
from migrate.payload.required import lacks
from migrate.plan.finished import ODD_IDS, Finished, informed
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk


def warned(chunk: Chunk, transform: Transform, made: Finished) -> dict[int, list[str]]:
    """Return the names of the warnings of each row that has any.

    Those of the mapping, of odd ids, and of what PostHog does with an event are told of every row; of others the rows
    that are named as examples.
    """
    found: dict[int, dict[str, None]] = {}
    for name, rows in _found(chunk, transform, made):
        for row in rows:
            found.setdefault(row, {})[name] = None
    return {row: [*names] for row, names in found.items()}


def _found(chunk: Chunk, transform: Transform, made: Finished) -> Iterator[tuple[str, list[int]]]:
    counts = made.numbers.warnings
    if counts:
        yield from _of_rows(chunk, transform, counts)
        yield from _of_events(made, counts)
        for name, examples in made.numbers.examples.items():
            if counts[name]:
                yield name, [int(row) for row in examples]


def _of_rows(chunk: Chunk, transform: Transform, counts: Counter[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield the warnings of rows as they were read."""
    table = transform.table
    if rules := {name: rule for name, rule in table.warnings.items() if counts[name]}:
        rows = informed(chunk.rows, transform)
        for name, rule in rules.items():
            yield name, rows.filter(rule.fill_null(value=False))[ROW].to_list()
    ids = [pl.col(name) for name in table.ids if name in chunk.rows.columns]
    for name, pattern in ODD_IDS.items():
        if counts[name]:
            odd = pl.any_horizontal(one.str.contains(pattern) for one in ids)
            yield name, chunk.rows.filter(odd)[ROW].to_list()


def _of_events(made: Finished, counts: Counter[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield the warnings of events."""
    frame = made.frame.rename({"row": ROW})
    rules = {
        "before_1970": pl.col("timestamp").dt.year() < 1970,  # noqa: PLR2004 - the Unix epoch
        "junk_distinct_id": checks.junk(pl.col("distinct_id")),
    }
    for name, rule in rules.items():
        if counts[name]:
            yield name, frame.filter(rule)[ROW].to_list()
    for name, lost in losses(frame).items():
        yield name, lost.to_list()
    for row, payload in frame.select_seq(ROW, "payload").iter_rows():
        yield from ((name, [row]) for name in lacks(payload))
