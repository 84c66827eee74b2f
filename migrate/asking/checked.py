"""A project and a plan → findings: what is fine, what is to be known, what speaks against sending; pure."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from migrate.apply.capture import shown
from migrate.asking.project import MOST_GROUP_TYPES, Project
from migrate.screen import counted

_DAY: Final = 86_400.0


class Weight(StrEnum):
    """What a finding means for sending."""

    FINE = "fine"
    NOTE = "note"
    ASKS = "asks"
    """It speaks against sending, unless a person who knows it wants it so."""
    FORBIDS = "forbids"
    """What would be sent is lost, or does harm; it is not sent until that is mended."""
    UNSEEN = "unseen"


@dataclass(frozen=True)
class Finding:
    """One thing that was found: what it is about in a word, and a sentence."""

    weight: Weight
    about: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What there is to know of a plan."""

    import_id: str | None = None
    platform: str | None = None
    days: Mapping[str, int] = field(default_factory=dict)
    """Day -> events."""
    last: datetime | None = None
    """When its newest event is."""
    group_types: frozenset[str] = frozenset()
    overwrites: bool = False
    """Whether properties of persons are to be set over those that are there, without anybody having said so."""
    protocol: str | None = None
    """Over which version of capture it is sent, where that is decided."""


@dataclass(frozen=True)
class Others:
    """Events of other origin that are newer than a plan's: how many, and the newest one's time."""

    events: int
    newest: str


def findings(project: Project, plan: Plan | None, others: Others | None, now: datetime) -> list[Finding]:
    """Return what a project means for a plan, or for any history where there is no plan."""
    found = [_named(project)]
    found += _retention(project, plan, now)
    found += _dropping(project, plan, now)
    found += _groups(project, plan)
    found += [] if plan is None or others is None else _newer(plan, others)
    found += [Finding(Weight.UNSEEN, "unseen", text) for text in project.unseen]
    return found


def beforehand(plan: Plan | None) -> list[Finding]:
    """Return what speaks against a plan whatever the project is, where that cannot be asked what it has."""
    if plan is None or len(plan.group_types) <= MOST_GROUP_TYPES:
        return []
    text = (
        f"the plan has {len(plan.group_types)} types ({_names(plan.group_types)}), a project {MOST_GROUP_TYPES} at the "
        "most: of the others PostHog keeps nothing; leave some out by a rule"
    )
    return [Finding(Weight.ASKS, "groups", text)]


def _named(project: Project) -> Finding:
    zone = f"; its zone is {project.timezone}, days here are UTC's" if project.timezone else ""
    name = f" ({project.name})" if project.name else ""
    return Finding(Weight.FINE, "project", f"{project.id}{name}{zone}")


def _retention(project: Project, plan: Plan | None, now: datetime) -> Iterator[Finding]:
    if project.retention_months is None:
        return
    months = counted(project.retention_months, "month")
    first = _months_before(now.astimezone(UTC).date(), project.retention_months)
    if project.is_enforced is False:
        yield Finding(Weight.NOTE, "history", f"{months}, not enforced: older events are shown")
        return
    outside = {} if plan is None else _by_year(plan.days, first)
    if not outside:
        of_plan = "" if plan is None else "; none of the plan is"
        yield Finding(Weight.NOTE, "history", f"{months}: PostHog hides events before {first}{of_plan}")
        return
    yield Finding(
        Weight.ASKS,
        "history",
        f"{months}: PostHog hides events before {first}, and of the plan {_told(outside)}; raise the project's "
        f"retention, or plan with --since {first}",
    )


def _dropping(project: Project, plan: Plan | None, now: datetime) -> Iterator[Finding]:
    if project.oldest_seconds is None:
        return
    first = _seconds_before(now, project.oldest_seconds)
    age = round(project.oldest_seconds / _DAY)
    days = counted(age, "day") if age else f"{project.oldest_seconds / 3600:.1g} hours"
    lost = {} if plan is None else _by_year(plan.days, first)
    if plan is not None and not lost:
        yield Finding(Weight.NOTE, "dropping", f"events older than {days} are dropped; none of the plan is")
        return
    those = f", of the plan {_told(lost)}" if plan is not None else ", as history is"
    yield Finding(
        Weight.FORBIDS,
        "dropping",
        f"the project drops events older than {days} when they come, without a word{those}; turn 'drop events older "
        "than' off in the project's settings until the history is there",
    )


def _groups(project: Project, plan: Plan | None) -> Iterator[Finding]:
    if project.group_types is None:
        yield from beforehand(plan)
        return
    there = project.group_types
    if not there:
        yield Finding(
            Weight.FINE, "groups", f"none of {MOST_GROUP_TYPES} types yet; they are numbered as they come"
        )
    else:
        numbers = ", ".join(
            f"{number} {shown(name, '')}" for name, number in sorted(there.items(), key=lambda one: one[1])
        )
        yield Finding(Weight.FINE, "groups", f"{len(there)} of {MOST_GROUP_TYPES} types: {numbers}")
    if plan is None:
        return
    if plan.platform == "posthog" and plan.group_types and there:
        yield Finding(
            Weight.NOTE,
            "groups",
            "$group_0 … $group_4 of another project are its own numbers; here they are those above",
        )
    new = plan.group_types - there.keys()
    if (room := MOST_GROUP_TYPES - len(there)) < len(new):
        yield Finding(
            Weight.ASKS,
            "groups",
            f"the plan brings {counted(len(new), 'type')} more ({_names(new)}) and there is room for "
            f"{max(0, room)}: of the others PostHog keeps nothing; leave some out by a rule, or free a number in the "
            "project's settings",
        )


def _newer(plan: Plan, others: Others) -> Iterator[Finding]:
    if not others.events:
        return
    newest = others.newest[:10]
    there = f"{counted(others.events, 'event')} of other origin, newer than the plan's ({newest} the newest)"
    if plan.overwrites:
        yield Finding(
            Weight.FORBIDS,
            "persons",
            f"the project has {there}: what the plan knows of persons would overwrite what is newer; plan with "
            "--person-properties set_once or none, or type --person-properties set to have it so",
        )
    else:
        yield Finding(Weight.NOTE, "persons", f"the project has {there}")


def _by_year(days: Mapping[str, int], first: date) -> Counter[str]:
    """Return how many events are before a day, by year."""
    found: Counter[str] = Counter()
    for day, events in days.items():
        if day < first.isoformat():
            found[day[:4]] += events
    return found


def _told(by_year: Mapping[str, int]) -> str:
    years = ", ".join(f"{year}: {events:,}" for year, events in sorted(by_year.items()))
    return f"{counted(sum(by_year.values()), 'event')} ({years})"


def _names(types: Iterable[str]) -> str:
    return ", ".join(shown(name, "") for name in sorted(types))


def _seconds_before(now: datetime, seconds: float) -> date:
    """Return the day so long ago; the first that there is, where that is longer ago than the calendar goes."""
    try:
        return (now - timedelta(seconds=seconds)).astimezone(UTC).date()
    except OverflowError:
        return date.min


def _months_before(day: date, months: int) -> date:
    """Return the day so many months before, likewise; the 31st of a shorter month is its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < date.min.year:
        return date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
