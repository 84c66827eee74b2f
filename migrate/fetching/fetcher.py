"""Goes through the stretches that are wanted: asks, within the limits and again where that may help, and keeps.

Which stretches those are is told by what is there: what is missing, and what was asked for while it was young, when
events may still have been on their way.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Lock
from typing import Final

from migrate.apply.outcome import Retry, Stop
from migrate.apply.pacing import Backoff
from migrate.errors import Stopped
from migrate.fetching import whole
from migrate.fetching.http import Http
from migrate.fetching.limits import Limits
from migrate.fetching.notes import NAME, Note, Notes
from migrate.fetching.shelf import Shelf, write
from migrate.fetching.spans import Span, finest, missing
from migrate.fetching.vendor import AGAIN, Busy, Early, Empty, Ready, TooMuch, Vendor

ATTEMPTS: Final = 6
"""Of one stretch that ends in an error each time."""
PATIENCE: Final = 3_900.0
"""Seconds that one stretch waits at the most where it is asked to: an hour's allowance comes back within one."""
_SHORTEST_PAUSE: Final = 1.0
"""Seconds; less is not what a limit asks for."""
_LONGEST_PAUSE: Final = 1_800.0


@dataclass
class Tally:
    """What was done."""

    wanted: int = 0
    """Stretches that were to be asked for."""
    left: int = 0
    """Those of them that were not."""
    new: int = 0
    """Files that were not there before."""
    replaced: int = 0
    """Files whose content had become another."""
    same: int = 0
    """Files that were asked for again, and are as they were."""
    empty: int = 0
    """Stretches of which there is nothing."""
    rows: int = 0
    """In the files that are new or replaced."""
    bytes: int = 0
    """Of what came, as it was packed."""
    requests: int = 0


@dataclass(frozen=True)
class Hearing:
    """Who is told what happens, as it happens."""

    on_done: Callable[[Tally, str, str], None] = lambda _tally, _span, _what: None
    """Told of each stretch that is settled, and how, in words."""
    on_wait: Callable[[float, str], None] = lambda _seconds, _why: None
    on_warning: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Asking:
    """What is to be there."""

    stretch: Span
    lookback: timedelta
    now: datetime
    """Aware of its zone."""


def held(vendor: Vendor, names: Iterable[str], notes: Notes) -> list[Span]:
    """Return what is there, or known to be empty, the oldest first; `names` are those of the files that are there."""
    calendar = vendor.calendar
    files = {calendar.of_name(name) for name in names}
    empty = {calendar.span(shown) for shown, note in notes.spans.items() if not note.rows}
    return finest(span for span in files | empty if span is not None)


def wanted(vendor: Vendor, asking: Asking, names: Iterable[str], notes: Notes) -> list[Span]:
    """Return what is to be asked for, the oldest first; `names` are those of the files that are there.

    A part is asked for until it was, once, `lookback` after its end: until then events may be on their way.
    """
    calendar = vendor.calendar
    there = held(vendor, names, notes)

    def is_young(span: Span) -> bool:
        note = notes.spans.get(calendar.shown(span))
        asked = asking.now if note is None else datetime.fromisoformat(note.asked)
        return vendor.local(asked) - span.end < asking.lookback

    stretch = asking.stretch
    again = [
        span for span in there if span.start < stretch.end and stretch.start < span.end and is_young(span)
    ]
    return sorted([*missing(stretch, there), *again])


@dataclass
class Fetcher:
    """Fetches from one vendor onto one shelf."""

    vendor: Vendor
    shelf: Shelf
    notes: Notes
    hearing: Hearing = field(default_factory=Hearing)
    concurrency: int = 3
    backoff: Backoff = field(default_factory=lambda: Backoff(Random()))  # noqa: S311 - spreads retries, guards nothing
    tally: Tally = field(default_factory=Tally, init=False)
    _todo: deque[Span] = field(default_factory=deque, init=False)
    _names: set[str] = field(default_factory=set, init=False)
    _writing: Lock = field(default_factory=Lock, init=False)
    _ends: Event = field(default_factory=Event, init=False)
    """Set where what a thread does is of no use any more."""
    _has_answered: bool = field(default=False, init=False)

    async def run(self, spans: Sequence[Span]) -> None:
        """Fetch these; raises Stopped or Refused where it ends before, and CancelledError where it is cancelled.

        What is whole by then stays, and the tally says what is left.
        """
        self._todo = deque(spans)
        self._names = self.shelf.names()
        self.tally.wanted = self.tally.left = len(spans)
        self._limits = Limits(self.vendor.quotas, self.notes.requests)
        count = max(1, min(self.concurrency, len(spans)))
        async with Http(self.vendor, connections=count) as self._http:
            tasks = [asyncio.create_task(self._work()) for _ in range(count)]
            try:
                await asyncio.gather(*tasks)
            finally:
                self._ends.set()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self.tally.requests = self._http.requests
                self.tally.bytes = self._http.bytes_received
                self._write(self._noted())

    async def _work(self) -> None:
        while self._todo:
            span = self._todo.popleft()
            await self._fetch(span)

    async def _fetch(self, span: Span) -> None:
        """Settle one stretch, or put its halves first in the queue."""
        shown, asked = self.vendor.calendar.shown(span), datetime.now(UTC)
        name = self.vendor.calendar.name(span)
        path = self.shelf.aside(name)
        try:
            match await self._answer(span, path):
                case whole.Content() as content:
                    note = Note(asked.isoformat(timespec="seconds"), content.rows, content.digest)
                    what = await self._keep(name, shown, path, note, content.projects)
                    await self._settle(shown, note, what)
                case Empty():
                    await self._settle(shown, self._nothing(name, shown, asked), "nothing")
                case Early(found):
                    self.hearing.on_warning(
                        f"{shown}: has not begun for {self.vendor.title}, found {found}; it is asked for next time; "
                        "--source-timezone says in which zone the project is"
                    )
                case TooMuch():
                    halves = self.vendor.calendar.halves(span)
                    self._todo.extendleft(reversed(halves))
                    self.tally.wanted += 1
                    self.tally.left += 1
                    self.hearing.on_done(self.tally, shown, "too much at once, divided")
        finally:
            path.unlink(missing_ok=True)

    async def _answer(self, span: Span, path: Path) -> whole.Content | Empty | Early | TooMuch:
        """Ask until there is an answer; raises Stopped where there is none."""
        failures, refusals, waited = 0, 0, 0.0
        while True:
            if (seconds := self._limits.reserve()) > 0:
                await self._wait(seconds, f"{self.vendor.title} takes so many requests and no more")
            found = await self._once(span, path)
            match found:
                case TooMuch(undivided) if not self.vendor.calendar.halves(span):
                    found = undivided
            match found:
                case Stop():
                    raise Stopped(found.reason, found.why)
                case Busy(reason, after):
                    if (seconds := after or 0.0) < _SHORTEST_PAUSE:  # no time at all, or one without end
                        seconds = min(self.vendor.pause * 2.0**refusals, _LONGEST_PAUSE)
                        refusals += 1
                case Retry():
                    reason = found.reason
                    failures += 1
                    seconds = self.backoff.delay(failures, found.retry_after)
                    self._check_hope(found, failures)
                case _:
                    self._has_answered = True
                    return found
            if waited + seconds > PATIENCE:
                what = f"waited {waited:,.0f} s in vain, and {seconds:,.0f} s more are longer than it is waited for"
                raise Stopped(f"{self.vendor.url}: {what}, found {reason}; {AGAIN}", "deadline")
            waited += seconds
            await self._wait(seconds, reason)

    async def _once(
        self, span: Span, path: Path
    ) -> whole.Content | Empty | Busy | TooMuch | Early | Retry | Stop:
        """Ask once, and read what came to its end."""
        answer = await self._http.get(self.vendor.question(span), path)
        if isinstance(answer, TooMuch | Retry | Stop):
            return answer
        meaning = self.vendor.meaning(answer, now=datetime.now(UTC).timestamp())
        if not isinstance(meaning, Ready):
            return meaning
        try:
            content = await asyncio.to_thread(self._read, path)
        except whole.Cut as error:
            return Retry(f"the answer is not whole: {error}")
        return content if content.rows else Empty()

    def _read(self, path: Path) -> whole.Content:
        vendor = self.vendor
        if vendor.form == "gzip":
            whole.pack(path, self._ends.is_set)
        return whole.content(path, vendor.form, vendor.key, self._ends.is_set)

    def _check_hope(self, found: Retry, failures: int) -> None:
        """Raise Stopped where asking again is no use."""
        if found.hopeless and not self._has_answered:
            raise Stopped(f"{self.vendor.url}: {found.hopeless}", "server")
        if failures >= ATTEMPTS:
            advice = f"{found.advice}, then {AGAIN}" if found.advice else AGAIN
            what = f"no success in {failures} attempts, found {found.reason}"
            raise Stopped(f"{self.vendor.url}: {what}; {advice}", "server")

    async def _wait(self, seconds: float, why: str) -> None:
        self.hearing.on_wait(seconds, why)
        await asyncio.sleep(seconds)

    async def _keep(self, name: str, shown: str, path: Path, content: Note, projects: Iterable[str]) -> str:
        """Keep a file where its content is new; return what was done."""
        for project in projects:
            self.notes.bind(self.shelf, project=project)
        before = self.notes.spans.get(shown)
        is_there = name in self._names
        if is_there and before is not None and (before.rows, before.digest) == (content.rows, content.digest):
            self.tally.same += 1
            return f"{content.rows:,} rows, as before"
        # Stopped from here on, it is known all the same how young the file was, and that it may be another one.
        self.notes.spans[shown] = replace(content, digest="")
        await asyncio.to_thread(self._write, self._noted())
        await asyncio.to_thread(self.shelf.keep, path, name)
        self._names.add(name)
        self.tally.rows += content.rows
        if not is_there:
            self.tally.new += 1
            return f"{content.rows:,} rows"
        self.tally.replaced += 1
        if before is not None and content.rows < before.rows:
            self.hearing.on_warning(
                f"{name}: has {content.rows:,} rows by now, and had {before.rows:,}; {self.vendor.title} gives less of "
                "it than before"
            )
        return f"{content.rows:,} rows, others than before"

    def _nothing(self, name: str, shown: str, asked: datetime) -> Note:
        """Return the note of a stretch of which there is nothing; a file of it that is there stays."""
        when = asked.isoformat(timespec="seconds")
        if name not in self._names:
            self.tally.empty += 1
            return Note(when)
        self.tally.same += 1
        self.hearing.on_warning(
            f"{name}: {self.vendor.title} has nothing of it any more, and the file stays; remove it if that is meant"
        )
        before = self.notes.spans.get(shown)
        return Note(when, before.rows if before else 1, before.digest if before else "")

    async def _settle(self, shown: str, note: Note, what: str) -> None:
        self.notes.spans[shown] = note
        self.tally.left -= 1
        await asyncio.to_thread(self._write, self._noted())
        self.hearing.on_done(self.tally, shown, what)

    def _noted(self) -> bytes:
        self.notes.requests = self._limits.times
        return self.notes.encoded()

    def _write(self, data: bytes) -> None:
        with self._writing:
            write(self.shelf, NAME, data)
