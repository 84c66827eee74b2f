"""Over which version of PostHog's capture endpoint a workdir is sent: as noted, as typed, or as PostHog answers.

It is asked once, and what is noted stays: the two versions trim and cut ids each in its own way, and a workdir's
events are to be sent all alike (posthog-ingestion.md §8.3).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from migrate.apply import age
from migrate.apply.capture import Capture
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.capture_v1 import CaptureV1
from migrate.apply.connection import Connection
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Halt
from migrate.apply.outcome import Accepted, Stop
from migrate.apply.question import Question, asked, is_no_such_path
from migrate.apply.target import PROTOCOL, noted
from migrate.apply.watch import Unwatched, Watch
from migrate.errors import Stopped
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint


class Spoken(NamedTuple):
    """A version of the endpoint, and whether a PostHog has answered in it before."""

    capture: Capture
    is_known: bool = False


async def spoken(  # noqa: PLR0913 - what is asked over, and who hears of it
    checkpoint: Checkpoint,
    delivery: Delivery,
    halt: Halt,
    *,
    watch: Watch | None = None,
    on_warning: Callable[[str], None] = lambda _: None,
    capture: Callable[[str], Capture] | None = None,
) -> Spoken:
    """Return over which one to send; PostHog is asked where nothing says it, and there is something to send.

    Raises Stopped where no answer comes, Abandoned where the run is halted meanwhile.
    """
    make = capture or (lambda name: capture_of(name, delivery))
    known = noted(checkpoint)
    if known or delivery.protocol != "auto":
        name = known or delivery.protocol
        return Spoken(make(name), is_known=known is not None)
    if not _is_due(checkpoint, delivery):
        return Spoken(make("v0"))
    question = Question(delivery.url, delivery.key)
    async with Connection(
        question, delivery, halt, watch=watch or Unwatched(), on_warning=on_warning
    ) as connection:
        outcome = await asked(lambda: connection.send(question.request()))
    if isinstance(outcome, Stop):
        raise Stopped(outcome.reason, outcome.why)
    name = "v1" if isinstance(outcome, Accepted) else "v0"
    # What answers neither so nor so may be no PostHog: that is noted with the first events that are settled.
    if name == "v1" or is_no_such_path(outcome):
        checkpoint.note(**{PROTOCOL: name})
    return Spoken(make(name), is_known=name == "v1")


def capture_of(name: str, delivery: Delivery) -> Capture:
    """Return the endpoint of this version."""
    return (CaptureV1 if name == "v1" else CaptureV0)(delivery.url, delivery.key)


def _is_due(checkpoint: Checkpoint, delivery: Delivery) -> bool:
    """Return whether any planned event is to be sent now."""
    first = age.first_held(datetime.now(UTC), delivery.min_age)
    return any(first is None or day < first for day in rounds.days(checkpoint))
