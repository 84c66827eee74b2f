"""Over which version of PostHog's capture endpoint a workdir is sent: as noted, as typed, or as PostHog answers.

It is asked once, and what is noted stays: the two versions trim and cut ids each in its own way, and a workdir's
events are to be sent all alike (posthog-ingestion.md §8.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal, NamedTuple

from migrate.apply import age
from migrate.apply.batches import Envelope
from migrate.apply.capture import ANSWER_BYTES, SERVER_ERRORS, Answer, Capture, Said
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.capture_v1 import BILLING, CaptureV1, tag
from migrate.apply.connection import Connection
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Halt
from migrate.apply.outcome import Accepted, Outcome, Request, Split, Stop
from migrate.apply.target import PROTOCOL, noted
from migrate.apply.watch import Unwatched, Watch
from migrate.errors import Stopped
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint

_NO_SUCH_PATH: Final = 404
_REFUSALS: Final = {400, 401, 402}
_OF_HEADERS: Final = {"missing_authorization", "missing_required_headers", "invalid_header_value"}
"""Tags of v1 where a proxy, perhaps, lets its headers not pass."""


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
        outcome = await connection.send(question.request())
    if isinstance(outcome, Stop):
        raise Stopped(outcome.reason, outcome.why)
    name = "v1" if isinstance(outcome, Accepted) else "v0"
    # What answers neither so nor so may be no PostHog: that is noted with the first events that are settled.
    if name == "v1" or (isinstance(outcome, Split) and outcome.status == _NO_SUCH_PATH):
        checkpoint.note(**{PROTOCOL: name})
    return Spoken(make(name), is_known=name == "v1")


def capture_of(name: str, delivery: Delivery) -> Capture:
    """Return the endpoint of this version."""
    return (CaptureV1 if name == "v1" else CaptureV0)(delivery.url, delivery.key)


def _is_due(checkpoint: Checkpoint, delivery: Delivery) -> bool:
    """Return whether any planned event is to be sent now."""
    first = age.first_held(datetime.now(UTC), delivery.min_age)
    return any(first is None or day < first for day in rounds.days(checkpoint))


@dataclass(frozen=True)
class Question:
    """Asks whether there is capture v1, with a batch of no event: only v1 says what is wrong with that."""

    host: str
    key: str = field(repr=False)
    name: ClassVar[Literal["v1"]] = "v1"

    @property
    def _v1(self) -> CaptureV1:
        return CaptureV1(self.host, self.key)

    @property
    def url(self) -> str:
        """Where it is asked."""
        return self._v1.url

    @property
    def envelope(self) -> Envelope:
        """What the question is."""
        return self._v1.envelope

    def request(self) -> Request:
        """Return the question as it is posted."""
        envelope = self.envelope
        return Request(envelope.head + envelope.tail, {}, 0)

    def headers(self, request: Request, *, now: float) -> Mapping[str, str]:
        """Return what v1 wants to be said in headers."""
        return self._v1.headers(request, now=now)

    def answer_bytes(self, _events: int) -> int:
        """Return how much of the answer is read."""
        return ANSWER_BYTES

    def outcome(self, answer: Answer, *, now: float) -> Outcome:
        """Return Accepted where v1 answers, Split where something else does, Retry where nobody can tell now.

        Where a proxy takes out what v1 wants in headers, it is as if there were none.
        """
        said, found = Said.of(answer, self.key), tag(answer.body)
        if found == BILLING or (found and found not in _OF_HEADERS and said.status in _REFUSALS):
            return Accepted()
        if said.status in {408, 429} or said.status in SERVER_ERRORS:
            return said.again(now=now)
        return Split(said.status, said.words)
