"""Spans → one file a day: neighbours together, so that many sources with events of all days make few files.

A source whose events are of many days, a few of each, is planned into one span, in timestamp order. When all are
planned the spans are merged, and parted into days. A row keeps its number, and above it stands its source's
(`numbering.gathered`), so that events of one timestamp stay in the order of their sources, in which parts are sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from migrate import numbering
from migrate.throwaway import MERGE
from migrate.workdir import ordered, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.parts import add_part
from migrate.workdir.seals import Kept
from migrate.workdir.spans import Noted

_NOTED_BYTES: Final = 128 * 2**20
"""Payloads after which it is noted what is parted: so much is done again after a kill."""
_MOST: Final = 16_384
"""Spans that are parted together."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def part(checkpoint: Checkpoint, check: Callable[[], object] = lambda: None) -> None:
    """Part all spans into days. `check` is called often, and may raise what ends it; it goes on where it was.

    Raises Harmed for a span that is not what was written.
    """
    spans.tidy(checkpoint)
    for group in _groups(checkpoint):
        with checkpoint.depot.near(one.span.path for one in group):
            _part(checkpoint, group, check)
        checkpoint.depot.remove([one.span.path for one in group])


def _groups(checkpoint: Checkpoint) -> Iterator[list[Noted]]:
    """Yield spans that can be parted together: of neighbours, planned at one time, parted up to the same day.

    Between them is no input with parts of its own, which would come between their events.
    """
    found = spans.noted(checkpoint)
    if not found:
        return
    own = sorted(number for (number,) in checkpoint.query("SELECT DISTINCT input FROM parts"))
    group: list[Noted] = []
    for one in found:
        if group and not _are_neighbours(group[-1], one, own, is_full=len(group) >= _MOST):
            yield group
            group = []
        group.append(one)
    yield group


def _are_neighbours(one: Noted, other: Noted, own: Sequence[int], *, is_full: bool) -> bool:
    """Return whether two spans can be parted together; those of slices of one file always are."""
    first, last = one.span.input, other.span.input
    if one[1:] != other[1:] or first == last:
        return first == last
    return not is_full and (one.done != "" or not any(first <= number <= last for number in own))


def _part(checkpoint: Checkpoint, group: Sequence[Noted], check: Callable[[], object]) -> None:
    """Part a group of spans, and note every now and then how far it is."""
    home, size, last = _home(group), 0, date.min
    writer = DayWriter(checkpoint.workdir, home, depot=checkpoint.depot)
    writer.discard()
    try:
        for frame in _events(checkpoint.workdir, group):
            check()
            day, left = frame["timestamp"].dt.date(), frame
            if size >= _NOTED_BYTES and last != day[-1]:
                before = int(day.search_sorted(day[-1], side="left"))
                writer.write_in_order(frame.head(before))
                _note(checkpoint, group, writer, (day[before - 1] if before else last).isoformat())
                writer, size, left = (
                    DayWriter(checkpoint.workdir, home, depot=checkpoint.depot),
                    0,
                    frame.slice(before),
                )
            writer.write_in_order(left)
            size += int(left["payload"].str.len_bytes().sum())
            last = day[-1]
        _note(checkpoint, group, writer, None)
    finally:
        writer.discard()


def _home(group: Sequence[Noted]) -> int:
    """Return the input whose parts those of the group become: the first, unless some are of another one already."""
    return group[0].home or group[0].span.input


def _events(workdir: Path, group: Sequence[Noted]) -> Iterator[pl.DataFrame]:
    """Yield the events of a group that are to be parted, in timestamp order."""
    since = None
    if group[0].done:
        after = datetime.fromisoformat(group[0].done).replace(tzinfo=UTC) + timedelta(days=1)
        since = (after - _EPOCH) // timedelta(microseconds=1)
    files: list[Path | Kept] = [Kept(workdir / one.span.path, one.span.seal) for one in group]
    places = {number: place for place, number in enumerate(dict.fromkeys(one.span.input for one in group))}
    rows = [numbering.gathered(places[one.span.input]) for one in group]
    with ExitStack() as stack:
        while len(files) > ordered.MOST:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=MERGE, dir=workdir)))
            longer: list[Path | Kept] = []
            for start in range(0, len(files), ordered.MOST):
                some = slice(start, start + ordered.MOST)
                path = folder / f"{start}.parquet"
                ordered.write(path, ordered.merged(files[some], first_rows=rows[some], since=since))
                longer.append(path)
            files, rows = longer, [0] * len(longer)
        yield from ordered.merged(files, first_rows=rows, since=since)


def _note(checkpoint: Checkpoint, group: Sequence[Noted], writer: DayWriter, done: str | None) -> None:
    """Note what is parted, up to the day that is `done`, None where that is all."""
    first = group[0]
    parts = writer.finish()
    with checkpoint.change() as db:
        for made in parts:
            add_part(db, replace(made, anew=first.anew, increment=first.increment))
        for one in group:
            db.execute("UPDATE inputs SET home = ? WHERE lead = ?", (_home(group), one.span.input))
            if done is None:
                db.execute("DELETE FROM spans WHERE path = ?", (one.span.path,))
            else:
                db.execute("UPDATE spans SET done = ? WHERE path = ?", (done, one.span.path))
    writer.discard()
