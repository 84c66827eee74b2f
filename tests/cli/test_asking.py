"""How PostHog is asked: from options, variables, or not at all; the key is a secret."""

import pytest

from migrate.cli.asking import AskOptions
from migrate.errors import UsageError

KEY = "phx_a-key-nobody-may-see"
NOTHING = {"app_host": None, "personal_api_key": None, "project_id": None}


def test_nobody_is_asked_without_a_key():
    """What is typed of the host is looked at all the same."""
    assert AskOptions(**NOTHING).access("https://eu.i.posthog.com") is None
    with pytest.raises(UsageError, match=r"^--app-host: "):
        AskOptions(**NOTHING | {"app_host": "ftp://x"}).access("https://eu.i.posthog.com")


def test_with_a_key_the_app_of_the_host_is_asked():
    """The key is in no repr, of what was typed nor of what is made of it."""
    options = AskOptions(**NOTHING | {"personal_api_key": f" {KEY} ", "project_id": "7"})
    access = options.access("https://eu.i.posthog.com")
    assert (access.app_host, access.key, access.project_id) == ("https://eu.posthog.com", KEY, "7")
    assert KEY not in repr(access) + repr(options)
