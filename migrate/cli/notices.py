"""Who is told how a command ends: a check is pinged, a webhook posted the summary, a file written; none changes it.

Each is told in a thread of its own: that work begins delays nothing, and a host or a disk that hangs delays the end by
a few seconds.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from click.core import ParameterSource

from migrate.cli import exits
from migrate.cli.config import chosen_here
from migrate.cli.early import is_trial, meant_workdir
from migrate.cli.interrupt import answered_by, note_asked
from migrate.cli.secrets import WATCHING
from migrate.cli.tellings import Post, Telling, Writing
from migrate.logline import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import click

    from migrate.report.talk import Talk

_PATIENCE: Final = 10.0
"""Seconds that the end of a command waits, whatever hangs."""
_HURRY: Final = 3.0
"""The same, where somebody has asked twice to leave."""
_TEXT: Final = "text/plain; charset=utf-8"


class Notices:
    """The addresses of one command, and what they are told: that it begins, and once how it ended."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        job: str = "",
        metrics: Path | None = None,
        command: str = "",
        workdir: Path | None = None,
    ) -> None:
        """`addresses`: by the name of the option, `ping` or `notify`; `job`: that of a configuration file.

        `metrics`: the file they are written to, of this command in this workdir, as far as that is known.
        """
        self._addresses = addresses
        self._job = job
        self._metrics, self._command, self._workdir = metrics, command, workdir
        self._began = time.monotonic()
        self._run_id = uuid4()
        self._beginning: Post | None = None
        self._is_told = False
        self.talk: Talk | None = None
        """Who knows what `--json` prints, and says what went wrong; once the command has one."""

    @classmethod
    def of(cls, ctx: click.Context) -> Notices:
        """Return those of a command; a trial does not tell who is named by a configuration file alone."""
        chosen = chosen_here(ctx)
        found = {name: url for name in WATCHING if (url := ctx.params.get(name))}
        if any(_is_from_file(ctx, name) for name in found) and is_trial(ctx):
            found = {name: url for name, url in found.items() if not _is_from_file(ctx, name)}
        metrics = found.pop("metrics_file", None)
        job = chosen.job.name if chosen else ""
        return cls(found, job, metrics, ctx.info_name or "", meant_workdir(ctx))

    def summary(self, code: int) -> Mapping[str, Any] | None:
        """Return what `--json` prints of a command that ends with this code, where it has come to print it."""
        found = self.talk and self.talk.summary
        return found if found and found["run"]["exit_code"] == code else None

    def begin(self) -> None:
        """Tell that the work begins, and do not wait."""
        if (url := self._addresses.get("ping")) is not None:
            self._beginning = Post("ping", self._signal(url, "start"), b"", _TEXT)
            self._beginning.start()

    def tell(self, code: int, summary: Mapping[str, Any], *, is_hurried: bool = False) -> None:
        """Tell how it ended, if that is not done; wait for an answer, but not where somebody asks to end."""
        if self._is_told:
            return
        self._is_told = True
        posts: list[Telling] = [self._last(name, url, code, summary) for name, url in self._addresses.items()]
        if self._metrics is not None and (ended := self._ended(code, summary)) is not None:
            posts.append(Writing(self._metrics, ended))
        settled: SimpleQueue[Telling | None] = SimpleQueue()
        with _asked_to_end(settled):
            for post in posts:
                post.settled = settled
                post.start()
            _wait(settled, len(posts), _HURRY if is_hurried else _PATIENCE)
        for post in posts:
            self._say(post, code)

    def _ended(self, code: int, summary: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return how it ended, for metrics; None where nobody knows in which workdir."""
        is_there = summary["import_id"] is not None
        found = summary["workdir"] if is_there else self._workdir
        if found is None and not is_there:
            return None
        workdir = os.path.realpath(found) if found else ""
        return {
            "command": self._command,
            "job": self._job,
            "workdir": workdir.encode(errors="backslashreplace").decode(),
            "code": code,
            "ended": round(time.time(), 3),
            "seconds": round(time.monotonic() - self._began, 3),
            "summary": summary,
        }

    def _last(self, name: str, url: str, code: int, summary: Mapping[str, Any]) -> Post:
        """Return what one address is told at the end; a check, after it was told that the work begins."""
        if name == "notify":
            return Post(name, url, json.dumps(summary).encode(), "application/json")
        body = "\n".join(_lines(code, summary, self._job)).encode()
        return Post(name, self._signal(url, _word(code)), body, _TEXT, self._beginning)

    def _signal(self, url: str, word: str) -> str:
        """Return the address of a signal, as healthchecks.io has it: a word behind the path, and the id of the run."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/") + (f"/{word}" if word else "")
        query = f"{parts.query}&rid={self._run_id}".lstrip("&")
        return urlunsplit(parts._replace(path=path, query=query))

    def _say(self, post: Telling, code: int) -> None:
        """Say what one address was not told, and why; that it was is for the log."""
        why, what = post.why, "how this ended"
        if not why and post.after is not None and post.after.why:
            why, what = post.after.why, "that this began"
        if not why:
            if self.talk is not None:
                said = f"--{post.option}: {post.place} was told {what}"
                self.talk.log.tell(Record("told", said, {"option": post.option, "place": post.place}))
            return
        text = f"--{post.option}: {post.place} was not told {what}, found '{why}'; the exit code stays {code}"
        if self.talk is not None:
            self.talk.warn(text)
            return
        from migrate.report.talk import say  # noqa: PLC0415 - who got no further needs nothing else of it

        say(f"warning: {text}")


@contextmanager
def _asked_to_end(settled: SimpleQueue[Telling | None]) -> Iterator[None]:
    """Wait no longer where somebody asks to end; how the command ended stands by now."""

    def stop(*_: object) -> None:
        note_asked()
        settled.put(None)

    with answered_by(stop):
        yield


def _wait(settled: SimpleQueue[Telling | None], count: int, patience: float) -> None:
    """Wait until so many are settled, for so many seconds."""
    until = time.monotonic() + patience
    for _ in range(count):
        try:
            if settled.get(timeout=max(0.0, until - time.monotonic())) is None:
                return
        except Empty:
            return


def _word(code: int) -> str:
    """Return the signal of an exit code, as healthchecks.io has them; `fail` for one that none has foreseen."""
    return str(code) if code in exits.MEANINGS and code else "fail" if code else ""


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
