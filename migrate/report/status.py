"""The screen at the end of plan, apply, run and status: what became of each row and event, and what to do next."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from migrate.report import sections
from migrate.report.numbers import Events, Summary
from migrate.report.sections import Examples, Line
from migrate.report.states import Found
from migrate.report.tables import table
from migrate.screen import amount, counted, plural

_COUNTS: Final = "planned", "accepted", "pending", "held", "parked", "rejected", "aside"
_TITLES: Final = "workdir", "state", *_COUNTS, "exit"


def lines(
    numbers: Summary, found: Sequence[Found], needs: Sequence[str] = (), examples: Examples | None = None
) -> Iterator[Line]:
    """Yield the screen; `found` are the states that hold, `needs` is what is to be known to type the next command.

    `examples`: where the first rows of each reason are.
    """
    events = numbers.events
    yield from sections.people(numbers.identity)
    yield from sections.notes(numbers, examples or {})
    yield from sections.rows(numbers.rows, examples or {})
    yield from sections.read_again(numbers)
    yield Line(f"events   {events.planned:>12,} planned: {outcome(events)}")
    yield Line(f"         {sections.ACCEPTED}")
    if numbers.requests:
        requests, retries = plural(numbers.requests, "request"), counted(numbers.retries, "retry")
        yield Line(
            f"sent     {numbers.requests:>12,} {requests}, {retries}, "
            f"{amount(numbers.bytes_sent)}, {numbers.seconds:.1f} s"
        )
    if numbers.workdir:
        yield Line(f"workdir  {numbers.workdir}")
        if numbers.open_rejects:
            yield Line("         rejected rows, to mend and plan again: rejects.jsonl there")
        if events.parked:
            yield Line("         parked events, with PostHog's own words: parked.jsonl there")
    yield from ending(found, needs)


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
    yield Line(f"state    {first.text}")
    for one in others:
        way = f": {one.next[0]}" if one.next else ""
        yield Line(f"also     {one.text}{way}")
    for number, command in enumerate(first.next):
        yield Line(f"{'then' if number else 'next':<8} {command}")
    for need in needs:
        yield Line(f"         {need}")


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
            yield Line(f"next     {one.numbers.next}")


def _row(one: Workdir) -> Sequence[str]:
    """Return the cells of a workdir."""
    numbers, events = one.numbers, one.numbers.events
    open_rejects = sum(numbers.open_rejects.values())
    counts = (events.planned, events.accepted, events.pending, events.held, events.parked, open_rejects)
    state = (numbers.state or "").replace("_", " ")
    return one.path, state, *(f"{n:,}" for n in counts), str(len(numbers.set_aside)), str(one.code)
