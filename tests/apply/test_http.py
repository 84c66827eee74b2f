import asyncio
import gzip
import json
import socket
from contextlib import asynccontextmanager

import polars as pl
import pytest
from certificates import self_signed

from migrate import VERSION
from migrate.apply.batches import Batch, Payloads
from migrate.apply.capture import ANSWER_BYTES
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.http import Http
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


def netrc(monkeypatch, folder):
    """A ~/.netrc that says who asks, whatever host it is."""
    (folder / "netrc").write_text("default login anybody password something\n")
    (folder / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))


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
            Split(413, "maximum event size exceeded: Event rejected by kafka during send"),
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


CLOSED = "connection closed: {} ended it before it had answered"
CUT = "answer cut short: its end did not come, or it is not packed as it says"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param({"fault": "reset"}, CLOSED, id="before storing"),
        pytest.param({"fault": "reset", "stored": True}, CLOSED, id="after storing"),
        pytest.param({"fault": "cut"}, CUT, id="within the answer"),
    ],
)
def test_broken_connection_is_sent_again(fault, words):
    """A connection that breaks before or after storing is an unknown outcome: the same bytes again."""
    with Sandbox(faults=[{**fault, "times": 1}]) as sandbox:
        outcomes, _ = sent(sandbox.url, request(), request())
        assert outcomes == [Retry(words.format(sandbox.url.removeprefix("http://"))), Accepted()]


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
        port = taken.getsockname()[1]
    assert result == Retry(f"connection refused: nothing listens at 127.0.0.1:{port}")
    assert result.advice == "check that PostHog runs there, and the port in --host"
    assert (transport.requests, transport.bytes_sent) == (1, 0)


def test_unknown_host_is_sent_again():
    """A name that does not resolve may be a network that is away for a moment."""
    [result], _ = sent("http://posthog.invalid", request())
    assert result in (
        Retry("name not found: posthog.invalid"),
        Retry("name not looked up: no name server answers for posthog.invalid"),
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"", CLOSED, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", CLOSED, id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + OK[:-1], CUT, id="one byte short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + OK, CUT, id="no last chunk"
        ),
        pytest.param(http(200, OK, "Content-Encoding: gzip"), CUT, id="not the gzip it claims"),
        pytest.param(
            b"SSH-2.0-OpenSSH_9.6\r\n", "no HTTP: it says 'SSH-2.0-OpenSSH_9.6'", id="another protocol"
        ),
        pytest.param(bytes([21, 3, 1, 0, 2, 2, 70]), "no HTTP: it says 'F'", id="TLS"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "no HTTP: it says 'zz'",
            id="no chunks",
        ),
    ],
)
def test_broken_answer_is_sent_again(answer, words):
    """Half an answer says nothing about the batch, even if its first line says 200; what is said is in our words."""

    async def run():
        async with (
            raw_server(answer) as port,
            Http(CaptureV0(f"http://127.0.0.1:{port}", KEY), timeout=10, connections=1) as transport,
        ):
            return await transport.send(plain(b"{}")), Retry(words.format(f"127.0.0.1:{port}"))

    found, expected = asyncio.run(run())
    assert found == expected


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


def test_proxy_of_the_environment_is_used(monkeypatch, tmp_path):
    """Requests go through HTTP_PROXY, with the address PostHog has; who asks there is not told by ~/.netrc."""
    requests = []
    netrc(monkeypatch, tmp_path)

    async def run():
        async with raw_server(http(200, OK), requests=requests) as port:
            monkeypatch.setenv("http_proxy", f"http://us:er@127.0.0.1:{port}")
            async with Http(CaptureV0("http://ph.example.com", KEY), timeout=10, connections=1) as transport:
                return await transport.send(plain(b"{}"))

    assert asyncio.run(run()) == Accepted()
    assert requests[0][0].startswith("POST http://ph.example.com/batch/ HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXM6ZXI=\r\n" in requests[0][0]
    assert "\r\nAuthorization" not in requests[0][0]


_REFUSES = (
    "https://ph.example.com: the proxy refuses, found '{} Words'; check the proxy in HTTP_PROXY or HTTPS_PROXY, "
    "then run the same command again to resume"
)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (407, Stop(_REFUSES.format(407))),
        (403, Stop(_REFUSES.format(403))),
        (502, Retry("no way through the proxy: it answers '502 Words'")),
    ],
)
def test_refusing_proxy(monkeypatch, status, expected):
    """A proxy that wants a password stops the run; one that cannot reach PostHog now is asked again."""

    async def run():
        async with raw_server(http(status)) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with Http(CaptureV0("https://ph.example.com", KEY), timeout=10, connections=1) as transport:
                return await transport.send(plain(b"{}"))

    assert asyncio.run(run()) == expected


def test_a_proxy_that_is_not_there(monkeypatch):
    """Its place is named, and where it is set."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    [result], _ = sent("http://ph.example.com", request())
    assert result == Retry("no way through the proxy: connection refused, nothing listens at 127.0.0.1:9")
    assert result.advice == "check the proxy in HTTP_PROXY or HTTPS_PROXY"


def test_untrusted_certificate_stops(tmp_path):
    """A server that cannot prove who it is gets neither key nor events."""
    tls, _ = self_signed(tmp_path)
    requests = []
    result = answered(http(200, OK), tls=tls, requests=requests)
    assert isinstance(result, Stop)
    assert ": its certificate is not trusted, found one that it has signed itself; if it is" in result.reason
    assert requests == []
