"""The screen at the end of plan, apply, run and status: what became of each row and event, and what to do next."""

import shlex
from collections.abc import Iterator

from migrate.apply import age
from migrate.report import sections
from migrate.report.numbers import Summary
from migrate.report.sections import Examples, Line
from migrate.screen import amount
from migrate.workdir.checkpoint import Checkpoint


def lines(numbers: Summary, next_command: str | None, examples: Examples | None = None) -> Iterator[Line]:
    """Yield the screen; `examples`: where the first rows of each reason are."""
    events = numbers.events
    yield from sections.rows(numbers.rows, examples or {})
    yield Line(
        f"events   {events.planned:>12,} planned: {events.accepted:,} accepted, {events.duplicate:,} duplicate, "
        f"{events.parked:,} parked, {events.held:,} held, {events.pending:,} pending"
    )
    if events.held:
        yield Line(
            f"held     {events.held:>12,} events that are too young; the first of them may go from "
            f"{numbers.held_until} on"
        )
    yield from sections.people(numbers.identity)
    yield from sections.notes(numbers, examples or {})
    if numbers.requests:
        yield Line(
            f"sent     {numbers.requests:>12,} requests, {numbers.retries:,} retries, "
            f"{amount(numbers.bytes_sent)}, {numbers.seconds:.1f} s"
        )
    if numbers.workdir:
        yield Line(f"workdir  {numbers.workdir}")
        if numbers.open_rejects:
            yield Line("         rejected rows, to mend and plan again: rejects.jsonl there")
        if events.parked:
            yield Line("         parked events, with PostHog's own words: parked.jsonl there")
    if next_command:
        yield Line(f"next     {next_command}")


def next_command(checkpoint: Checkpoint, numbers: Summary, *, sending: bool = True) -> str | None:
    """Return the command that goes on with a workdir, None when everything is settled.

    `sending`: whether a command that was sending and did not end is the one to go on with.
    """
    facts = checkpoint.facts()
    if not numbers.whole:
        return str(next(iter(facts.get("plan_commands", [])), facts.get("command")))
    if sending and numbers.events.pending and facts.get("sending"):
        return str(facts["command"])
    workdir = shlex.quote(str(checkpoint.workdir))
    host = f" --host {facts['target']}" if "target" in facts else " --host …"
    if (min_age := facts.get("min_age")) is not None and min_age != age.usual(facts.get("target", "")):
        host += f" --min-age {min_age:g}"
    if numbers.events.pending:
        return f"migrate apply {workdir}{host}"
    if numbers.events.parked:
        return f"migrate resend {workdir}{host}"
    if numbers.events.held:
        return f"migrate apply {workdir}{host}"
    return None
