"""A whole verification: counted range by range, asked again while more comes, judged, and some merges looked at."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from migrate.apply.halt import Halt
from migrate.apply.target import is_key_of
from migrate.asking import queries
from migrate.asking.api import Api
from migrate.asking.project import Project, find
from migrate.errors import Refused, Unasked
from migrate.numbering import place
from migrate.screen import shortened
from migrate.verifying import merges
from migrate.verifying.causes import YOUNG, Known, Warned
from migrate.verifying.counting import NAME, Counting
from migrate.verifying.judging import Judge
from migrate.verifying.ledger import ByEvent, Ledger
from migrate.verifying.looking import Looking
from migrate.verifying.merges import Merge
from migrate.verifying.patience import Patience, Waited
from migrate.verifying.progress import Progress, Step, Tally
from migrate.verifying.spans import spans
from migrate.verifying.verdict import Cause, Example, Finding, Findings, Judged, Merges, Verdict
from migrate.workdir import lost, origins
from migrate.workdir.checkpoint import Checkpoint

_FORBIDDEN: Final = 403
_PARKED: Final = "parked: PostHog refused them"
_HELD: Final = "not sent yet"
_CLEANED: Final = "files of the plan are gone (--dedup-days)"
_UNREAD: Final = "files of the plan are lost or harmed, and no source can put them back"
_LOST: Final = "files of the plan are lost, and what was planned of them again was sent again (--resend-lost)"
_REFUSED: Final = Judged(
    Cause.MERGE_REFUSED,
    "PostHog has two people where the plan makes one: it refuses to merge somebody it knows as another, and ids that "
    "stand for nobody",
)
_UNDONE: Final = Judged(
    Cause.NOT_THERE_YET,
    "accepted within the last hour, and PostHog has not made one person of two yet; ask again in an hour",
)


@dataclass(frozen=True)
class Wishes:
    """How it is asked."""

    project_id: str | None = None
    only: Collection[str] | None = None
    """Days that are compared, of all."""
    patience: Patience = field(default_factory=Patience)
    on_counted: Callable[[int, int], None] = lambda _done, _days: None
    """Told how many days are counted, of how many."""
    halt: Halt = field(default_factory=Halt)


async def verify(checkpoint: Checkpoint, api: Api, wishes: Wishes, now: datetime) -> Verdict:
    """Return what PostHog has of what it acknowledged; raises Unasked, and goes on from there the next time.

    Raises Refused where nothing was sent from the workdir, or the project is another.
    """
    facts = checkpoint.facts()
    ledger = Ledger(checkpoint, wishes.only)
    if "target" not in facts:
        raise Refused(f"{checkpoint.workdir}: nothing was sent from here; send it first with 'migrate apply'")
    project = await project_of(api, facts, wishes.project_id)
    import_id = str(facts["import_id"])
    progress = Progress(checkpoint.workdir, _question(checkpoint, api, project, wishes), now)
    counting = Counting(api, project.id, import_id)
    tally = await _counted(counting, ledger, progress, wishes)
    waited = await wishes.patience.ask_again(counting, ledger, tally, now, wishes.halt)
    unseen = [*project.unseen]
    warned = await _warned(api, project, ledger, unseen)
    known = _known(project, ledger, tally, waited)
    judge = Judge(ledger, Looking(api, project.id, import_id, ledger), known, warned, tally)
    found = await judge.judge()
    asked = merges.sample(ledger, tally.merging)
    refused = await _refused(api, project, asked, unseen)
    young = {day for day, sent in ledger.sent.items() if sent.last > waited.until - YOUNG}
    _name(refused or [], found, young)
    done = 0 if refused is None else len(asked) - len(refused)
    progress.end()
    findings = found.all()
    _place(checkpoint, findings)
    return Verdict(
        planned=tally.planned,
        there=tally.there,
        days=len(ledger.days),
        findings=tuple(findings),
        merges=Merges(sum(tally.merging.values()), len(asked), done),
        not_compared=_not_compared(checkpoint, ledger, wishes.only),
        uncounted=tuple(sorted(tally.uncounted)),
        unseen=tuple(dict.fromkeys(unseen)),
        asked=api.asked,
        by_day=_by_day(ledger, tally),
    )


async def project_of(api: Api, facts: Mapping[str, Any], project_id: str | None) -> Project:
    """Return the project that a workdir was sent to, found by the key it was sent with, of which a hash is kept.

    Raises Refused where the personal key does not see it, or where it is not the one with this id.
    """
    if project_id is None:
        projects = await api.all("/api/projects/")
        tokens = [str(one.get("api_token")) for one in projects]
        token = next((one for one in tokens if is_key_of(facts, one)), None)
        if token is None:
            raise Refused(
                f"{api.app_host}: none of the {len(projects)} projects that the personal API key sees has the key that "
                "this workdir was sent with; give a personal API key of the same organisation and region"
            )
        return await find(api, token, None)
    try:
        token = (await api.get(f"/api/projects/{project_id}/")).get("api_token")
    except Unasked as error:
        if error.status != _FORBIDDEN:
            raise
        token = None
    if isinstance(token, str) and not is_key_of(facts, token):
        raise Refused(
            f"--project-id: this workdir was sent with the key of another project, found {project_id}; leave it out, "
            "or give the one that is meant"
        )
    return await find(api, None, project_id)


async def _counted(counting: Counting, ledger: Ledger, progress: Progress, wishes: Wishes) -> Tally:
    """Return what all ranges come to, those that are known already included."""
    tally = Tally()
    for step in progress.steps:
        tally.add(step)
    last = progress.steps[-1].until if progress.steps else None
    after = "" if last is None else last.astimezone(UTC).date().isoformat()

    def days() -> Iterator[tuple[str, ByEvent]]:
        for day in ledger.days:
            if day >= after:
                yield day, ledger.of(day)

    async for asked in counting.over(spans(days(), is_whole=wishes.only is None, since=last)):
        step = Step.of(asked)
        progress.add(step)
        tally.add(step)
        wishes.on_counted(len(tally.by_day), len(ledger.days))
    return tally


def _by_day(ledger: Ledger, tally: Tally) -> dict[str, int]:
    """Return what there is of each day that was asked about and counted whole."""
    unknown = {hour[:10] for hour in tally.uncounted}
    return {day: tally.found[day] for day in sorted({*ledger.days, *+tally.found}) if day not in unknown}


def _known(project: Project, ledger: Ledger, tally: Tally, waited: Waited) -> Known:
    lost = Counter[str]()
    for one in tally.differences:
        lost[one.event] += one.missing
    return Known(
        now=waited.until,
        sent=ledger.sent,
        by_event=tally.by_event,
        retention_months=project.retention_months,
        is_enforced=project.is_enforced,
        oldest_seconds=project.oldest_seconds,
        is_growing=waited.is_growing,
        lost=lost,
    )


async def _warned(api: Api, project: Project, ledger: Ledger, unseen: list[str]) -> Warned:
    """Return what ingestion has warned of since the import began, where that can be seen."""
    begun = min((sent.first for sent in ledger.sent.values()), default=None)
    if begun is None:
        return Warned([])
    since = begun - timedelta(days=1)
    try:
        rows = await api.query(project.id, queries.warnings(since), name=NAME)
    except Unasked as error:
        unseen.append(f"ingestion warnings (found '{error.words or error}')")
        return Warned([])
    return Warned([(str(kind), int(count)) for kind, count in rows])


async def _refused(
    api: Api, project: Project, asked: Sequence[Merge], unseen: list[str]
) -> Sequence[Merge] | None:
    """Return those of some planned merges that have not come true; None where that cannot be seen."""
    try:
        return await merges.refused(api, project.id, asked)
    except Unasked as error:
        unseen.append(f"whether merges came true (found '{error.words or error}')")
        return None


def _name(refused: Sequence[Merge], found: Findings, young: Collection[str]) -> None:
    """Name merges that have not come true; `young`: days of which something may be on its way."""
    for one in refused:
        example = Example(one.day, one.event, one.uuid, now=" and ".join(map(shortened, one.ids)))
        found.add(_UNDONE if one.day in young else _REFUSED, 1, one.day, one.event, [example])


def _not_compared(checkpoint: Checkpoint, ledger: Ledger, only: Collection[str] | None) -> dict[str, int]:
    """Return what of the plan is not compared, and why; of some days alone nothing is said of others."""
    unread = sum(part.events for part in ledger.lost.values())
    if only is not None:
        return {_UNREAD: unread} if unread else {}
    sql = """
        SELECT (SELECT count(*) FROM parked),
            (SELECT coalesce(sum(events), 0) FROM parts LEFT JOIN rounds USING (day, round)
                WHERE NOT coalesce(done, 0)),
            (SELECT coalesce(sum(events), 0) FROM cleaned)
    """
    parked, held, gone = checkpoint.query(sql).fetchone()
    events = checkpoint.facts().get(lost.LOST, {}).get("events", 0)
    counts = {_PARKED: parked, _HELD: held, _CLEANED: gone - events, _LOST: events, _UNREAD: unread}
    return {why: count for why, count in counts.items() if count}


def _place(checkpoint: Checkpoint, findings: list[Finding]) -> None:
    """Tell of the examples which rows they came from."""
    examples = [one for finding in findings for one in finding.examples]
    came = origins.places(checkpoint, ((one.day, one.uuid) for one in examples))
    for finding in findings:
        finding.examples = [
            one._replace(place=place(*came[one.uuid])) if one.uuid in came else one
            for one in finding.examples
        ]


def _question(checkpoint: Checkpoint, api: Api, project: Project, wishes: Wishes) -> str:
    """Return what decides the answer, as a hash: what was acknowledged, where it is asked for, which days."""
    rounds = checkpoint.query(
        "SELECT day, round, accepted, duplicate, parked FROM rounds ORDER BY day, round"
    ).fetchall()
    parts = checkpoint.query("SELECT count(*) FROM parts").fetchone()
    only = None if wishes.only is None else sorted(wishes.only)
    told = json.dumps([rounds, parts, api.app_host, project.id, only])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
