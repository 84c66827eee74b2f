"""One command's work in a workdir: settings pinned, sources planned, the plan applied."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.checkpoint import Checkpoint, Settled

if TYPE_CHECKING:
    from migrate.plan import Progress
    from migrate.sender import Delivery
    from migrate.settings import Work


@dataclass
class Session:
    """Work in one workdir; `stop` asks whatever runs to end early, resumable."""

    checkpoint: Checkpoint
    _stops: list[Callable[[], None]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def workdir(self) -> Path:
        """The workdir."""
        return self.checkpoint.workdir

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self.interrupted = True
        for stop in self._stops:
            stop()

    def plan(
        self,
        work: "Work",
        on_progress: Callable[["Progress"], None] = lambda _: None,
    ) -> None:
        """Plan what is not planned yet."""
        # Sending alone needs none of these, and they take a fifth of a second.
        from migrate import census  # noqa: PLC0415
        from migrate.gather import Interrupted  # noqa: PLC0415
        from migrate.people import FILE as PEOPLE  # noqa: PLC0415
        from migrate.people import People  # noqa: PLC0415
        from migrate.plan import Planner  # noqa: PLC0415
        from migrate.settings import pinned  # noqa: PLC0415

        _collect_rarely()
        settings, now = work.settings, self._begun(work)
        pinned(self.checkpoint, settings)
        if not self.checkpoint.inputs():
            (self.workdir / PEOPLE).unlink(missing_ok=True)
        self.checkpoint.note(skipped={reason: len(names) for reason, names in work.skipped.items()})
        with ExitStack() as stack:
            path = self.workdir / PEOPLE
            people = stack.enter_context(People(path)) if work.is_about_people or path.exists() else None
            planner = Planner(
                workdir=self.workdir,
                checkpoint=self.checkpoint,
                transform=lambda job: settings.transform(job, people),
                clock=lambda: now,
                limit=settings.limit,
                on_progress=on_progress,
            )
            self._stops.append(planner.stopping.set)
            if self.interrupted:
                return
            todo = planner.todo(work.jobs)
            if people is None:
                planner.plan(todo)
                return
            with suppress(Interrupted):
                known = settings.census(people)
                census.link(known, settings.gatherer(people, stopping=planner.stopping), planner, todo)
                planner.plan(todo)
                census.tell(known, planner, settings.until)

    def _begun(self, work: "Work") -> datetime:
        """Return when this increment was begun, so that one that is resumed judges alike.

        With a file that was not there then another one begins: what is in it may be younger.
        """
        begun, known = self.checkpoint.facts().get("begun"), self.checkpoint.inputs()
        if begun is None or any(job.source.name not in known for job in work.jobs):
            begun = datetime.now(UTC).isoformat()
            self.checkpoint.note(begun=begun)
        return datetime.fromisoformat(begun)

    def apply(self, delivery: "Delivery", on_progress: Callable[[Settled], None] = lambda _: None) -> None:
        """Send what is planned and pending."""
        asyncio.run(self._applied(delivery, on_progress, resend=False))

    def resend(self, delivery: "Delivery") -> None:
        """Send the parked events again."""
        asyncio.run(self._applied(delivery, lambda _: None, resend=True))

    async def _applied(
        self, delivery: "Delivery", on_progress: Callable[[Settled], None], *, resend: bool
    ) -> None:
        """Send, so that `stop` reaches the sender."""
        from migrate import apply as applying  # noqa: PLC0415 - planning needs no HTTP client
        from migrate import parked  # noqa: PLC0415

        _collect_rarely()
        applying.pinned(self.checkpoint, delivery)
        parked.restore(self.workdir, self.checkpoint)
        work = applying.Apply(self.workdir, self.checkpoint, delivery, on_progress=on_progress)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(work.interrupt)

        self._stops.append(stop)
        try:
            if not self.interrupted:
                await (work.resend() if resend else work.run())
        finally:
            self._stops.remove(stop)


def _collect_rarely() -> None:
    """Have garbage looked for in what is made from now on, and seldom: it is a tenth of sending (measured)."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
