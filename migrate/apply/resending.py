"""Parked events → PostHog once more, a request's worth at a time, each noted."""

from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

from migrate.apply.batches import Envelope, Payloads
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.sender import Sender, Settling
from migrate.workdir import parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database
from migrate.workdir.parked import Waiting
from migrate.workdir.records import Settled


async def resend(  # noqa: PLR0913 - what is sent, how, and what is noted with it
    checkpoint: Checkpoint,
    sender: Sender,
    envelope: Envelope,
    halt: Halt,
    facts: Callable[[], Mapping[str, object]],
    *,
    heard: Callable[[Settled, Database], None],
) -> None:
    """Send what is lined up, until nothing is or the run halts.

    `facts` are noted with what is settled, and `heard` keeps with it what else was heard.
    """
    bounds = {"max_events": sender.max_events, "max_bytes": sender.max_bytes}
    while not halt.is_called and (waiting := parked.following(checkpoint, **bounds)):
        frame = pl.DataFrame(waiting, schema=Waiting._fields, orient="row")
        payloads = Payloads.joined(frame["payload"], waiting[0].day, frame["uuid"], envelope)
        settling = Settling()
        try:
            await sender.settle(sender.prepare(payloads), settling)
        except Abandoned:
            return
        also = partial(heard, Settled(accepted=len(waiting) - len(settling.parked)))
        parked.settle(checkpoint, waiting, settling.parked, facts(), settling.warnings, also=also)
