"""Batches → requests: bodies put together of an envelope and payloads, and compressed."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from isal import igzip

from migrate.apply.batches import Batch, Envelope, Payloads, batches, pieces
from migrate.apply.outcome import Request

GZIP_FROM_BYTES: Final = 4 * 1024  # below this, compression saves no more than a network packet or two
THREAD_FROM_BYTES: Final = 64 * 1024  # below this, compressing takes less time than handing it to a thread


@dataclass(frozen=True)
class Packing:
    """Makes the requests of a run."""

    envelope: Envelope
    gzip: bool
    max_events: int

    def cut(self, payloads: Payloads, max_bytes: int) -> Iterator[Batch]:
        """Cut payloads into batches, in order, each as large as the bounds allow."""
        return batches(payloads, envelope=self.envelope, max_bytes=max_bytes, max_events=self.max_events)

    def size(self, payloads: Payloads, batch: Batch) -> int:
        """Return the bytes of a batch's body, uncompressed."""
        return sum(map(len, pieces(self.envelope, payloads, batch.start, batch.stop)))

    def pack(self, payloads: Payloads, batch: Batch) -> Request:
        """Return the request that carries a batch, made in the thread that asks."""
        body = pieces(self.envelope, payloads, batch.start, batch.stop)
        uuids = payloads.uuids.spoken(batch.start, batch.stop)
        if not self.gzip or sum(map(len, body)) < GZIP_FROM_BYTES:
            return Request(b"".join(body), {}, batch.events, payloads.day, uuids=uuids)
        data = igzip.compress(b"".join(body), 1, mtime=0)
        return Request(data, {"Content-Encoding": "gzip"}, batch.events, payloads.day, uuids=uuids)

    async def pack_aside(self, payloads: Payloads, batch: Batch) -> Request:
        """Return the same; a large body is compressed in a thread."""
        if not self.gzip or self.size(payloads, batch) < THREAD_FROM_BYTES:
            return self.pack(payloads, batch)
        return await asyncio.to_thread(self.pack, payloads, batch)
