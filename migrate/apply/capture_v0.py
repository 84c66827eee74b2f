"""PostHog's capture endpoint as it is today, `/batch/`: how a batch is posted, and what each of its answers means.

An answer counts as accepted only if it is unmistakably PostHog's own (posthog-ingestion.md §8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

from migrate.apply.batches import Envelope
from migrate.apply.capture import (
    AGAIN,
    ANSWER_BYTES,
    CLIENT_ERRORS,
    SERVER_ERRORS,
    SHOWN_CHARACTERS,
    Answer,
    Said,
    object_of,
)
from migrate.apply.outcome import Accepted, Outcome, Request, Split, Stop


@dataclass(frozen=True)
class CaptureV0:
    """Posts to `/batch/`; one answer for all of a batch."""

    host: str
    key: str = field(repr=False)
    name: ClassVar[str] = "v0"

    @property
    def url(self) -> str:
        """Where requests are posted."""
        return f"{self.host}/batch/"

    @cached_property
    def envelope(self) -> Envelope:
        """What a request's body has around its events.

        `historical_migration` is honoured only here, at the root, and only as a JSON boolean.
        """
        key = msgspec.json.encode(self.key)
        return Envelope(b'{"api_key":' + key + b',"historical_migration":true,"batch":[', b"]}")

    def headers(self, _request: Request, *, now: float) -> Mapping[str, str]:  # noqa: ARG002 - as every protocol has it
        """Return what each request's headers say beside its form: nothing."""
        return {}

    def answer_bytes(self, _events: int) -> int:
        """Return how much of an answer is read: PostHog's are one line."""
        return ANSWER_BYTES

    def outcome(self, answer: Answer, _request: Request, *, now: float) -> Outcome:
        """Return what an answer means; pure. `now` is the time of day in seconds since 1970."""
        found = object_of(answer.body) if answer.status == HTTPStatus.OK else {}
        if _is_ok(found):
            return Accepted()
        said = Said.of(answer, self.key)
        if said.status in {408, 429} or said.status in SERVER_ERRORS:
            return said.again(now=now)
        if said.status in CLIENT_ERRORS:
            return self._refusal(said)
        if "quota_limited" in found:
            return Stop(
                f"{self.host}: the project is over its quota and keeps nothing of this batch, found"
                f" '{said.words[:SHOWN_CHARACTERS]}'; raise the project's limit, then {AGAIN}",
                "quota",
            )
        return Stop(f"{self.host}: the answer is not PostHog's, found {said.as_strange()}")

    def _refusal(self, said: Said) -> Split | Stop:
        """Return what a 4xx means that is not sent again as it was."""
        status = said.status
        if status == HTTPStatus.BAD_REQUEST and said.is_foreign:
            return Stop(f"{self.host}: the refusal is not PostHog's, found {said.as_strange()}")
        if status in {400, 413}:
            return Split(status, said.words or f"status {status} without a word")
        return said.stop(self.host)


def _is_ok(answer: dict[str, Any]) -> bool:
    status = answer.get("status")
    return "quota_limited" not in answer and (status == "Ok" or (type(status) is int and status == 1))
