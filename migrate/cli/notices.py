"""Who is told how a command ends: a check is pinged, a webhook is posted the summary; neither changes the end.

Each is told in a thread of its own: that work begins delays nothing, and a host that hangs the end by a few seconds.
"""

from __future__ import annotations

import json
import signal
import ssl
import time
from contextlib import contextmanager
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request
from uuid import uuid4

from click.core import ParameterSource

from migrate import VERSION
from migrate.apply.certificates import Certificate
from migrate.apply.target import check_proxy, place_of, proxy_of
from migrate.apply.trouble import closed, no_connection, through_proxy, untrusted
from migrate.cli import exits
from migrate.cli.config import chosen_here
from migrate.cli.interrupt import asking, note_asked
from migrate.cli.secrets import WATCHING
from migrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import click

    from migrate.report.talk import Talk

_GIVEN: Final = {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}
_SECONDS: Final = 4.0
"""How long one attempt waits; there are two at the most."""
_PAUSE: Final = 0.5
"""Seconds between them."""
_PATIENCE: Final = 10.0
"""Seconds that the end of a command waits, whatever hangs."""
_HURRY: Final = 3.0
"""The same, where somebody has asked twice to leave."""
_TEXT: Final = "text/plain; charset=utf-8"
_AGAIN: Final = {408, 429}
_SERVER_ERRORS: Final = 500
_TOLD: Final = range(200, 300)
_ELSEWHERE: Final = range(300, 400)


class Notices:
    """The addresses of one command, and what they are told: that it begins, and once how it ended."""

    def __init__(self, addresses: Mapping[str, str], job: str = "") -> None:
        """`addresses`: by the name of the option, `ping` or `notify`; `job`: that of a configuration file."""
        self._addresses = addresses
        self._job = job
        self._run_id = uuid4()
        self._beginning: _Post | None = None
        self._is_told = False
        self.talk: Talk | None = None
        """Who knows what `--json` prints, and says what went wrong; once the command has one."""

    @classmethod
    def of(cls, ctx: click.Context) -> Notices:
        """Return those of a command; a trial does not tell who is named by a configuration file alone."""
        chosen = chosen_here(ctx)
        found = {name: url for name in WATCHING if (url := ctx.params.get(name))}
        if any(_is_from_file(ctx, name) for name in found) and _is_trial(ctx):
            found = {name: url for name, url in found.items() if not _is_from_file(ctx, name)}
        return cls(found, chosen.job.name if chosen else "")

    def summary(self, code: int) -> Mapping[str, Any] | None:
        """Return what `--json` prints of a command that ends with this code, where it has come to print it."""
        found = self.talk and self.talk.summary
        return found if found and found["run"]["exit_code"] == code else None

    def begin(self) -> None:
        """Tell that the work begins, and do not wait."""
        if (url := self._addresses.get("ping")) is not None:
            self._beginning = _Post("ping", self._signal(url, "start"), b"", _TEXT)
            self._beginning.start()

    def tell(self, code: int, summary: Mapping[str, Any], *, is_hurried: bool = False) -> None:
        """Tell how it ended, if that is not done; wait for an answer, but not where somebody asks to end."""
        if self._is_told:
            return
        self._is_told = True
        posts = [self._last(name, url, code, summary) for name, url in self._addresses.items()]
        settled: SimpleQueue[_Post | None] = SimpleQueue()
        for post in posts:
            post.settled = settled
            post.start()
        with _asked_to_end(settled):
            _wait(settled, len(posts), _HURRY if is_hurried else _PATIENCE)
        for post in posts:
            self._say(post, code)

    def _last(self, name: str, url: str, code: int, summary: Mapping[str, Any]) -> _Post:
        """Return what one address is told at the end; a check, after it was told that the work begins."""
        if name == "notify":
            return _Post(name, url, json.dumps(summary).encode(), "application/json")
        body = "\n".join(_lines(code, summary, self._job)).encode()
        return _Post(name, self._signal(url, str(code) if code else ""), body, _TEXT, self._beginning)

    def _signal(self, url: str, word: str) -> str:
        """Return the address of a signal, as healthchecks.io has it: a word behind the path, and the id of the run."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/") + (f"/{word}" if word else "")
        query = f"{parts.query}&rid={self._run_id}".lstrip("&")
        return urlunsplit(parts._replace(path=path, query=query))

    def _say(self, post: _Post, code: int) -> None:
        """Say what one address was not told, and why; that it was is for the log."""
        why, what = post.why, "how this ended"
        if not why and post.after is not None and post.after.why:
            why, what = post.after.why, "that this began"
        if not why:
            if self.talk is not None:
                self.talk.log.tell(f"--{post.option}: {post.host} was told {what}")
            return
        text = f"--{post.option}: {post.host} was not told {what}, found '{why}'; the exit code stays {code}"
        if self.talk is not None:
            self.talk.warn(text)
            return
        from migrate.report.talk import say  # noqa: PLC0415 - who got no further needs nothing else of it

        say(f"warning: {text}")


class _Post(Thread):
    """One request, tried twice; it is given up when the process ends. `why` is what is wrong, "" once it is done."""

    def __init__(self, option: str, url: str, body: bytes, kind: str, after: _Post | None = None) -> None:
        super().__init__(daemon=True)
        self.option, self.after = option, after
        self.host = urlsplit(url).hostname or ""
        self.settled: SimpleQueue[_Post | None] = SimpleQueue()
        self.why = "no answer yet"
        self._url, self._body = url, body
        self._headers = {"Content-Type": kind, "User-Agent": f"posthog-migrate/{VERSION}"}

    def run(self) -> None:
        """Send it, after the one before."""
        if self.after is not None:
            self.after.join()
        why, may_pass = self._sent()
        if may_pass:
            time.sleep(_PAUSE)
            why, _ = self._sent()
        self.why = why
        self.settled.put(self)

    def _sent(self) -> tuple[str, bool]:
        """Return what is wrong, and whether it may pass; redirects are not followed, no library's words are shown."""
        try:
            check_proxy(self._url)
            request = Request(self._url, self._body, self._headers)  # noqa: S310 - `Address` is http or https
            with _opener(self._url).open(request, timeout=_SECONDS) as answer:
                status = int(answer.status)
        except UsageError as error:
            return str(error), False
        except (OSError, HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) else error
            return self._trouble(cause), not isinstance(cause, ssl.SSLCertVerificationError)
        if status in _TOLD:
            return "", False
        if status in _ELSEWHERE:
            return f"it answers {status}, and redirects are not followed", False
        return f"it answers {status}", status in _AGAIN or status >= _SERVER_ERRORS

    def _trouble(self, cause: object) -> str:
        """Return why no answer came."""
        if isinstance(cause, TimeoutError):
            return f"no answer within {_SECONDS:g} s"
        if isinstance(cause, ssl.SSLCertVerificationError):
            what, advice = untrusted(cause, self.host, Certificate())
            return f"its certificate is not trusted, {what}; {advice.replace('--host', f'--{self.option}')}"
        if not isinstance(cause, OSError):
            return "what answers is no HTTP"
        proxy = proxy_of(self._url)
        place = place_of(proxy or self._url)
        trouble = closed(place) if isinstance(cause, ConnectionResetError) else no_connection(cause, place)
        return (through_proxy(trouble) if proxy else trouble).what


def _opener(url: str) -> OpenerDirector:
    """Return what opens this URL, by the proxy that the environment names for it; no answer is an error."""
    opener, proxy = OpenerDirector(), proxy_of(url)
    opener.add_handler(ProxyHandler({urlsplit(url).scheme: proxy} if proxy else {}))
    opener.add_handler(HTTPHandler())
    if "https" in {urlsplit(url).scheme, urlsplit(proxy or "").scheme}:  # authorities take a while to read
        opener.add_handler(HTTPSHandler(context=ssl.create_default_context()))
    return opener


@contextmanager
def _asked_to_end(settled: SimpleQueue[_Post | None]) -> Iterator[None]:
    """Wait no longer where somebody asks to end; how the command ended stands by now."""

    def stop(*_: object) -> None:
        note_asked()
        settled.put(None)

    before = {number: signal.signal(number, stop) for number in asking()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(settled: SimpleQueue[_Post | None], count: int, patience: float) -> None:
    """Wait until so many are settled, for so many seconds."""
    until = time.monotonic() + patience
    for _ in range(count):
        try:
            if settled.get(timeout=max(0.0, until - time.monotonic())) is None:
                return
        except Empty:
            return


def _lines(code: int, summary: Mapping[str, Any], job: str) -> Iterator[str]:
    """Yield how a command ended, in counts: no value, no id, no name of a file."""
    from migrate.report.numbers import Events  # noqa: PLC0415 - that the work begins is told without them
    from migrate.report.status import outcome  # noqa: PLC0415

    yield f"{f'job {job}: ' if job else ''}exit code {code}: {exits.MEANINGS.get(code, exits.BUG)}"
    if summary["import_id"] is None:
        return  # it did not come to a workdir
    run, events = summary["run"], Events(**summary["events"])
    rejected = sum(run["rows"]["rejected"].values())
    yield (
        f"this time: {run['rows']['read']:,} rows read, {rejected:,} rejected; {run['events']['planned']:,} events "
        f"planned, {run['events']['accepted']:,} accepted, {run['events']['parked']:,} parked"
    )
    yield f"in all: {events.planned:,} events planned: {outcome(events)}"
    if (verify := summary.get("verify")) is not None:
        causes = ", ".join(f"{events:,} {cause}" for cause, events in verify["causes"].items())
        yield f"in PostHog: {causes or 'all that it acknowledged'}"
    if summary["stopped"]:
        yield f"stopped: {summary['stopped']['why']}"
    if summary["state"]:
        yield f"state: {summary['state'].replace('_', ' ')}"


def _is_from_file(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def _is_trial(ctx: click.Context) -> bool:
    """Return whether a command tries what it does; what is typed for it may be wrong."""
    if ctx.params.get("dry_run") or ctx.get_parameter_source("limit") in _GIVEN:
        return True
    if (host := ctx.params.get("host")) is None:
        return False
    from migrate.cli.target import is_named_sandbox  # noqa: PLC0415 - it knows the sandbox

    return is_named_sandbox(host)
