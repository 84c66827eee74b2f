"""One question over the network: the key goes where it was meant to go, and an answer has an end."""

import asyncio
from contextlib import asynccontextmanager

from asks import PERSONAL

from migrate.apply.outcome import Retry, Stop
from migrate.apply.unanswered import Aim
from migrate.asking import http as module
from migrate.asking.http import Http, is_silence


@asynccontextmanager
async def server(answer):
    """Write back these very bytes, whatever comes; None: nothing."""

    async def play(reader, writer):
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer or b"")
        await reader.read()  # until the client goes
        writer.close()
        await writer.wait_closed()
        ended.set()

    heard, ended = [], asyncio.Event()
    running = await asyncio.start_server(play, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", heard
        await ended.wait()


def asked(answer, timeout=5.0):
    """Ask a server; return what came and what it heard."""

    async def run():
        async with server(answer) as (url, heard):
            aim = Aim(url, PERSONAL, "--app-host")
            async with Http(aim, timeout=timeout, connections=1) as http:
                headers = {"Authorization": f"Bearer {PERSONAL}"}
                return await http.ask("GET", "/api/projects/", None, headers), heard

    return asyncio.run(run())


def test_a_redirect_is_an_answer_and_is_not_followed():
    """The key is sent once, in a header of its own."""
    found, heard = asked(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    assert (found.status, len(heard)) == (302, 1)
    assert f"Authorization: Bearer {PERSONAL}" in heard[0]


def test_an_answer_without_end_is_cut(monkeypatch):
    """Nothing is held that is longer than any answer."""
    monkeypatch.setattr(module, "ANSWER_BYTES", 10)
    found, _ = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890")
    assert isinstance(found, Stop)
    assert found.reason.endswith(": the answer is over 10 bytes; ask for less at once")


def test_silence_is_told_apart():
    """It may be that the question was too large."""
    silent, _ = asked(None, timeout=0.05)
    assert (silent, is_silence(silent)) == (Retry("no answer within 0.05 s"), True)
    garbled, _ = asked(b"SSH-2.0\r\n\r\n")
    assert garbled.reason == "no HTTP: it says 'SSH-2.0'"
    assert garbled.hopeless.startswith(
        "what is there speaks no HTTP, found 'SSH-2.0'; check the port in --app-host"
    )
    assert not is_silence(garbled)
