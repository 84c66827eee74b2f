"""PostHog's private API beside capture: the project, its group types, queries, persons; asked with a personal key."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from migrate.sandbox import project
from migrate.sandbox.hogql import WARNINGS, Unknown, translated
from migrate.sandbox.lapses import (
    AnyLapse,
    AskStatus,
    Asynchronous,
    Cached,
    MissingScope,
    NoWarnings,
    Project,
    TimeOut,
)
from migrate.sandbox.script import Script
from migrate.sandbox.seen import Sight
from migrate.sandbox.store import Store

_BEARER: Final = "bearer "
_PERSONAL: Final = "phx_"
_SECRET: Final = "phs_"  # noqa: S105 - how a project's secret key begins, which may ask queries and nothing else
_PATH: Final = re.compile(
    r"/api/projects/(?:(?P<project>[^/]+)/(?:(?P<what>groups_types|persons|query)/(?:(?P<id>[^/]+)/)?)?)?"
)
_SCOPES: Final = {
    None: "project:read",
    "groups_types": "group:read",
    "persons": "person:read",
    "bulk_delete": "person:write",
    "query": "query:read",
}
"""What of a project is asked for -> the scope that a key needs."""
_DELETION: Final = "bulk_delete"
_MOST_DELETED: Final = 1_000
_LISTED: Final = ("id", "name", "api_token", "timezone")
"""What a list of projects says of each."""
_USUAL: Final = {
    401: ("authentication_error", "authentication_failed", "Personal API key found in request is invalid."),
    403: ("authentication_error", "permission_denied", "You do not have permission to perform this action."),
    404: ("invalid_request", "not_found", "Not found."),
    429: ("throttled_error", "throttled", "Request was throttled."),
    500: ("server_error", "error", "A server error occurred."),
    504: ("server_error", "error", "Query has hit the max execution time before completing."),
}
"""Status -> type, code and detail of PostHog's answer."""


class _Query(msgspec.Struct):
    query: str
    kind: str
    modifiers: dict[str, Any] = {}


class _Body(msgspec.Struct):
    query: _Query
    refresh: str = "blocking"
    name: str = ""


class _Deletion(msgspec.Struct):
    ids: list[str]
    delete_events: bool = False


class Question(msgspec.Struct, frozen=True):
    """One request as it went, without its key."""

    method: str
    path: str
    status: int
    body: dict[str, Any] = {}


class Wrong(Exception):  # noqa: N818 - an answer to the client, not a failure of this program
    """The request is refused: its status, what is said in PostHog's form, and headers."""

    def __init__(self, status: int, detail: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        kind, code, words = _USUAL.get(status, ("validation_error", "invalid_input", "Invalid input."))
        self.status, self.headers = status, headers or {}
        self.body = {"type": kind, "code": code, "detail": words if detail is None else detail, "attr": None}


class Private:
    """The private API. `script` gives the rules in force, `now` the server's time.

    `personal_keys`: the only ones that are taken; None takes all that look like one.
    """

    def __init__(
        self,
        store: Store,
        script: Callable[[], Script],
        now: Callable[[], datetime],
        personal_keys: Collection[str] | None = None,
    ) -> None:
        self.token: str | None = None
        """The key that events came with last: that of the project, where no rule gives it one. It is never stored."""
        self.questions: list[Question] = []
        self._store, self._script, self._now, self._keys = store, script, now, personal_keys
        self._sight = Sight(store)
        self._running: dict[str, tuple[int, dict[str, Any]]] = {}
        """Queries whose answer is not there yet: how often they are to be looked for, and the answer."""

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_route("*", "/api/{rest:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        asked = _PATH.fullmatch(request.path)
        is_query = asked is not None and asked["what"] == "query" and request.method == "POST"
        text = await request.read()
        lapses = self._script().lapses(is_query=is_query)
        try:
            answer = web.json_response(
                self._found(request, self._checked(request, asked, lapses), text, lapses)
            )
        except Wrong as wrong:
            answer = web.json_response(wrong.body, status=wrong.status, headers=wrong.headers)
        body = msgspec.json.decode(text) if is_query and answer.status != 400 else {}  # noqa: PLR2004
        self.questions.append(Question(request.method, request.path, answer.status, body))
        return answer

    def _checked(
        self, request: web.Request, asked: re.Match[str] | None, lapses: Sequence[AnyLapse]
    ) -> re.Match[str]:
        """Return what is asked for; raises Wrong where it may not be, or there is no such thing."""
        is_deletion = asked is not None and (asked["what"], asked["id"]) == ("persons", _DELETION)
        is_known = asked is not None and (
            asked["what"] == "query" or request.method == ("POST" if is_deletion else "GET")
        )
        if asked is None or not is_known:
            raise Wrong(404)
        for lapse in lapses:
            if isinstance(lapse, AskStatus):
                after = {} if lapse.retry_after is None else {"Retry-After": f"{lapse.retry_after:g}"}
                raise Wrong(lapse.status, lapse.detail, after)
        given = request.headers.get("Authorization", "")
        if not given.lower().startswith(_BEARER):
            raise Wrong(401, "Authentication credentials were not provided.")
        key, scope = given[len(_BEARER) :].strip(), _SCOPES[_DELETION if is_deletion else asked["what"]]
        if not key.startswith((_PERSONAL, _SECRET)) or (self._keys is not None and key not in self._keys):
            raise Wrong(401)
        missing = {one.scope for one in lapses if isinstance(one, MissingScope)}
        if scope in missing or (key.startswith(_SECRET) and asked["what"] != "query"):
            raise Wrong(403, f"API key missing required scope '{scope}'")
        if asked["project"] not in {None, "@current", str(_project(lapses).id)}:
            raise Wrong(404, "Project not found.")
        return asked

    def _found(
        self, request: web.Request, asked: re.Match[str], text: bytes, lapses: Sequence[AnyLapse]
    ) -> dict[str, Any] | list[dict[str, Any]]:
        """Return what is asked for; raises Wrong."""
        told = project.facts(_project(lapses), self.token)
        match asked["what"], asked["id"]:
            case None, _:
                return told if asked["project"] else _page([{name: told[name] for name in _LISTED}])
            case "groups_types", None:
                return project.group_types(_project(lapses), self._store)
            case "persons", None:
                return self._persons(request.query.get("distinct_id", ""), lapses)
            case "persons", "bulk_delete":
                return self._deleted(text, lapses)
            case "query", None:
                return self._queried(text, lapses)
            case "query", str(one) if one in self._running:
                return self._looked(one)
        raise Wrong(404)

    def _queried(self, text: bytes, lapses: Sequence[AnyLapse]) -> dict[str, Any]:
        """Return the answer to a query, or where it will be."""
        try:
            asked = msgspec.json.decode(text, type=_Body)
        except msgspec.DecodeError as error:
            raise Wrong(400, f"not a query: {error}") from None
        if asked.query.kind != "HogQLQuery":
            raise Wrong(400, f"this sandbox answers HogQLQuery, found '{asked.query.kind}'")
        is_utc = asked.query.modifiers.get("convertToProjectTimezone") is False
        zone = "UTC" if is_utc else _project(lapses).timezone
        answer = self._answered(asked, zone, lapses)
        later = next((lapse for lapse in lapses if isinstance(lapse, Asynchronous)), None)
        if later is None:
            return answer
        name = f"query-{len(self.questions)}"
        self._running[name] = (later.polls, answer)
        return {"query_status": {"id": name, "query_async": True, "complete": False, "error": False}}

    def _answered(self, asked: _Body, zone: str, lapses: Sequence[AnyLapse]) -> dict[str, Any]:
        try:
            sql = translated(asked.query.query, zone=zone)
        except Unknown as unknown:
            raise Wrong(400, str(unknown)) from None
        if sql.table == WARNINGS and any(isinstance(one, NoWarnings) for one in lapses):
            raise Wrong(400, f"Unknown table `{WARNINGS}`.")
        if sql.table == "events" and any(
            isinstance(one, TimeOut) and sql.hours > one.hours for one in lapses
        ):
            raise Wrong(504)
        is_cached = any(isinstance(one, Cached) for one in lapses)
        rows = self._sight.rows(sql, lapses, _project(lapses), zone=zone, now=self._now())
        return {
            "results": [] if is_cached else rows,
            "columns": sql.columns,
            "types": [list(pair) for pair in zip(sql.columns, sql.types, strict=True)],
            "is_cached": is_cached,
            "timezone": zone,
        }

    def _looked(self, name: str) -> dict[str, Any]:
        """Return how far a query is."""
        left, answer = self._running[name]
        self._running[name] = (left - 1, answer)
        status: dict[str, Any] = {"id": name, "query_async": True, "complete": left <= 0, "error": False}
        return {"query_status": status | ({"results": answer} if left <= 0 else {})}

    def _persons(self, distinct_id: str, lapses: Sequence[AnyLapse]) -> dict[str, Any]:
        """Return the person whose id this is, if anybody's, with all ids of that person."""
        ids = dict(self._sight.people(lapses))
        mine = [one for one, person in ids.items() if person == ids.get(distinct_id)]
        return _page([{"uuid": ids[distinct_id], "distinct_ids": mine}] if mine else [])

    def _deleted(self, text: bytes, lapses: Sequence[AnyLapse]) -> dict[str, Any]:
        """Delete people, with all of their events where that is asked for; PostHog takes until a weekend for those."""
        try:
            asked = msgspec.json.decode(text, type=_Deletion)
        except msgspec.DecodeError as error:
            raise Wrong(400, f"not a deletion: {error}") from None
        if len(asked.ids) > _MOST_DELETED:
            raise Wrong(400, f"You can only pass {_MOST_DELETED} ids in one call")
        people = [*self._sight.people(lapses)]
        ids = [distinct_id for distinct_id, person in people if person in asked.ids]
        if asked.delete_events:
            gone = "DELETE FROM events WHERE distinct_id IN (SELECT value FROM json_each(:ids))"
            self._store.query(gone, {"ids": json.dumps(ids)})
        found = len({person for _, person in people if person in asked.ids})
        return {
            "persons_found": found,
            "persons_deleted": found,
            "events_queued_for_deletion": asked.delete_events,
            "recordings_queued_for_deletion": False,
            "deletion_errors": [],
        }


def _project(lapses: Sequence[AnyLapse]) -> Project:
    return next((lapse for lapse in lapses if isinstance(lapse, Project)), Project())


def _page(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"count": len(found), "next": None, "previous": None, "results": found}
