"""The sandbox in a thread: it is there for its block, and afterwards nothing of it is but what was to be kept."""

import socket
import tempfile
import threading
from urllib.parse import urlsplit

import pytest
from posting import OK, batch, event, post

from migrate.errors import UsageError
from migrate.sandbox.server import Sandbox, serve
from migrate.sandbox.store import FILE


def running():
    """The sandboxes that are there."""
    return [thread for thread in threading.enumerate() if thread.name == "sandbox"]


def is_listened_to(url):
    """Whether anybody answers at the address."""
    there = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((there.hostname, there.port)) == 0


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_of_what_is_not_kept(temporary):
    """Neither a thread, nor a listener, nor a file."""
    with Sandbox() as sandbox:
        assert post(sandbox, batch(event())) == OK
        assert [path.name for path in temporary.glob(f"*/{FILE}")] == [FILE]
    assert (running(), is_listened_to(sandbox.url), [*temporary.iterdir()]) == ([], False, [])


def test_a_block_that_fails_leaves_nothing_either(temporary):
    """The error is handed on."""
    with pytest.raises(ZeroDivisionError), Sandbox() as sandbox:
        assert 1 / len(sandbox.events())
    assert (running(), is_listened_to(sandbox.url), [*temporary.iterdir()]) == ([], False, [])


def test_a_sandbox_that_cannot_start_leaves_nothing(temporary):
    """A port that is taken is an error of the block, after which no thread and no file stays."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(OSError, match="address already in use"), Sandbox(port=other.getsockname()[1]):
            pass
        assert (running(), [*temporary.iterdir()]) == ([], [])


def test_several_go_side_by_side():
    """Each with its own port and its own events."""
    with Sandbox() as one, Sandbox() as other:
        assert one.url != other.url
        assert post(one, batch(event(event="first"))) == post(other, batch(event(event="second"))) == OK
        assert [e["event"] for box in (one, other) for e in box.events()] == ["first", "second"]


def test_faults_and_events_are_apart():
    """New faults leave what is stored, and a reset leaves the faults."""
    fault = [{"fault": "status", "status": 503}]
    with Sandbox() as sandbox:
        assert post(sandbox, batch(event())) == OK
        sandbox.faults(fault)
        assert [e["event"] for e in sandbox.events()] == ["seen"]
        sandbox.reset()
        assert (sandbox.events(), sandbox.requests()) == ([], [])
        assert post(sandbox, batch(event()))[0] == 503
        (request,) = sandbox.requests()
        assert {key: request[key] for key in ("request", "status", "stored", "faults")} == {
            "request": 1,
            "status": "503",
            "stored": 0,
            "faults": "status",
        }


def test_rules_are_looked_at_before_anything_is_made(tmp_path):
    """In the foreground and in a thread."""
    rules = [{"fault": "plague"}]
    with pytest.raises(UsageError, match="--faults: "):
        serve(port=0, data=tmp_path / "data", faults=rules)
    with pytest.raises(UsageError, match="--faults: "):
        Sandbox(tmp_path / "data", faults=rules)
    assert [*tmp_path.iterdir()] == []


def test_the_address_of_ipv6_stands_in_brackets():
    """As URLs have it, and as it is answered at."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with Sandbox(host="::1") as sandbox:
            assert sandbox.url == f"http://[::1]:{urlsplit(sandbox.url).port}"
            assert post(sandbox, batch(event())) == OK
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
