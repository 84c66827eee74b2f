"""A target, looked at from both sides: capture is knocked at; where a personal key is known, the project is asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from migrate.asking import queries
from migrate.asking.api import Api
from migrate.asking.checked import Finding, Others, Plan, Weight, beforehand, findings
from migrate.asking.project import Project, find
from migrate.asking.reach import Reach, Reached
from migrate.asking.target import SCOPES, Access
from migrate.errors import Unasked

_NAME: Final = "migrate check"
"""What its queries are called in PostHog's own log."""
_SHORTLY: Final = 1.0
"""Seconds that a run waits for what it can do without."""
_WITHOUT: Final = (
    "without a personal API key: which project it is, its retention, group types, what it drops, newer events; set "
    f"POSTHOG_PERSONAL_API_KEY (phx_…, with the scopes {SCOPES})"
)


@dataclass(frozen=True)
class Target:
    """Where events are to be sent, and how the project is asked, where that is known."""

    url: str
    key: str | None = field(default=None, repr=False)
    access: Access | None = None


@dataclass(frozen=True)
class Known:
    """A project that was found before anything was planned, to be looked at again with the plan."""

    access: Access
    project: Project

    def findings(self, plan: Plan | None, now: datetime) -> list[Finding]:
        """Return what the project means for a plan; what cannot be asked now is said."""
        return asyncio.run(self._findings(plan, now))

    async def _findings(self, plan: Plan | None, now: datetime) -> list[Finding]:
        async with Api(self.access.app_host, self.access.key, attempts=2) as api:
            return await _of(api, self.project, plan, now)


def check(target: Target, plan: Plan | None, now: datetime) -> list[Finding]:
    """Return all that can be seen of a target; raises Unasked where it is no PostHog, Refused for another's key."""
    return asyncio.run(_check(target, plan, now))


def check_shortly(target: Target, *, is_packed: bool) -> Known | Unasked | None:
    """Look before anything is planned, once and for a second: return the project, or why it cannot be told.

    None where nobody can be asked. A host that does not answer now is no matter yet, as there is patience for it when
    events are sent. Raises Unasked where it is no PostHog, Refused where the key is of no project that is seen.
    """
    return asyncio.run(_check_shortly(target, is_packed=is_packed))


async def _check_shortly(target: Target, *, is_packed: bool) -> Known | Unasked | None:
    await Reach(target.url, target.key, timeout=_SHORTLY).shortly(is_packed=is_packed)
    if (access := target.access) is None:
        return None
    try:
        async with Api(access.app_host, access.key, attempts=1) as api:
            return Known(access, await find(api, target.key, access.project_id))
    except Unasked as error:
        return error


async def _check(target: Target, plan: Plan | None, now: datetime) -> list[Finding]:
    reached = await Reach(target.url, target.key, timeout=30.0).fully()
    found = list(_reached(reached, plan))
    if (access := target.access) is None:
        return [*found, *beforehand(plan), Finding(Weight.UNSEEN, "unseen", _WITHOUT)]
    async with Api(access.app_host, access.key) as api:
        return [*found, *await _of(api, await find(api, target.key, access.project_id), plan, now)]


def _reached(reached: Reached, plan: Plan | None) -> Sequence[Finding]:
    found = [Finding(Weight.FINE, "host", f"{reached.url} answers as PostHog does")]
    if not reached.takes_gzip:
        text = (
            "compressed bodies do not arrive as they were sent; a proxy may change them: send with --no-gzip"
        )
        found.append(Finding(Weight.NOTE, "host", text))
    if reached.has_v1 is False and plan is not None and plan.protocol == "v1":
        text = (
            "capture v1 is not there, and the workdir is sent over it; see whether it comes back, or plan into another "
            "--workdir, which sends the same events over v0"
        )
        found.append(Finding(Weight.ASKS, "host", text))
    elif reached.has_v1 is not None:
        there = "there" if reached.has_v1 else "not there"
        found.append(Finding(Weight.FINE, "host", f"capture v1 is {there}"))
    return found


async def _of(api: Api, project: Project, plan: Plan | None, now: datetime) -> list[Finding]:
    """Return what a project means for a plan."""
    others, unseen = None, list[Finding]()
    if plan is not None and plan.last is not None:
        try:
            others = await _others(api, project, plan, plan.last)
        except Unasked as error:
            why = error.words or str(error)
            unseen = [Finding(Weight.UNSEEN, "unseen", f"newer events of other origin (found '{why}')")]
    return [*findings(project, plan, others, now), *unseen]


async def _others(api: Api, project: Project, plan: Plan, last: datetime) -> Others:
    rows = await api.query(project.id, queries.newest(last.astimezone(UTC), but=plan.import_id), name=_NAME)
    newest, events = rows[0] if rows else ("", 0)
    return Others(int(events), str(newest))
