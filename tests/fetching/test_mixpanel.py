"""Mixpanel: who asks, what is asked, and what each answer means."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from vendors import ACCOUNT, SECRET

from migrate.apply.capture import Answer
from migrate.apply.outcome import Retry
from migrate.errors import UsageError
from migrate.fetching.mixpanel import Mixpanel, login, project
from migrate.fetching.spans import Span
from migrate.fetching.vendor import Busy, Early, Ready

URL = "https://data-eu.mixpanel.com"
DAY = Span(datetime(2024, 4, 3), datetime(2024, 4, 4))  # noqa: DTZ001 - a vendor's own clock
VENDOR = Mixpanel(URL, login(ACCOUNT), "4711", timezone(timedelta(hours=-7)))


def meaning(status, body=b"", **headers):
    """What an answer means."""
    return VENDOR.meaning(Answer(status, headers, body), now=0.0)


def test_a_service_account_names_its_project():
    """A project's secret does not: Mixpanel refuses the two together."""
    asked = {"from_date": "2024-04-03", "to_date": "2024-04-03", "time_in_ms": "true"}
    assert VENDOR.question(DAY) == ("/api/2.0/export", asked | {"project_id": "4711"})
    assert Mixpanel(URL, login(SECRET), project("4711", SECRET)).question(DAY).query == asked
    assert (login(SECRET).password, project(None, ACCOUNT), project("12", ACCOUNT)) == ("", "4711", "12")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {},
            "MIXPANEL_SERVICE_ACCOUNT_USERNAME and MIXPANEL_SERVICE_ACCOUNT_SECRET: missing in the environment",
        ),
        ({"MIXPANEL_SERVICE_ACCOUNT_USERNAME": "a"}, "MIXPANEL_SERVICE_ACCOUNT_SECRET: missing"),
        ({"MIXPANEL_SERVICE_ACCOUNT_SECRET": "a"} | SECRET, "MIXPANEL_SERVICE_ACCOUNT_USERNAME: missing"),
        (
            ACCOUNT | {"MIXPANEL_PROJECT_ID": ""},
            "--project-id: missing, and a service account may see several",
        ),
        (ACCOUNT | {"MIXPANEL_PROJECT_ID": "my project"}, "--project-id: not a number"),
    ],
)
def test_what_is_missing_is_named(environment, said):
    """Before anything is asked."""

    def asks():
        login(environment)
        project(None, environment)

    with pytest.raises(UsageError) as caught:
        asks()
    assert str(caught.value).startswith(said)


def test_days_are_the_projects():
    """A day is asked for when it has ended there."""
    now = datetime(2024, 4, 4, 6, 59, tzinfo=UTC)
    assert (VENDOR.end(now).day, VENDOR.end(now + timedelta(minutes=1)).day) == (3, 4)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (meaning(200), Ready()),
        (meaning(429, b"limit"), Busy("429 'limit'", None)),
        (meaning(502, b"bad"), Retry("502 'bad'")),
        (
            meaning(400, b"to_date cannot be later than today"),
            Early("400 'to_date cannot be later than today'"),
        ),
    ],
)
def test_what_an_answer_means(found, meant):
    """Whether to go on, or to wait."""
    assert found == meant


def test_what_nobody_waits_for_is_a_sentence():
    """With its reason in a word; secrets are echoed, and not shown."""
    echo = f"no {ACCOUNT['MIXPANEL_SERVICE_ACCOUNT_SECRET']}, {VENDOR.login.header}".encode()
    found = [
        meaning(401, echo),
        meaning(402, b"plan"),
        meaning(400, b"bad"),
        meaning(404, b"{}"),
        meaning(200, **{"Content-Type": "text/html"}),
    ]
    assert [(one.why, one.reason.split("; ")[0].removeprefix(f"{URL}: ")) for one in found] == [
        ("key", "the credentials are not taken, found 401 'no ***, Basic ***'"),
        ("quota", "the plan does not allow exports, found 402 'plan'"),
        ("server", "the question is not taken, found 400 'bad'"),
        ("server", "the answer is not Mixpanel's, found 404 '{}'"),
        ("server", "the answer is not Mixpanel's, found 200 ''"),
    ]
