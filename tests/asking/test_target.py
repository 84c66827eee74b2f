"""Where PostHog is asked, and with which key."""

import pytest

from migrate.asking.target import app_url, checked_personal_key, checked_project_id
from migrate.errors import UsageError

US, EU = "https://us.posthog.com", "https://eu.posthog.com"
OWN = "https://posthog.example.com"


@pytest.mark.parametrize(
    ("app_host", "capture", "expected"),
    [
        (None, "https://us.i.posthog.com", US),
        (None, "https://eu.i.posthog.com", EU),
        (None, OWN, OWN),
        ("eu", "https://proxy.example.com", EU),
        ("https://us.i.posthog.com", OWN, US),
        ("https://app.example.com/", OWN, "https://app.example.com"),
        ("localhost:8000", OWN, "http://localhost:8000"),
    ],
)
def test_the_private_api_has_hosts_of_its_own(app_host, capture, expected):
    """Those of PostHog Cloud are known; a PostHog of one's own has it where events go."""
    assert app_url(app_host, capture) == expected


def test_what_is_no_url_is_said_of_the_option_that_was_typed():
    """And of no other one."""
    with pytest.raises(
        UsageError, match=r"^--app-host: neither us, eu nor an http or https URL, found 'ftp://x'"
    ):
        app_url("ftp://x", OWN)


@pytest.mark.parametrize("key", ["phx_abcdefgh", "  phs_abcdefgh\n"])
def test_a_personal_key_or_a_projects_secret_one(key):
    """Trimmed."""
    assert checked_personal_key(key) == key.strip()


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("phc_abcdefgh", "is a project's key, which sends and cannot ask, found phc_…"),
        ("secret-words", "does not begin as one does"),
        ("phx_", "holds what no key has, or is cut short"),
        ("phx_abc defgh", "holds what no key has, or is cut short"),
        ("phx_abcdefgh\r\nX: y", "holds what no key has, or is cut short"),
    ],
)
def test_a_key_that_is_none_is_not_shown(key, problem):
    """The message says what is wrong, where the right one comes from, and with which scopes."""
    with pytest.raises(UsageError) as wrong:
        checked_personal_key(key)
    said = str(wrong.value)
    assert said.startswith(
        f"--personal-api-key: {problem}; give a personal API key (phx_…) with the scopes project:read"
    )
    assert key[4:] == "" or key[4:] not in said


def test_a_projects_number_is_one():
    """It becomes part of a path, to which the personal key goes; what was pasted in its place may be a key."""
    assert [checked_project_id(one) for one in (" 12345 ", "", None)] == ["12345", None, None]
    for odd in ("1/../2", "phx_abcdefgh", "-1", "\N{FULLWIDTH DIGIT ONE}"):
        with pytest.raises(UsageError, match=r"^--project-id: not a number; give") as wrong:
            checked_project_id(odd)
        assert odd not in str(wrong.value)
