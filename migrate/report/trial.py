"""The screen at the end of a trial: all there is to know before its workdir goes, and what does it for good."""

from collections.abc import Iterator
from typing import Final

from migrate.report import commands, status
from migrate.report.numbers import Summary
from migrate.report.sections import Line, places
from migrate.workdir import parked, standing
from migrate.workdir.checkpoint import Checkpoint

IN_SANDBOX: Final = "this is a sandbox of migrate's: not asked, people included"
"""Said of a URL that is a local `migrate sandbox`."""
_UNTOLD: Final = ", without merges, $set, $set_once and $groupidentify: first rows do not know people"
_LATER: Final = "all rows, later, send these events again under the same uuids: PostHog keeps each once"


def untold(checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield, each with the word before it, what a trial that is sent for good does not send, and what becomes of it."""
    facts = checkpoint.facts()
    if facts.get("--limit") is not None and facts.get("--host") is not None:
        yield "trial", f"the first {facts['--limit']:,} rows, as real events{_UNTOLD}"
        yield "", _LATER


def said(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield what is `untold` as lines of a screen."""
    yield from (Line(f"{word:<8} {text}") for word, text in untold(checkpoint))


def lines(checkpoint: Checkpoint, numbers: Summary, typed: str, for_good: str) -> Iterator[Line]:
    """Yield the screen; `typed` is the trial's own command."""
    yield from status.lines(numbers, [])
    for reason, count in numbers.open_rejects.items():
        yield Line(f"rejected {count:>12,} {reason}{places(standing.places(checkpoint, reason))}")
    for one in parked.refusals(checkpoint):
        yield Line(f"parked   {one.events:>12,} {one.words}")
    if numbers.events.accepted:
        yield from said(checkpoint)
    yield Line("workdir  in a throw-away workdir, which is gone")
    if numbers.events.pending or not numbers.whole:
        yield Line(f"again    {typed}")
    yield Line(f"next     {for_good}")
    yield from (Line(f"         {need}") for need in commands.needs(for_good) if for_good)
