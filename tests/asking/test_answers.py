"""What an answer of the private API means."""

import json

import pytest

from migrate.apply.capture import Answer
from migrate.apply.outcome import Retry
from migrate.asking.answers import Asked, failure, meaning
from migrate.errors import Stopped, TookTooLong, Unasked

URL, KEY = "https://eu.posthog.com", "phx_a-key-nobody-may-see"
ASKED = Asked(URL, "/api/projects/7/", KEY)


def answer(status, detail=None, **headers):
    """An answer in PostHog's form."""
    said = {"type": "t", "code": "c", "detail": detail, "attr": None}
    return Answer(
        status, {name.replace("_", "-"): one for name, one in headers.items()}, json.dumps(said).encode()
    )


def raised(found):
    """What is raised for an answer."""
    with pytest.raises(Unasked) as error:
        meaning(found, ASKED, now=0.0)
    assert isinstance(error.value, Stopped)
    assert KEY not in str(error.value)
    return error.value


def test_what_was_asked_for_is_handed_on():
    """An object or a list, also of an answer that will come later."""
    assert meaning(Answer(202, {}, b'{"query_status": {}}'), ASKED, now=0.0) == {"query_status": {}}
    assert meaning(Answer(200, {}, b"[]"), ASKED, now=0.0) == []


@pytest.mark.parametrize(
    ("found", "reason", "seconds"),
    [
        (answer(429, "Slow down", Retry_After="30"), "429: Slow down", 30.0),
        (answer(429, "Expected available in 12 seconds."), "429: Expected available in 12 seconds.", 12.0),
        (answer(503, "Busy"), "503: Busy", None),
        (Answer(502, {}, b"<html>Bad Gateway</html>"), "502: <html>Bad Gateway</html>", None),
        (Answer(504, {}, b"upstream"), "504: upstream", None),
        (answer(408, KEY), "408: ***", None),
    ],
    ids=["asked to wait", "in words", "busy", "gateway", "gateway that waits no more", "key"],
)
def test_what_may_help_is_asked_again(found, reason, seconds):
    """When it says so, if it does."""
    assert meaning(found, ASKED, now=0.0) == Retry(reason, seconds)


@pytest.mark.parametrize(
    "found",
    [
        answer(504, "Query has hit the max execution time before completing."),
        answer(512, "Estimated query execution time is too long."),
        answer(513, "Query exceeds memory limits."),
        answer(500, "Code: 159. DB::Exception: Timeout exceeded"),
        answer(400, "Memory limit (for query) exceeded"),
    ],
)
def test_a_query_that_was_given_up_is_told_apart(found):
    """Whoever asked may ask for less."""
    assert isinstance(error := raised(found), TookTooLong)
    assert error.status == found.status
    assert str(error).endswith("; ask for less at once")


@pytest.mark.parametrize(
    ("found", "why", "said"),
    [
        (
            answer(401, "Invalid."),
            "key",
            (
                "the personal API key is not taken, found 401 'Invalid.'; check POSTHOG_PERSONAL_API_KEY, and that it "
                "is of this region (keys of us and eu are apart), with the scopes project:read, query:read and "
                "group:read"
            ),
        ),
        (
            answer(403, "API key missing required scope 'query:read'"),
            "key",
            (
                "the key may not ask this, found 403 'API key missing required scope 'query:read''; give it the scopes "
                "project:read, query:read and group:read of this project"
            ),
        ),
        (
            answer(404, "Not found."),
            "server",
            (
                "nothing is at /api/projects/7/, found 404 'Not found.'; check POSTHOG_PROJECT_ID, and that the "
                "personal API key is of this region (keys of us and eu are apart)"
            ),
        ),
        (
            answer(400, "Unknown table"),
            "server",
            "PostHog does not take /api/projects/7/, found 400 'Unknown table'; its version may lack what is asked for",
        ),
        (
            Answer(302, {"Location": f"https://login.example.com/?{KEY}"}, b""),
            "server",
            (
                "the answer is not PostHog's, found 302 to https://login.example.com/?*** ''; check --app-host, and "
                "whether a proxy or a login page stands in between"
            ),
        ),
        (
            Answer(200, {}, b"<html>\x1b[2JWelcome</html>"),
            "server",
            (
                "the answer is not PostHog's, found 200 '<html> [2JWelcome</html>'; check --app-host, and whether a "
                "proxy or a login page stands in between"
            ),
        ),
        (
            Answer(403, {}, b"<html>blocked</html>"),
            "server",
            (
                "the answer is not PostHog's, found 403 '<html>blocked</html>'; check --app-host, and whether a proxy "
                "or a login page stands in between"
            ),
        ),
    ],
    ids=["key", "scope", "nothing there", "not taken", "redirect", "page", "page that refuses"],
)
def test_what_cannot_be_had_says_why_and_what_to_do(found, why, said):
    """In one sentence, with the server's own words."""
    error = raised(found)
    assert (str(error), error.why, error.status) == (f"{URL}: {said}", why, found.status)


def test_a_query_that_fails_later_fails_alike():
    """Its status is told in the answer."""
    assert isinstance(failure("Timeout exceeded: 10 s", ASKED), TookTooLong)
    assert str(failure(f"no column {KEY}", ASKED)) == (
        f"{URL}: the query has failed, found 'no column ***'; its version may lack what is asked for"
    )
