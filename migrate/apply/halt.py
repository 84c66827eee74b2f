"""The early end of a run, for a reason or because it was asked for: what is shared by all who begin work in it."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

GRACE: Final = 10.0
"""Seconds in which a run that is asked to end still sends what it has begun: a piece is noted whole or not at all."""


class Abandoned(Exception):  # noqa: N818 - the word says what happened
    """The run stops, and this work was given up: maybe sent, not settled."""


class Halt:
    """Whether a run is to end early. Nothing more is begun, and what is begun is sent as long as there is grace.

    What is not sent by then goes again when the run is resumed, all of its piece, as the same events.
    """

    def __init__(self, *, grace: float = GRACE, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace = grace
        self._clock = clock
        self._end = math.inf
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
        if not self.is_called:
            self._end = self._clock() + self._grace
        self._called.set()

    def stop(self, reason: str, why: str = "server") -> NoReturn:
        """End the run for a reason (the first one is kept), and give up the work at hand: raises Abandoned."""
        if not self.reason:
            self.reason, self.why = reason, why
        self.call()
        raise Abandoned

    def check(self) -> None:
        """Raise Abandoned when the run stops for a reason, or when the grace of one that was asked to end is over."""
        if self.reason or self._clock() > self._end:
            raise Abandoned

    async def idle(self, seconds: float) -> None:
        """Wait with work that is begun; raises Abandoned when the run is to end and its grace is over before."""
        due = self._clock() + seconds
        while (left := due - self._clock()) > 0:
            self.check()
            if self.is_called:
                await asyncio.sleep(min(left, max(0.0, self._end - self._clock()) + 0.01))
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._called.wait(), left)

    async def pause(self, seconds: float) -> None:
        """Wait; raises Abandoned as soon as the run is to end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), seconds)
            raise Abandoned
