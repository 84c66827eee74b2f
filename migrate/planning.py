"""One command's planning: settings pinned, people opened, sources planned, what all of them tell planned after them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from migrate import examples, witnesses
from migrate.handed import Looking, Making
from migrate.inputs.names import natural
from migrate.logline import Record
from migrate.people.file import PeopleFile
from migrate.people.store import People
from migrate.pinning import parts_in, pin_parts, pin_settings
from migrate.plan import census
from migrate.plan.gather import Gatherer
from migrate.plan.interrupted import Interrupted
from migrate.plan.jobs import Job
from migrate.plan.planner import Planner
from migrate.plan.progress import Progress
from migrate.screen import counted
from migrate.session import Session, collect_rarely
from migrate.settings import Work
from migrate.stores import waiting
from migrate.together import put_together, settle
from migrate.workdir import asides, rejects, spans, totals
from migrate.workdir.harm import explaining
from migrate.workdir.renewal import is_left, supersede
from migrate.workdir.room import Measured, Room
from migrate.workdir.typed import Command


@dataclass(frozen=True)
class Planning:
    """What a command plans in a session's workdir, with the people of `file`."""

    session: Session
    work: Work
    file: PeopleFile
    parts: str | None = None
    """The folder in a storage in which the plan's files are to lie, where one is named."""

    @classmethod
    def of(cls, session: Session, work: Work, shared: Path | None, parts: str | None = None) -> "Planning":
        """Return the planning of this work, with the people's file of the workdir or of the folder `shared`."""
        return cls(session, work, PeopleFile(session.checkpoint, shared), parts)

    def plan(
        self,
        on_progress: Callable[[Progress], None] = lambda _: None,
        *,
        command: Command | None = None,
        again: Sequence[str] = (),
        emptied: Sequence[str] = (),
        resend: bool = False,
    ) -> None:
        """Plan what is not planned yet; `command` is what was typed for it, `again` are sources to plan anew.

        Of these, the `emptied` have no row by now. With `resend` rows of those that changed after they were sent are
        sent again, where PostHog keeps the later version. A workdir that refuses stays as it is.
        """
        collect_rarely()
        try:
            with self.file.hold(), self.work.settings.explained():
                self._pin(is_anew=bool(again))
                self._plan(on_progress, command, again, emptied, resend=resend)
        finally:
            self.session.remark(rejects.refresh(self.session.checkpoint))

    def _plan(
        self,
        on_progress: Callable[[Progress], None],
        command: Command | None,
        again: Sequence[str],
        emptied: Sequence[str],
        *,
        resend: bool,
    ) -> None:
        """Plan what is not planned yet."""
        session, checkpoint, settings = self.session, self.session.checkpoint, self.work.settings
        self._note_command(command)
        if again:
            try:
                self._make_way(again, on_progress, resend=resend)
            except Interrupted:
                return
            supersede(checkpoint, again, emptied)
        now = self._begin()
        session.remark(self.work.remarks)
        skipped = self.work.skipped
        asides.note_passed_over(checkpoint, skipped)
        for reason, names in skipped.items():
            for name in names:
                fields = {"file": name, "why": reason}
                session.on_log(Record("file_passed_over", f"passed over: {name}: {reason}", fields))
        planner = Planner(
            on_log=session.on_log,
            on_warning=session.on_warning,
            workdir=session.workdir,
            checkpoint=checkpoint,
            clock=lambda: now,
            limit=settings.limit,
            on_progress=on_progress,
            room=self._room,
            executor=session.executor,
            on_begin=waiting.begin,
            on_stop=waiting.end,
        )
        session.on_stop(planner.stopping.set)
        with waiting.left_by(session.stopped_by):
            todo = [] if session.is_stopping else planner.todo(self.work.jobs, self.work.looked)
        session.remark(
            f"{name}: was set aside, and is gone; what was planned of it stands"
            for name in planner.aside.gone
        )
        session.copies = [job.source.name for job in todo if job.source.lines is not None]
        if before := self.work.unchanged + len(self.work.jobs) - len(todo):
            said = f"planned before: {counted(before, 'file')}"
            session.on_log(Record("planned_before", said, {"files": before}))
        if not session.is_stopping and (todo or self._has_more()):
            with self.file.open() as people, waiting.left_by(session.stopped_by), explaining(checkpoint):
                self._plan_sources(planner, people, todo, resend=resend)
        found = sorted(planner.aside.found.items(), key=lambda one: natural(one[0]))
        aside = self.work.set_aside | dict(found)
        for name, one in aside.items():
            fields = {"file": name, "why": one.why}
            session.on_log(Record("file_set_aside", f"set aside: {name}: {one.why}", fields))
        session.set_aside += asides.note(checkpoint, aside, skipped)
        if not session.is_stopping:
            session.finish("planning", begun=None, unfinished=self._commands_but(command))
        if checkpoint.is_whole():
            checkpoint.note(unfinished=[])
        with checkpoint.change() as db:
            totals.keep(db)

    def _make_way(
        self, again: Sequence[str], on_progress: Callable[[Progress], None], *, resend: bool
    ) -> None:
        """Do what a killed command has left of sources, before the same is asked for again.

        Other files are put together when these are planned, too. Raises Interrupted where it is stopping.
        """
        checkpoint = self.session.checkpoint
        spans.drop(checkpoint, again)
        if is_left(checkpoint, again):
            put_together(self.session, on_progress)
            settle(self.session, on_progress, resend=resend)

    def _room(self, total: Mapping[str, int]) -> Room | None:
        """Return what holds the plan against the disk, which nothing does where its files lie in a storage.

        With --until, what is to come may be left out, all of it.
        """
        if self.work.settings.until is not None or self.session.checkpoint.depot.is_far:
            return None
        measured = self.session.checkpoint.facts().get("measured", {})
        return self.session.make_room(
            self.session.workdir, total, {kind: Measured(*one) for kind, one in measured.items()}
        )

    def _note_command(self, command: Command | None) -> None:
        """Note that this command plans; those before it that did not come to their end are still to be done."""
        if command is None:
            self.session.begin("planning")
            return
        commands = [*self._commands_but(command), command.fact()]
        self.session.begin("planning", unfinished=commands, planned_by=command.fact())

    def _commands_but(self, command: Command | None) -> list[object]:
        """Return the commands, as facts, that are still to be done beside this one."""
        known = self.session.checkpoint.facts().get("unfinished", [])
        return [one for one in known if command is None or one != command.fact()]

    def _has_more(self) -> bool:
        """Return whether anything is left to be planned that is no file: who is who, what is told of persons."""
        checkpoint = self.session.checkpoint
        facts = checkpoint.facts()
        is_told = facts.get("linked") and not facts.get("superseded") and not checkpoint.states()
        return not is_told or bool(spans.paths(checkpoint))

    def _plan_sources(self, planner: Planner, people: People, todo: Sequence[Job], *, resend: bool) -> None:
        """Plan the files that are not planned, and what all of them tell of people."""
        session, settings, checkpoint = self.session, self.work.settings, self.session.checkpoint
        if (first := examples.of(session, settings, todo)) is not None:
            planner.examine, planner.on_whole = first.examine, first.whole
            planner.on_first = partial(examples.keep, session, first, todo)
        with _until_stopped(planner):
            if settings.own is not None:
                witnesses.keep(session.workdir, settings, todo, planner.stopping.is_set)
            known = settings.census(people)
            people.forget_gathered(checkpoint.facts().get("superseded", []))
            with planner.employed(todo):
                gatherer = self._gatherer(people, planner)
                census.link(known, gatherer, planner, todo, settings.since)
                fit = [gatherer.settled(job) for job in todo if job.source.name not in planner.aside.found]
                making = Making(settings, people)
                planner.plan(fit, making, making.files)
            put_together(session, planner.on_progress)
            settle(session, planner.on_progress, resend=resend)
            census.tell(known, planner, settings.until)

    def _gatherer(self, people: People, planner: Planner) -> Gatherer:
        """Return what looks over files, those who plan at work at it before."""
        settings = self.work.settings
        return Gatherer(
            people=people,
            harvest=Looking(settings),
            workdir=planner.workdir,
            depot=planner.checkpoint.depot,
            identity=settings.choices.link,
            limit=settings.looked_at(),
            executor=planner.executor,
            on_begin=planner.on_begin,
            on_stop=planner.on_stop,
            on_log=planner.on_log,
            on_unfit=planner.aside.put,
            stopping=planner.stopping,
        )

    def _has_new_sources(self) -> bool:
        names = [job.source.name for job in self.work.jobs]
        known = self.session.checkpoint.inputs(names)
        return any(name not in known for name in names)

    def _pin(self, *, is_anew: bool) -> None:
        """Bind the workdir to its settings; where nothing is planned yet, begin with the people it was given."""
        checkpoint = self.session.checkpoint
        facts = checkpoint.facts()
        has_news = is_anew or not checkpoint.is_whole() or self._has_new_sources()
        with waiting.left_by(self.session.stopped_by):
            parts = None if self.parts is None else parts_in(checkpoint, self.parts)
        pin_settings(checkpoint, self.work.settings, has_news=has_news)
        if parts is not None:
            pin_parts(checkpoint, parts)
        if checkpoint.is_empty():
            self.file.begin(self.work.settings.since, is_new="platform" not in facts)
        else:
            self.file.check()

    def _begin(self) -> datetime:
        """Return when this increment was begun, so that one that is resumed judges alike.

        With a file that was not there then another increment begins: what is in it may be younger.
        """
        checkpoint = self.session.checkpoint
        begun = checkpoint.facts().get("begun")
        if begun is None or self._has_new_sources():
            begun = datetime.now(UTC).isoformat()
            checkpoint.note(begun=begun, increment=checkpoint.facts().get("increment", 0) + 1)
        return datetime.fromisoformat(begun)


@contextmanager
def _until_stopped(planner: Planner) -> Iterator[None]:
    """Let the work of the block end where it is asked to stop, also where a storage is left that gives no answer."""
    try:
        yield
    except Interrupted:
        return
    except KeyboardInterrupt:
        if not planner.stopping.is_set():
            raise
