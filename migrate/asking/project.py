"""A project, found by the key that events are sent with, as the private API tells of it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migrate.apply.capture import shown
from migrate.errors import Refused, Unasked

if TYPE_CHECKING:
    from migrate.asking.api import Api

MOST_GROUP_TYPES: Final = 5
"""Of a project; events of a sixth one have no group (posthog-ingestion.md §3.8)."""
_FORBIDDEN: Final = 403
_DURATION: Final = re.compile(r"(?:(\d+) )?(\d+):(\d+):(\d+)(?:\.\d+)?")
"""A duration as Django has it, `[days] hours:minutes:seconds`."""


@dataclass(frozen=True)
class Project:
    """What is known of a project; None where it does not say."""

    id: int | str
    name: str = ""
    timezone: str | None = None
    retention_months: int | None = None
    """How far back it shows events (posthog-ingestion.md §9.5)."""
    is_enforced: bool | None = None
    """Whether it hides what is older."""
    oldest_seconds: float | None = None
    """It drops events that are older than this when they come, without a word."""
    group_types: Mapping[str, int] | None = None
    """Type of group -> its number, the N of `$group_N`."""
    unseen: tuple[str, ...] = ()
    """What could not be seen, and why."""


async def find(api: "Api", key: str | None, project_id: str | None) -> Project:
    """Return the project with this id, or the one whose key this is, of those that the personal key sees.

    Raises Refused where there is none, or where the key is another one's: events would go to another project than is
    looked at, or to none; Unasked where nothing can be seen.
    """
    chosen = project_id or await _by_key(api, key)
    try:
        found = await api.get(f"/api/projects/{chosen}/")
    except Unasked as error:
        if project_id is None or error.status != _FORBIDDEN:
            raise
        return Project(project_id, unseen=(f"the project's settings (found {error.status} '{error.words}')",))
    number = _id(api, found)
    if key is not None and found.get("api_token") not in (None, key):
        raise Refused(
            f"--api-key: not the key of project {chosen} ({_text(found, 'name')}) at {api.app_host}; give that "
            "project's own key (phc_…), or another POSTHOG_PROJECT_ID"
        )
    groups: Mapping[str, int] | None = None
    unseen: tuple[str, ...] = ()
    try:
        groups = _numbered(await api.all(f"/api/projects/{chosen}/groups_types/"))
    except Unasked as error:
        unseen = (f"group types (found {error.status} '{error.words}')",)
    return _project(number, found, groups, unseen)


async def _by_key(api: "Api", key: str | None) -> int:
    """Return the id of the project whose key this is."""
    projects = await api.all("/api/projects/")
    if key is None and len(projects) == 1:
        return _id(api, projects[0])
    for one in projects:
        if key is not None and one.get("api_token") == key:
            return _id(api, one)
    if key is None:
        raise Refused(
            f"--api-key: missing, and the personal API key sees {len(projects)} projects; give the key of the one that "
            "is meant, or its POSTHOG_PROJECT_ID"
        )
    raise Refused(
        f"--api-key: of no project that the personal API key sees at {api.app_host}, found {len(projects)}; PostHog "
        "takes events under such a key and forgets them, or they go to another region: check the key, and --host (keys "
        "of us and eu are apart); of a project in another organization say POSTHOG_PROJECT_ID"
    )


def _id(api: "Api", found: Mapping[str, Any]) -> int:
    """Return a project's number; raises Unasked for what is no project, as no path may be made of anything else."""
    one = found.get("id")
    if isinstance(one, int) and not isinstance(one, bool) and one > 0:
        return one
    raise Unasked(
        f"{api.app_host}: the answer is not PostHog's, found a project without a number; check --app-host, and whether "
        "a proxy stands in between"
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    """Return what a project says in a text, on one line; nothing where it is none."""
    value = found.get(name)
    return shown(value, "") if isinstance(value, str) else ""


def _numbered(types: list[dict[str, Any]]) -> dict[str, int]:
    return {
        str(one["group_type"]): int(one["group_type_index"])
        for one in types
        if "group_type" in one and isinstance(one.get("group_type_index"), int)
    }


def _project(
    number: int, found: Mapping[str, Any], groups: Mapping[str, int] | None, unseen: tuple[str, ...]
) -> Project:
    months, enforced = found.get("event_retention_months"), found.get("events_retention_enforced")
    return Project(
        id=number,
        name=_text(found, "name"),
        timezone=_text(found, "timezone") or None,
        retention_months=months if isinstance(months, int) and months > 0 and months is not True else None,
        is_enforced=enforced if isinstance(enforced, bool) else None,
        oldest_seconds=_seconds(found),
        group_types=groups,
        unseen=unseen,
    )


def _seconds(found: Mapping[str, Any]) -> float | None:
    """Return the age beyond which events are dropped, as a number or as Django writes a duration."""
    value = found.get("drop_events_older_than_seconds", found.get("drop_events_older_than"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value < math.inf else None
    if isinstance(value, str) and (parts := _DURATION.fullmatch(value.strip())):
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds) or None
    return None
