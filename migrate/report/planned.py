"""What a plan holds, before anything is sent: events by day and by name, ids, size, how long sending takes."""

from collections.abc import Iterator
from datetime import timedelta

from migrate.report import bars, estimates
from migrate.report.numbers import moment
from migrate.report.sections import Line, labelled
from migrate.screen import amount, counted
from migrate.workdir.checkpoint import Checkpoint


def lines(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield what is planned; the totals stand below it, on the screen of `status`."""
    events, payloads, first, last = checkpoint.extent()
    if not events:
        return
    yield from bars.by_day(checkpoint.by_day())
    yield from bars.by_name(checkpoint.numbers().names)
    yield labelled("ids", estimates.distinct(checkpoint))
    yield labelled("time", f"{moment(first)} to {moment(last)}")
    batches = estimates.requests(checkpoint, estimates.EVENTS)
    yield labelled("size", f"{amount(payloads)} of payloads in about {counted(batches, 'batch')}")
    yield labelled(
        "sending",
        f"about {timedelta(seconds=round(events / estimates.RATE))} at {estimates.RATE:,.0f} events/s",
    )
    yield Line("")
