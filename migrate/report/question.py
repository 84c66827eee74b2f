"""The question before the first event leaves: what is to be sent, and what speaks against it, on one screen."""

import os
import select
import sys
import termios
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from migrate.apply import age
from migrate.apply.delivery import Delivery
from migrate.apply.target import is_cloud
from migrate.asking.checked import Finding
from migrate.report import checked, estimates, sections, trial
from migrate.report.numbers import Summary
from migrate.report.pace import Pace
from migrate.report.sections import Line, labelled
from migrate.screen import amount, counted
from migrate.workdir.checkpoint import Checkpoint

if TYPE_CHECKING:
    from migrate.report.terminal import Terminal

_YEARS: Final = (1, 2, 5, 7)
"""How far back plans of PostHog Cloud show events (posthog-ingestion.md §9.5)."""
_MOST: Final = 4
"""Reasons of one kind that are shown; the others are counted."""
_KEY_SHOWN: Final = 4
_TICK: Final = 0.2
"""Seconds."""


def ask(text: Iterable[Line], question: str) -> bool:
    """Show a text, ask, and return whether the answer is yes.

    Both stand on the terminal the answer is typed on, also where stderr goes elsewhere.
    """
    with _shown(text) as (terminal, screen):
        while True:
            screen.write(f"{terminal.fitted(Line(f'{question} [y/N]'))} ")
            screen.flush()
            answer = _typed()
            if (word := answer.strip().lower()) in {"", "n", "no", "y", "yes"}:
                return word.startswith("y")
            screen.write("answer y or n\n")


def ask_word(text: Iterable[Line], question: str, word: str) -> bool:
    """Show a text, ask for a word to be typed, likewise; return whether it was that one."""
    with _shown(text) as (terminal, screen):
        screen.write(f"{terminal.fitted(Line(f'{question}:'))} ")
        screen.flush()
        return _typed().strip() == word


def _typed() -> str:
    """Return the line that is typed.

    It is waited for a little at a time: an interrupt that comes just before a wait would be heard only at its end.
    """
    stdin, typed = sys.stdin.fileno(), b""
    while not typed.endswith(b"\n"):
        if not select.select([stdin], [], [], _TICK)[0]:
            continue
        if not (one := os.read(stdin, 1)):
            break
        typed += one
    return typed.decode(errors="replace")


@contextmanager
def _shown(text: Iterable[Line]) -> Iterator[tuple["Terminal", TextIO]]:
    """Show a text where an answer is typed, and yield that screen."""
    from migrate.report.terminal import Terminal  # noqa: PLC0415 - slow to import

    with ExitStack() as stack:
        screen: TextIO = sys.stderr
        if not screen.isatty():
            screen = stack.enter_context(Path(os.ttyname(sys.stdin.fileno())).open("w", encoding="utf-8"))
        terminal = Terminal(screen)
        terminal.print(text)
        screen.flush()
        # What was typed before the question was there is no answer to it.
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        yield terminal, screen


def lines(
    checkpoint: Checkpoint,
    numbers: Summary,
    delivery: Delivery,
    now: datetime,
    found: Sequence[Finding] = (),
) -> Iterator[Line]:
    """Yield what there is to know before the first event leaves, line by line; `numbers` are the workdir's.

    `found`: what the project itself says, where it could be asked.
    """
    rows, pending, days = numbers.rows, numbers.events.pending, checkpoint.by_day()
    yield Line("")
    yield labelled("project", f"{delivery.url}, {_key(delivery.key)}")
    yield from checked.asked(found)
    yield labelled("events", f"{pending:,} to send now{_held(numbers)}")
    yield from trial.said(checkpoint)
    yield labelled(
        "span",
        f"{numbers.first_timestamp} to {numbers.last_timestamp}, {counted(len(days), 'day')} with events",
    )
    yield from _old(days, now.date())
    yield from _young(days, delivery, now)
    yield labelled("ids", estimates.distinct(checkpoint))
    if (identity := numbers.identity) is not None:
        yield labelled(
            "people",
            f"{identity['people']:,} known, {counted(identity['merges'], 'merge')}, "
            f"{counted(identity['conflicts'], 'conflict')}",
        )
    if checkpoint.facts().get("--person-properties") == "set":
        yield labelled(
            "people",
            "--person-properties set: what the source knows of people overwrites newer values in a project that is "
            "in use; set_once and none do not",
        )
    filtered, rejected = sum(rows.filtered.values()), sum(rows.rejected.values())
    yield labelled(
        "rows", f"{rows.read:,} read, {rows.mapped:,} mapped, {filtered:,} filtered, {rejected:,} rejected"
    )
    yield from _reasons("rejected", "rows", numbers.open_rejects)
    yield from sections.losses(numbers.warnings)
    others = {name: count for name, count in numbers.warnings.items() if name not in sections.LOSSES}
    yield from _reasons("warning", "", others)
    yield from _reasons("changed", "values", numbers.repairs)
    if aside := list(numbers.set_aside):
        some = f"{aside[0]}{', …' if aside[1:] else ''}"
        yield labelled("aside", f"{counted(len(aside), 'file')}, not planned: {some}")
    requests = estimates.requests(checkpoint, delivery.max_batch_events)
    payloads = amount(checkpoint.extent()[1])
    yield labelled("size", f"{payloads} of payloads, about {counted(requests, 'request')}")
    yield labelled("time", _duration(pending, delivery, numbers))
    yield labelled("", sections.ACCEPTED)


def _key(key: str) -> str:
    """Return what may be shown of a key: its end, of one that is long enough, or else how long it is."""
    if len(key) > 4 * _KEY_SHOWN:
        return f"key …{key[-_KEY_SHOWN:]}"
    return f"a key of {counted(len(key), 'character')}"


def _held(numbers: Summary) -> str:
    held = numbers.events.held
    return f", {held:,} held until they are old enough ({numbers.held_until} on)" if held else ""


def _old(days: Mapping[str, int], today: date) -> Iterator[Line]:
    """Yield how many events are so old that a plan of PostHog's may not show them."""
    counts = {years: _before(days, today - timedelta(days=365.25 * years)) for years in _YEARS}
    if counts[1]:
        first, *others = [(counted(years, "year"), count) for years, count in counts.items() if count]
        older = f"than {first[0]}: {counted(first[1], 'event')}"
        older += "".join(f", than {years}: {count:,}" for years, count in others)
        yield labelled(
            "older", f"{older}; PostHog Cloud hides events older than the plan's window (free: 1 year)"
        )


def _before(days: Mapping[str, int], first: date) -> int:
    return sum(count for day, count in days.items() if day < first.isoformat())


def _young(days: Mapping[str, int], delivery: Delivery, now: datetime) -> Iterator[Line]:
    """Yield how many events would be billed as live ones because they are not waited for."""
    if not is_cloud(delivery.url) or delivery.min_age >= age.CLOUD_SECONDS:
        return
    first = age.first_held(now, age.CLOUD_SECONDS) or ""
    if young := sum(count for day, count in days.items() if day >= first):
        yield labelled(
            "younger",
            f"{young:,} than 48 h, which PostHog bills as live events; --min-age 48h waits for them",
        )


def _reasons(what: str, unit: str, counts: Mapping[str, int]) -> Iterator[Line]:
    """Yield the most frequent reasons of a kind, and how many others there are; `unit` is what is counted."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if ordered:
        more = f", and {len(ordered) - _MOST} more reasons" if len(ordered) > _MOST else ""
        some = ", ".join(f"{count:,} {reason}" for reason, count in ordered[:_MOST])
        yield labelled(what, f"{unit}{': ' if unit else ''}{some}{more}")


def _duration(pending: int, delivery: Delivery, numbers: Summary) -> str:
    """Return how long sending takes at the rate that will hold: the limit, or what was reached before if it is less."""
    rate = Pace.of(delivery.rate, numbers).holds
    if not rate:
        return "as fast as the host answers; no --rate is set"
    return f"about {timedelta(seconds=round(pending / rate))} at {_rate(rate)} events/s"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1 else f"{rate:g}"
