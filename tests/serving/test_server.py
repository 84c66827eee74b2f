"""The page is on 127.0.0.1, whole, and answers whatever it is sent with a sentence."""

import json
import socket
import threading

import pytest
from hatchling.builders.wheel import WheelBuilder
from markdown import ROOT
from served import SPEC, page, serving, table

from migrate.serving.desk import Desk, Edited


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A page of a spec, for all tests of it."""
    folder = tmp_path_factory.mktemp("served")
    with page(table(folder), "spec", folder / "spec.toml") as one:
        yield one


def test_the_page_is_all_here(served):
    """What it refers to is asked of this server, with the token; nothing is of another, and nothing stands in line."""
    status, headers, body = served.get(f"/?t={served.token}", headers={})
    text = body.decode()
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (text.count(f"?t={served.token}"), text.count("{token}")) == (2, 0)
    for path, kind in (("/serve.js", "text/javascript"), ("/serve.css", "text/css")):
        status, headers, body = served.get(f"{path}?t={served.token}", headers={})
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        text += body.decode()
    assert not [word for word in ("://", "innerHTML", "style=", "onclick=", "eval(") if word in text]


def test_a_wheel_has_the_page():
    """Whoever installs it has all of it."""
    found = {one.distribution_path for one in WheelBuilder(str(ROOT)).recurse_included_files()}
    assets = {f"migrate/serving/assets/{name}" for name in ("index.html", "serve.js", "serve.css")}
    assert assets <= found


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not what this page sends, found 'Input data was truncated'; load the page again"),
        (
            b'{"text": 5}',
            400,
            "not what this page sends, found 'Expected `str | null`, got `int` - at `$.text`'",
        ),
        (
            b'{"view": {"show": "x"}}',
            400,
            "not what this page sends, found 'Invalid enum value 'x' - at `$.view.sh",
        ),
        (b"\xff", 400, "not what this page sends, found '"),
        (b"[" * 100_000, 400, "not what this page sends, found '"),
        (
            json.dumps({"text": "x" * (1 << 20) + "y"}).encode(),
            413,
            "the text is longer than 1 MB, which no spec is",
        ),
        (b" " * (6 << 20) + b"{}", 413, "the text is longer than 1 MB, which no spec is; shorten it"),
    ],
    ids=["cut", "type", "view", "bytes", "deep", "long", "huge"],
)
def test_whatever_is_sent_is_answered(served, body, status, said):
    """In JSON; and the next one is as if nothing had been."""
    for path in ("/api/try", "/api/save"):
        found, _, answer = served.get(path, "POST", body)
        assert (found, json.loads(answer)["error"]["said"][: len(said)]) == (status, said)
    assert served.tried(SPEC)["counts"]["all"] == 4


def test_it_listens_here_alone_and_is_gone_afterwards(tmp_path):
    """A port that is taken is an error of the block."""
    work, before = table(tmp_path), {*threading.enumerate()}
    with serving(Desk(work, Edited(), {})) as address:
        port = int(address.partition("/?")[0].rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), serving(Desk(work, Edited(), {}), port=port):
            pass
        assert address.startswith(f"http://127.0.0.1:{port}/?t=")
    assert {*threading.enumerate()} <= before
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0
