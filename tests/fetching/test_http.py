"""One question over the network: an answer, or in words why there is none."""

import asyncio
from contextlib import asynccontextmanager

from vendors import KEYS

from migrate.apply.outcome import Retry, Stop
from migrate.fetching.amplitude import Amplitude, login
from migrate.fetching.http import Http
from migrate.fetching.vendor import Question, TooMuch


@asynccontextmanager
async def server(answer):
    """Write back these very bytes, whatever comes; None: nothing."""

    async def play(reader, writer):
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer or b"")
        await writer.drain()
        if answer:
            writer.close()
        await ended.wait()
        writer.close()

    heard, ended = [], asyncio.Event()
    running = await asyncio.start_server(play, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", heard
        ended.set()


def got(answer, path, silence=5.0, environment=None):
    """What came of a question, what the server heard, what is in the file; it may be a proxy of the environment's."""

    async def run():
        async with server(answer) as (url, heard):
            if environment is not None:
                environment.setenv("http_proxy", url)
            vendor = Amplitude(url if environment is None else "http://a.example", login(KEYS))
            async with Http(vendor, connections=1, silence=silence) as http:
                return await http.get(Question("/a", {"start": "20240403T05"}), path), heard

    found, heard = asyncio.run(run())
    return found, heard, path.read_bytes() if path.exists() else None


def test_an_export_goes_into_the_file(tmp_path):
    """As it comes, and packed as it comes; of another answer the body is read, and a redirect is not followed."""
    found, heard, held = got(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bx", tmp_path / "a"
    )
    assert (found.status, found.body, held) == (200, b"", b"\x1f\x8bx")
    assert heard[0].startswith("GET /a?start=20240403T05 HTTP/1.1\r\n")
    assert "Authorization: Basic YW1wLWtleS1vZi1ub2JvZHk6YW1wLXNlY3JldC1vZi1ub2JvZHk=\r\n" in heard[0]
    found, heard, held = got(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno", tmp_path / "b"
    )
    assert (found.status, found.body, len(heard), held) == (302, b"no", 1, None)


def test_who_asks_is_told_by_the_credentials_alone(tmp_path, monkeypatch):
    """And not by ~/.netrc, which also has a word on every host where it has a default; nor is a zip packed again."""
    (tmp_path / "netrc").write_text("default login anybody password something\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    found, heard, _ = got(
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", tmp_path / "a", 5.0, monkeypatch
    )
    assert (found.status, heard[0].count("uthorization: ")) == (404, 1)
    assert "\r\nAuthorization: Basic YW1wLWtleS1vZi1ub2JvZHk6" in heard[0]
    assert "\r\nAccept-Encoding: identity\r\n" in heard[0]


def test_what_comes_instead_of_an_answer(tmp_path):
    """Is told apart: what was cut comes again, silence may be too much at once, another program is no vendor."""
    cut, _, _ = got(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nhalf", tmp_path / "a")
    assert cut == Retry("answer cut short: its end did not come, or it is not packed as it says")
    silent, _, _ = got(None, tmp_path / "a", silence=0.05)
    assert silent == TooMuch(Retry("nothing heard for 0.05 s"))
    strange, _, _ = got(b"SSH-2.0\r\n\r\n", tmp_path / "a")
    assert strange.hopeless.startswith(
        "what is there speaks no HTTP, found 'SSH-2.0'; check the port in --api-host"
    )


def test_nobody_there(tmp_path):
    """In words for the vendor."""

    async def run():
        async with Http(Amplitude("http://127.0.0.1:9", login(KEYS)), connections=1) as http:
            return await http.get(Question("/a", {}), tmp_path / "a")

    found = asyncio.run(run())
    assert not isinstance(found, Stop)
    assert found.advice == "check that Amplitude runs there, and the port in --api-host"
