"""Who becomes whom among the rows that are tried: the merges that their payloads ask for."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, cast

from migrate.people.identity import Report
from migrate.report import sections
from migrate.serving.rows import Payload

if TYPE_CHECKING:
    from migrate.report.numbers import Identity

_MOST: Final = 200
"""So many people are listed."""


def persons(payloads: Iterable[Payload]) -> dict[str, Any]:
    """Return the people to whom other ids become, each with these ids, in the order of the payloads; and how many."""
    found: dict[str, dict[str, None]] = {}
    for one in payloads:
        if (other := _other(one)) is not None:
            found.setdefault(one.distinct_id, {})[other] = None
    listed = [{"person": person, "ids": [*found[person]]} for person in [*found][:_MOST]]
    return {"persons": listed, "of": len(found)}


def _other(one: Payload) -> str | None:
    """Return the id that an event makes the person's, if it does."""
    match one.event:
        case "$identify":
            other = one.properties.anonymous
        case "$create_alias" | "$merge_dangerously":
            other = one.properties.alias
        case _:
            return None
    return None if other is None else str(other)


def told(report: Report | None) -> list[sections.Line]:
    """Return what is known of people, in the words of the dry run."""
    return [] if report is None else [*sections.people(cast("Identity", asdict(report)))]
