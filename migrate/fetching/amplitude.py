"""Amplitude's Export API: what asks for hours, and what its answers mean.

Read 2026-11-29, https://amplitude.com/docs/apis/analytics/export: `GET /api/2/export?start=…&end=…`, first and last
hour as `20240403T05`, both included; basic authentication with the project's API key and secret key; hours are UTC, and
of `server_upload_time`, not of events; an hour can be had two hours after it has ended; at most 365 days and 4 GB a
request (400, and where one hour is more, the Amazon S3 export); 404 where there is nothing; the answer is a zip of
gzipped JSON lines. 504 is too much at once, as well
(https://community.amplitude.com/data-instrumentation-57/common-api-error-codes-215). Before 2014-11-12 events are kept
by day. The words of the 404, "Raw data files were not found.", stand in no document, but in several public clients: a
404 of a proxy is not taken for an hour without events. No limit on requests is documented for this API.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Literal

from migrate.apply.capture import Answer
from migrate.apply.outcome import Retry
from migrate.errors import UsageError
from migrate.fetching.spans import Calendar, Span
from migrate.fetching.vendor import (
    Empty,
    Login,
    Meaning,
    Question,
    Quota,
    Ready,
    TooMuch,
    Voice,
    is_busy,
    is_page,
)

HOSTS: Final = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
"""Region → where it is asked."""
VARIABLES: Final = ("AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY")
LOOKBACK: Final = timedelta(hours=6)
"""How long after its end an hour is asked for once more: three times what Amplitude says that events take."""
PAUSE: Final = 30.0
"""Seconds after a 429 that says no time, the first time."""
_HOURS: Final = Calendar(timedelta(hours=1), ".zip")
_DELAY: Final = timedelta(hours=2)
_NOTHING: Final = re.compile(r"raw data|no data", re.IGNORECASE)


def login(environment: Mapping[str, str]) -> Login:
    """Return who asks; raises UsageError where the environment does not say it."""
    found = [environment.get(name, "").strip() for name in VARIABLES]
    if missing := [name for name, one in zip(VARIABLES, found, strict=True) if not one]:
        raise UsageError(
            f"{' and '.join(missing)}: missing in the environment; set {' and '.join(VARIABLES)} to the keys of the "
            "project (Settings, Projects)"
        )
    return Login(*found)


@dataclass(frozen=True)
class Amplitude:
    """One project of Amplitude."""

    url: str
    login: Login
    project: None = None
    """The keys are of one project, and no question names it."""
    name: str = "amplitude"
    title: str = "Amplitude"
    calendar: Calendar = _HOURS
    quotas: Sequence[Quota] = ()
    form: Literal["zip"] = "zip"
    key: str = "event_type"

    @property
    def pause(self) -> float:
        """Seconds after a 429 that says no time."""
        return PAUSE

    def end(self, now: datetime) -> datetime:
        """Return when the last hour has ended that can be had."""
        return self.calendar.floor(self.local(now - _DELAY))

    def local(self, time: datetime) -> datetime:
        """Return a time in UTC."""
        return time.astimezone(UTC).replace(tzinfo=None)

    def question(self, span: Span) -> Question:
        """Return what asks for these hours."""
        last = span.end - self.calendar.step
        return Question("/api/2/export", {"start": f"{span.start:%Y%m%dT%H}", "end": f"{last:%Y%m%dT%H}"})

    def meaning(self, answer: Answer, *, now: float) -> Meaning:
        """Return what an answer means."""
        voice = Voice(self.title, self.url, self.login)
        said = answer.body.decode("utf-8", errors="replace")
        if is_page(answer) and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return voice.strange(answer)
        found: Meaning
        match answer.status:
            case 200:
                found = Ready()
            case 404 if _NOTHING.search(said) or not said.strip():
                found = Empty()
            case 400 | 413:
                advice = "if it is over 4 GB, take this hour from Amplitude's Amazon S3 export"
                found = TooMuch(voice.stop(answer, "an hour is not given", advice))
            case 504:
                found = TooMuch(Retry(voice.words(answer)))
            case 401 | 403:
                advice = f"check {' and '.join(VARIABLES)}, and --region: keys of us and eu are apart"
                found = voice.stop(answer, "the keys are not taken", advice, "key")
            case status if is_busy(status):
                found = voice.again(answer, now=now)
            case _:
                found = voice.strange(answer)
        return found
