"""How a workdir is, and what is next: told by what lies there, never by the command that was last."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from migrate.people.schema import PEOPLE_FILE
from migrate.report import commands
from migrate.report.numbers import Summary
from migrate.screen import counted
from migrate.workdir import harm, lost, stops
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import Holder
from migrate.workdir.seals import Harmed, check_present
from migrate.workdir.standing import OF_FILE
from migrate.workdir.typed import RESEND_LOST

_MOST: Final = 3


class State(StrEnum):
    """What may hold of a workdir. The first that holds decides what is next; docs/mending.md has them as a table."""

    RUNNING = "running"
    HARMED = "harmed"
    PLANNING_STOPPED = "planning_stopped"
    SENDING_STOPPED = "sending_stopped"
    PLANNED = "planned"
    PARKED = "parked"
    REJECTS_OPEN = "rejects_open"
    SET_ASIDE = "set_aside"
    HELD = "held"
    TRIAL_FINISHED = "trial_finished"
    ALL_SENT = "all_sent"
    PLANNED_NOTHING = "planned_nothing"
    NOTHING_PLANNED = "nothing_planned"
    UNUSABLE = "unusable"


class Found(NamedTuple):
    """A state that holds: in words, and the commands that go on, one after another."""

    state: State
    text: str
    next: Sequence[str] = ()
    stop: stops.Stop | None = None


def states(
    checkpoint: Checkpoint,
    numbers: Summary,
    holder: Holder | None = None,
    stopped: stops.Stop | None = None,
) -> list[Found]:
    """Return the states that hold, at least one, the one that decides what is next first.

    `holder`: the other process that works in the workdir now, where one does. `stopped`: why this process has stopped
    what was under way, where it has.
    """
    facts = checkpoint.facts()
    found = list(_open(checkpoint, numbers))
    if holder is not None:
        return [Found(State.RUNNING, f"running now in {holder}"), *found]
    harmed, to_do = (
        [*_harmed(checkpoint), *_missed(checkpoint)],
        [*_to_do(checkpoint, numbers, facts, stopped)],
    )
    can_be_sent = bool(to_do) and numbers.whole and not harmed
    harmed += _lost(checkpoint, facts, can_be_sent=can_be_sent)
    if harmed:
        to_do = [*harmed, *(one._replace(next=()) for one in to_do)]
    elif not to_do:
        found += _done(checkpoint, numbers, facts, is_open=bool(found))
    order = list(State)
    return sorted([*found, *to_do], key=lambda one: order.index(one.state))


def with_states(numbers: Summary, found: Sequence[Found]) -> Summary:
    """Return the numbers with the states that hold, and the command that goes on."""
    first, *others = found
    stop = next((one.stop for one in found if one.stop), None)
    return replace(
        numbers,
        state=str(first.state),
        also=[str(one.state) for one in others],
        next=next(iter(first.next), None),
        stopped=None if stop is None else vars(stop),
    )


def _harmed(checkpoint: Checkpoint) -> Iterator[Found]:
    """Yield that files which are not sent yet are missing or of another size; what is in them is not looked at."""
    harmed: list[Harmed] = []
    is_far = checkpoint.depot.is_far  # a storage is asked by who sends
    parts = [] if is_far else harm.unsent(checkpoint, under_way=False)
    for kept in (*parts, *checkpoint.states()):
        try:
            check_present(kept.path, kept.seal)
        except Harmed as error:
            harmed.append(error)
    if not harmed:
        return
    paths = [str(one.path.relative_to(checkpoint.workdir)) for one in harmed]
    sources = dict.fromkeys(name for path in paths for name in harm.sources(checkpoint, path))
    ways = dict.fromkeys(commands.again(checkpoint, name) for name in sources)
    known = [way for way in ways if way is not None]
    text = f"harmed: {counted(len(harmed), 'file')} of the plan not as written, {paths[0]}: {harmed[0].why}"
    if None in ways or not known:
        text += (
            "; what all sources together say of people is among it: plan into a new --workdir, what was sent already "
            "collapses with what is sent again"
        )
        known = []
    yield Found(State.HARMED, text, known[:_MOST])


def _missed(checkpoint: Checkpoint) -> Iterator[Found]:
    """Yield that files which were sent, and tell what of pending events is sent already, are missing or harmed so."""
    missed: list[Harmed] = []
    for one in () if checkpoint.depot.is_far else lost.needed(checkpoint):
        try:
            check_present(one.kept.path, one.kept.seal)
        except Harmed as error:
            missed.append(error)
    if not missed:
        return
    paths = [str(one.path.relative_to(checkpoint.workdir)) for one in missed]
    sources = dict.fromkeys(_whole(checkpoint, path) for path in paths)
    there = [name for name in sources if name and commands.again_as_typed(checkpoint, [name])]
    ways = [commands.again(checkpoint, *there[: commands.MOST])] if there else []
    text = (
        f"harmed: {counted(len(missed), 'file')} of what was sent not as written, {paths[0]}: {missed[0].why}; which "
        "pending events are sent already is not known without"
    )
    if len(there) < len(sources):
        text += f"; {RESEND_LOST} {harm.COST}"
        if any(lost.is_under_way(checkpoint, path) for path in paths):
            text += f"; {harm.HALF}"
        ways.append(commands.resend_lost(checkpoint))
    yield Found(State.HARMED, text, [way for way in ways if way])


def _whole(checkpoint: Checkpoint, path: str) -> str | None:
    """Return the first source of a file that was sent; None where one of them all, which put it back, is not there."""
    names = harm.all_standing(checkpoint, path)
    return names[0] if names and commands.are_there(names) else None


def _lost(checkpoint: Checkpoint, facts: dict[str, Any], *, can_be_sent: bool) -> Iterator[Found]:
    """Yield that the file of who is who is missing, without which nothing is planned; what is planned can be sent."""
    path = Path(facts.get("people_dir") or checkpoint.workdir, PEOPLE_FILE)
    if facts.get("people_id") is None or path.exists():
        return
    text = (
        f"harmed: {path} is missing, which knows who is who; nothing more is planned here without it: put it back, or "
        "plan all into another --workdir, what was sent already collapses with what is sent again"
    )
    if can_be_sent:
        text += "; what is planned can be sent as it is"
    yield Found(State.HARMED, text, [commands.to_target(checkpoint, "apply")] if can_be_sent else ())


def _to_do(
    checkpoint: Checkpoint, numbers: Summary, facts: dict[str, Any], stopped: stops.Stop | None
) -> Iterator[Found]:
    """Yield what is to be gone on with: planning, sending."""
    events = numbers.events
    if not numbers.whole:
        stop = stopped or stops.last(facts, "planning")
        text = f"planning stopped, {_how_far(checkpoint)}; {_why(stop)}"
        yield Found(State.PLANNING_STOPPED, text, commands.planning(checkpoint), stop)
    elif events.pending and facts.get("sending"):
        stop = stopped or stops.last(facts, "sending")
        text = (
            f"sending stopped, {events.pending:,} of {counted(events.planned, 'event')} pending; {_why(stop)}"
        )
        yield Found(State.SENDING_STOPPED, text, [commands.sending(checkpoint)], stop)
    elif events.pending:
        text = f"planned: {counted(events.pending, 'event')} to send"
        yield Found(State.PLANNED, text, [commands.to_target(checkpoint, "apply")])
    if events.held:
        many = counted(events.held, "event")
        text = f"held: {many} too young to be sent; the first may go from {numbers.held_until} on"
        yield Found(State.HELD, text, [commands.to_target(checkpoint, "apply")])


def _open(checkpoint: Checkpoint, numbers: Summary) -> Iterator[Found]:
    """Yield what a person has to look at."""
    look = [commands.status(checkpoint, "rejects")]
    if parked := numbers.open_parked:
        text = (
            f"parked: {counted(parked, 'event')} refused by PostHog, to send again once the cause is mended"
        )
        yield Found(State.PARKED, text, [commands.to_target(checkpoint, "resend")])
    if rejects := sum(numbers.open_rejects.values()):
        way = commands.fetched(checkpoint, numbers.open_rejects)
        what = "file" if OF_FILE.issuperset(numbers.open_rejects) else "rejected row"
        then = ", to be fetched again and planned anew" if way else ""
        text = f"rejects open: {counted(rejects, what)}, neither mended nor dismissed{then}"
        yield Found(State.REJECTS_OPEN, text, [way] if way else look)
    if aside := len(numbers.set_aside):
        way = commands.set_right(checkpoint)
        yield Found(State.SET_ASIDE, f"set aside: {counted(aside, 'file')}, not planned as now found", [way])


def _done(
    checkpoint: Checkpoint, numbers: Summary, facts: dict[str, Any], *, is_open: bool
) -> Iterator[Found]:
    """Yield how a workdir is in which nothing is left to send; `is_open`: a person has to look at something."""
    events, rows = numbers.events, numbers.rows
    if not events.planned and not rows.read and "planning" not in facts:
        if not is_open:
            yield Found(State.NOTHING_PLANNED, "nothing is planned")
    elif not events.planned:
        if not rows.read and is_open:
            return  # what is set aside may have rows
        why = (
            f"{counted(rows.read, 'row')} read, and no event made of them"
            if rows.read
            else (
                "the inputs have no row"
                + ", but for what is set aside and dismissed" * bool(checkpoint.set_aside())
            )
        )
        yield Found(State.PLANNED_NOTHING, f"planned with nothing: {why}; there is nothing to send")
    elif facts.get("--limit") is not None:
        text = (
            f"trial finished: the first {counted(rows.read, 'row')} went; the whole goes into another workdir"
        )
        way = commands.whole(checkpoint)
        yield Found(State.TRIAL_FINISHED, text, [way] if way else [])
    elif not numbers.open_parked:
        yield Found(State.ALL_SENT, f"all sent: of {counted(events.planned, 'event')} none is pending")


def _how_far(checkpoint: Checkpoint) -> str:
    """Return how many files are planned; what is told of people, after them, is no file."""
    files = [one.planned for name, one in checkpoint.inputs().items() if not name.startswith("(")]
    if all(files):
        return "persons and groups are not told yet" if files else "no file is planned"
    return f"{sum(files):,} of {counted(len(files), 'file')} planned"


def _why(stop: stops.Stop) -> str:
    """Return when and why it stopped."""
    if stop.why == stops.KILLED:
        return "its process ended without a word (killed, or the machine went off)"
    when = f" on {(stop.at or '')[:16].replace('T', ' ')} UTC"
    asked = " as asked" if stop.why.startswith("--") else ""
    return f"{stop.why}{asked}{when}{f': {stop.message}' if stop.message else ''}"
