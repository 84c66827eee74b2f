"""Whether a PostHog has capture v1: a question without any event, and what its answers mean."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, Final, Literal

from migrate.apply.batches import Envelope
from migrate.apply.capture import ANSWER_BYTES, SERVER_ERRORS, Answer, Said
from migrate.apply.capture_v1 import BILLING, CaptureV1, tag
from migrate.apply.outcome import Accepted, Outcome, Request, Split

_REFUSALS: Final = {400, 401, 402}
_OF_HEADERS: Final = {"missing_authorization", "missing_required_headers", "invalid_header_value"}
"""Tags of v1 where a proxy, perhaps, lets its headers not pass."""

_AGAIN: Final = 2
"""So many times more it is asked where the answer is 404."""


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
    def path(self) -> str:
        """Where it is asked, below the host."""
        return self.url.removeprefix(self.host)

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

    def outcome(self, answer: Answer, _request: Request, *, now: float) -> Outcome:
        """Return Accepted where v1 answers, Split where something else does, Retry where nobody can tell now.

        Where a proxy takes out what v1 wants in headers, it is as if there were none.
        """
        said, found = Said.of(answer, self.key), tag(answer.body)
        if found == BILLING or (found and found not in _OF_HEADERS and said.status in _REFUSALS):
            return Accepted()
        if said.status in {408, 429} or said.status in SERVER_ERRORS:
            return said.again(now=now)
        return Split(said.status, said.words)


async def asked(ask: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Return what the question comes to: a 404 only where it is one each time, as proxies say so now and then."""
    for _ in range(_AGAIN):
        outcome = await ask()
        if not is_no_such_path(outcome):
            return outcome
    return await ask()


def is_no_such_path(outcome: Outcome) -> bool:
    """Return whether it is said that nothing is there."""
    return isinstance(outcome, Split) and outcome.status == HTTPStatus.NOT_FOUND
