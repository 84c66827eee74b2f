"""Amplitude's and Mixpanel's export APIs, imitated for tests: as strict as their documents say, and with their faults.

A real HTTP server in a thread. `hours` and `days` are what it has; `faults` come first, one a request: "cut" (the
connection, in the middle), "hangs" (likewise), "torn" (half of the export, though the answer ends well), "page" (of a
proxy's), a status, or a status and a Retry-After. `asked` is what was asked for, and what came of it.
"""

import asyncio
import gzip
import io
import json
import threading
import zipfile
from base64 import b64decode
from collections import deque
from datetime import UTC, datetime, timedelta

from aiohttp import web

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEYS = {"AMPLITUDE_API_KEY": "amp-key-of-nobody", "AMPLITUDE_SECRET_KEY": "amp-secret-of-nobody"}
ACCOUNT = {
    "MIXPANEL_SERVICE_ACCOUNT_USERNAME": "svc.of.nobody",
    "MIXPANEL_SERVICE_ACCOUNT_SECRET": "mix-secret-of-nobody",
    "MIXPANEL_PROJECT_ID": "4711",
}
SECRET = {"MIXPANEL_API_SECRET": "mix-api-secret-of-nobody"}
SECRETS = [
    *KEYS.values(),
    *(value for name, value in (ACCOUNT | SECRET).items() if name != "MIXPANEL_PROJECT_ID"),
]

CONFIG = """
platform = "mixpanel"
inputs = ["exports"]
host = "{host}"
api_key = {{ env = "POSTHOG_API_KEY" }}
yes = true
since = "-3d"
fetch = true
api_host = "{vendor}"
"""
"""A job that fetches first."""


class Refusal(Exception):  # noqa: N818 - an answer
    """An answer that is no export."""

    def __init__(self, status, text):
        super().__init__(text)
        self.answer = {"status": status, "text": text}


class Vendor:
    """A server; a context manager. Its address is `url`."""

    def __init__(self, *faults):
        self.faults = deque(faults)
        self.asked = []
        self.most = 1_000_000
        """Rows of an answer; more are 400."""
        self.hangs = threading.Event()
        """Whether an answer hangs."""
        self.slow = 1_000_000
        """Rows of an answer; more are 504."""

    def __enter__(self):
        self._loop, ready = asyncio.new_event_loop(), threading.Event()

        async def serve():
            app = web.Application()
            app.router.add_get(self.path, self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url, self._ends = f"http://127.0.0.1:{runner.addresses[0][1]}", asyncio.Event()
            ready.set()
            await self._ends.wait()
            await runner.cleanup()

        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(serve()), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ends.set)
        self._thread.join()
        self._loop.close()

    async def _answer(self, request):
        fault = self.faults.popleft() if self.faults else None
        try:
            self._check_login(request)
            span, body, headers = self.export(request)
        except Refusal as refusal:
            self.asked.append((dict(request.query), refusal.answer["status"]))
            return web.Response(**refusal.answer)
        self.asked.append((span, fault or 200))
        if fault == "page":
            return web.Response(status=404, text="<html>no such page</html>", content_type="text/html")
        if isinstance(fault, int | tuple):
            status, *after = fault if isinstance(fault, tuple) else (fault,)
            return web.Response(
                status=status, text="too many", headers={"Retry-After": after[0]} if after else {}
            )
        if fault == "torn":
            body = body[: len(body) // 2]
        answer = web.StreamResponse(headers=headers | {"Content-Length": str(len(body))})
        await answer.prepare(request)
        await answer.write(body[: len(body) // 2])
        if fault == "cut":
            request.transport.abort()
            return answer
        if fault == "hangs":
            self.hangs.set()
            await self._ends.wait()
        await answer.write(body[len(body) // 2 :])
        await answer.write_eof()
        return answer

    def _check_login(self, request):
        kind, _, words = request.headers.get("Authorization", "").partition(" ")
        user, _, password = b64decode(words).decode().partition(":")
        if kind != "Basic" or (user, password) not in self.logins:
            raise Refusal(*self.unknown)
        self.check(request, user)


class Amplitude(Vendor):
    """`hours`: naive UTC → its rows."""

    path = "/api/2/export"
    logins = (tuple(KEYS.values()),)
    unknown = (403, "Invalid API Key")

    def __init__(self, hours, *faults, project="187520"):
        super().__init__(*faults)
        self.hours, self.project = hours, project

    def check(self, request, user):
        """Any question is one of the keys' project."""

    def export(self, request):
        """Return the hours that are asked for, as a zip of a gzip an hour."""
        try:
            first, last = (datetime.strptime(request.query[name], "%Y%m%dT%H") for name in ("start", "end"))  # noqa: DTZ007
        except (KeyError, ValueError):
            raise Refusal(400, "start and end are hours: YYYYMMDDTHH") from None
        if last < first or last + HOUR - first > 365 * DAY:
            raise Refusal(400, "at most 365 days")
        found = {hour: rows for hour, rows in sorted(self.hours.items()) if first <= hour <= last and rows}
        count = sum(map(len, found.values()))
        if count > self.most:
            raise Refusal(400, "over 4GB")
        if count > self.slow:
            raise Refusal(504, "Gateway Time-out")
        if not count:
            raise Refusal(404, "Raw data files were not found.")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for hour, rows in found.items():
                name = f"{self.project}/{self.project}_{hour:%Y-%m-%d}_{hour.hour}#0.json.gz"
                archive.writestr(name, gzip.compress("\n".join(map(json.dumps, rows)).encode()))
        return (
            f"{first:%Y-%m-%dT%H}_{last + HOUR:%Y-%m-%dT%H}",
            out.getvalue(),
            {"Content-Type": "application/zip"},
        )


class Mixpanel(Vendor):
    """`days`: text → its rows, in another order each time; `today` is the project's; `hourly` requests are allowed."""

    path = "/api/2.0/export"
    logins = (tuple(ACCOUNT.values())[:2], (*SECRET.values(), ""))
    unknown = (401, '{"error": "Unable to authenticate request"}')

    def __init__(self, days, *faults, today="2030-01-01", hourly=60):
        super().__init__(*faults)
        self.days, self.today, self.hourly = days, today, hourly

    def check(self, request, user):
        """A service account names its project, and a project's secret does not."""
        project = request.query.get("project_id")
        if project != (None if user in SECRET.values() else ACCOUNT["MIXPANEL_PROJECT_ID"]):
            raise Refusal(400, '{"error": "project_id"}')

    def export(self, request):
        """Return the days that are asked for, as JSON lines."""
        first, last = (request.query.get(name, "") for name in ("from_date", "to_date"))
        if last > self.today:
            raise Refusal(400, '{"error": "to_date cannot be later than today"}')
        if request.query.get("time_in_ms") != "true" or first > last:
            raise Refusal(400, '{"error": "bad parameters"}')
        if sum(isinstance(what, str) for what, _ in self.asked) >= self.hourly:
            raise Refusal(429, '{"error": "Query rate limit exceeded"}')
        rows = [row for day, found in self.days.items() if first <= day <= last for row in found]
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        body = "".join(f"{line}\n" for line in (lines if len(self.asked) % 2 else reversed(lines))).encode()
        if len(body) > 1_400 and "gzip" in request.headers.get("Accept-Encoding", ""):
            return first, gzip.compress(body), {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
        return first, body, {"Content-Type": "text/plain"}


def amplitude_rows(hour, count, start=0):
    """Rows of Amplitude's of one hour."""
    for n in range(start, start + count):
        time = f"{hour:%Y-%m-%d %H}:{n % 60:02}:00.000000"
        yield {
            "uuid": f"{hour:%Y%m%d}-0000-4000-8{hour.hour:03}-{n:012}",
            "event_type": "seen",
            "event_time": time,
            "user_id": f"u{n % 5}",
            "device_id": None,
            "event_properties": {"n": n},
            "user_properties": {},
        }


def mixpanel_rows(day, count, start=0):
    """Rows of Mixpanel's of one day, in UTC."""
    noon = int(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC).timestamp())
    for n in range(start, start + count):
        told = {"time": (noon + n) * 1000, "distinct_id": f"u{n % 5}", "$insert_id": f"{day}-{n}", "n": n}
        yield {"event": "seen", "properties": told}
