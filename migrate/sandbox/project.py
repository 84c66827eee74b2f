"""The one project of the sandbox, as the private API tells of it; its group types come as events name them."""

import json
from typing import Any, Final

from migrate.sandbox.lapses import Project
from migrate.sandbox.store import Store

_MOST_TYPES: Final = 5
"""Group types of a project; of others nothing is kept (posthog-ingestion.md §3.8)."""
_GROUPED: Final = (
    "SELECT event, properties FROM events "
    "WHERE event = '$groupidentify' OR properties LIKE '%\"$groups\"%' ORDER BY seq"
)


def facts(project: Project, token: str | None) -> dict[str, Any]:
    """Return what the API tells of the project; `token` is the key that events came with, where it has none set."""
    return {
        "id": project.id,
        "name": project.name,
        "api_token": project.api_token or token,
        "timezone": project.timezone,
        "event_retention_months": project.event_retention_months,
        "events_retention_enforced": project.events_retention_enforced,
        "drop_events_older_than_seconds": project.drop_events_older_than_seconds,
    }


def group_types(project: Project, store: Store) -> list[dict[str, Any]]:
    """Return the group types in the order in which they came, with their numbers."""
    types = dict.fromkeys(project.group_types)
    for event, properties in store.query(_GROUPED):
        held = json.loads(properties)
        groups = {held.get("$group_type"): ""} if event == "$groupidentify" else held.get("$groups")
        for one in groups if isinstance(groups, dict) else ():
            if one and isinstance(one, str) and len(types) < _MOST_TYPES:
                types.setdefault(one)
    return [{"group_type": name, "group_type_index": number} for number, name in enumerate(types)]
