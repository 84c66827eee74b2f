"""Who is who before the first file is planned, and what is told of persons and groups after the last."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from migrate.ahead import in_parallel
from migrate.errors import UsageError
from migrate.kit import events, expr, schemas
from migrate.kit.declare import ROW, Options, Table
from migrate.payload.payloads import Imprint
from migrate.people import clocks, identity
from migrate.people.file import begin_step, step_made
from migrate.people.firsts import first_touches
from migrate.people.identity import Report
from migrate.people.news import latest_news
from migrate.people.statefiles import Buckets
from migrate.people.store import People
from migrate.people.touches import Touches
from migrate.plan.gather import Gatherer
from migrate.plan.jobs import Job
from migrate.plan.judged import NOTHING_REJECTED, Made, judged
from migrate.plan.planner import Planner
from migrate.plan.progress import Counting, Progress
from migrate.plan.transform import Transform
from migrate.plan.waiting import tidy_states
from migrate.rules.frames import Ruling
from migrate.screen import counted
from migrate.throwaway import STAGING
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Numbers

IDENTITY: Final = "(identity {})"
PROFILES: Final = "(profiles {})"
FIRST_TOUCHES: Final = "(first touches {})"
_PEOPLE: Final = "who is who"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TABLE: Final = Table(name="told", columns={}, matches=lambda _: False, to_events=events.none)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the user wants to be done about people."""

    link: bool = True
    """Whether ids are linked at all; `--identity none` leaves every row under the id it carries."""
    max_cluster: int = identity.MAX_CLUSTER
    zone: str | None = None
    """The zone given as `--source-timezone`, None where none was."""
    tells: bool = True
    """Whether merges, persons and groups are told; a trial does not tell them, as its first rows do not know them."""


@dataclass(kw_only=True)
class Census:
    """What a workdir, or a preview, knows of people."""

    people: People
    choices: Choices
    options: Options
    imprint: Imprint
    ruling: Ruling | None = None
    """What holds of events that come from no row."""
    warning: str | None = None
    report: Report | None = None

    def resolve(self, end: int | None = None) -> None:
        """Work out, once all files are looked over, what clocks say and what the source has resolved itself.

        Raises UsageError where the clocks say that times are not UTC and no zone was given.
        """
        self.warning = clocks.check(self.people.clock(), self.choices.zone)
        identity.resolve(self.people, end=end)

    def merges(self, name: str, now: datetime) -> Generator[Made]:
        """Yield the `$identify` events that no earlier run has planned, kept as planned by this input."""
        choices = self.choices
        if not (choices.link and choices.tells):
            return
        for found in identity.new_merges(self.people, name, choices.max_cluster):
            if isinstance(found, Report):
                self.report = found
            else:
                yield self._made(_identify(found), now)

    def first_touches(self, buckets: Buckets, now: datetime, name: str) -> Generator[Made]:
        """Yield how people first came, as states tell it, noted as planned by the input `name`."""
        with self.people.transaction() as db:
            touches = Touches(self.people, db, name)

            def told() -> Iterator[pl.DataFrame]:
                for found in first_touches(buckets, touches):
                    touches.add(found.touches)
                    yield found.frame

            yield from self._all_made(told(), now)

    def tellings(
        self, buckets: Buckets, end: datetime | None, now: datetime, touches: Touches
    ) -> Generator[Made]:
        """Yield what states tell anew, noted within the transaction of `touches`."""
        yield from self._all_made(self._told(buckets, end, touches), now)

    def _told(self, buckets: Buckets, end: datetime | None, touches: Touches) -> Iterator[pl.DataFrame]:
        """Yield the frames of the events that tell it."""
        for found in latest_news(buckets, self.people, touches, end):
            if found.frame["timestamp"].null_count():
                raise UsageError(
                    "--until: missing; the profiles in these files have no time and there are no events to tell when "
                    "history ends, so give the time of the export with --until"
                )
            self.people.tell(found.notes)
            touches.add(found.touches)
            if found.frame.height:
                yield found.frame

    def _all_made(self, frames: Iterator[pl.DataFrame], now: datetime) -> Generator[Made]:
        """Yield event frames' events, those of one made in another thread while the next is worked out in this one."""
        yield from in_parallel(lambda frame: self._made(frame, now), _numbered(frames), 2)

    def _made(self, frame: pl.DataFrame, now: datetime) -> Made:
        """Return an event frame's events ready to send; what PostHog would refuse of them is counted as a warning."""
        numbers = Numbers()
        as_events = Transform(table=_TABLE, imprint=self.imprint, options=self.options, ruling=self.ruling)
        made, rejects = judged(frame, as_events, now, numbers, NOTHING_REJECTED)
        numbers.warnings.update(f"not_told.{reason}" for reason in rejects["reason"])
        numbers.examples.clear()  # what comes from no row has no place in a file
        return Made(made.rename({ROW: "row"}), numbers)


def link(
    census: Census, gatherer: Gatherer, planner: Planner, todo: Sequence[Job], since: datetime | None = None
) -> None:
    """Look over the files that were not yet, and plan what makes people of their ids. Raises Interrupted.

    `since`: from when on events are asked for.
    """
    people, checkpoint = census.people, planner.checkpoint
    people.keep_planned(checkpoint.derived())
    jobs = gatherer.todo(todo)
    if not jobs and checkpoint.facts().get("linked"):
        return
    checkpoint.note(linked=False)
    phase = f"looking over {counted(len(jobs), 'file')} for who is who"
    counting = Counting(jobs, planner.on_progress, phase, limit=gatherer.limit)
    gatherer.on_rows, gatherer.on_lost = counting.note_rows, counting.forget
    gatherer.on_file = _looked(people, planner, counting)
    gatherer.gather(jobs, checkpoint.inputs([job.source.name for job in jobs]))
    planner.on_progress(Progress.begun("finding who is who"))
    last = checkpoint.extent()[3]
    if last is None and since is not None and checkpoint.facts().get("people_taken_over"):
        last = (since - _EPOCH) // timedelta(microseconds=1)  # planned before, in another workdir
    ends = [end for end in (last, people.last()) if end is not None]
    census.resolve(max(ends, default=None))
    name = _next(IDENTITY, checkpoint)
    planner.plan_derived(name, census.merges(name, planner.clock()), leads=True)
    report = None if census.report is None else asdict(census.report)
    step = begin_step(checkpoint)
    people.step(step)
    checkpoint.note(identity=report, clock=census.warning, linked=True, **step_made(step))


def _looked(people: People, planner: Planner, counting: Counting) -> Callable[..., None]:
    """Return what counts a file that is looked over, and holds what is still to be kept of people against the disk."""
    room, before = planner.room({_PEOPLE: counting.total_bytes}), people.stored()
    if room is not None:
        room.folder = people.folder or room.folder
        room.begin(0, _PEOPLE, counting.total_bytes)

    def looked(size: int, *units: object) -> None:
        counting.note_file(size, *units)
        if room is not None:
            room.note(0, counting.done_bytes, people.stored() - before)

    return looked


def tell(census: Census, planner: Planner, until: datetime | None) -> None:
    """Plan what the planned files tell of persons and groups that was not told before. Raises Interrupted."""
    people, checkpoint = census.people, planner.checkpoint
    files, last = checkpoint.states(), checkpoint.extent()[3]
    people.note_last(last)
    if not files or planner.stopping.is_set():
        return
    if not census.choices.tells:
        checkpoint.note_told()
        tidy_states(checkpoint)
        return
    planner.on_progress(Progress.begun("planning what is told of persons and groups"))
    end = until if last is None else _EPOCH + timedelta(microseconds=last)
    aside = planner.workdir / STAGING / "states"
    now, name = planner.clock(), _next(FIRST_TOUCHES, checkpoint)
    with Buckets(files, aside, people) as buckets:
        planner.plan_derived(name, census.first_touches(buckets, now, name), leads=True)
        name, step = _next(PROFILES, checkpoint), begin_step(checkpoint)
        with people.transaction() as db:
            touches = Touches(people, db, name)
            planner.plan_derived(name, census.tellings(buckets, end, now, touches))
            people.step(step)
    checkpoint.note_told(**step_made(step))
    tidy_states(checkpoint)


def _numbered(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield event frames, each of which counts its rows from 1, with the numbers going on from one to the next."""
    before = 0
    for frame in frames:
        yield frame.with_columns(pl.col(ROW) + before)
        before += frame.height


def _next(name: str, checkpoint: Checkpoint) -> str:
    """Return the name of the next input of a kind; one that a killed process did not plan whole is planned anew."""
    return name.format(sum(one.startswith(name.partition("{")[0]) for one in checkpoint.derived()) + 1)


def _identify(merges: list[tuple[str, str, int]]) -> pl.DataFrame:
    """Return the event frame that makes anonymous ids known people's."""
    schema = {"anonymous": pl.String, "identified": pl.String, "time": pl.Int64}
    rows = (
        pl.LazyFrame(merges, schema, orient="row")
        .with_row_index(ROW, 1)
        .with_columns(pl.col(ROW).cast(pl.Int64))
    )
    frame = events.events(
        rows,
        event=pl.lit("$identify"),
        distinct_id=pl.col("identified"),
        timestamp=pl.col("time").cast(schemas.TIMESTAMP),
        dedup_key=expr.key(pl.lit("identify"), pl.col("anonymous"), pl.col("identified")),
        extra={"$anon_distinct_id": pl.col("anonymous")},
    )
    return frame.collect()
