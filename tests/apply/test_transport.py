import asyncio
import gzip
import json
import shutil
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate import VERSION
from migrate.apply.batches import Payloads, body, head
from migrate.apply.transport import (
    ANSWER_BYTES,
    GZIP_FROM_BYTES,
    Accepted,
    Retry,
    Split,
    Stop,
    Transport,
    outcome,
    retry_after,
)
from migrate.sandbox.server import Sandbox

KEY = "phc_a-key-nobody-may-see"
AGAIN = "run the same command again to resume"
URL = "https://posthog.example.com"
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
OK = b'{"status":"Ok"}'
PAGE = b"<html>\n <title>Sign in</title>" + b"x" * 300


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def request(events=1, padding=0):
    payloads = [
        json.dumps({"event": f"e{n}", "distinct_id": "d", "properties": {"p": "x" * padding}}) + ","
        for n in range(events)
    ]
    return body(head(KEY), Payloads.of(pl.Series(payloads)), 0, events)


def sent(url, *bodies, **options):
    """Send bodies one after another; give the outcomes and the transport."""

    async def run():
        settings = {"timeout": 10.0, "gzip": True, "connections": 2, "secret": KEY} | options
        async with Transport(url, **settings) as transport:
            return [await transport.send(each) for each in bodies], transport

    return asyncio.run(run())


@asynccontextmanager
async def raw_server(answer, *, tls=None, requests=None, reads_body=True):
    """Read one whole request a connection and write back these very bytes."""

    async def play(reader, writer):
        try:
            top = await reader.readuntil(b"\r\n\r\n")
            sizes = [line for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            rest = await reader.readexactly(int(sizes[0].split(b":")[1])) if sizes and reads_body else b""
            if requests is not None:
                requests.append((top.decode(), rest))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away, as some tests want
        finally:
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def answered(answer, *, data=b"{}", path="", tls=None, requests=None):
    """Send one body to a server that answers with these very bytes."""
    scheme = "https" if tls else "http"

    async def run():
        async with raw_server(answer, tls=tls, requests=requests) as port:
            url = f"{scheme}://127.0.0.1:{port}{path}"
            async with Transport(url, timeout=10, gzip=True, connections=1, secret=KEY) as transport:
                return await transport.send(data)

    return asyncio.run(run())


def http(status, text=b"", *headers):
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(text)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + text


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        pytest.param(200, OK, Accepted(), id="ok"),
        pytest.param(200, b'{ "status" : "Ok", "more": [] }', Accepted(), id="ok with more"),
        pytest.param(200, b'{"status":1}', Accepted(), id="one, as the old server said"),
        pytest.param(400, b"request holds no event\n", Split(400, "request holds no event"), id="400"),
        pytest.param(413, b"too big", Split(413, "too big"), id="413"),
        pytest.param(413, b"", Split(413, "status 413 without a word"), id="413 without words"),
        pytest.param(408, b"slow", Retry("408: slow"), id="408"),
        pytest.param(429, b"rate limited", Retry("429: rate limited"), id="429"),
        pytest.param(500, b"", Retry("500: "), id="500"),
        pytest.param(502, b"<html>bad\n gateway", Retry("502: <html>bad gateway"), id="502"),
        pytest.param(503, b"transient error", Retry("503: transient error"), id="503"),
        pytest.param(504, b"\xff\x1b[2J", Retry("504: \ufffd [2J"), id="504, not UTF-8, steering a terminal"),
        pytest.param(599, b"odd", Retry("599: odd"), id="599"),
    ],
)
def test_answer_means(status, answer, expected):
    """The table of answers: accepted, sent again, or cut in halves."""
    assert outcome(status, {}, answer, url=URL, now=NOW) == expected


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "check --api-key (the project's own key, phc_…)"),
        (402, "check the project's billing and quota"),
        (403, "check --api-key, and whether this network may reach the host"),
        (404, "check --host: there is no capture endpoint at this address"),
        (407, "check the proxy in HTTP_PROXY or HTTPS_PROXY"),
        (405, "check --host: what answers at this address takes no events"),
        (415, "see what the server says"),
        (451, "see what the server says"),
    ],
)
def test_refusal_stops_with_the_servers_words(status, advice):
    """A 4xx that no retry and no smaller batch can cure stops, and says what to look at."""
    assert outcome(status, {}, b"so it is", url=URL, now=NOW) == Stop(
        f"{URL}: the batch was refused, found {status} 'so it is'; {advice}, then {AGAIN}"
    )


@pytest.mark.parametrize("answer", [b'{"status":"Ok","quota_limited":["events"]}', b'{"quota_limited":[]}'])
def test_quota_limited_stops(answer):
    """A 200 that names a quota stored nothing, whatever its status field says."""
    assert outcome(200, {}, answer, url=URL, now=NOW) == Stop(
        f"{URL}: the project is over its quota and keeps nothing of this batch, found '{answer.decode()}';"
        f" raise the project's limit, then {AGAIN}"
    )


@pytest.mark.parametrize(
    ("status", "headers", "answer", "found"),
    [
        pytest.param(
            200,
            {"Content-Type": "text/html"},
            PAGE,
            "200, text/html, '<html> <title>Sign in</title>" + "x" * 171 + "'",
            id="captive portal",
        ),
        pytest.param(200, {}, b"", "200, no type, ''", id="empty 200"),
        pytest.param(200, {}, b'{"status":"ok"}', '200, no type, \'{"status":"ok"}\'', id="other case"),
        pytest.param(200, {}, b'{"status":true}', "200, no type, '{\"status\":true}'", id="true is not 1"),
        pytest.param(200, {}, b'{"status":0}', "200, no type, '{\"status\":0}'", id="zero"),
        pytest.param(200, {}, b'["Ok"]', "200, no type, '[\"Ok\"]'", id="not an object"),
        pytest.param(200, {}, b"[" * 60_000, f"200, no type, '{'[' * 200}'", id="nested too deep"),
        pytest.param(204, {}, b"", "204, no type, ''", id="204"),
        pytest.param(201, {}, OK, '201, no type, \'{"status":"Ok"}\'', id="201"),
        pytest.param(
            302,
            {"location": "https://login.example.com/", "content-type": "text/plain"},
            b"",
            "302 to https://login.example.com/, text/plain, ''",
            id="redirect",
        ),
        pytest.param(600, {}, b"what", "600, no type, 'what'", id="no status of HTTP"),
    ],
)
def test_answer_of_somebody_else_stops(status, headers, answer, found):
    """What is not unmistakably PostHog's own answer counts as nothing, and is shown as far as it helps."""
    assert outcome(status, headers, answer, url=URL, now=NOW) == Stop(
        f"{URL}: the answer is not PostHog's, found {found}; check --host, and whether a proxy or a login"
        f" page stands in between, then {AGAIN}"
    )


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 413, 429, 503])
def test_echoed_key_is_never_shown(status):
    """A key in a body, a redirect or a content type, escaped or cut, comes out as stars."""
    key = 'phc_"a\\b-' + "k" * 30
    echo = ("é" * 180 + key + json.dumps({"k": key})).encode()
    headers = {"Location": f"https://x/{key}", "Content-Type": key}
    shown = str(outcome(status, headers, echo, url=URL, now=NOW, secret=key))
    assert "***" in shown
    assert not [part for part in ('phc_"', "phc_\\", "kkk") if part in shown]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("120", 120.0, id="seconds"),
        pytest.param("1.5", 1.5, id="a fraction, against the RFC"),
        pytest.param("-3", 0.0, id="negative"),
        pytest.param("Tue, 14 Nov 2023 22:14:20 GMT", 60.0, id="date"),
        pytest.param("Tue, 14 Nov 2023 22:14:20 -0000", 60.0, id="date without a zone is UTC"),
        pytest.param("Tue, 14 Nov 2023 22:00:00 GMT", 0.0, id="past date"),
        pytest.param("soon", None, id="words"),
        pytest.param("inf", None, id="never"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    """Both forms of the header are understood, nonsense is no header."""
    assert retry_after(value, now=NOW) == seconds
    headers = {} if value is None else {"RETRY-AFTER": value}
    assert outcome(503, headers, b"", url=URL, now=NOW) == Retry("503: ", seconds)


@pytest.mark.parametrize(
    "value", ["120", "Tue, 14 Nov 2023 22:00:00 GMT", "Wed, 13 Nov 2024 22:00:00 GMT", None]
)
def test_a_retry_after_that_is_a_time_needs_no_word(value):
    """Nor does one that is past, as clocks differ, or none at all."""
    headers = {} if value is None else {"Retry-After": value}
    assert not outcome(503, headers, b"", url=URL, now=NOW).unheeded
    assert outcome(503, {"Retry-After": "-3"}, b"", url=URL, now=NOW).unheeded == "-3"


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_page_is_not_posthogs_word_on_the_key(status):
    """Basic auth of a proxy says nothing of --api-key; PostHog's own line does."""
    found = outcome(status, {"Content-Type": "text/html"}, PAGE, url=URL, now=NOW)
    assert "the words are not PostHog's: check --host, and whether a proxy" in found.reason
    assert "--api-key" not in found.reason


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"Client sent an HTTP request to an HTTPS server.\n", id="Go, Caddy"),
        pytest.param(b"400 Bad Request: missing required Host header", id="Go"),
    ],
)
def test_a_web_servers_own_refusal_costs_no_event(words):
    """In plain text as PostHog's, but of what never saw the batch."""
    found = outcome(400, {"Content-Type": "text/plain; charset=utf-8"}, words, url=URL, now=NOW)
    assert isinstance(found, Stop)
    assert found.reason.startswith(f"{URL}: the refusal is not PostHog's, found 400")


def test_a_status_that_no_waiting_mends_is_told_where_it_is_a_page():
    """A file server takes no POST; a plain 501 may be a service that is starting."""
    page = outcome(501, {"Content-Type": "text/html"}, PAGE, url=URL, now=NOW)
    assert isinstance(page, Retry)
    assert page.hopeless.startswith("the answer is not PostHog's, found 501, text/html")
    assert not outcome(501, {}, b"odd", url=URL, now=NOW).hopeless
    assert not outcome(502, {"Content-Type": "text/html"}, PAGE, url=URL, now=NOW).hopeless


@given(st.integers(100, 999), st.dictionaries(st.text(), st.text()), st.binary())
def test_every_answer_has_an_outcome(status, headers, answer):
    """Nothing a server can say raises, and only a 200 is ever accepted."""
    headers |= {"Retry-After": "".join(headers)}
    result = outcome(status, headers, answer, url=URL, now=NOW, secret=KEY)
    assert isinstance(result, Accepted | Retry | Split | Stop)
    assert not isinstance(result, Accepted) or status == 200


def test_batch_arrives_as_it_was_built():
    """The sandbox stores what the body holds, whether it travels compressed or not."""
    with Sandbox() as sandbox:
        outcomes, transport = sent(sandbox.url, request(3, padding=GZIP_FROM_BYTES), request(2))
        assert outcomes == [Accepted(), Accepted()]
        assert all(0 < each.seconds < 10 for each in outcomes)
        assert [event["event"] for event in sandbox.events()] == ["e0", "e1", "e2", "e0", "e1"]
        summary = sandbox.summary()
        assert transport.requests == summary["requests"] == summary["historical_requests"] == 2
        assert transport.bytes_sent == summary["bytes_received"] < GZIP_FROM_BYTES


def test_large_body_without_gzip():
    """More than a megabyte goes out as it is when compression is off."""
    with Sandbox() as sandbox:
        data = request(2, padding=900_000)
        outcomes, transport = sent(sandbox.url, data, gzip=False)
        assert outcomes == [Accepted()]
        assert transport.bytes_sent == len(data)


def test_request_on_the_wire():
    """Path, headers and body are exactly what capture expects, and carry nothing else of note."""
    requests = []
    data = request(1, padding=GZIP_FROM_BYTES)
    assert answered(http(200, OK), data=data, path="/relay", requests=requests) == Accepted()
    [(top, wire)] = requests
    first, *lines = top.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert first == "POST /relay/batch/ HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["content-encoding"] == "gzip"
    assert headers["user-agent"] == f"posthog-migrate/{VERSION}"
    assert headers["content-length"] == str(len(wire))
    assert not {"cookie", "authorization", "transfer-encoding"} & headers.keys()
    assert gzip.decompress(wire) == data
    assert b"sent_at" not in data


def test_small_body_is_not_compressed():
    """Compression that saves nothing is left out, and so is its header."""
    requests = []
    data = request(1)
    answered(http(200, OK), data=data, requests=requests)
    [(top, wire)] = requests
    assert wire == data
    assert "content-encoding" not in top.lower()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(
            {"fault": "status", "status": 503}, Retry("503: transient error, please retry"), id="503"
        ),
        pytest.param(
            {"fault": "status", "status": 429, "retry_after": 7}, Retry("429: rate limited", 7.0), id="429"
        ),
        pytest.param(
            {"fault": "prefix", "status": 413},
            Split(413, "maximum event size exceeded: event rejected by the broker"),
            id="413",
        ),
    ],
)
def test_sandbox_answers(fault, expected):
    """What the sandbox can misbehave with has the outcome the real server's answer has."""
    with Sandbox(faults=[fault]) as sandbox:
        assert sent(sandbox.url, request())[0] == [expected]


@pytest.mark.parametrize("fault", ["captive", "quota_limited", "redirect", "no_content"])
def test_sandbox_answers_that_stop(fault):
    """Nothing is accepted, nothing is followed, nothing is tried twice."""
    with Sandbox(faults=[{"fault": fault}]) as sandbox:
        [result], transport = sent(sandbox.url, request())
        assert isinstance(result, Stop)
        assert result.reason.startswith(f"{sandbox.url}: ")
        assert transport.requests == sandbox.summary()["requests"] == 1


@pytest.mark.parametrize("fault", [{"fault": "reset"}, {"fault": "reset", "stored": True}, {"fault": "cut"}])
def test_broken_connection_is_sent_again(fault):
    """A connection that breaks before or after storing is an unknown outcome: the same bytes again."""
    with Sandbox(faults=[{**fault, "times": 1}]) as sandbox:
        outcomes, _ = sent(sandbox.url, request(), request())
        assert isinstance(outcomes[0], Retry)
        assert outcomes[0].reason.startswith("no answer: ")
        assert outcomes[1] == Accepted()


def test_silence_is_a_timeout():
    """A server that takes longer than `timeout` is asked again."""
    with Sandbox(faults=[{"fault": "stall", "seconds": 600}]) as sandbox:
        [result], _ = sent(sandbox.url, request(), timeout=0.2)
        assert result == Retry("no answer within 0.2 s")
        assert result.seconds >= 0.2


def test_refused_event_comes_back_with_the_servers_words():
    """A 400 says which words PostHog used, so that a parked event can say them too."""
    with Sandbox() as sandbox:
        bad = body(head(KEY), Payloads.of(pl.Series(['{"event":"","distinct_id":"d"},'])), 0, 1)
        assert sent(sandbox.url, bad)[0] == [Split(400, "event submitted with an empty event name")]


def test_connection_refused_is_sent_again():
    """A server that is down may come back; nothing was written to it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can answer there
        [result], transport = sent(f"http://127.0.0.1:{taken.getsockname()[1]}", request())
    assert isinstance(result, Retry)
    assert "Cannot connect to host 127.0.0.1" in result.reason
    assert (transport.requests, transport.bytes_sent) == (1, 0)


def test_unknown_host_is_sent_again():
    """A name that does not resolve may be a network that is away for a moment."""
    [result], _ = sent("http://posthog.invalid", request())
    assert isinstance(result, Retry)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + OK[:-1], id="one byte short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + OK, id="no last chunk"),
        pytest.param(http(200, OK, "Content-Encoding: gzip"), id="not the gzip it claims"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="not HTTP"),
    ],
)
def test_broken_answer_is_sent_again(answer):
    """Half an answer says nothing about the batch, even if its first line says 200."""
    assert isinstance(answered(answer), Retry)


def test_endless_answer_is_read_only_so_far():
    """A huge answer is judged by its beginning, and the rest of it is never read."""
    result = answered(http(200, b"<" * (50 * ANSWER_BYTES)))
    assert isinstance(result, Stop)
    assert f"'{'<' * 200}'" in result.reason
    assert answered(http(200, b" " * ANSWER_BYTES + OK)) != Accepted()


def test_answer_before_the_body_is_heard():
    """A server that refuses a large body by its size, without reading it, is understood all the same."""

    async def run():
        async with raw_server(http(413, b"too big"), reads_body=False) as port:
            url = f"http://127.0.0.1:{port}"
            async with Transport(url, timeout=10, gzip=False, connections=1) as transport:
                return await transport.send(bytes(20_000_000))

    assert asyncio.run(run()) == Split(413, "too big")


def test_redirect_is_not_followed():
    """A redirect to an address that would accept the batch is still not PostHog's answer."""
    with Sandbox() as sandbox:
        result = answered(http(307, b"", f"Location: {sandbox.url}/batch/"), data=request())
        assert isinstance(result, Stop)
        assert f"found 307 to {sandbox.url}/batch/" in result.reason
        assert sandbox.summary()["requests"] == 0


def test_echoed_key_of_a_real_answer_is_never_shown():
    """The transport hides the key it was given, in a refusal as in an odd status line."""
    result = answered(http(401, f"no such key {KEY}".encode()))
    assert "no such key ***" in str(result)
    assert KEY not in str(result)
    assert KEY not in str(answered(f"HTTP/1.1 2x0 {KEY}\r\n\r\n".encode()))
    assert KEY not in repr(Transport(URL, timeout=1, gzip=True, connections=1, secret=KEY))


def test_proxy_of_the_environment_is_used(monkeypatch):
    """Requests go through HTTP_PROXY, with the address PostHog has."""
    requests = []

    async def run():
        async with raw_server(http(200, OK), requests=requests) as port:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            async with Transport("http://ph.example.com", timeout=10, gzip=True, connections=1) as transport:
                return await transport.send(b"{}")

    assert asyncio.run(run()) == Accepted()
    assert requests[0][0].startswith("POST http://ph.example.com/batch/ HTTP/1.1\r\n")


@pytest.mark.parametrize(("status", "kind"), [(407, Stop), (403, Stop), (502, Retry)])
def test_refusing_proxy(monkeypatch, status, kind):
    """A proxy that wants a password stops the run; one that cannot reach PostHog now is asked again."""

    async def run():
        async with raw_server(http(status)) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with Transport("https://ph.example.com", timeout=10, gzip=True, connections=1) as transport:
                return await transport.send(b"{}")

    result = asyncio.run(run())
    assert isinstance(result, kind)
    assert str(status) in result.reason


def test_untrusted_certificate_stops(tmp_path):
    """A server that cannot prove who it is gets neither key nor events."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", key, "-out", certificate]
    new = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*new, *subject, *files], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    requests = []
    result = answered(http(200, OK), tls=tls, requests=requests)
    assert isinstance(result, Stop)
    assert "its certificate is not trusted" in result.reason
    assert requests == []


@pytest.mark.parametrize(
    ("headers", "answer", "is_ours"),
    [
        ({}, b"failed to parse request: trailing characters at line 1 column 9", True),
        ({"Content-Type": "text/plain"}, b"event submitted without a distinct_id", True),
        ({}, b'{"type":"validation_error","code":"invalid_payload","detail":"no"}', True),
        ({"Content-Type": "text/html; charset=utf-8"}, b"Bad Request", False),
        ({}, b"<html><head><title>400 Bad Request</title></head>", False),
        ({"Content-Type": "application/json"}, b'{"message":"blocked by policy 17"}', False),
        ({}, b"[]", False),
    ],
)
def test_a_refusal_that_is_not_posthogs_costs_no_event(headers, answer, is_ours):
    """A firewall's page would else park event by event what PostHog has never seen; a 413 passes when it is smaller."""
    found = outcome(400, headers, answer, url=URL, now=NOW)
    assert isinstance(found, Split if is_ours else Stop)
    if not is_ours:
        assert found.reason.startswith(f"{URL}: the refusal is not PostHog's, found 400")
    assert isinstance(outcome(413, headers, answer, url=URL, now=NOW), Split)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "Mon, 32 Jan 2024 00:00:00 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "1000000000000",
        "",
    ],
)
def test_a_retry_after_that_is_no_time_is_none(value):
    """As if the server had said nothing; what it did say is known."""
    found = outcome(503, {"Retry-After": value}, b"", url=URL, now=NOW)
    assert found == Retry("503: ")
    assert found.unheeded == value
