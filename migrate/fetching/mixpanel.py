"""Mixpanel's Raw Event Export API: what asks for a day, and what its answers mean.

Read 2026-11-29, https://docs.mixpanel.com/reference/raw-event-export, …/raw-data-export-api-authentication and
…/rate-limits: `GET /api/2.0/export?from_date=YYYY-MM-DD&to_date=YYYY-MM-DD`, both included, on `data`, `data-eu` and
`data-in.mixpanel.com`; days are UTC for projects made since 2023-01-01, and of the project's zone for older ones; JSON
lines, gzipped where that is accepted and the body is over 1,400 bytes; `time_in_ms=true` has times with their
milliseconds; basic authentication with a service account, then `project_id` is needed, or with the project's secret as
the user and no password, then it is not; 60 requests an hour, 3 a second, 100 at once, then 429. The limits are of the
project, so that others may have used them up.

What stands in no document, but in public clients: 400 "to_date cannot be later than today" where the day has not begun
in the project's zone; 402 where the plan does not allow API calls; a body that ends with the line "export terminated
early" is none (https://github.com/mixpanel/mixpanel-utils/issues/5). `/track` takes events of the last five days
(https://developer.mixpanel.com/reference/track-event), so that days grow for five days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from http import HTTPStatus
from typing import Final, Literal

from migrate.apply.capture import Answer
from migrate.errors import UsageError
from migrate.fetching.spans import Calendar, Span
from migrate.fetching.vendor import Early, Login, Meaning, Question, Quota, Ready, Voice, is_busy, is_page

HOSTS: Final = {
    "us": "https://data.mixpanel.com",
    "eu": "https://data-eu.mixpanel.com",
    "in": "https://data-in.mixpanel.com",
}
"""Region → where it is asked."""
USER: Final = "MIXPANEL_SERVICE_ACCOUNT_USERNAME"
SECRET: Final = "MIXPANEL_SERVICE_ACCOUNT_SECRET"  # noqa: S105 - a variable's name
API_SECRET: Final = "MIXPANEL_API_SECRET"  # noqa: S105 - a variable's name
PROJECT: Final = "MIXPANEL_PROJECT_ID"
VARIABLES: Final = (USER, SECRET, PROJECT, API_SECRET)
LOOKBACK: Final = timedelta(days=5)
"""How long after its end a day is asked for once more."""
QUOTAS: Final = (Quota(3, 1.0), Quota(60, 3_600.0))
PAUSE: Final = 60.0
"""Seconds after a 429 that says no time, the first time: the hour's allowance comes back bit by bit."""
_DAYS: Final = Calendar(timedelta(days=1), ".jsonl.gz")
_NOT_YET: Final = "later than today"


def login(environment: Mapping[str, str]) -> Login:
    """Return who asks, a service account or the project; raises UsageError where the environment says neither."""
    user, secret, _, api_secret = (environment.get(name, "").strip() for name in VARIABLES)
    if user and secret:
        return Login(user, secret)
    if api_secret and not user and not secret:
        return Login(api_secret, "")
    lacking = SECRET if user else USER if secret else f"{USER} and {SECRET}"
    raise UsageError(
        f"{lacking}: missing in the environment; set {USER} and {SECRET} to those of a service account, and {PROJECT}, "
        f"or {API_SECRET} to the project's secret"
    )


def project(given: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the project's number, which a service account has to name, and the project itself must not.

    Raises UsageError where it is missing, or is no number.
    """
    found = (given or environment.get(PROJECT, "")).strip()
    if found and not (found.isascii() and found.isdecimal()):
        raise UsageError("--project-id: not a number; give the one in Mixpanel's Settings, Project Details")
    if not environment.get(USER, "").strip():
        return None
    if not found:
        raise UsageError(
            f"--project-id: missing, and a service account may see several projects; set {PROJECT} to the number in "
            "Mixpanel's Settings, Project Details"
        )
    return found


@dataclass(frozen=True)
class Mixpanel:
    """One project of Mixpanel."""

    url: str
    login: Login
    project: str | None = None
    zone: tzinfo = UTC
    """In which its days are."""
    name: str = "mixpanel"
    title: str = "Mixpanel"
    calendar: Calendar = _DAYS
    form: Literal["gzip"] = "gzip"
    key: str = "event"

    @property
    def quotas(self) -> Sequence[Quota]:
        """How often a project may be asked."""
        return QUOTAS

    @property
    def pause(self) -> float:
        """Seconds after a 429 that says no time."""
        return PAUSE

    def end(self, now: datetime) -> datetime:
        """Return when the last day has ended."""
        return self.calendar.floor(self.local(now))

    def local(self, time: datetime) -> datetime:
        """Return a time in the project's zone."""
        return time.astimezone(self.zone).replace(tzinfo=None)

    def question(self, span: Span) -> Question:
        """Return what asks for a day."""
        day = f"{span.start:%Y-%m-%d}"
        query = {"from_date": day, "to_date": day, "time_in_ms": "true"}
        return Question("/api/2.0/export", query | ({"project_id": self.project} if self.project else {}))

    def meaning(self, answer: Answer, *, now: float) -> Meaning:
        """Return what an answer means."""
        voice = Voice(self.title, self.url, self.login)
        if is_page(answer) and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return voice.strange(answer)
        found: Meaning
        match answer.status:
            case 200:
                found = Ready()
            case 400 if _NOT_YET.encode() in answer.body:
                found = Early(voice.words(answer))
            case 400:
                advice = f"check {PROJECT}, and that it is of --region"
                found = voice.stop(answer, "the question is not taken", advice)
            case 401 | 403:
                advice = f"check {USER} and {SECRET}, or {API_SECRET}, what they may see, and --region"
                found = voice.stop(answer, "the credentials are not taken", advice, "key")
            case 402:
                found = voice.stop(answer, "the plan does not allow exports", "ask Mixpanel for it", "quota")
            case status if is_busy(status):
                found = voice.again(answer, now=now)
            case _:
                found = voice.strange(answer)
        return found
