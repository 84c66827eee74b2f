"""The numbers of a whole migration, as its workdir has them, and what of them one process did."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypedDict

from migrate.apply import age
from migrate.apply.target import noted
from migrate.screen import shortened
from migrate.workdir import lost, parked, rounds, standing, warned
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.renewal import REPLANNED

MAX_GROUP_TYPES: Final = 5


class Cluster(TypedDict):
    """Ids that belong together: how many, and the first of them."""

    size: int
    ids: list[str]


class Identity(TypedDict):
    """Who is who, as planning noted it (`migrate.people.identity.Report`)."""

    people: int
    links: int
    merges: int
    resolved: int
    clusters: dict[str, int]
    largest: list[Cluster]
    conflicts: int
    conflicting: list[Cluster]
    anonymous: int
    refused: dict[str, int]


@dataclass(frozen=True)
class RowCounts:
    """What became of source rows. Always `read == mapped + Σ filtered + Σ rejected`."""

    read: int = 0
    mapped: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    """Rows left out, by the filter's name."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Rows that cannot become events, by reason."""

    @property
    def left_out(self) -> int:
        """Rows that are filtered or rejected."""
        return sum(self.filtered.values()) + sum(self.rejected.values())


@dataclass(frozen=True)
class Events:
    """What became of planned events; the other numbers add up to `planned`."""

    planned: int = 0
    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
    held: int = 0
    """Events of days that are too young to be sent."""
    pending: int = 0


@dataclass(frozen=True)
class Summary:
    """The numbers of a workdir, in the order in which `--json` prints them; the defaults are of no workdir."""

    rows: RowCounts = field(default_factory=RowCounts)
    events: Events = field(default_factory=Events)
    requests: int = 0
    retries: int = 0
    bytes_sent: int = 0
    first_timestamp: str | None = None
    """RFC 3339, of planned events."""
    last_timestamp: str | None = None
    held_until: str | None = None
    """When the first of the held events may be sent."""
    seconds: float = 0.0
    """How long sending took."""
    balanced: bool = True
    whole: bool = False
    """Whether all that was to be planned is."""
    workdir: str | None = None
    parts: str | None = None
    """Where in a storage the files of the plan lie, if they do."""
    import_id: str | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    dropped_columns: Mapping[str, int] = field(default_factory=dict)
    """Source column that its table drops → in how many files it is."""
    notes: Sequence[str] = ()
    set_aside: Mapping[str, str] = field(default_factory=dict)
    """Source that is not planned → why."""
    skipped_files: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many files were passed over for it."""
    skipped_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Reason → these files."""
    damaged_files: Sequence[str] = ()
    replanned: Mapping[str, int] = field(default_factory=dict)
    """How many `files` were planned anew with other content, and what of their events changed (`records.Change`)."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """How many `files` are given up (--resend-lost), of how many sent `events`, and how many were `unsent`."""
    identity: Identity | None = None
    open_rejects: Mapping[str, int] = field(default_factory=dict)
    """Rejected rows that are neither mended nor dismissed, by reason."""
    mended_rejects: int = 0
    dismissed_rejects: int = 0
    dismissed_parked: int = 0
    """Parked events that are meant to stay so."""
    rejects_read_again: int = 0
    """Of those counted as rejected, what stands no more as the row was read again; with the others it makes all."""
    rows_read_again: int = 0
    """Of the rows read, those of mended copies and of sources as they were before they were planned anew."""
    protocol: str | None = None
    """Over which version of PostHog's capture endpoint the workdir is sent, once that is known."""
    accepted_with_warning: Mapping[str, int] = field(default_factory=dict)
    """What PostHog said of events that it has accepted → of how many."""
    state: str | None = None
    """What decides what is next (`migrate.report.states.State`)."""
    also: Sequence[str] = ()
    """The other states that hold."""
    next: str | None = None
    """The command that goes on."""
    stopped: Mapping[str, str | None] | None = None
    """Why, when and with which message planning or sending stopped, where it has."""
    history: Sequence[Mapping[str, object]] | None = None
    """What each command did in the workdir, where it is asked for (`migrate.workdir.history.Entry`)."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What others have, where they were asked: `verify` and `undo` PostHog, `fetch` the vendor (`report.fetched`)."""

    @property
    def open_parked(self) -> int:
        """Parked events that are not dismissed."""
        return self.events.parked - self.dismissed_parked


NOTHING: Final = Summary()
"""The numbers of a command that did not come to a workdir."""


@dataclass(frozen=True)
class Run:
    """What one process did, in the order in which `--json` prints it under `run`."""

    rows: RowCounts
    events: Events
    requests: int
    retries: int
    bytes_sent: int
    started: str
    ended: str
    exit_code: int
    error: str | None


def summary(checkpoint: Checkpoint, now: datetime | None = None, *, is_whole: bool = False) -> Summary:
    """Return the numbers of the whole migration in a workdir.

    `now`: the time at which it was judged whether days are old enough to be sent; without one it is judged now.
    Ids of people are shortened, unless they are wanted `is_whole`.
    """
    numbers, settled, facts = checkpoint.numbers(), rounds.outcome(checkpoint), checkpoint.facts()
    planned, _, first, last = checkpoint.extent()
    held, until = _held(checkpoint, facts.get("min_age", 0.0), now or datetime.now(UTC))
    pending = planned - settled.accepted - settled.duplicate - settled.parked - held
    warnings = Counter(numbers.warnings)
    if len(numbers.group_types) > MAX_GROUP_TYPES:
        warnings["more_than_five_group_types"] = len(numbers.group_types)
    if numbers.damaged:
        warnings["damaged_file"] = len(numbers.damaged)
    if facts.get("clock"):
        warnings["source_timezone_disagrees"] = 1
    rows = RowCounts(
        read=numbers.read,
        mapped=numbers.mapped,
        filtered=dict(sorted(numbers.filtered.items())),
        rejected=dict(sorted(numbers.rejected.items())),
    )
    aside, closed, left = checkpoint.set_aside(), standing.closed(checkpoint), standing.by_reason(checkpoint)
    told = sum(left.values()) + closed.total()
    return Summary(
        rows=rows,
        events=Events(planned, settled.accepted, settled.duplicate, settled.parked, held, pending),
        requests=facts["requests"],
        retries=facts["retries"],
        bytes_sent=facts["bytes_sent"],
        first_timestamp=moment(first),
        last_timestamp=moment(last),
        held_until=until.isoformat(timespec="minutes") if until else None,
        seconds=round(facts["seconds"], 3),
        balanced=rows.read == rows.mapped + rows.left_out and pending >= 0,
        whole=checkpoint.is_whole(),
        workdir=str(checkpoint.workdir),
        parts=checkpoint.depot.shown("") if checkpoint.depot.is_far else None,
        import_id=facts.get("import_id"),
        repairs=dict(sorted(numbers.repairs.items())),
        warnings=dict(sorted(warnings.items())),
        dropped_columns=dict(sorted(numbers.dropped.items())),
        notes=list(_notes(facts, rows.read)),
        set_aside={name: one.why for name, one in aside.items() if not one.is_dismissed},
        skipped_files=facts.get("skipped", {}),
        skipped_names=facts.get("skipped_names", {}),
        damaged_files=numbers.damaged,
        replanned=facts.get(REPLANNED, {}),
        lost=facts.get(lost.LOST, {}),
        identity=facts.get("identity") if is_whole else _shortened(facts.get("identity")),
        open_rejects=left,
        mended_rejects=closed[standing.Was.MENDED],
        dismissed_rejects=closed[standing.Was.DISMISSED],
        dismissed_parked=parked.dismissed(checkpoint),
        rejects_read_again=max(0, sum(rows.rejected.values()) - told),
        rows_read_again=numbers.again,
        protocol=noted(checkpoint),
        accepted_with_warning=warned.by_words(checkpoint),
    )


def of_run(before: Summary, now: Summary, started: datetime, code: int, error: str | None) -> Run:
    """Return what one process did: the numbers `now` without those it found before, with how it ended."""
    return Run(
        rows=RowCounts(
            read=now.rows.read - before.rows.read,
            mapped=now.rows.mapped - before.rows.mapped,
            filtered=_added(before.rows.filtered, now.rows.filtered),
            rejected=_added(before.rows.rejected, now.rows.rejected),
        ),
        events=Events(**{name: n - getattr(before.events, name) for name, n in vars(now.events).items()}),
        requests=now.requests - before.requests,
        retries=now.retries - before.retries,
        bytes_sent=now.bytes_sent - before.bytes_sent,
        started=started.isoformat(timespec="seconds"),
        ended=datetime.now(UTC).isoformat(timespec="seconds"),
        exit_code=code,
        error=error,
    )


def moment(microseconds: int | None) -> str | None:
    """Return microseconds since 1970 as RFC 3339, in UTC."""
    if microseconds is None:
        return None
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return found.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shortened(identity: Identity | None) -> Identity | None:
    """Return what is known of people without their ids, which are people's names and addresses: the first letters."""
    if identity is None:
        return None
    largest, conflicting = (
        [Cluster(size=one["size"], ids=[shortened(name) for name in one["ids"]]) for one in clusters]
        for clusters in (identity["largest"], identity["conflicting"])
    )
    return Identity(**{**identity, "largest": largest, "conflicting": conflicting})


def _held(checkpoint: Checkpoint, min_age: float, now: datetime) -> tuple[int, datetime | None]:
    """Return how many events wait until they are old enough, and when the first of them may be sent."""
    first = age.first_held(now, min_age)
    days = [day for day in rounds.days(checkpoint) if first is not None and day >= first]
    return (rounds.unsettled(checkpoint, days[0]), age.goes(days[0], min_age)) if days else (0, None)


def _added(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return by how much the counts grew, those that did."""
    return {reason: more for reason, count in now.items() if (more := count - before.get(reason, 0))}


def _notes(facts: Mapping[str, Any], read: int) -> Iterator[str]:
    """Yield what is to be known of a workdir beside its numbers."""
    versions = facts.get("payload_versions", [])
    if len(versions) > 1:
        yield (
            f"planned with payload versions {', '.join(map(str, versions))} of the mapping, one after another: the "
            "same events, some of them with other properties; see the changelog"
        )
    if (sets := len(facts.get("rules", []))) > 1:
        yield (
            f"planned with {sets} sets of rules on properties, one after another: the same events, some of them with "
            "other properties; what was planned before a rule was added stays as it was"
        )
    if (files := len(facts.get("mappings", []))) > 1:
        yield (
            f"planned with {files} states of the mapping's file, one after another: the rows that are kept are the "
            "same events, others may have become other ones; look at new rows with 'migrate preview', and raise its "
            "identity_version with whatever tells events apart"
        )
    if facts.get("partial"):
        yield "events were sent before the plan was whole, with --partial"
    if not read and "skipped" in facts and not facts.get("set_aside") and not facts.get("planning"):
        yield "none of the inputs has a row, so that there is nothing to send"
    if facts.get("people_taken_over"):
        yield "who is who was taken over from the people.sqlite that was there when this workdir was begun"
