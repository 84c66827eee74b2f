"""Where to send and how: gently to PostHog Cloud, as fast as it goes to a host of one's own."""

from contextlib import ExitStack
from dataclasses import fields

import pytest

from migrate.cli.options import SendOptions
from migrate.cli.target import open_target
from migrate.errors import UsageError

KEY = "phc_do_not_tell_anyone"
USUAL = {"concurrency": 8, "max_batch_bytes": 5_000_000, "max_batch_events": 1_000, "gzip": True}
USUAL |= {"protocol": "auto", "deadline": 900.0, "timeout": 60.0, "yes": False, "partial": False}


def sending(**typed):
    """What was typed of the target; the rest as usual."""
    return SendOptions(**{one.name: None for one in fields(SendOptions)} | USUAL | typed)


TARGETS = [
    pytest.param({"host": "eu"}, "https://eu.i.posthog.com", 1_000.0, 172_800.0, id="cloud"),
    pytest.param(
        {"host": "EU", "rate": 7.0, "min_age": 0.0}, "https://eu.i.posthog.com", 7.0, 0.0, id="cloud-asked"
    ),
    pytest.param({"host": "https://ph.example.com/"}, "https://ph.example.com", None, 0.0, id="own"),
    pytest.param(
        {"host": "http://ph.example.com", "rate": 9.0, "min_age": 60.0},
        "http://ph.example.com",
        9.0,
        60.0,
        id="own-asked",
    ),
]


@pytest.mark.parametrize(("typed", "url", "rate", "min_age"), TARGETS)
def test_what_is_not_typed_depends_on_the_host(typed, url, rate, min_age):
    """A rate and an age of PostHog Cloud's, unless others are asked for; no sandbox is started."""
    with ExitStack() as stack:
        delivery, local = open_target(sending(api_key=f" {KEY} ", max_attempts=3, **typed), stack)
    assert (delivery.url, delivery.target, delivery.rate, delivery.min_age, local) == (
        url,
        url,
        rate,
        min_age,
        None,
    )
    assert (delivery.key, delivery.max_attempts, delivery.max_batch_bytes) == (KEY, 3, 5_000_000)


def test_a_sandbox_needs_no_key_and_goes_with_the_stack():
    """The workdir is bound to the word, since the next sandbox listens elsewhere."""
    with ExitStack() as stack:
        delivery, local = open_target(sending(host="sandbox"), stack)
        assert local.summary()["requests"] == 0
        assert (delivery.url, delivery.target, delivery.key) == (local.url, "sandbox", "phc_sandbox")


REFUSED = [
    pytest.param({}, "--host: missing; give us, eu, the URL of a PostHog, or sandbox to try", id="no-host"),
    pytest.param(
        {"host": "us"}, "--api-key: missing; set POSTHOG_API_KEY to the project's key (phc_…)", id="no-key"
    ),
    pytest.param(
        {"host": "us", "api_key": "phx_secret"},
        "--api-key: is a personal or secret key, which capture refuses, found phx_…; give the project's own key "
        "(phc_…) from the project's settings",
        id="personal-key",
    ),
]


@pytest.mark.parametrize(("typed", "message"), REFUSED)
def test_a_target_that_cannot_be_is_refused(typed, message):
    """With what to do."""
    with ExitStack() as stack, pytest.raises(UsageError) as refused:
        open_target(sending(**typed), stack)
    assert str(refused.value) == message
