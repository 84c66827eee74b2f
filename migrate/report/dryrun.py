"""The screen of a dry run: everything there is to know before sending."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from migrate.preview import Preview
from migrate.report import bars, estimates, sections
from migrate.report.numbers import Summary, moment
from migrate.report.sections import Line
from migrate.screen import amount
from migrate.workdir.checkpoint import Checkpoint

_EVENTS: Final = 1_000
"""Events of a request, where it is not said how many."""
_RATE: Final = 1_000.0
"""Events a second, where it is not said where they go."""


def lines(checkpoint: Checkpoint, numbers: Summary, previews: Iterable[Preview]) -> Iterator[Line]:
    """Yield the screen; `previews` are the rows that are shown with their payloads."""
    planned = checkpoint.numbers()
    yield from bars.by_day(checkpoint.by_day())
    yield from bars.by_name(planned.names)
    yield from _extent(checkpoint)
    yield Line("")
    yield from sections.rows(numbers.rows, planned.examples)
    yield from sections.people(numbers.identity)
    yield from sections.notes(numbers, planned.examples)
    for one in previews:
        yield Line(f"\nrow {one.source}")
        for payload in one.payloads:
            yield Line(f"  → {payload}")
        if not one.payloads:
            yield Line(f"  → no event: {one.why}")
    yield Line("\nnothing was sent")


def _extent(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield how large the plan is, and how long sending it takes."""
    events, payloads, first, last = checkpoint.extent()
    if not events:
        return
    yield Line(f"people   {estimates.people(checkpoint):>12,} distinct ids (estimated)")
    yield Line(f"time     {moment(first)} to {moment(last)}")
    batches = estimates.requests(checkpoint, _EVENTS)
    yield Line(f"size     {amount(payloads)} of payloads in about {batches:,} batches")
    yield Line(f"sending  about {timedelta(seconds=round(events / _RATE))} at {_RATE:,.0f} events/s")
