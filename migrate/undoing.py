"""What of an import there is in PostHog; its people deleted, those who are of nothing else, where that is asked for.

What PostHog offers stands in posthog-ingestion.md §9.7: people with all of their events, a thousand a request, or the
whole project. Single events are deleted by its support alone.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import polars as pl

from migrate.apply.halt import Abandoned, Halt
from migrate.asking import queries
from migrate.asking.api import Api
from migrate.asking.project import Project
from migrate.asking.target import Access
from migrate.errors import Refused, TookTooLong
from migrate.session import Session
from migrate.verifying.counting import Counting
from migrate.verifying.ledger import Ledger
from migrate.verifying.spans import DAY, Span, midnight
from migrate.verifying.verifier import project_of
from migrate.workdir import rounds
from migrate.workdir.harm import explained
from migrate.workdir.seals import Harmed

T = TypeVar("T")
_NAME: Final = "migrate undo"
"""What its queries are called in PostHog's own log."""
_UNKNOWN: Final = """
    SELECT (SELECT coalesce(sum(events), 0) FROM cleaned)
        + (SELECT coalesce(sum(events), 0) FROM parts JOIN rounds USING (day, round) WHERE NOT done)
"""
_AT_ONCE: Final = 500
"""Ids that are asked for, and people that are deleted, in one request; PostHog takes a thousand."""


@dataclass(frozen=True)
class There:
    """What of an import there is in a project, and in which days its events are: [since, until)."""

    app_host: str
    project: int | str
    name: str
    import_id: str
    events: int
    since: str
    until: str
    ids: int
    """Ids that events of this workdir have."""
    sent: int = 0
    """Events that were acknowledged of this workdir; where there are more, another one sent under the same name."""

    unknown: int = 0
    """Events whose people are not known here: their files are gone, or they were on their way when it was stopped."""

    @property
    def predicate(self) -> str:
        """What tells its events from all others, in HogQL."""
        return queries.is_of(midnight(self.since), midnight(self.until), self.import_id)

    @property
    def query(self) -> str:
        """What gives the uuids of its events in PostHog's SQL editor."""
        return queries.every_uuid(midnight(self.since), midnight(self.until), self.import_id)


@dataclass
class Deleted:
    """What became of the people of an import."""

    people: int = 0
    """People that are deleted, or will be, with all of their events."""
    others: int = 0
    """People who stay, as they have events of another origin."""
    unasked: int = 0
    """People who stay, as PostHog could not say in its ten seconds what they have."""
    failed: int = 0
    """People whom PostHog did not delete, though it was asked to."""


def look_there(session: Session, access: Access) -> There | None:
    """Return what there is of the import of a workdir; None where that was interrupted."""
    halt = Halt(grace=2.0)

    async def run() -> There:
        async with Api(access.app_host, access.key, halt=halt) as api:
            return await _there(session, api, access)

    return _until_stopped(session, halt, run)


def delete_people(
    session: Session, access: Access, there: There, on_done: Callable[[Deleted], None] = lambda _: None
) -> Deleted | None:
    """Have the people of an import deleted who have no event of another origin, each asked about just before.

    None where that was interrupted; the same again goes on, as nobody is there twice.
    """
    halt = Halt(grace=2.0)

    async def run() -> Deleted:
        found = Deleted()
        async with Api(access.app_host, access.key, halt=halt) as api:
            for ids in _batches(Ledger(session.checkpoint)):
                await _delete(api, there, ids, found)
                on_done(found)
        return found

    return _until_stopped(session, halt, run)


def _until_stopped(session: Session, halt: Halt, work: Callable[[], Coroutine[None, None, T]]) -> T | None:
    """Return what work comes to; None where the session stops it."""

    async def run() -> T:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(halt.call)

        with session.stopped_by(stop):
            return await work()

    if session.is_stopping:
        return None
    try:
        return asyncio.run(run())
    except Abandoned:
        return None
    except Harmed as error:
        raise explained(session.checkpoint, error) from error


async def _there(session: Session, api: Api, access: Access) -> There:
    facts, ledger = session.checkpoint.facts(), Ledger(session.checkpoint)
    if not ledger.days:
        raise Refused(f"{session.workdir}: nothing was sent from here that could be undone")
    project = await project_of(api, facts, access.project_id)
    import_id = str(facts["import_id"])
    since, until = ledger.days[0], (midnight(ledger.days[-1]) + DAY).date().isoformat()
    events, since, until = await _bounds(api, project, import_id, since, until)
    ids = sum(len(some) for some in _batches(ledger))
    sent = rounds.outcome(session.checkpoint).accepted
    (unknown,) = session.checkpoint.query(_UNKNOWN).fetchone()
    unknown += sum(part.events for part in ledger.lost.values())
    return There(api.app_host, project.id, project.name, import_id, events, since, until, ids, sent, unknown)


async def _bounds(api: Api, project: Project, import_id: str, since: str, until: str) -> tuple[int, str, str]:
    """Return how many events there are of an import, and between which days; at least those of the plan."""
    try:
        ((oldest, newest, events),) = await api.query(project.id, queries.bounds(import_id), name=_NAME)
    except TookTooLong:
        asked = await Counting(api, project.id, import_id).ask(Span(midnight(since), midnight(until)))
        return sum(count.events for count in asked.there.values()), since, until
    if not events:
        return 0, since, until
    last = (midnight(str(newest)[:10]) + DAY).date().isoformat()
    return int(events), min(since, str(oldest)[:10]), max(until, last)


def _batches(ledger: Ledger) -> Iterator[list[str]]:
    """Yield the ids of an import, each once: they grow with the number of people, and nothing else here does."""
    ids = pl.Series("distinct_id", [], pl.String)
    for day in ledger.days:
        ids = pl.concat([ids, ledger.people(day)]).unique()
    for some in ids.sort().to_frame().iter_slices(_AT_ONCE):
        yield some["distinct_id"].to_list()


async def _delete(api: Api, there: There, ids: Sequence[str], found: Deleted) -> None:
    """Delete those of the people of some ids who are of nothing else."""
    rows = await api.query(there.project, queries.persons(ids), name=_NAME)
    people = sorted({str(person) for _, person in rows})
    others, unasked = await _of_others(api, there, people) if people else (set[str](), set[str]())
    found.others += len(others)
    found.unasked += len(unasked)
    if gone := [person for person in people if person not in others | unasked]:
        path = f"/api/projects/{there.project}/persons/bulk_delete/"
        answer = await api.post(path, {"ids": gone, "delete_events": True})
        failed = answer.get("deletion_errors")
        found.failed += len(failed) if isinstance(failed, list) else 0
        found.people += int(answer.get("persons_deleted") or 0)


async def _of_others(api: Api, there: There, people: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return who of these people has an event of another origin, and of whom PostHog cannot say in time."""
    try:
        rows = await api.query(there.project, queries.newest_of(people, but=there.import_id), name=_NAME)
    except TookTooLong:
        if len(people) == 1:
            return set(), {*people}
        middle = len(people) // 2
        first = await _of_others(api, there, people[:middle])
        last = await _of_others(api, there, people[middle:])
        return first[0] | last[0], first[1] | last[1]
    return {str(person) for person, _, events in rows if int(events)}, set()
