"""The screen at the end of a trial: all there is to know before its workdir goes, and what does it for good."""

from collections.abc import Iterator
from typing import Final

from migrate.report import commands, status
from migrate.report.numbers import Summary
from migrate.report.sections import Line, labelled, places
from migrate.workdir import parked, standing
from migrate.workdir.checkpoint import Checkpoint

IN_SANDBOX: Final = "this is a sandbox of migrate's: not asked, people included"
"""Said of a URL that is a local `migrate sandbox`."""
_UNTOLD: Final = ", without merges, $set, $set_once and $groupidentify: first rows do not know people"
_LATER: Final = "all rows, later, send these events again under the same uuids: PostHog keeps each once"


def said(checkpoint: Checkpoint) -> Iterator[Line]:
    """Yield what a trial that is sent for good does not send, and what becomes of it."""
    facts = checkpoint.facts()
    if facts.get("--limit") is not None and facts.get("--host") is not None:
        yield labelled("trial", f"the first {facts['--limit']:,} rows, as real events{_UNTOLD}")
        yield labelled("", _LATER)


def lines(checkpoint: Checkpoint, numbers: Summary, typed: str, for_good: str) -> Iterator[Line]:
    """Yield the screen; `typed` is the trial's own command."""
    yield from status.lines(numbers, [])
    for reason, count in numbers.open_rejects.items():
        yield labelled("rejected", f"{count:,} {reason}{places(standing.places(checkpoint, reason))}")
    for one in parked.refusals(checkpoint):
        yield labelled("parked", f"{one.events:,} {one.words}")
    if numbers.events.accepted:
        yield from said(checkpoint)
    yield labelled("workdir", "in a throw-away workdir, which is gone")
    if numbers.events.pending or not numbers.whole:
        yield labelled("again", "", command=typed)
    yield labelled("next", "", command=for_good)
    yield from (labelled("", need) for need in commands.needs(for_good) if for_good)
