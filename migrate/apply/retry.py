"""A transport that sends again over another one what may not have arrived, as long as there is patience."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from migrate.apply.capture import AGAIN
from migrate.apply.outcome import Accepted, Judged, Outcome, Request, Retry, Split, Stop
from migrate.apply.pacing import LONGEST_TICK
from migrate.apply.watch import Unwatched, Wait, waiting

if TYPE_CHECKING:
    from migrate.apply.halt import Halt
    from migrate.apply.outcome import Transport
    from migrate.apply.pacing import Backoff, Deadline
    from migrate.apply.watch import Watch


@dataclass
class Retrying:
    """Sends a request, the same bytes, until its outcome is another one than Retry; where that is no use, it is Stop.

    `host` is the URL that reasons name.
    """

    transport: "Transport"
    host: str
    deadline: "Deadline"
    """How long to go on while nothing is settled; whoever settles events notes the progress."""
    backoff: "Backoff"
    halt: "Halt"
    max_attempts: int | None = None
    on_warning: Callable[[str], None] = lambda _: None
    watch: "Watch" = field(default_factory=Unwatched)
    has_answered: bool = False
    """Whether a PostHog has answered, now or before."""
    retries: int = field(default=0, init=False)
    _has_warned: bool = field(default=False, init=False)

    async def send(self, request: Request) -> Outcome:
        """Send one request until there is an outcome that settles it; raises Abandoned where the run halts before.

        Of one whose last attempt has failed already, the next one is made.
        """
        attempt = request.attempt - 1
        outcome: Outcome = request.failed or await self.transport.send(request)
        while isinstance(outcome, Retry):
            # What failed while this process was stopped says nothing of the server.
            if outcome.suspended < LONGEST_TICK:
                attempt += 1
            if reason := self._futility(attempt, outcome):
                return Stop(
                    reason,
                    "server" if self._is_hopeless(outcome) or attempt == self.max_attempts else "deadline",
                )
            self.retries += 1
            delay = self.backoff.delay(max(1, attempt), outcome.retry_after)
            seconds = min(delay, self.deadline.remaining + 0.01)
            is_asked = outcome.retry_after is not None
            with waiting(
                self.watch, Wait(seconds, outcome.reason, request.attempt, is_asked, self.deadline.remaining)
            ):
                await self.halt.pause(seconds)
            request = replace(request, attempt=request.attempt + 1, failed=None)
            outcome = await self.transport.send(request)
        self.has_answered = self.has_answered or isinstance(outcome, Accepted | Judged | Split)
        return outcome

    def _futility(self, attempt: int, outcome: Retry) -> str:
        """Return why it is no use to try again after so many attempts; nothing where it may help."""
        if self._is_hopeless(outcome):
            return f"{self.host}: {outcome.hopeless}"
        self._warn(outcome)
        return self._too_long_a_wait(outcome) or self._out_of_patience(attempt, outcome)

    def _is_hopeless(self, outcome: Retry) -> bool:
        return bool(outcome.hopeless) and not self.has_answered

    def _warn(self, outcome: Retry) -> None:
        """Tell once of a Retry-After that is not heeded."""
        if outcome.unheeded and not self._has_warned:
            self._has_warned = True
            self.on_warning(
                f"{self.host}: its Retry-After is no time to come back, found '{outcome.unheeded}'; it is "
                "tried again as if there were none"
            )

    def _too_long_a_wait(self, outcome: Retry) -> str:
        """Return what to say where the server asks to be left alone for longer than there is patience."""
        seconds = outcome.retry_after or 0.0
        if seconds <= self.deadline.remaining:
            return ""
        when = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(sep=" ", timespec="minutes")
        return (
            f"{self.host}: it asks to come back in {seconds:,.0f} s, at {when}, later than --deadline "
            f"allows, found {outcome.reason}; {AGAIN} then"
        )

    def _out_of_patience(self, attempt: int, outcome: Retry) -> str:
        """Return what to say when retrying has not helped for long enough."""
        advice = f"{outcome.advice}, then {AGAIN}" if outcome.advice else AGAIN
        if self.deadline.is_over:
            what = f"nothing accepted for {self.deadline.seconds:g} s, found {outcome.reason}"
            return f"{self.host}: {what}; {advice}, or raise --deadline"
        if attempt == self.max_attempts:
            what = f"no success in {attempt} attempts, found {outcome.reason}"
            return f"{self.host}: {what}; {advice}, or raise --max-attempts"
        return ""
