"""The screen of a trial: what a sandbox has stored."""

from collections.abc import Iterator
from typing import Final

from migrate.report import bars
from migrate.report.sections import BOLD, Line
from migrate.sandbox.server import Sandbox
from migrate.screen import counted

_FIRST: Final = 5


def lines(sandbox: Sandbox) -> Iterator[Line]:
    """Yield the screen: how many events of how many people, by name, and the first of them."""
    stored = sandbox.summary()["collapsed"]
    yield Line(
        f"arrived in the sandbox: {counted(stored['events'], 'event')} of {counted(stored['distinct_ids'], 'id')}"
    )
    yield from bars.by_name(stored["by_event"])
    yield Line("the first of them", BOLD)
    for event in sandbox.events("collapsed", limit=_FIRST):
        texts = " ".join(event[name] for name in ("timestamp", "event", "distinct_id"))
        yield Line(f"  {texts} ({len(event['properties'])} properties)")
    yield Line("")
