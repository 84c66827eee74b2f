"""What the user hears while a command works and when it ends: lines, warnings and progress, and the JSON summary."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from migrate.report.document import document
from migrate.report.numbers import Run, Summary
from migrate.report.sections import Line
from migrate.screen import shown
from migrate.workdir.records import Settled

if TYPE_CHECKING:
    from migrate.plan.progress import Progress
    from migrate.preview import Preview
    from migrate.report.terminal import Terminal

_PLAIN_SECONDS: Final = 5.0
"""How often progress is told where there is no terminal."""


@dataclass(frozen=True)
class Step:
    """How far one phase of the work is."""

    phase: str
    done: int
    unit: str
    """What `done` and `total` count."""
    part: int
    whole: int
    """`part` of `whole`, of which the time that is left is told; in any unit."""
    total: int | None = None
    beside: str = ""
    """What else is told of how far it is."""

    def text(self, elapsed: float) -> str:
        """Return the line of progress after so many seconds: done, rate, what is left."""
        elapsed = max(elapsed, 0.001)
        of = f"/{self.total:,}" if self.total else ""
        left = timedelta(seconds=round(elapsed * (self.whole - self.part) / self.part)) if self.part else "?"
        done = f"{self.phase}: {self.done:,}{of} {self.unit}"
        parts = (done, f"{self.done / elapsed:,.0f}/s", self.beside, f"{left} left")
        return " · ".join(text for text in parts if text)


@dataclass
class Talk:
    """What the user hears on stderr, and the JSON summary on stdout."""

    quiet: bool = False
    as_json: bool = False
    rows: int = 3
    """How many rows are shown beside what they become."""
    is_whole: bool = False
    """Whether ids, long values and long rows are shown whole."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any moment on."""
    _last: float | None = field(default=None, init=False)
    """When progress was told last, where there is no terminal."""

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
        """Show rows beside what they become, as many as there are."""
        if not self.quiet:
            from migrate.report.samples import samples  # noqa: PLC0415 - few commands need it

            self.terminal.print_samples(samples(previews, whole=self.is_whole))

    def json(self, numbers: Summary, run: Run) -> None:
        """Print the summary, if it was asked for."""
        if self.as_json:
            with suppress(BrokenPipeError):  # the exit code is that of the work, whoever reads
                sys.stdout.write(json.dumps(document(numbers, run), ensure_ascii=False) + "\n")
                sys.stdout.flush()

    def warn(self, text: str) -> None:
        """Tell what is worth knowing while work goes on, also where only warnings and errors are wanted."""
        sys.stderr.write(f"warning: {shown(text)}\n")

    @contextmanager
    def planning(self) -> "Iterator[Callable[[Progress], None]]":
        """Show how far planning is."""
        with self._progress("planning") as show:

            def on_progress(now: "Progress") -> None:
                files = f"{now.done_files}/{now.total_files} files"
                show(
                    Step(
                        now.phase or "planning",
                        now.rows,
                        "rows",
                        now.done_bytes,
                        now.total_bytes,
                        beside=files,
                    )
                )

            yield on_progress

    @contextmanager
    def applying(self, numbers: Summary) -> Iterator[Callable[[Settled], None]]:
        """Show how far sending is."""
        total = numbers.events.planned - numbers.events.held
        done = total - numbers.events.pending
        with self._progress("sending") as show:

            def on_settled(more: Settled) -> None:
                nonlocal done
                done += more.accepted + more.duplicate + more.parked
                show(Step("sending", done, "events", done, total, total=total))

            yield on_settled

    @contextmanager
    def _progress(self, phase: str) -> Iterator[Callable[[Step], None]]:
        """Yield what shows progress: on a live line of a terminal, elsewhere on plain lines."""
        began = self.clock()
        if self.quiet:
            yield lambda _: None
            return
        terminal = self.terminal
        if not terminal.is_live:
            yield lambda step: self._plain(terminal, step, began)
            return
        with terminal.live(phase) as show:
            yield lambda step: show(step.text(self.clock() - began))

    def _plain(self, terminal: "Terminal", step: Step, began: float) -> None:
        """Print a line every few seconds, none at first."""
        now = self.clock()
        if self._last is None:
            self._last = now
        elif now - self._last >= _PLAIN_SECONDS:
            terminal.print([Line(step.text(now - began))])
            self._last = now
