"""What stands out of a workdir: each a line, the most grave first, with the section that shows it and what to do."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from migrate.page.gathered import Gathered
from migrate.page.letters import cut
from migrate.page.names import Name
from migrate.report.sections import LOSSES, meaning
from migrate.report.states import State
from migrate.screen import counted

_EACH: Final = 5
"""Lines of a kind, beyond which the others are put together."""
_LARGE: Final = 50
"""Ids of one person, from which on it is rarely one human."""
_MANY: Final = 0.01
"""Share of rows whose reject speaks against sending,"""
_SEVERAL: Final = 5
"""where they are as many at least: a single row of a few is a row to mend."""
_HOLIDAYS: Final = 2
"""Days that are missing together, on average, of what is used at work: so many may be holidays."""
_FUTURE: Final = "timestamp_in_future"
_HARMED: Final = {State.HARMED, State.PLANNING_STOPPED}
T = TypeVar("T")


class Weight(StrEnum):
    """How grave it is."""

    AGAINST = "speaks against sending"
    LOOK = "to look at"
    KNOW = "to know"


class Finding(NamedTuple):
    """What stands out: how grave it is, what, where and how many; the section that has more; what to do."""

    weight: Weight
    text: str
    section: str
    then: str = ""
    command: str = ""


def findings(found: Gathered) -> list[Finding]:
    """Return all that stands out, the most grave first."""
    kinds = (
        _plan,
        _holes,
        _future,
        _people,
        _names,
        _rejects,
        _there,
        _properties,
        _strays,
        _warnings,
        _known,
    )
    order = list(Weight)
    return sorted((one for kind in kinds for one in kind(found)), key=lambda one: order.index(one.weight))


def _plan(found: Gathered) -> Iterator[Finding]:
    """Yield what is wrong with the plan itself."""
    for one in found.found:
        if one.state in _HARMED:
            yield Finding(Weight.AGAINST, one.text, "how", "go on with", next(iter(one.next), ""))
    if not found.numbers.balanced:
        yield Finding(
            Weight.AGAINST, "the sums do not balance", "verdict", "this is a bug of migrate's: report it"
        )
    if aside := found.numbers.set_aside:
        text = f"{counted(len(aside), 'file')} set aside, not planned: {_some([*aside])}"
        yield Finding(Weight.AGAINST, text, "warnings", "see why, and plan them anew or dismiss them")
    if damaged := found.numbers.damaged_files:
        text = f"{counted(len(damaged), 'file')} that could not be read to the end: {_some(damaged)}"
        yield Finding(Weight.AGAINST, text, "warnings", "fetch them again, and plan them --again")
    if found.zones.warning:
        yield Finding(
            Weight.AGAINST, found.zones.warning, "zones", "plan into a new --workdir with the right zone"
        )


def _holes(found: Gathered) -> Iterator[Finding]:
    """Yield the days without events that lie among others."""
    if not (holes := found.days.holes):
        return
    runs = [first if first == last else f"{first} to {last}" for first, last in found.days.runs()]
    text = f"{counted(len(holes), 'day')} without any event, where there should be some: {_some(runs)}"
    then = "look whether the export has them; a file that is fetched later is planned with the same command"
    if found.days.are_of_work and len(holes) <= _HOLIDAYS * len(runs):
        yield Finding(Weight.LOOK, f"{text}; holidays, perhaps", "days", then)
        return
    yield Finding(Weight.AGAINST, text, "days", then)


def _future(found: Gathered) -> Iterator[Finding]:
    """Yield events that are later than anything that was done in the workdir."""
    if found.as_of is None:
        return
    today = found.as_of.date().isoformat()
    tomorrow = (found.as_of + timedelta(days=1)).date().isoformat()
    late = [day for day in found.days.planned if day > tomorrow]  # a clock may be ahead by its zone
    if late:
        text = (
            f"{counted(sum(found.days.planned[day] for day in late), 'event')} in the future, as seen on {today}: on "
            f"{_some(late)}"
        )
        then = f"clocks that were wrong: leave them out with --until {tomorrow}, in a new --workdir"
        yield Finding(Weight.AGAINST, text, "days", then)


def _strays(found: Gathered) -> Iterator[Finding]:
    """Yield days that are far before all others."""
    if early := [day for day in found.days.strays if day < found.days.first]:
        events = sum(found.days.planned[day] for day in early)
        text = f"{counted(events, 'event')} long before all others: on {_some(early)}"
        yield Finding(
            Weight.LOOK, text, "days", "times that were not set, as a rule: leave them out with --since"
        )


def _people(found: Gathered) -> Iterator[Finding]:
    """Yield people of very many ids, and those who would have become one."""
    if found.people.identity is None:
        return
    large = [one for one in found.people.largest if one.size >= _LARGE]
    then = (
        "look whether many share one of these ids (a test user, a kiosk, a bug); a merge cannot be undone: plan into a "
        "new --workdir with a smaller --max-cluster, or with --identity none"
    )
    for one in large[:_EACH]:
        yield Finding(Weight.AGAINST, f"one person with {one.size:,} ids: {_some(one.ids)}", "people", then)
    if conflicts := found.people.identity["conflicts"]:
        text = f"{counted(conflicts, 'cluster')} of ids with several known people, who stay apart"
        yield Finding(
            Weight.LOOK, text, "people", "an anonymous id went to the first person it was seen with"
        )


def _names(found: Gathered) -> Iterator[Finding]:
    """Yield events that are not there any more though others go on; one that came late and went may be a campaign's."""
    then = "renamed, or lost: look in the source from that day on"
    new = {one.name for one in found.names.appeared}
    for weight in (Weight.AGAINST, Weight.LOOK):
        yield from _each(
            [one for one in found.names.vanished if (one.name in new) is (weight is Weight.LOOK)],
            lambda one, weight=weight: Finding(  # type: ignore[misc]
                weight,
                f"{cut(one.name)} vanished: {counted(one.events - one.stragglers, 'event')} {_since(one, new)}until "
                f"{one.last}, {one.stragglers or 'none'} since, others go on",
                "names",
                then,
            ),
            lambda rest, weight=weight: Finding(  # type: ignore[misc]
                weight, f"{counted(len(rest), 'more event name')} vanished", "names", then
            ),
        )


def _rejects(found: Gathered) -> Iterator[Finding]:
    """Yield why rows are rejected, and what PostHog refused."""
    read = found.numbers.rows.read or 1
    for one in found.reasons:
        weight = Weight.AGAINST if one.rows >= max(_SEVERAL, _MANY * read) else Weight.LOOK
        at = f", such as {one.first[0].place}" if one.first else ""
        rows = counted(one.rows, "event" if one.name == _FUTURE else "row")
        how = "in the future, rejected" if one.name == _FUTURE else "rejected"
        text = f"{rows} {how}: {one.name}{at}"
        yield Finding(weight, text, "rejects", one.how or "mend them, or dismiss them if they are meant")
    if parked := found.numbers.open_parked:
        text = f"{counted(parked, 'event')} parked: refused by PostHog"
        yield Finding(
            Weight.LOOK, text, "rejects", "mend the cause, then send them again with 'migrate resend'"
        )


def _there(found: Gathered) -> Iterator[Finding]:
    """Yield what differs between source, plan and PostHog."""
    days = found.days.differing
    yield from _each(
        days,
        lambda one: Finding(Weight.LOOK, f"{one.day}: {one.why}", "days"),
        lambda rest: Finding(Weight.LOOK, f"{counted(len(rest), 'more day')} whose numbers differ", "days"),
    )
    for one in found.verified.findings if found.verified else ():
        if not one["passes"]:
            text = f"{counted(one['events'], 'event')} {one['cause']}: {one['why']}"
            yield Finding(Weight.AGAINST, text, "verify", "see the days and the examples there")


def _properties(found: Gathered) -> Iterator[Finding]:
    """Yield properties that are hardly there any more."""
    lost = [one for one in found.properties.all if one.lost]
    yield from _each(
        lost,
        lambda one: Finding(
            Weight.LOOK,
            f"property {cut(one.name)} is hardly filled since {one.lost}; before, {one.before:.0%} of events had it",
            "properties",
            "renamed, or lost: look in the source from that month on",
        ),
        lambda rest: Finding(
            Weight.LOOK, f"{counted(len(rest), 'more property')} hardly filled", "properties"
        ),
    )


def _warnings(found: Gathered) -> Iterator[Finding]:
    """Yield warnings, those that lose something first."""
    for name, count in found.numbers.warnings.items():
        if name in {"damaged_file", "source_timezone_disagrees"}:
            continue  # said above
        weight = Weight.LOOK if name in LOSSES else Weight.KNOW
        why = meaning(name)
        yield Finding(weight, f"{count:,} {name}{f': {why}' if why else ''}", "warnings")


def _known(found: Gathered) -> Iterator[Finding]:
    """Yield what is as it should be, and is to be known."""
    events = found.numbers.events
    if events.held:
        text = f"{counted(events.held, 'event')} held: too young to be sent before {found.numbers.held_until}"
        yield Finding(Weight.KNOW, text, "how", "the same command sends them then")
    if twice := found.zones.twice:
        days = _some([one.day for one in twice])
        text = f"{counted(len(twice), 'hour')} that occur twice in {found.zones.zone}: {days}"
        yield Finding(Weight.KNOW, text, "zones", "times without a zone were taken for the first of both")


def _since(one: Name, new: Collection[str]) -> str:
    """Return since when there is a name, where that is not from the beginning on."""
    return f"from {one.first} " if one.name in new else ""


def _each(
    found: Sequence[T], one: Callable[[T], Finding], rest: Callable[[Sequence[T]], Finding]
) -> Iterator[Finding]:
    """Yield a line for each of the first, and one for the others."""
    yield from map(one, found[:_EACH])
    if found[_EACH:]:
        yield rest(found[_EACH:])


def _some(names: Sequence[str]) -> str:
    """Return the first of names, and how many more there are."""
    more = len(names) - 3
    return ", ".join(cut(name) for name in names[:3]) + (f", and {more:,} more" if more > 0 else "")
