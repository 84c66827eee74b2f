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

from migrate import VERSION
from migrate.apply.batches import Batch, Payloads
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.http import ANSWER_BYTES, Http
from migrate.apply.outcome import Accepted, Request, Retry, Split, Stop
from migrate.apply.packing import GZIP_FROM_BYTES, Packing
from migrate.sandbox.server import Sandbox

KEY = "phc_a-key-nobody-may-see"
URL = "https://posthog.example.com"
OK = b'{"status":"Ok"}'


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def request(events=1, padding=0, *, gzip=True):
    payloads = [
        json.dumps({"event": f"e{n}", "distinct_id": "d", "properties": {"p": "x" * padding}}) + ","
        for n in range(events)
    ]
    return packed(payloads, gzip=gzip)


def packed(payloads, *, gzip=True):
    """The request that carries these payloads."""
    packing = Packing(CaptureV0(URL, KEY).envelope, gzip, 1_000)
    return packing.pack(Payloads.of(pl.Series(payloads)), Batch(0, len(payloads)))


def plain(data):
    """A request of these very bytes."""
    return Request(data, {}, 1)


def sent(url, *requests, timeout=10.0):
    """Send requests one after another; give the outcomes and the transport."""

    async def run():
        async with Http(CaptureV0(url, KEY), timeout=timeout, connections=2) as transport:
            return [await transport.send(each) for each in requests], transport

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


def answered(answer, *, request=None, path="", tls=None, requests=None):
    """Send one request to a server that answers with these very bytes."""
    scheme = "https" if tls else "http"

    async def run():
        async with raw_server(answer, tls=tls, requests=requests) as port:
            url = f"{scheme}://127.0.0.1:{port}{path}"
            async with Http(CaptureV0(url, KEY), timeout=10, connections=1) as transport:
                return await transport.send(request or plain(b"{}"))

    return asyncio.run(run())


def http(status, text=b"", *headers):
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(text)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + text


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
        large = request(2, padding=900_000, gzip=False)
        outcomes, transport = sent(sandbox.url, large)
        assert outcomes == [Accepted()]
        assert transport.bytes_sent == len(large.data) > 1_800_000


def test_request_on_the_wire():
    """Path, headers and body are exactly what capture expects, and carry nothing else of note."""
    requests = []
    given = request(1, padding=GZIP_FROM_BYTES)
    assert answered(http(200, OK), request=given, path="/relay", requests=requests) == Accepted()
    [(top, wire)] = requests
    first, *lines = top.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert first == "POST /relay/batch/ HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["content-encoding"] == "gzip"
    assert headers["user-agent"] == f"posthog-migrate/{VERSION}"
    assert headers["content-length"] == str(len(wire))
    assert not {"cookie", "authorization", "transfer-encoding"} & headers.keys()
    assert gzip.decompress(wire) == request(1, padding=GZIP_FROM_BYTES, gzip=False).data
    assert b"sent_at" not in gzip.decompress(wire)


def test_small_body_is_not_compressed():
    """Compression that saves nothing is left out, and so is its header."""
    requests = []
    answered(http(200, OK), request=request(1), requests=requests)
    [(top, wire)] = requests
    assert wire == request(1, gzip=False).data
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
        bad = packed(['{"event":"","distinct_id":"d"},'])
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
            async with Http(CaptureV0(url, KEY), timeout=10, connections=1) as transport:
                return await transport.send(plain(bytes(20_000_000)))

    assert asyncio.run(run()) == Split(413, "too big")


def test_redirect_is_not_followed():
    """A redirect to an address that would accept the batch is still not PostHog's answer."""
    with Sandbox() as sandbox:
        result = answered(http(307, b"", f"Location: {sandbox.url}/batch/"), request=request())
        assert isinstance(result, Stop)
        assert f"found 307 to {sandbox.url}/batch/" in result.reason
        assert sandbox.summary()["requests"] == 0


def test_echoed_key_of_a_real_answer_is_never_shown():
    """The transport hides the key it was given, in a refusal as in an odd status line."""
    result = answered(http(401, f"no such key {KEY}".encode()))
    assert "no such key ***" in str(result)
    assert KEY not in str(result)
    assert KEY not in str(answered(f"HTTP/1.1 2x0 {KEY}\r\n\r\n".encode()))
    assert KEY not in repr([CaptureV0(URL, KEY), CaptureV0(URL, KEY).envelope, request()])


def test_proxy_of_the_environment_is_used(monkeypatch):
    """Requests go through HTTP_PROXY, with the address PostHog has."""
    requests = []

    async def run():
        async with raw_server(http(200, OK), requests=requests) as port:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            async with Http(CaptureV0("http://ph.example.com", KEY), timeout=10, connections=1) as transport:
                return await transport.send(plain(b"{}"))

    assert asyncio.run(run()) == Accepted()
    assert requests[0][0].startswith("POST http://ph.example.com/batch/ HTTP/1.1\r\n")


@pytest.mark.parametrize(("status", "kind"), [(407, Stop), (403, Stop), (502, Retry)])
def test_refusing_proxy(monkeypatch, status, kind):
    """A proxy that wants a password stops the run; one that cannot reach PostHog now is asked again."""

    async def run():
        async with raw_server(http(status)) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with Http(CaptureV0("https://ph.example.com", KEY), timeout=10, connections=1) as transport:
                return await transport.send(plain(b"{}"))

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
