"""The screens at the end of plan, apply, run and status: what became of each row and event, and what to do next."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from migrate.report import sections
from migrate.report.numbers import Events, Summary
from migrate.report.sections import Examples, Line, labelled
from migrate.report.states import Found
from migrate.report.tables import table
from migrate.screen import amount, counted

_COUNTS: Final = "planned", "accepted", "pending", "held", "parked", "rejected", "aside"
_TITLES: Final = "workdir", "state", *_COUNTS, "exit"
_PENDING: Final = "an event that is planned twice is found when its day is sent: it is pending until then"
"""Of events that are not sent: what their number may hold."""


def lines(
    numbers: Summary, found: Sequence[Found], needs: Sequence[str] = (), examples: Examples | None = None
) -> Iterator[Line]:
    """Yield the screen of a command that has planned, or shows a plan: who is who and what was changed, too.

    `found` are the states that hold, `needs` is what is to be known to type the next command; `examples`: where the
    first rows of each reason are.
    """
    yield from sections.people(numbers.identity)
    yield from sections.notes(numbers)
    yield from _totals(numbers, examples or {})
    yield from ending(found, needs)


def brief(numbers: Summary, found: Sequence[Found], needs: Sequence[str], show: str) -> Iterator[Line]:
    """Yield the screen of other commands; `show` is the command that shows the rest."""
    yield from _totals(numbers, {})
    if numbers.rows.read:
        yield labelled("plan", "who is who, events by day, what was changed or dropped: ", command=show)
    yield from ending(found, needs)


def _totals(numbers: Summary, examples: Examples) -> Iterator[Line]:
    """Yield what to be aware of, what became of each row and event, and where it is."""
    events = numbers.events
    yield from sections.warnings(numbers, examples)
    yield from sections.rows(numbers.rows, examples)
    yield from sections.read_again(numbers)
    yield labelled("events", f"{events.planned:,} planned: {outcome(events)}")
    if events.pending or events.held:
        yield labelled("", _PENDING)
    if events.accepted:
        yield labelled("", sections.ACCEPTED)
    yield from sections.replanned(numbers.replanned)
    yield from sections.lost(numbers.lost)
    if numbers.requests:
        yield labelled(
            "sent",
            f"{counted(numbers.requests, 'request')}, {counted(numbers.retries, 'retry')}, "
            f"{amount(numbers.bytes_sent)}, {numbers.seconds:.1f} s",
        )
    if numbers.workdir:
        yield labelled("workdir", numbers.workdir)
        if numbers.parts:
            yield labelled("", f"the files of its plan: {numbers.parts}")
        if numbers.open_rejects:
            yield labelled("", "rejected rows, to mend and plan again: rejects.jsonl there")
        if events.parked:
            yield labelled("", "parked events, with PostHog's own words: parked.jsonl there")


def outcome(events: Events) -> str:
    """Return what became of planned events, in words."""
    return (
        f"{events.accepted:,} accepted, {events.duplicate:,} duplicate, {events.parked:,} parked, "
        f"{events.held:,} held, {events.pending:,} pending"
    )


def ending(found: Sequence[Found], needs: Sequence[str]) -> Iterator[Line]:
    """Yield how the workdir is, and what is next."""
    if not found:
        return
    first, *others = found
    yield labelled("state", first.text)
    for one in others:
        way = one.next[0] if one.next else ""
        yield labelled("also", f"{one.text}{': ' if way else ''}", command=way)
    for number, command in enumerate(first.next):
        yield labelled("then" if number else "next", "", command=command)
    for need in needs:
        yield labelled("", need)


class Workdir(NamedTuple):
    """A workdir: its path, its numbers, the exit code, its state in words; what is wrong with it, if anything."""

    path: str
    numbers: Summary
    code: int
    text: str = ""
    error: str | None = None


def several(workdirs: Sequence[Workdir]) -> Iterator[Line]:
    """Yield one table of all of these, and how each is that is to be gone on with."""
    rows = [_row(one) for one in workdirs]
    yield from table(_TITLES, rows, texts={"workdir", "state"})
    for one in workdirs:
        if one.numbers.next:
            yield Line(f"{one.path}: {one.text}")
            yield labelled("next", "", command=one.numbers.next)


def _row(one: Workdir) -> Sequence[str]:
    """Return the cells of a workdir."""
    numbers, events = one.numbers, one.numbers.events
    open_rejects = sum(numbers.open_rejects.values())
    counts = (events.planned, events.accepted, events.pending, events.held, numbers.open_parked, open_rejects)
    state = (numbers.state or "").replace("_", " ")
    return one.path, state, *(f"{n:,}" for n in counts), str(len(numbers.set_aside)), str(one.code)
