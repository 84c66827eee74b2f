"""No answer is told with the option that said where to; what it means else is tested where it is sent (test_http)."""

import asyncio

import aiohttp
import pytest

from migrate.apply.outcome import Retry
from migrate.apply.unanswered import Aim, unanswered


@pytest.mark.parametrize("option", ["--host", "--app-host"])
def test_the_option_that_was_meant_is_named(option):
    """In what to do."""
    aim = Aim("https://ph.example", "phc_key", option)
    found = asyncio.run(unanswered(aiohttp.ServerDisconnectedError(), aim))
    assert found == Retry("connection closed: ph.example:443 ended it before it had answered")
    between = "whether a proxy or a firewall stands in between"
    assert found.advice == f"check http:// or https:// in {option}, and {between}"


def test_the_key_is_in_no_repr():
    """Wherever an aim is printed."""
    assert "phc_key" not in repr(Aim("https://ph.example", "phc_key"))
