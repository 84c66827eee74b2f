"""One command's work in a workdir: settings pin_settings, sources planned, the plan applied."""

import asyncio
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migrate import throwaway
from migrate.errors import Refused
from migrate.workdir.checkpoint import Checkpoint, Settled
from migrate.workdir.seals import Harmed

if TYPE_CHECKING:
    from migrate.apply.sender import Delivery
    from migrate.people.file import PeopleFile
    from migrate.people.store import People
    from migrate.plan.jobs import Job
    from migrate.plan.planner import Planner
    from migrate.plan.progress import Progress
    from migrate.settings import Work
    from migrate.workdir.room import Room

_SHOWN: Final = 3


@dataclass
class Session:
    """Work in one workdir; `stop` asks whatever runs to end early, resumable."""

    checkpoint: Checkpoint
    _stops: list[Callable[[], None]] = field(default_factory=list)
    interrupted: bool = False
    asked: str | None = None
    """Which option has stopped the work before its end, if one has."""
    before: dict[str, Any] = field(default_factory=dict)
    """The summary of the workdir as this process found it."""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_warning: Callable[[str], None] = lambda _: None
    """Told what the user is to know while work goes on."""
    set_aside: list[str] = field(default_factory=list)
    """Sources that this command was the first to set aside, or found to be others than when they were."""
    on_remark: Callable[[str], None] = lambda _: None
    remarks: list[str] = field(default_factory=list)
    """What was found in the workdir that people should know of."""

    judged: datetime | None = None
    """When it was last judged whether a day is old enough to be sent."""

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.interrupted or self.asked is not None

    @property
    def workdir(self) -> Path:
        """The workdir."""
        return self.checkpoint.workdir

    def tidy(self) -> None:
        """Remove what a killed process wrote aside: it holds what people did, and is of no use to any other."""
        throwaway.tidy(self.workdir)

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

    def remark(self, remarks: Iterable[str]) -> None:
        """Say what was found."""
        for text in remarks:
            self.remarks.append(text)
            self.on_remark(text)

    def plan(
        self,
        work: "Work",
        on_progress: Callable[["Progress"], None] = lambda _: None,
        *,
        command: str = "",
        again: Sequence[str] = (),
        shared: Path | None = None,
    ) -> None:
        """Plan what is not planned yet; `command` is what was typed for it. A workdir that refuses stays as it is.

        `shared`: the folder of a people's file that other workdirs of the project plan with, too.
        """
        # Sending alone needs none of these, and they take a fifth of a second.
        from migrate.people.file import PeopleFile  # noqa: PLC0415
        from migrate.workdir import rejects  # noqa: PLC0415

        _collect_rarely()
        file = PeopleFile(self.checkpoint, shared)
        try:
            with file.hold():
                self._pinned(work, file, is_anew=bool(again))
                self._plan(work, file, on_progress, command, again)
        finally:
            self.remark(rejects.refresh(self.checkpoint))

    def refresh(self) -> None:
        """Have the files for people tell what the checkpoint knows."""
        from migrate.workdir import parked, rejects  # noqa: PLC0415

        self.remark([*rejects.refresh(self.checkpoint), *parked.refresh(self.checkpoint)])

    def _plan(
        self,
        work: "Work",
        file: "PeopleFile",
        on_progress: Callable[["Progress"], None],
        command: str,
        again: Sequence[str],
    ) -> None:
        """Plan what is not planned yet, with these people."""
        from migrate.plan import again as anew  # noqa: PLC0415
        from migrate.plan.planner import Planner  # noqa: PLC0415

        settings = work.settings
        self._commanded(command)
        if again:
            anew.settle(self.checkpoint)  # what a killed command has left, before the same is asked for again
            self.checkpoint.supersede(again)
        now = self._begun(work)
        self.checkpoint.note(
            skipped={reason: len(names) for reason, names in work.skipped.items()},
            skipped_names={reason: names[:_SHOWN] for reason, names in work.skipped.items()},
        )
        planner = Planner(
            workdir=self.workdir,
            checkpoint=self.checkpoint,
            clock=lambda: now,
            limit=settings.limit,
            on_progress=on_progress,
            room=lambda total: self._room(total, settings.until),
        )
        self._stops.append(planner.stopping.set)
        todo = [] if self.is_stopping else planner.todo(work.jobs)
        if not self.is_stopping and (todo or self._has_more()):
            with file.open() as people:
                try:
                    self._planned(planner, work, people, todo)
                except Harmed as error:
                    raise self._harmed(error) from error
        self.set_aside += self.checkpoint.put_aside(work.set_aside | planner.aside.found)
        if not self.is_stopping:
            left = [one for one in self.checkpoint.facts()["plan_commands"] if one != command]
            self.checkpoint.note(planning=False, begun=None, plan_commands=left)
        if self.checkpoint.is_whole():
            self.checkpoint.note(plan_commands=[])

    def _room(self, total: Mapping[str, int], until: datetime | None) -> "Room | None":
        """Return what holds the plan against the disk; with --until, what is to come may be left out, all of it."""
        from migrate.workdir.room import Measured, Room  # noqa: PLC0415

        if until is not None:
            return None
        measured = self.checkpoint.facts().get("measured", {})
        return Room(self.workdir, total, {kind: Measured(*one) for kind, one in measured.items()})

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

    def _has_more(self) -> bool:
        """Return whether anything is left to be planned that is no file: who is who, what is told of persons."""
        facts = self.checkpoint.facts()
        return bool(not facts.get("linked") or facts.get("superseded") or self.checkpoint.states())

    def _planned(self, planner: "Planner", work: "Work", people: "People", todo: "Sequence[Job]") -> None:
        """Plan the files that are not planned, and what all of them tell of people."""
        from migrate.plan import again, census  # noqa: PLC0415
        from migrate.plan.gather import Interrupted  # noqa: PLC0415

        settings = work.settings
        with suppress(Interrupted):
            known = settings.census(people)
            people.forget_gathered(self.checkpoint.facts().get("superseded", []))
            census.link(known, settings.gatherer(people, stopping=planner.stopping), planner, todo)
            planner.plan(todo, lambda job: settings.transform(job, people))
            again.settle(self.checkpoint)
            census.tell(known, planner, settings.until)

    def _pinned(self, work: "Work", file: "PeopleFile", *, is_anew: bool) -> None:
        """Bind the workdir to its settings; where nothing is planned yet, begin with the people it was given."""
        from migrate.settings import pin_settings  # noqa: PLC0415

        known, facts = self.checkpoint.inputs(), self.checkpoint.facts()
        has_news = (
            is_anew
            or not self.checkpoint.is_whole()
            or any(job.source.name not in known for job in work.jobs)
        )
        pin_settings(self.checkpoint, work.settings, has_news=has_news)
        if not self.checkpoint.inputs():
            file.begin(work.settings.since, is_new="platform" not in facts)
        else:
            file.check()

    def _begun(self, work: "Work") -> datetime:
        """Return when this increment was begun, so that one that is resumed judges alike.

        With a file that was not there then another one begins: what is in it may be younger.
        """
        begun, known = self.checkpoint.facts().get("begun"), self.checkpoint.inputs()
        if begun is None or any(job.source.name not in known for job in work.jobs):
            begun = datetime.now(UTC).isoformat()
            self.checkpoint.note(begun=begun, increment=self.checkpoint.facts().get("increment", 0) + 1)
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
        from migrate.apply import applier as applying  # noqa: PLC0415 - planning needs no HTTP client

        _collect_rarely()
        applying.pinned(self.checkpoint, delivery)
        if not resend:
            self.checkpoint.note(min_age=delivery.min_age)
        work = applying.Applier(
            self.workdir, self.checkpoint, delivery, on_progress=on_progress, on_warning=self.on_warning
        )
        work.on_remarks = self.remark
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(work.interrupt)

        self._stops.append(stop)
        try:
            if not self.is_stopping:
                await (work.resend() if resend else work.run())
        except Harmed as error:
            raise self._harmed(error) from error
        finally:
            self._stops.remove(stop)
            self.judged = work.judged

    def _harmed(self, error: Harmed) -> Refused:
        """Return what is said of a part that is not what it was: its day and its sources."""
        from migrate.workdir.days import DAYS  # noqa: PLC0415

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
