"""A plan → what there is to know of it where PostHog is asked."""

from datetime import UTC, datetime, timedelta
from typing import Final

from migrate.apply.target import noted
from migrate.asking.checked import Plan
from migrate.workdir.checkpoint import Checkpoint

SAID: Final = "said_person_properties"
"""The fact that says whether anybody has said how properties of persons arrive."""
_OPTION: Final = "--person-properties"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def plan_of(checkpoint: Checkpoint) -> Plan | None:
    """Return what there is to know of a plan; None where nothing is planned."""
    if not checkpoint.has_events():
        return None
    facts, last = checkpoint.facts(), checkpoint.extent()[3]
    return Plan(
        import_id=facts.get("import_id"),
        platform=facts.get("platform"),
        days=checkpoint.by_day(),
        last=None if last is None else _EPOCH + timedelta(microseconds=last),
        group_types=frozenset(checkpoint.numbers().group_types),
        overwrites=facts.get(_OPTION) == "set" and not facts.get(SAID),
        protocol=noted(checkpoint),
    )
