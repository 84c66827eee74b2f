"""One command's work in a workdir: settings pinned, sources planned, the plan applied."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migrate.checkpoint import Checkpoint, Settled
from migrate.errors import Refused
from migrate.seals import Harmed, Seal

if TYPE_CHECKING:
    from migrate.people import People
    from migrate.plan import Planner, Progress
    from migrate.sender import Delivery
    from migrate.settings import Work

_SHOWN: Final = 3


@dataclass
class Session:
    """Work in one workdir; `stop` asks whatever runs to end early, resumable."""

    checkpoint: Checkpoint
    _stops: list[Callable[[], None]] = field(default_factory=list)
    interrupted: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    """The summary of the workdir as this process found it."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    set_aside: list[str] = field(default_factory=list)
    """Sources that this command was the first to set aside, or found to be others than when they were."""

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
        *,
        command: str = "",
        again: Sequence[str] = (),
    ) -> None:
        """Plan what is not planned yet; `command` is what was typed for it. A workdir that refuses stays as it is."""
        # Sending alone needs none of these, and they take a fifth of a second.
        from migrate import again as anew  # noqa: PLC0415
        from migrate.plan import Planner  # noqa: PLC0415

        _collect_rarely()
        settings = work.settings
        self._pinned(work, is_anew=bool(again))
        self._commanded(command)
        if again:
            anew.settle(self.checkpoint)  # what a killed command has left, before the same is asked for again
            self.checkpoint.supersede(again)
        now = self._begun(work)
        self.checkpoint.note(
            skipped={reason: len(names) for reason, names in work.skipped.items()},
            skipped_names={reason: names[:_SHOWN] for reason, names in work.skipped.items()},
        )
        with ExitStack() as stack:
            people = self._people(work, stack)
            planner = Planner(
                workdir=self.workdir,
                checkpoint=self.checkpoint,
                transform=lambda job: settings.transform(job, people),
                clock=lambda: now,
                limit=settings.limit,
                on_progress=on_progress,
            )
            self._stops.append(planner.stopping.set)
            if not self.interrupted:
                try:
                    self._planned(planner, work, people)
                except Harmed as error:
                    raise self._harmed(error) from error
            self.set_aside += self.checkpoint.put_aside(work.set_aside | planner.aside)
        if not self.interrupted:
            left = [one for one in self.checkpoint.facts()["plan_commands"] if one != command]
            self.checkpoint.note(planning=False, begun=None, plan_commands=left)
        if self.checkpoint.is_whole():
            self.checkpoint.note(plan_commands=[])

    def _people(self, work: "Work", stack: ExitStack) -> "People | None":
        """Open the people's file, if there is to be one; when it is closed the checkpoint knows it by its seal."""
        from migrate.people import FILE, People  # noqa: PLC0415

        path = self.workdir / FILE
        if not work.is_about_people and not path.exists():
            return None
        self.checkpoint.seal_people(None)
        stack.callback(lambda: self.checkpoint.seal_people(Seal.of(path)))
        people = stack.enter_context(People(path))
        if self.checkpoint.facts().get("people_id") is None:
            name, generation = people.which()
            self.checkpoint.note(people_id=name, people_generation=generation)
        return people

    def _commanded(self, command: str) -> None:
        """Note that this command plans; those before it that did not come to their end are still to be done."""
        before = self.checkpoint.facts().get("plan_commands", [])
        commands = [*(one for one in before if one != command), command]
        self.checkpoint.note(planning=True, command=command, plan_commands=commands)

    def check_whole(self, *, partial: bool) -> None:
        """Raise Refused where the plan is not whole, unless what there is may be sent: that is noted for ever."""
        if self.checkpoint.is_whole():
            return
        if partial:
            self.checkpoint.note(partial=True)
            return
        left, total = len(self.checkpoint.unplanned()), len(self.checkpoint.inputs())
        commands = (
            " and ".join(self.checkpoint.facts().get("plan_commands", [])) or "the command that began it"
        )
        how_far = (
            f"{total - left:,} of {total:,} files are planned"
            if left
            else "persons and groups are not told yet"
        )
        raise Refused(
            f"{self.workdir}: the plan is not whole, {how_far}; finish it with: {commands}; "
            "or send what is there with --partial"
        )

    def _planned(self, planner: "Planner", work: "Work", people: "People | None") -> None:
        """Plan the files that are not planned, and what all of them tell of people."""
        from migrate import again, census  # noqa: PLC0415
        from migrate.gather import Interrupted  # noqa: PLC0415

        settings = work.settings
        todo = planner.todo(work.jobs)
        if people is None:
            planner.plan(todo)
            again.settle(self.checkpoint)
            return
        with suppress(Interrupted):
            known = settings.census(people)
            people.forget_gathered(self.checkpoint.facts().get("superseded", []))
            census.link(known, settings.gatherer(people, stopping=planner.stopping), planner, todo)
            planner.plan(todo)
            again.settle(self.checkpoint)
            census.tell(known, planner, settings.until)

    def _pinned(self, work: "Work", *, is_anew: bool) -> None:
        """Bind the workdir to its settings; where nothing is planned yet, begin with the people it was given."""
        from migrate import people  # noqa: PLC0415
        from migrate.settings import pinned  # noqa: PLC0415

        known, facts = self.checkpoint.inputs(), self.checkpoint.facts()
        has_news = (
            is_anew
            or not self.checkpoint.is_whole()
            or any(job.source.name not in known for job in work.jobs)
        )
        pinned(self.checkpoint, work.settings, has_news=has_news)
        if not self.checkpoint.inputs():
            is_new = "platform" not in facts
            taken = people.begin(self.workdir, work.settings.since, is_new=is_new)
            self.checkpoint.note(people_taken_over=taken, people_id=None)
        elif facts.get("people_id") is not None:
            seal = self.checkpoint.people_seal()
            people.Known(facts["people_id"], facts["people_generation"], seal).check(
                self.workdir / people.FILE
            )

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
        except Harmed as error:
            raise self._harmed(error) from error
        finally:
            self._stops.remove(stop)

    def _harmed(self, error: Harmed) -> Refused:
        """Return what is said of a part that is not what it was: its day and its sources."""
        from migrate.days import DAYS  # noqa: PLC0415

        path = error.path.relative_to(self.workdir)
        names = self.checkpoint.sources(path.as_posix())
        if not names:
            return error
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        way = f"plan it anew, with --again {names[0]}"
        if names[0].startswith("("):
            shown = "what all sources together say of people"
            way = "plan them into a new --workdir: what was sent already collapses with what is sent again"
        left = (
            f"; nothing of this day ({path.parts[1]}) or a later one is sent any more"
            if path.parts[0] == DAYS
            else ""
        )
        return Refused(
            f"{error.path}: harmed since it was planned, {error.why}{left}; it is of {shown}: {way}"
        )


def _collect_rarely() -> None:
    """Have garbage looked for in what is made from now on, and seldom: it is a tenth of sending (measured)."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
