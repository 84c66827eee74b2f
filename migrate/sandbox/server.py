"""The sandbox's life: in the foreground for the command line, in a thread for tests and dry runs."""

import asyncio
import json
import signal
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from migrate.errors import UsageError
from migrate.sandbox.endpoint import Endpoint, utc_now
from migrate.sandbox.private import Question
from migrate.sandbox.script import Script
from migrate.sandbox.store import Store, View
from migrate.throwaway import SANDBOX, throwaway

Rules = Iterable[Mapping[str, Any]]

# Seconds a stopping server gives to requests that a fault holds back.
_SHUTDOWN: Final = 0.05


async def _serve(  # noqa: PLR0913 - each is a setting of the server
    endpoint: Endpoint,
    *,
    host: str,
    port: int,
    app_port: int | None = None,
    ready: Callable[[str, str], None],
    stop: asyncio.Event,
) -> None:
    """Serve until `stop`; `ready` is told the URLs of capture and of the private API."""
    async with AsyncExitStack() as stack:
        url = app_url = await _listen(endpoint.application(host, asks=app_port is None), host, port, stack)
        if app_port is not None:
            app_url = await _listen(endpoint.app(host), host, app_port, stack)
        ready(url, app_url)
        await stop.wait()


async def _listen(app: web.Application, host: str, port: int, stack: AsyncExitStack) -> str:
    """Serve an application as long as the stack lives, and return its URL."""
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=_SHUTDOWN)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port, reuse_address=True).start()
    return f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"


def serve(  # noqa: PLR0913 - each is an option of the command
    *,
    port: int,
    data: Path | None,
    host: str = "127.0.0.1",
    app_port: int | None = None,
    faults: Rules = (),
    accepted_keys: Collection[str] | None = None,
    has_v1: bool = True,
    on_ready: Callable[[str, str], None] = lambda _url, _app_url: None,
) -> None:
    """Run the sandbox in the foreground until SIGINT, SIGTERM or SIGHUP.

    `on_ready` is told its URL and that of its private API: the same, unless that has a port of its own.

    Raises `UsageError` if a rule in `faults` is not one, `OSError` if the port is taken.
    """

    async def run(endpoint: Endpoint) -> None:
        stop = asyncio.Event()
        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as nohup has it
        for number in (signal.SIGINT, signal.SIGTERM, *([] if is_ignored else [signal.SIGHUP])):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _serve(endpoint, host=host, port=port, app_port=app_port, ready=on_ready, stop=stop)

    script = Script(faults)
    with ExitStack() as stack:
        store = _open_store(data, stack)
        asyncio.run(run(Endpoint(store, script, accepted_keys=accepted_keys, has_v1=has_v1)))


def _open_store(data: Path | None, stack: ExitStack) -> Store:
    folder = data or stack.enter_context(throwaway(SANDBOX))
    try:
        store = Store(folder)
    except sqlite3.Error as error:
        raise UsageError(f"--data: {folder} holds no sandbox, {error}; name another folder") from error
    stack.callback(store.close)
    return store


class Sandbox:
    """A capture endpoint in a background thread, for as long as the `with` block lasts.

    `data` keeps what is stored, so that a later Sandbox with the same folder and port goes on where this one
    stopped. `now` is the server's clock. `accepted_keys`: events under any other key are lost in silence.
    `app_port`: a port of its own for the private API, 0 for any free one; `personal_keys`: no other one may ask.
    `has_v1`: there is capture v1 beside v0, as PostHog Cloud has it and a PostHog of one's own may not.
    """

    def __init__(  # noqa: PLR0913 - what a test may want to set
        self,
        data: Path | None = None,
        port: int = 0,
        *,
        faults: Rules = (),
        now: Callable[[], datetime] = utc_now,
        accepted_keys: Collection[str] | None = None,
        host: str = "127.0.0.1",
        app_port: int | None = None,
        personal_keys: Collection[str] | None = None,
        has_v1: bool = False,
    ) -> None:
        self.url = self.app_url = ""
        self._data = data
        self._host, self._port, self._app_port = host, port, app_port
        self._personal_keys = personal_keys
        self._script = Script(faults)
        self._now, self._keys, self._has_v1 = now, accepted_keys, has_v1
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            store = _open_store(self._data, stack)
            self._endpoint = Endpoint(
                store,
                self._script,
                now=self._now,
                accepted_keys=self._keys,
                personal_keys=self._personal_keys,
                has_v1=self._has_v1,
            )
            started: Future[tuple[str, str]] = Future()
            thread = threading.Thread(target=self._run, args=(started,), name="sandbox", daemon=True)
            thread.start()
            stack.callback(thread.join)
            self.url, self.app_url = started.result()
            stack.callback(lambda: self._loop.call_soon_threadsafe(self._stop.set))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def summary(self) -> dict[str, Any]:
        """Return what `GET /_sandbox/summary` answers."""
        return self._endpoint.store.summary()

    def events(self, view: View = "raw", *, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the stored events in order of arrival, properties as a dict."""
        return [json.loads(line) for line in self._endpoint.store.lines(view, limit=limit)]

    def requests(self) -> list[dict[str, Any]]:
        """Return every request in order of arrival: status, events, stored, bytes, the faults that hit it."""
        return self._endpoint.store.requests()

    def questions(self) -> list[Question]:
        """Return every request to the private API in order of arrival."""
        return self._endpoint.private.questions

    def faults(self, rules: Rules) -> None:
        """Replace the misbehaviours; counters and dice start anew."""
        self._endpoint.script = Script(rules)

    def reset(self) -> None:
        """Forget every event and every request; the faults stay."""
        self._endpoint.reset()

    def _run(self, started: "Future[tuple[str, str]]") -> None:
        async def run() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await _serve(
                self._endpoint,
                host=self._host,
                port=self._port,
                app_port=self._app_port,
                ready=lambda *urls: started.set_result(urls),
                stop=self._stop,
            )

        try:
            asyncio.run(run())
        except OSError as error:
            if started.done():
                raise
            started.set_exception(error)
