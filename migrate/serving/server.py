"""The page's server: on 127.0.0.1 alone, for whoever has its address, until it is interrupted."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib.resources import files
from typing import Any, Final

import msgspec
from aiohttp import web

from migrate.serving.desk import Desk
from migrate.serving.paper import LARGEST
from migrate.serving.rows import View
from migrate.serving.visitors import KEY, Visitors

HOST: Final = "127.0.0.1"
_SHUTDOWN: Final = 0.05
"""Seconds a stopping server gives to requests that are being answered."""
_BODY_BYTES: Final = 6 * LARGEST
"""A text in JSON may be six times as long."""
_KINDS: Final = {"index.html": "text/html", "serve.js": "text/javascript", "serve.css": "text/css"}
_MARK: Final = "{token}"
_SILENT: Final = logging.getLogger(__name__)
"""No request is logged, not even one that is none: its address holds the token."""
_SILENT.disabled = True
_encoded: Final = msgspec.json.Encoder().encode


class Sent(msgspec.Struct):
    """What the page sends: a text, of which version of its file, and which rows, of which trial, it shows."""

    text: str | None = None
    version: str = ""
    view: View = View()
    number: int = 0
    window: str = ""
    """Tells what one window asks from what others do."""


class Serving:
    """The routes of one desk."""

    def __init__(self, desk: Desk, visitors: Visitors) -> None:
        self._desk, self._visitors = desk, visitors

    def application(self) -> web.Application:
        """Return all of them, behind what turns strangers away."""
        app = web.Application(middlewares=[self._visitors.middleware()], client_max_size=_BODY_BYTES)
        for path, name in {"/": "index.html", "/serve.js": "serve.js", "/serve.css": "serve.css"}.items():
            app.router.add_get(path, self._asset(name))
        app.router.add_get("/api/page", self._page)
        app.router.add_get("/api/text", self._text)
        app.router.add_post("/api/try", self._try)
        app.router.add_post("/api/rows", self._rows)
        app.router.add_post("/api/save", self._save)
        return app

    def _asset(self, name: str) -> Callable[[web.Request], Any]:
        text = (files("migrate.serving") / "assets" / name).read_text(encoding="utf-8")
        text = text.replace(_MARK, self._visitors.token) if name == "index.html" else text

        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=text, content_type=_KINDS[name], charset="utf-8")

        return answer

    async def _page(self, _: web.Request) -> web.Response:
        return _json(self._desk.page())

    async def _text(self, _: web.Request) -> web.Response:
        return _json(self._desk.text())

    async def _try(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return _json(await self._desk.tried(sent.text, sent.view, sent.window))

    async def _rows(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return _json(await self._desk.page_of(sent.view, sent.number))

    async def _save(self, request: web.Request) -> web.Response:
        sent = await _sent(request)
        return _json(self._desk.save(sent.text or "", sent.version))


async def _sent(request: web.Request) -> Sent:
    """Return what the page sends; raises a response where it is none of ours."""
    try:
        sent = msgspec.json.decode(await request.read(), type=Sent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        said = f"not what this page sends, found '{error}'; load the page again"
        raise web.HTTPBadRequest(text=said) from error
    if sent.text is not None and len(sent.text) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, len(sent.text))
    return sent


def _json(found: object) -> web.Response:
    body = found if isinstance(found, bytes) else _encoded(found)
    return web.Response(body=body, content_type="application/json")


async def serve_until(
    desk: Desk, *, port: int, visitors: Visitors, ready: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Serve until `stop`; `ready` is told the address, with the token. Raises OSError if the port is taken."""
    async with AsyncExitStack() as stack:
        stack.callback(desk.end)
        app = Serving(desk, visitors).application()
        runner = web.AppRunner(app, access_log=None, logger=_SILENT, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, port, reuse_address=True).start()
        ready(f"http://{HOST}:{runner.addresses[0][1]}/?{KEY}={visitors.token}")
        await stop.wait()


def serve(desk: Desk, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve in the foreground until SIGINT, SIGTERM or SIGHUP; raises OSError if the port is taken."""

    async def run() -> None:
        stop = asyncio.Event()
        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as nohup has it
        for number in (signal.SIGINT, signal.SIGTERM, *([] if is_ignored else [signal.SIGHUP])):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        desk.begin()
        await serve_until(desk, port=port, visitors=Visitors(), ready=on_ready, stop=stop)

    asyncio.run(run())
