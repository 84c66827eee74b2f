"""PostHog's capture endpoint v1, `/i/v1/analytics/events`: how a batch is posted, and what each of its answers means.

It judges each event by itself, and keeps every digit of a number (posthog-ingestion.md §2, §8.24, §9.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import ClassVar, Final

import msgspec

from migrate.apply.batches import Envelope
from migrate.apply.capture import (
    AGAIN,
    ANSWER_BYTES,
    CLIENT_ERRORS,
    SERVER_ERRORS,
    SERVER_WORDS,
    Answer,
    Said,
    object_of,
    retry_after,
    shown,
    unheeded,
)
from migrate.apply.outcome import (
    DROPPED,
    HANDED_BACK,
    TAKEN,
    Accepted,
    Judged,
    Outcome,
    Request,
    Split,
    Stop,
    Verdict,
)

BILLING: Final = "billing_limit_exceeded"
_NOT_OF_EVENTS: Final = {
    "missing_required_headers",
    "invalid_header_value",
    "invalid_batch",
    "empty_body",
    "empty_batch",
}
"""Tags of a 400 that no other choice of events mends."""
_BYTES_A_VERDICT: Final = 512
"""Far more than a uuid, a result and its details take."""
_MOST_BYTES: Final = 10_000_000
"""Of a body, below the 10 MiB that may go over the wire even where it does not compress."""
_KNOWN: Final = {*TAKEN, DROPPED, HANDED_BACK}
_UNSKEWED: Final = ',"options":{"disable_skew_correction":true}}'
"""Else the client's clock would move every event: by another difference on each attempt."""

_BETWEEN: Final = '":{"result":"ok"},"'
_TAKEN: Final = (b'{"results":{"', b'":{"result":"ok"}}}')
"""What is around the uuids where all events are taken, and nothing else is said, as nearly always."""


class _Results(msgspec.Struct):
    """What a 200 says."""

    results: dict[str, Verdict]


_RESULTS: Final = msgspec.json.Decoder(_Results)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class CaptureV1:
    """Posts to `/i/v1/analytics/events`; an answer for each event of a batch."""

    host: str
    key: str = field(repr=False)
    created_at: str = field(default_factory=_now, compare=False)
    """When batches are said to be made: one time for all of a run, so that a request is the same on each attempt."""
    name: ClassVar[str] = "v1"

    @property
    def url(self) -> str:
        """Where requests are posted."""
        return f"{self.host}/i/v1/analytics/events"

    @cached_property
    def envelope(self) -> Envelope:
        """What a request's body has around its events; the key is in no body."""
        head = {"created_at": self.created_at, "historical_migration": True}
        return Envelope(
            msgspec.json.encode(head)[:-1] + b',"batch":[',
            b"]}",
            ending=_UNSKEWED,
            between=_BETWEEN,
            most_bytes=_MOST_BYTES,
        )

    def headers(self, request: Request, *, now: float) -> Mapping[str, str]:
        """Return the key, and which attempt of which request it is. `now` is in seconds since 1970.

        PostHog-Sdk-Info is without a version: of `library/version` PostHog makes `$lib` and `$lib_version`, in place
        of those that the source's events have.
        """
        return {
            "Authorization": f"Bearer {self.key}",
            "PostHog-Sdk-Info": "posthog-migrate",
            "PostHog-Attempt": str(request.attempt),
            "PostHog-Request-Id": request.id,
            "PostHog-Request-Timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        }

    def answer_bytes(self, events: int) -> int:
        """Return how much of an answer is read: room for a verdict on each event."""
        return ANSWER_BYTES + events * _BYTES_A_VERDICT

    def outcome(self, answer: Answer, request: Request, *, now: float) -> Outcome:
        """Return what an answer means; pure. `now` is the time of day in seconds since 1970."""
        if answer.status == HTTPStatus.OK and (settled := self._settled(answer, request, now)) is not None:
            return settled
        found, said = tag(answer.body), Said.of(answer, self.key)
        if found:
            words = object_of(answer.body).get("error_description")
            said = replace(said, words=shown(f"{found}: {words}" if words else found, self.key))
        if said.status == HTTPStatus.PAYMENT_REQUIRED or found == BILLING:
            return Stop(
                f"{self.host}: the project is over its quota and keeps nothing of this batch, found {said.status} "
                f"'{said.words}'; raise the project's limit, then {AGAIN}",
                "quota",
            )
        if said.status in {408, 429} or said.status in SERVER_ERRORS:
            return said.again(now=now)
        if said.status == HTTPStatus.NOT_FOUND:
            return said.again(
                now=now,
                hopeless=f"there is no capture v1 at this address, found 404 '{said.words}'; check --host, or "
                f"send with --protocol v0, then {AGAIN}",
                advice="see whether this PostHog still has capture v1 (where it has not, plan into another --workdir, "
                "which sends the same events over v0)",
            )
        if said.status in CLIENT_ERRORS:
            return self._refusal(said, found)
        return Stop(f"{self.host}: the answer is not PostHog's, found {said.as_strange()}")

    def _refusal(self, said: Said, found: str) -> Split | Stop:
        """Return what a 4xx means that is not sent again as it was."""
        if said.status == HTTPStatus.BAD_REQUEST and not found:
            return Stop(f"{self.host}: the refusal is not PostHog's, found {said.as_strange()}")
        if said.status in {400, 413} and found not in _NOT_OF_EVENTS:
            return Split(said.status, said.words or f"status {said.status} without a word")
        return said.stop(self.host)

    def _settled(self, answer: Answer, request: Request, now: float) -> Accepted | Judged | None:
        """Return what a 200 says of the events; None where it is not PostHog's."""
        if answer.body == b"".join((_TAKEN[0], request.uuids, _TAKEN[1])):
            return Accepted()
        if (verdicts := self._verdicts(answer.body)) is None:
            return None
        wait = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), None)
        return Judged(verdicts, retry_after(wait, now=now), unheeded(wait, now=now))

    def _verdicts(self, body: bytes) -> Mapping[str, Verdict] | None:
        """Return the verdicts in the body of a 200, the key as ***; None where it is not PostHog's."""
        try:
            found = _RESULTS.decode(body).results
            if self.key.encode() not in body and b"\\" not in body:  # an escape may spell any letter of it
                return found
            return {uuid: self._masked(one) for uuid, one in found.items()}
        except (msgspec.DecodeError, RecursionError):
            return None

    def _masked(self, verdict: Verdict) -> Verdict:
        """Return a verdict whose words do not show the key."""
        result, details = verdict.result, verdict.details
        return Verdict(
            result if result in _KNOWN else shown(result, self.key),
            None if details is None else shown(str(details), self.key, limit=SERVER_WORDS),
        )


def tag(body: bytes) -> str:
    """Return what v1 calls an error, nothing where the body is not v1's."""
    found = object_of(body)
    error = found.get("error")
    return error if isinstance(error, str) and "error_description" in found else ""
