"""Amplitude: what is asked, and what each answer means."""

from datetime import UTC, datetime

import pytest
from vendors import KEYS

from migrate.apply.capture import Answer
from migrate.apply.outcome import Retry, Stop
from migrate.errors import UsageError
from migrate.fetching.amplitude import Amplitude, login
from migrate.fetching.spans import Span
from migrate.fetching.vendor import Busy, Empty, Ready, TooMuch

VENDOR = Amplitude("https://amplitude.com", login(KEYS))


def meaning(status, body=b"", **headers):
    """What an answer means."""
    return VENDOR.meaning(Answer(status, headers, body), now=0.0)


def test_the_last_hour_is_included():
    """So that no hour is asked for twice."""
    span = Span(datetime(2024, 4, 3, 5), datetime(2024, 4, 4))  # noqa: DTZ001 - a vendor's own clock
    assert VENDOR.question(span) == ("/api/2/export", {"start": "20240403T05", "end": "20240403T23"})


def test_an_hour_can_be_had_two_hours_after_its_end():
    """Data of 8 to 9 is there at 11."""
    ends = [
        VENDOR.end(datetime(2024, 4, 3, 10, 59, tzinfo=UTC)),
        VENDOR.end(datetime(2024, 4, 3, 11, tzinfo=UTC)),
    ]
    assert [one.hour for one in ends] == [8, 9]


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (meaning(200, b"PK"), Ready()),
        (meaning(404, b"Raw data files were not found."), Empty()),
        (meaning(404, b""), Empty()),
        (meaning(429, b"slow"), Busy("429 'slow'", None)),
        (meaning(429, b"slow", **{"Retry-After": "7"}), Busy("429 'slow'", 7.0)),
        (meaning(503, b"later", **{"Retry-After": "9"}), Retry("503 'later'", 9.0)),
        (meaning(504, b"Time-out"), TooMuch(Retry("504 'Time-out'"))),
    ],
)
def test_what_an_answer_means(found, meant):
    """Whether to go on, to wait, or to ask for less."""
    assert found == meant


def test_what_nobody_waits_for_is_a_sentence():
    """Where, what, what was found, what to do; keys are echoed, and not shown."""
    key = KEYS["AMPLITUDE_SECRET_KEY"]
    assert meaning(403, f"Invalid {key}".encode()) == Stop(
        "https://amplitude.com: the keys are not taken, found 403 'Invalid ***'; check AMPLITUDE_API_KEY and "
        "AMPLITUDE_SECRET_KEY, and --region: keys of us and eu are apart, then run the same command again to go on",
        "key",
    )
    assert meaning(400, b"over 4GB").undivided.reason == (
        "https://amplitude.com: an hour is not given, found 400 'over 4GB'; if it is over 4 GB, take this hour from "
        "Amplitude's Amazon S3 export, then run the same command again to go on"
    )
    strange = (
        "https://amplitude.com: the answer is not Amplitude's, found {}; check --region and --api-host, and whether a "
        "proxy or a login page stands in between, then run the same command again to go on"
    )
    for found, said in (
        (meaning(404, b"no route"), "404 'no route'"),
        (meaning(404, b"<html>raw data</html>"), "404 '<html>raw data</html>'"),
        (meaning(200, b"", **{"Content-Type": "text/HTML"}), "200 ''"),
        (meaning(302, b"", Location="https://login.example"), "302 '' to https://login.example"),
    ):
        assert found.reason == strange.format(said)


def test_both_keys_are_needed():
    """From the environment alone."""
    with pytest.raises(
        UsageError, match="^AMPLITUDE_SECRET_KEY: missing in the environment; set AMPLITUDE_API_KEY and"
    ):
        login(KEYS | {"AMPLITUDE_SECRET_KEY": " "})
