"""A chunk of rows → finished events, where what a user's own mapping raises is said with the row it stumbles over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import polars as pl

from migrate import numbering
from migrate.errors import UsageError
from migrate.kit.declare import ROW
from migrate.kit.schemas import row_schema, schema_errors
from migrate.plan.finished import Finished, finished
from migrate.plan.transform import Transform
from migrate.readers.records import Chunk


def mapped(
    chunk: Chunk, transform: Transform, now: datetime, whence: Callable[[int], tuple[str, int | None]]
) -> Finished:
    """Return a chunk's rows as events ready to send, see `finished`; `whence` tells a row's file and number there.

    Raises UsageError for what the functions of a user's own mapping raise. One that is built in has none to mend: what
    it raises is a bug.
    """
    if transform.explained is None:
        return finished(chunk, transform, now)
    try:
        with transform.explained(""):
            return finished(chunk, transform, now)
    except Exception as error:
        _check_frame(chunk, transform)
        if not isinstance(error, UsageError):
            raise
        culprit = _culprit(chunk, transform, now)
        with transform.explained(
            "" if culprit is None else f", at {numbering.place(*whence(culprit.rows[ROW][0]))}"
        ):
            finished(chunk if culprit is None else culprit, transform, now)
        raise


def _check_frame(chunk: Chunk, transform: Transform) -> None:
    """Raise UsageError where the frame of events has other columns and types than it is to have."""
    table = transform.table
    known = chunk.rows.clear().lazy()
    missing = {name: pl.lit(None, kind) for name, kind in row_schema(table, transform.options).items()}
    rows = known.with_columns(
        **{name: one for name, one in missing.items() if name not in chunk.rows.columns}
    )
    try:
        wrong = schema_errors(table.to_events(rows, transform.options).collect_schema())
    except Exception:  # noqa: BLE001 - what it raises is said already
        return
    if wrong:
        raise UsageError(
            f"{transform.imprint.platform}: {table.name}: to_events: {wrong[0]}; return what events.events makes"
        )


def _culprit(chunk: Chunk, transform: Transform, now: datetime) -> Chunk | None:
    """Return the first row that cannot be mapped even by itself; None where there is none."""
    rows = chunk.rows
    if not _fails(rows, transform, now):
        return None
    while rows.height > 1:
        halves = rows.head(rows.height // 2), rows.slice(rows.height // 2)
        found = next((half for half in halves if _fails(half, transform, now)), None)
        if found is None:
            return None
        rows = found
    return replace(chunk, rows=rows, rejects=[], counts={})


def _fails(rows: pl.DataFrame, transform: Transform, now: datetime) -> bool:
    """Return whether mapping these rows raises anything."""
    if not rows.height:
        return False
    try:
        finished(Chunk(rows, [], {}), transform, now)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - whatever a user's file raises
        return True
    return False
