"""A local endpoint that reads, decompresses and parses every batch and says Ok: what apply is measured against.

It has capture v0, and v1 beside it where that is asked for.
"""

import argparse
import asyncio
import json
import resource
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from isal import igzip

_ANSWER: Final = b'{"status":"Ok"}'
_MOST_KEPT: Final = 1 << 30
"""Bytes of bodies kept at the most."""


class Event(msgspec.Struct, gc=False):
    """An event; its properties are checked to be JSON and skipped."""

    event: str
    distinct_id: str
    timestamp: str
    uuid: str
    properties: msgspec.Raw


class Body(msgspec.Struct, gc=False):
    """A request's body."""

    batch: list[Event]
    api_key: str = ""


_parsed: Final = msgspec.json.Decoder(Body).decode


class Sink:
    """Counts what arrives; `kept` is a file for the bodies themselves, each after its length in 8 bytes."""

    def __init__(self, kept: BinaryIO | None = None, *, has_v1: bool = False) -> None:
        self.requests = self.events = self.bytes = 0
        self._kept = kept
        self._has_v1 = has_v1

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Return the status of an answer and the answer."""
        if not head.startswith(b"POST"):
            return b"200", self.summary()
        is_v1 = head.startswith(b"POST /i/v1/")
        if is_v1 and not self._has_v1:
            return b"404", b""
        return b"200", self.take(body, is_v1=is_v1)

    def take(self, body: bytes, *, is_v1: bool) -> bytes:
        """Return the answer to a request with events."""
        plain = igzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        batch = _parsed(plain).batch
        events = len(batch)
        self.requests += 1
        self.events += events
        self.bytes += len(body)
        if self._kept and self._kept.tell() < _MOST_KEPT:
            self._kept.write(len(plain).to_bytes(8) + events.to_bytes(8) + plain)
        if not is_v1:
            return _ANSWER
        uuids = '":{"result":"ok"},"'.join([event.uuid for event in batch])
        return f'{{"results":{{"{uuids}":{{"result":"ok"}}}}}}'.encode()

    def summary(self) -> bytes:
        """Return what was counted since the last time; what was kept is written out."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        counted = {"requests": self.requests, "events": self.events, "bytes": self.bytes}
        self.requests = self.events = self.bytes = 0
        if self._kept:
            self._kept.flush()
        return json.dumps(counted | {"cpu": usage.ru_utime + usage.ru_stime}).encode()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await _body(reader, head)
                status, answer = self.answer(head, body)
                length = str(len(answer)).encode()
                writer.write(
                    b"HTTP/1.1 "
                    + status
                    + b" X\r\nContent-Type: application/json\r\nContent-Length: "
                    + length
                    + b"\r\n\r\n"
                    + answer
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """Return a request's body, sent with its length or in pieces."""
    headers = head.lower()
    if b"transfer-encoding: chunked" in headers:
        pieces = []
        while size := int(await reader.readline(), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(pieces)
    _, _, rest = headers.partition(b"content-length:")
    return await reader.readexactly(int(rest.split(b"\r\n", 1)[0])) if rest else b""


async def _serve(port: int, kept: BinaryIO | None, *, has_v1: bool) -> None:
    """Serve until the process ends; say where on stdout."""
    server = await asyncio.start_server(Sink(kept, has_v1=has_v1).connected, "127.0.0.1", port, limit=1 << 22)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--port", type=int, default=0, help="port on the loopback address (default: a free one)"
    )
    parser.add_argument("--keep", type=Path, help="file to keep the bodies in, the first gigabyte of them")
    parser.add_argument("--v1", action="store_true", help="have capture v1, too")
    choices = parser.parse_args()
    if choices.keep is None:
        asyncio.run(_serve(choices.port, None, has_v1=choices.v1))
    else:
        with choices.keep.open("wb") as kept:
            asyncio.run(_serve(choices.port, kept, has_v1=choices.v1))


if __name__ == "__main__":
    main()
