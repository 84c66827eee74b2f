"""The sandbox's routes: one request in, capture's answer or a fault out."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from itertools import islice
from typing import Final, cast
from urllib.parse import urlsplit

import msgspec
from aiohttp import ClientPayloadError, web
from aiohttp.typedefs import Handler, Middleware

from migrate import SANDBOX
from migrate.errors import UsageError
from migrate.sandbox import wire, wire_v1
from migrate.sandbox.fault import Load
from migrate.sandbox.faults import AnyFault, Cut, Reset
from migrate.sandbox.intake import Asked, Intake
from migrate.sandbox.moments import canonical
from migrate.sandbox.private import Private
from migrate.sandbox.script import Script
from migrate.sandbox.store import Receipt, Store, View
from migrate.sandbox.wire import Answer

BATCH_PATHS: Final = ("/batch", "/batch/", "/i/v0/e", "/i/v0/e/")
SINGLE_PATHS: Final = ("/e", "/e/", "/capture", "/capture/", "/track", "/track/")
_PAGE: Final = 1000
_REQUEST_ID: Final = "PostHog-Request-Id"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - what a user may bind to


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def _own(bound: str) -> Middleware:
    """Return the middleware that turns away requests meant for another server, such as a web page can send.

    Of names only our own are let through, as any name may point here; addresses all are, where the server listens on
    any of them.
    """
    ours = {*_LOOPBACK, bound, socket.gethostname()}

    def is_ours(name: str | None) -> bool:
        if name is None or name in ours:
            return True
        return bound in _ANY and re.fullmatch(r"[0-9.]+|[0-9a-f:]+", name) is not None

    @web.middleware
    async def own(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        origin = request.headers.get("Origin")
        if is_ours(asked) and (origin is None or is_ours(urlsplit(origin).hostname or "")):
            return await handler(request)
        return web.Response(status=403, text="this is the sandbox of another address, and of no page\n")

    return own


@web.middleware
async def _wordless(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say nothing of a path or a method that there is not, as the real server does."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        allowed = error.headers.get("Allow")
        return web.Response(status=error.status, headers={"Allow": allowed} if allowed else None)


class Endpoint:
    """The capture endpoint and its control routes, as one aiohttp application."""

    def __init__(  # noqa: PLR0913 - what a test may want to set
        self,
        store: Store,
        script: Script,
        *,
        now: Callable[[], datetime] = utc_now,
        accepted_keys: Collection[str] | None = None,
        personal_keys: Collection[str] | None = None,
        has_v1: bool = False,
    ) -> None:
        self.store = store
        self.script = script
        self._now = now
        self._intake = Intake(store, accepted_keys, self._note_key)
        self._has_v1 = has_v1
        self._in_flight = 0
        self._link_is_free_at = 0.0
        self._number = store.last_request()
        self.private = Private(store, lambda: self.script, now, personal_keys)

    def application(self, host: str = "127.0.0.1", *, asks: bool = True) -> web.Application:
        """Return the application with every route, for a server that listens on `host`.

        `asks`: whether the private API is beside capture, as a self-hosted PostHog has it.
        """
        app = web.Application(middlewares=[_own(host), _wordless])
        if asks:
            self.private.add_to(app)
        for path in BATCH_PATHS + SINGLE_PATHS:
            app.router.add_route("POST", path, self._capture)
            app.router.add_route("GET", path, self._capture)
            app.router.add_route("OPTIONS", path, self._options)
        for path in wire_v1.PATHS if self._has_v1 else ():
            app.router.add_route("POST", path, self._capture)
        app.router.add_get("/_sandbox", self._self)
        app.router.add_get("/_sandbox/summary", self._summary)
        app.router.add_get("/_sandbox/events.jsonl", self._events)
        app.router.add_get("/_sandbox/requests", self._requests)
        app.router.add_post("/_sandbox/faults", self._faults)
        app.router.add_post("/_sandbox/reset", self._reset)
        return app

    def app(self, host: str = "127.0.0.1") -> web.Application:
        """Return the private API alone, as PostHog Cloud has it on a host of its own."""
        app = web.Application(middlewares=[_own(host)])
        self.private.add_to(app)
        return app

    def reset(self) -> None:
        """Forget every event and every request; the faults stay."""
        self.store.reset()
        self._number = 0

    async def _capture(self, request: web.Request) -> web.StreamResponse:
        self._number += 1
        fired = self.script.fired()
        names = ",".join(fault.__struct_config__.tag for fault in fired)  # type: ignore[misc]
        receipt = Receipt(
            request=self._number, received_at=canonical(self._now()), path=request.path, faults=names
        )
        self._in_flight += 1
        answer, in_flight = None, self._in_flight
        try:
            body = await _body(request)
            receipt.bytes = len(body)
            is_v1 = request.path in wire_v1.PATHS
            load = Load(len(body), in_flight, self._now(), is_v1=is_v1)
            answer = await self._answer(request, body, fired, receipt, load)
        except wire.Refusal as refusal:
            answer = refusal.answer()
        except (ConnectionError, ClientPayloadError):
            pass  # the client left in the middle of its body
        finally:
            self._in_flight -= 1
            receipt.status = "cut" if answer is None else str(answer.status)
            self.store.note(receipt)
        if answer is None:
            return web.Response()
        return _response(answer, request)

    async def _answer(
        self, request: web.Request, body: bytes, fired: list[AnyFault], receipt: Receipt, load: Load
    ) -> Answer | None:
        """Play one request; None means that the connection is gone."""
        await self._wait(fired, load)
        for fault in fired:
            if isinstance(fault, Reset) and not fault.stored:
                _reset_connection(request)
                return None
            if answer := fault.answer(load):
                return answer
        try:
            asked = Asked(request.query, request.headers, body, request.remote or "127.0.0.1")
            answer = self._intake.take(asked, fired, receipt, load)
        except wire.Refusal as refusal:
            answer = refusal.answer()
        await _pause(sum(fault.afterwards() for fault in fired))
        if any(isinstance(fault, Reset) for fault in fired):
            _reset_connection(request)
            return None
        if any(isinstance(fault, Cut) for fault in fired):
            _cut_connection(request, answer)
            return None
        return answer

    def _note_key(self, key: str) -> None:
        self.private.token = key

    async def _options(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _self(self, _: web.Request) -> web.Response:
        return web.json_response({"is": SANDBOX})

    async def _summary(self, _: web.Request) -> web.Response:
        return web.json_response(self.store.summary())

    async def _requests(self, _: web.Request) -> web.Response:
        return web.json_response(self.store.requests())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        view, limit = request.query.get("view", "raw"), request.query.get("limit", "")
        if view not in ("raw", "collapsed") or (limit and not limit.isdecimal()):
            return web.Response(status=400, text="view is raw or collapsed, limit is a number")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        lines = self.store.lines(cast("View", view), limit=int(limit) if limit else None)
        while page := list(islice(lines, _PAGE)):
            await response.write("".join(f"{line}\n" for line in page).encode())
        await response.write_eof()
        return response

    async def _faults(self, request: web.Request) -> web.Response:
        try:
            self.script = Script(msgspec.json.decode(await request.read()))
        except (UsageError, msgspec.DecodeError, TypeError) as error:
            return web.Response(status=400, text=str(error))
        return web.json_response({"status": "Ok"})

    async def _reset(self, _: web.Request) -> web.Response:
        self.reset()
        return web.json_response({"status": "Ok"})

    async def _wait(self, fired: list[AnyFault], load: Load) -> None:
        now = asyncio.get_running_loop().time()
        seconds = sum(fault.delay(load) for fault in fired)
        transfer = sum(fault.transfer(load) for fault in fired)
        if transfer:
            self._link_is_free_at = max(now, self._link_is_free_at) + transfer
            seconds += self._link_is_free_at - now
        await _pause(seconds)


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


async def _body(request: web.Request) -> bytes:
    """Read the body as it came over the wire, no more of it than shows that it is over the limit."""
    left = wire_v1.WIRE_LIMIT if request.path in wire_v1.PATHS else wire.DECODED_LIMIT + 1
    chunks = []
    async for chunk in request.content.iter_any():
        chunks.append(chunk[:left])
        left -= len(chunks[-1])
    return b"".join(chunks)


def _response(answer: Answer, request: web.Request) -> web.Response:
    headers = answer.headers | ({"Content-Type": answer.content_type} if answer.body else {})
    if request.path in wire_v1.PATHS and (name := request.headers.get(_REQUEST_ID)):
        headers[_REQUEST_ID] = name
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


def _reset_connection(request: web.Request) -> None:
    """Drop the connection with a TCP reset, so that the client cannot take it for an orderly end."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()


def _cut_connection(request: web.Request, answer: Answer) -> None:
    """Send the head and half the body of the answer, then end the connection."""
    transport = request.transport
    if transport is not None:
        length = max(2, len(answer.body))
        head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n"
        transport.write(f"{head}Content-Length: {length}\r\n\r\n".encode() + answer.body[: length // 2])
        transport.close()
