"""What the user hears while a command works and when it ends: lines, warnings and progress, and the JSON summary."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from migrate.jsonlines import spoken
from migrate.log import Log
from migrate.logline import Record
from migrate.report.document import document
from migrate.report.live import Part, line
from migrate.report.numbers import Run, Summary
from migrate.report.pace import Following, Pace
from migrate.report.progress import Phase, Planning, Sending
from migrate.report.sections import Line
from migrate.report.status import outcome
from migrate.screen import shown

if TYPE_CHECKING:
    from migrate.apply.delivery import Delivery
    from migrate.apply.watch import Watch
    from migrate.plan.progress import Progress
    from migrate.preview import Preview
    from migrate.report.fetched import Fetching
    from migrate.report.terminal import Terminal
    from migrate.report.verified import Verifying


_COMMAND: Final = re.compile(r"(?<!')\bmigrate (run|plan|apply|resend|rejects) [^;]*")
"""A command in a message, as it can be pasted."""
_TOTALS: Final = {
    *(
        "rows",
        "events",
        "requests",
        "retries",
        "bytes_sent",
        "first_timestamp",
        "last_timestamp",
        "held_until",
    ),
    *("seconds", "state", "set_aside", "open_rejects"),
}
"""What of the JSON summary stands in a log."""


def say(line: str | Line) -> None:
    """Say a line on stderr, on a terminal broken between words, but not within a command."""
    if isinstance(line, str):
        command = _COMMAND.search(line)
        line = Line(line, command=command[0] if command else "")
    text = shown(line.text)
    if sys.stderr.isatty():
        from migrate.report.terminal import Terminal  # noqa: PLC0415 - slow to import

        text = Terminal().fitted(line)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass
class Talk:
    """What the user hears on stderr, and the JSON summary on stdout."""

    quiet: bool = False
    as_json: bool = False
    rows: int = 3
    """How many rows are shown beside what they become."""
    is_whole: bool = False
    """Whether ids, long values and long rows are shown whole."""
    log: Log = field(default_factory=Log)
    """Where each file, each request and each wait is told."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any moment on."""
    plain_seconds: float = 5.0
    """How often progress is told where there is no live line."""

    def __post_init__(self) -> None:
        self.summary: dict[str, Any] | None = None
        """What `--json` prints, once it is known."""
        self._began = self.clock()
        self._due = self._began + self.plain_seconds
        """When progress is told next, where there is no live line."""

    @property
    def terminal(self) -> "Terminal":
        """The screen."""
        from migrate.report.terminal import Terminal  # noqa: PLC0415 - slow to import

        return Terminal()

    def show(self, lines: Iterable[Line]) -> None:
        """Show a screen, unless only warnings and errors are wanted."""
        if not self.quiet:
            self.terminal.print(lines)

    def show_samples(self, previews: "Iterable[Preview]") -> None:
        """Show rows beside what they become, as many as there are; not where stderr is a log, which has no values."""
        if not self.quiet and spoken() is None:
            from migrate.report.samples import samples  # noqa: PLC0415 - few commands need it

            self.terminal.print_samples(samples(previews, whole=self.is_whole))

    def json(self, numbers: Summary, run: Run) -> None:
        """Print the summary, if it was asked for, and keep it."""
        self.summary = document(numbers, run)
        if self.as_json:
            with suppress(BrokenPipeError):  # the exit code is that of the work, whoever reads
                sys.stdout.write(json.dumps(self.summary, ensure_ascii=False) + "\n")
                sys.stdout.flush()

    def json_unheld(self, numbers: Summary, run: Run) -> None:
        """Print the same past what Python holds back, in the middle of whatever is written; raises OSError."""
        self.summary = document(numbers, run)
        if self.as_json:
            os.write(sys.stdout.fileno(), f"{json.dumps(self.summary, ensure_ascii=False)}\n".encode())

    def warn(self, text: str) -> None:
        """Tell what is worth knowing while work goes on, also where only warnings and errors are wanted."""
        self.say(f"warning: {text}")

    def say(self, text: str) -> None:
        """Say a line on stderr, also where only warnings and errors are wanted."""
        say(text)
        self.log.said(text)

    def keep(self, numbers: Summary) -> None:
        """Tell the log the numbers of a workdir, and what is next there."""
        self.log.keep(
            Record(
                "totals",
                f"events: {numbers.events.planned:,} planned: {outcome(numbers.events)}",
                {name: value for name, value in document(numbers).items() if name in _TOTALS},
            )
        )
        if numbers.next:
            self.log.keep(Record("next", f"next: {numbers.next}", {"next": numbers.next}))

    @contextmanager
    def planning(self, following: Following | None = None) -> "Iterator[Callable[[Progress], None]]":
        """Show how far planning is; `following` is what the command does after it."""
        phase = Planning(self.clock, following)
        with self._showing(phase):
            yield phase.note

    @contextmanager
    def sending(self, total: int, *, before: int, delivery: "Delivery", pace: Pace) -> "Iterator[Watch]":
        """Show how far sending is: of so many events, so many settled `before` this command; yield what watches it."""
        host = urlsplit(delivery.url).netloc
        phase = Sending(self.clock, total, before=before, host=host, pace=pace, log=self.log)
        with self._showing(phase):
            yield phase

    @contextmanager
    def verifying(self) -> "Iterator[Verifying]":
        """Show how far verifying is; yield what is told."""
        from migrate.report.verified import Verifying  # noqa: PLC0415 - few commands need it

        phase = Verifying()
        with self._showing(phase):
            yield phase

    @contextmanager
    def fetching(self) -> "Iterator[Fetching]":
        """Show how far fetching is; yield what is told."""
        from migrate.report.fetched import Fetching  # noqa: PLC0415 - few commands need it

        phase = Fetching()
        with self._showing(phase):
            yield phase

    @contextmanager
    def _showing(self, phase: Phase) -> Iterator[None]:
        """Show how far a phase is: on a live line of a terminal, elsewhere on plain lines, or not at all."""
        if self.quiet:
            yield
            return
        terminal = self.terminal
        if terminal.is_live:
            with terminal.live(lambda: self._line(phase, terminal.width)):
                yield
            return
        ended = Event()
        ticking = Thread(target=self._tell, args=(phase, terminal, ended), daemon=True)
        ticking.start()
        try:
            yield
        finally:
            ended.set()
            ticking.join()

    def _tell(self, phase: Phase, terminal: "Terminal", ended: Event) -> None:
        """Print a plain line every few seconds until it has ended, also while nothing happens."""
        while not ended.wait(max(0.0, self._due - self.clock())):
            terminal.print([Line(self._line(phase, terminal.width))])
            self._due = self.clock() + self.plain_seconds

    def _line(self, phase: Phase, width: int | None) -> str:
        """Return the line of a phase, with how long the command has worked."""
        now = self.clock()
        since = Part(str(timedelta(seconds=int(now - self._began))), ((1, ""),))
        return line([since, *phase.parts(now)], width)
