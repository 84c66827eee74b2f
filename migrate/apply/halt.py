"""The early end of a run, for a reason or because it was asked for: what is shared by all who begin work in it."""

import asyncio
from contextlib import suppress
from typing import NoReturn


class Abandoned(Exception):  # noqa: N818 - the word says what happened
    """The run stops, and this work was given up: maybe sent, not settled."""


class Halt:
    """Whether a run is to end early. What is in flight is finished, nothing more is begun."""

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why the run stops by itself, if it does."""
        self.why = ""
        """The reason in a word (`migrate.errors.Stopped`)."""
        self._called = asyncio.Event()

    @property
    def is_called(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._called.is_set()

    def call(self) -> None:
        """Ask for the end."""
        self._called.set()

    def stop(self, reason: str, why: str = "server") -> NoReturn:
        """End the run for a reason (the first one is kept), and give up the work at hand: raises Abandoned."""
        if not self.reason:
            self.reason, self.why = reason, why
        self.call()
        raise Abandoned

    def check(self) -> None:
        """Raise Abandoned when the run stops for a reason; one that was asked to end sends what it has begun."""
        if self.reason:
            raise Abandoned

    async def pause(self, seconds: float) -> None:
        """Wait; raises Abandoned as soon as the run is to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), seconds)
            raise Abandoned
