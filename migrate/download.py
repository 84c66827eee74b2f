"""An export fetched from its vendor's own API into a folder or a bucket, as `run` reads it."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from migrate.apply.target import check_proxy, is_loopback
from migrate.errors import UsageError
from migrate.fetching import amplitude, mixpanel
from migrate.fetching.amplitude import Amplitude
from migrate.fetching.fetcher import Asking, Fetcher, Hearing, Tally, held, wanted
from migrate.fetching.mixpanel import Mixpanel
from migrate.fetching.notes import NAME, Notes
from migrate.fetching.shelf import Shelf, opened
from migrate.fetching.spans import Span, missing
from migrate.fetching.vendor import HOST, Vendor
from migrate.inputs.passed import is_workdir
from migrate.kit.times import clock, zone_name
from migrate.screen import command_line

_HOSTS: Final = {"amplitude": amplitude.HOSTS, "mixpanel": mixpanel.HOSTS}
PLATFORMS: Final = tuple(_HOSTS)
"""Those whose vendor has an export API that is known here."""
Region = Literal["us", "eu", "in"]


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose export is fetched, and from where."""

    platform: str
    region: Region = "us"
    api_host: str | None = None
    project_id: str | None = None
    zone: str | None = None
    """Mixpanel's, as `kit.times.zone_name` returns it."""


def vendor_of(account: Account, environment: Mapping[str, str]) -> Vendor:
    """Return the vendor; raises UsageError where the environment lacks a credential, or something cannot be meant."""
    if account.platform not in PLATFORMS:
        raise UsageError(
            f"PLATFORM: no export API of '{account.platform}' is known here; known are {' and '.join(PLATFORMS)}"
        )
    hosts = _HOSTS[account.platform]
    if account.region not in hosts:
        raise UsageError(f"--region: Amplitude has no such region, found '{account.region}'; give us or eu")
    url = hosts[account.region] if account.api_host is None else _checked(account.api_host)
    check_proxy(url)
    if account.platform == "amplitude":
        if account.zone is not None:
            raise UsageError("--source-timezone: Amplitude's hours are UTC, and its times, too; leave it out")
        if account.project_id is not None:
            raise UsageError("--project-id: Amplitude's keys are those of one project; leave it out")
        return Amplitude(url, amplitude.login(environment))
    login = mixpanel.login(environment)
    zone = UTC if account.zone is None else clock(account.zone)
    return Mixpanel(url, login, mixpanel.project(account.project_id, environment), zone)


def _checked(host: str) -> str:
    """Return the URL of a host that stands for a vendor's; raises UsageError for one that no key must go to."""
    text = host.strip().rstrip("/")
    problem = "not a URL"
    try:
        url = urlsplit(text)
        name, _ = url.hostname, url.port
        if "@" in url.netloc:
            problem = "a URL with credentials in it"
        elif url.query or url.fragment:
            problem = "a URL with a query or fragment"
        elif name and (url.scheme == "https" or (url.scheme == "http" and is_loopback(text))):
            return text
        elif name:
            problem = "neither https nor of this machine, so that the credentials would go in the open"
    except ValueError:
        pass
    found = re.sub(r"^([a-z]+://)?.*@", r"\1***@", re.sub(r"[?#].*", "", text))
    raise UsageError(f"{HOST}: {problem}, found '{found}'; give a URL such as https://proxy.example.com")


class Download:
    """What of an export is missing in a target, brought there; the tally says how far it came, however it ends."""

    def __init__(
        self,
        vendor: Vendor,
        target: str,
        *,
        zone: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.vendor = vendor
        self.target = target
        self.tally = Tally()
        self.stretch: Span | None = None
        """All that was to be there in the end."""
        self.next = ""
        """The command that reads it."""
        self.is_interrupted = False
        self.has_files = False
        """Whether there is anything to read in the target."""
        self._zone = zone
        self._now = now
        self._stop: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """Begin nothing more, and give up what has not arrived whole; may be called by a signal's handler."""
        self.is_interrupted = True
        self._stop()

    def run(
        self,
        since: datetime | None,
        until: datetime | None,
        *,
        lookback: int | None = None,
        concurrency: int = 3,
        hearing: Hearing | None = None,
    ) -> None:
        """Fetch what is missing of the time from `since` until before `until`, both aware, and what may have grown.

        Without `since` it goes on from where the first fetch into this target began; without `until` it takes all there
        is. `lookback` is in hours or days, as the vendor divides time. Raises UsageError, Refused or Stopped.
        """
        if since is not None and until is not None and since >= until:
            raise UsageError(
                f"--since: not before --until, found {since.isoformat()} and --until {until.isoformat()}; nothing lies "
                "between them: exchange them, or leave one out"
            )
        if is_workdir(Path(self.target)):
            raise UsageError(
                f"TARGET: a workdir, whose plan is no export, found '{self.target}'; name another folder"
            )
        with opened(self.target) as shelf:
            notes, names = Notes.read(shelf), shelf.names()
            if not notes.spans and all(name.startswith(".") for name in names):
                notes.free()  # a region or a key was mistyped, say, and nothing came
            notes.bind(shelf, platform=self.vendor.name, host=self.vendor.url, project=self.vendor.project)
            if self.vendor.project is None:
                notes.bind(shelf, keys=self.vendor.login.mark)
            self._note_way(shelf, notes)
            now = self._now()
            before = notes.since
            self.stretch = self._stretch(notes, since, until, now)
            usual = amplitude.LOOKBACK if self.vendor.name == "amplitude" else mixpanel.LOOKBACK
            try:
                back = usual if lookback is None else lookback * self.vendor.calendar.step
            except OverflowError:
                raise UsageError(
                    f"--lookback: reaches back before any time, found {lookback}; give fewer"
                ) from None
            spans = wanted(self.vendor, Asking(self.stretch, back, now), names, notes)
            hearing = hearing or Hearing()
            if before is not None:
                gap = Span(datetime.fromisoformat(before), self.stretch.start)
                if lacking := [*missing(gap, held(self.vendor, names, notes))]:
                    hearing.on_warning(self._of_gap(lacking))
            fetcher = Fetcher(self.vendor, shelf, notes, hearing, concurrency)
            self.tally = fetcher.tally
            try:
                asyncio.run(self._fetch(fetcher, spans))
            finally:
                found = [name for name in shelf.names() if self.vendor.calendar.of_name(name)]
                self.has_files = bool(found)

    def _of_gap(self, lacking: Sequence[Span]) -> str:
        """Return a word on what lies before all that is asked for, and was never asked for."""
        calendar = self.vendor.calendar
        count, first = sum(map(calendar.steps, lacking)), calendar.shown(lacking[0]).partition("_")[0]
        return (
            f"{self.target}: {count:,} {calendar.word}s from {first} on were never asked for, and --since leaves them "
            "out; 'migrate fetch' without --since fetches them"
        )

    def _note_way(self, shelf: Shelf, notes: Notes) -> None:
        """Note the project's zone, and the command that reads what is there."""
        notes.timezone = self._zone or notes.timezone
        if notes.timezone and isinstance(self.vendor, Mixpanel):
            self.vendor = replace(self.vendor, zone=clock(zone_name(notes.timezone, NAME)))
        words = ["migrate", "run", self.vendor.name, shelf.shown]
        words += ["--source-timezone", notes.timezone] if notes.timezone else []
        self.next = notes.next = command_line([*words, "--dry-run"])

    def _stretch(self, notes: Notes, since: datetime | None, until: datetime | None, now: datetime) -> Span:
        """Return from when until when everything is to be there; none of it is to be longer than there is anything."""
        vendor, step = self.vendor, self.vendor.calendar.step
        try:
            first = None if since is None else vendor.calendar.floor(vendor.local(since))
            last = None if until is None else vendor.local(min(until, now))
        except OverflowError:
            raise UsageError(
                f"--since: no time of {vendor.title}'s, found '{since}'; give one since 2000"
            ) from None
        known = None if notes.since is None else datetime.fromisoformat(notes.since)
        if (start := first or known) is None:
            raise UsageError(
                f"--since: missing, and nothing was fetched into {self.target} before; say from when on"
            )
        notes.since = min(start, known or start).isoformat(timespec="minutes")
        end = vendor.end(now)
        if last is not None:
            floor = vendor.calendar.floor(last)
            end = min(end, floor if floor == last else floor + step)
        return Span(start, max(start, end))

    async def _fetch(self, fetcher: Fetcher, spans: list[Span]) -> None:
        task = asyncio.ensure_future(fetcher.run(spans))
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(task.cancel)

        self._stop = stop
        if self.is_interrupted:
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if not self.is_interrupted:
                raise
        finally:
            self._stop = lambda: None
