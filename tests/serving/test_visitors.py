"""Only who has the address is answered, on this machine, by no other page."""

import json

import pytest
from served import asked, page

from migrate.serving.visitors import HEADER


@pytest.fixture(scope="module")
def served():
    """A page of nothing in particular."""
    with page(asked("posthog", "nowhere")) as one:
        yield one


TOKEN = "the token is missing or another server's; open the address that migrate serve has printed"  # noqa: S105
HOST = "this page is asked for as 127.0.0.1 or localhost, at its own port"
ORIGIN = "this page answers itself, and no other one"


@pytest.mark.parametrize(
    ("path", "headers", "why"),
    [
        ("/api/page", {}, None),
        ("/api/page", {"Host": "localhost:PORT"}, None),
        ("/api/page", {"Host": "LOCALHOST:PORT", "Origin": "http://localhost:PORT"}, None),
        ("/api/page", {"Origin": "http://127.0.0.1:PORT"}, None),
        ("/?t=TOKEN", {HEADER: None}, None),
        ("/serve.js?t=TOKEN", {HEADER: None}, None),
        ("/api/page", {HEADER: None}, TOKEN),
        ("/api/page", {HEADER: "another"}, TOKEN),
        ("/api/page", {HEADER: "tökén"}, TOKEN),
        ("/api/page?t=TOKEN", {HEADER: None}, TOKEN),
        ("/", {}, TOKEN),
        ("/?t=another", {}, TOKEN),
        ("/nowhere", {HEADER: None}, TOKEN),
        ("/api/page", {"Host": "127.0.0.1"}, HOST),
        ("/api/page", {"Host": "127.0.0.1:1"}, HOST),
        ("/api/page", {"Host": "evil.example:PORT"}, HOST),
        ("/?t=TOKEN", {HEADER: None, "Host": "127.0.0.1.evil.example:PORT"}, HOST),
        ("/api/page", {"Host": "me@127.0.0.1:PORT"}, HOST),
        ("/api/page", {"Origin": "http://evil.example"}, ORIGIN),
        ("/api/page", {"Origin": "null"}, ORIGIN),
        ("/api/page", {"Origin": "https://127.0.0.1:PORT"}, ORIGIN),
        ("/api/page", {"Origin": "http://127.0.0.1:1"}, ORIGIN),
        ("/api/page", {"Origin": "http://localhost:PORT"}, ORIGIN),
    ],
)
def test_who_is_answered(served, path, headers, why):
    """Token, Host and Origin have to be this server's, each; else it says which is not, and nothing else."""
    port = served.netloc.partition(":")[2]
    given = {HEADER: served.token} | headers
    said = {
        name: value and value.replace("PORT", port).encode().decode("latin-1")
        for name, value in given.items()
    }
    status, found, body = served.get(path.replace("TOKEN", served.token), headers=said)
    assert (status, why and json.loads(body)["error"]["said"]) == (403 if why else 200, why)
    assert found["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    assert [found[name] for name in ("Referrer-Policy", "Cache-Control", "X-Content-Type-Options")] == [
        "no-referrer",
        "no-store",
        "nosniff",
    ]


def test_what_is_no_request_is_no_line_of_a_log(served, caplog, capfd):
    """Whatever stands in its address."""
    assert served.get("/api/page", headers={"Host": None})[0] == 400
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


def test_what_is_not_there_is_a_sentence(served):
    """An unknown path and another method, for who may ask."""
    for path, method, status in (("/api/nothing", "GET", 404), ("/api/try", "GET", 405)):
        answered, _, body = served.get(path, method)
        said = f"nothing is here to be asked for in this way ({status})"
        assert (answered, json.loads(body)) == (status, {"error": {"said": said}})
