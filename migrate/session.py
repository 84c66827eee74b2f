"""One command's work in a workdir: what ends it early, and what is said of it; `planning` and `sending` do the work."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migrate import throwaway
from migrate.errors import Refused
from migrate.logline import Record
from migrate.plan.choosing import chosen
from migrate.plan.executors import Executor
from migrate.plan.units import Unit
from migrate.report.numbers import NOTHING, Summary
from migrate.screen import counted
from migrate.workdir import parked, rejects, stops
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.history import Keeper
from migrate.workdir.room import Measured, Room
from migrate.workdir.typed import Command

if TYPE_CHECKING:
    from migrate.verifying.verdict import Verdict

_SHOWN: Final = 3


@dataclass
class Session:
    """Work in one workdir; `stop` asks whatever runs to end early, resumable."""

    checkpoint: Checkpoint
    _stops: list[Callable[[], None]] = field(default_factory=list)
    interrupted: bool = False
    asked: str | None = None
    """Which option has stopped the work before its end, if one has."""
    before: Summary = NOTHING
    """The summary of the workdir as this process found it."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_warning: Callable[[str], None] = lambda _: None
    """Told what the user is to know while work goes on."""
    on_log: Callable[[Record], None] = lambda _: None
    """Told each file that is planned, and what became of it."""
    set_aside: list[str] = field(default_factory=list)
    """Sources that this command was the first to set aside, or found to be others than when they were."""
    copies: list[str] = field(default_factory=list)
    """Copies of rejects that this command plans, each by its name as an input; rows of theirs may be mended."""
    on_remark: Callable[[str], None] = lambda _: None
    remarks: list[str] = field(default_factory=list)
    """What was found in the workdir that people should know of."""
    make_room: Callable[[Path, Mapping[str, int], Mapping[str, Measured]], Room] = Room
    """What holds a plan against the disk: of the workdir, the bytes to read and what was measured of them, by kind."""
    executor: Callable[[Sequence[Unit]], Executor] = chosen
    """Given what there is to plan, what plans it."""
    workers: int | None = None
    """How many plan at the same time, where that is said."""
    rows: int = 0
    """How many of the first rows are to be shown beside what they become."""
    shows_whole: bool = False
    """Whether ids of people are shown whole."""
    judged: datetime | None = None
    """When it was last judged whether a day is old enough to be sent."""
    is_throwaway: bool = False
    """Whether the workdir goes when the session ends."""
    is_refused: bool = False
    """Whether nothing was begun, as what was typed does not fit."""
    for_good: str = ""
    """The command that does for good what this one tries, if it does."""
    history: Keeper | None = None
    """What keeps the line of this command in the workdir's history, where it has one."""
    stopped: stops.Stop | None = None
    """Why what was under way has stopped, whether or not that could be noted."""
    fetched: Mapping[str, Any] = field(default_factory=dict)
    """What was fetched before, as JSON has it."""
    verdict: "Verdict | None" = None
    """What PostHog has of what was sent, where it was asked."""
    phase: stops.Phase | None = None
    """What is under way, and is to be gone on with if it does not come to its end."""

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.interrupted or self.asked is not None

    @property
    def workdir(self) -> Path:
        """The workdir."""
        return self.checkpoint.workdir

    def tidy(self) -> None:
        """Remove what a killed process wrote aside: it holds data of people, and nothing reads it any more."""
        throwaway.tidy(self.workdir)
        self.checkpoint.depot.take()

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self.interrupted = True
        self._stop()

    def stop_as_asked(self, option: str) -> None:
        """Finish what is in flight, then end, as this option asks."""
        self.asked = self.asked or option
        self._stop()

    def _stop(self) -> None:
        for stop in self._stops:
            stop()

    def on_stop(self, stop: Callable[[], None]) -> None:
        """Have this called when the work is to end early."""
        self._stops.append(stop)

    @contextmanager
    def stopped_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have this called when the work is to end early, as long as the block lasts."""
        self._stops.append(stop)
        try:
            yield
        finally:
            self._stops.remove(stop)

    def remark(self, remarks: Iterable[str]) -> None:
        """Say what was found."""
        for text in remarks:
            self.remarks.append(text)
            self.on_remark(text)

    def begin(self, phase: stops.Phase, **facts: object) -> None:
        """Note that a phase begins."""
        self.phase = phase
        self.checkpoint.note(**stops.begun(phase), **facts)

    def finish(self, phase: stops.Phase, **facts: object) -> None:
        """Note that a phase has come to its end."""
        self.phase = None
        self.checkpoint.note(**{phase: False}, **facts)

    def note_stop(
        self, why: str | None = None, message: str | None = None, checkpoint: Checkpoint | None = None
    ) -> None:
        """Note why what is under way stops: for this reason, or as it was asked to.

        `checkpoint`: another opening of the same one, where this one is in the middle of something.
        """
        why = why or ("interrupted" if self.interrupted else self.asked)
        if self.phase is not None and why is not None:
            self.stopped = stops.note(checkpoint or self.checkpoint, self.phase, why, message)

    def refresh(self) -> None:
        """Write the files for people anew, where the checkpoint knows other than they say."""
        self.remark([*rejects.refresh(self.checkpoint), *parked.refresh(self.checkpoint)])

    def check_whole(self, *, partial: bool) -> None:
        """Raise Refused if the plan is not whole; with `partial` it may be sent as it is, which is noted for ever."""
        if self.checkpoint.is_whole():
            return
        if partial:
            self.checkpoint.note(partial=True)
            return
        left, total = len(self.checkpoint.unplanned()), len(self.checkpoint.inputs())
        planning = [Command.of(one) for one in self.checkpoint.facts().get("unfinished", [])]
        commands = " and ".join(one.shown(self.workdir) for one in planning) or "the command that began it"
        how_far = (
            f"{total - left:,} of {counted(total, 'file')} are planned"
            if left
            else "persons and groups are not told yet"
        )
        raise Refused(
            f"{self.workdir}: the plan is not whole, {how_far}; finish it with: {commands}; "
            "or send what is there with --partial"
        )


def collect_rarely() -> None:
    """Leave out what is there now where garbage is collected: it is a tenth of the time of sending (measured)."""
    gc.freeze()
