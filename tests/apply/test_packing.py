"""Requests carry the bodies of their batches, compressed where that helps."""

import asyncio
import gzip

import polars as pl
import pytest

from migrate.apply.batches import Batch, Envelope, Payloads
from migrate.apply.packing import GZIP_FROM_BYTES, THREAD_FROM_BYTES, Packing

ENVELOPE = Envelope(b"[", b"]")


def payloads(size):
    """Two payloads, the first of this many bytes."""
    return Payloads.of(pl.Series(['"' + "x" * (size - 2) + '",', "1,"], dtype=pl.String))


@pytest.mark.parametrize(
    ("is_asked", "size", "is_compressed"),
    [
        pytest.param(True, GZIP_FROM_BYTES - 4, True, id="as large as it takes"),
        pytest.param(True, GZIP_FROM_BYTES - 5, False, id="one byte less"),
        pytest.param(False, GZIP_FROM_BYTES, False, id="not asked for"),
        pytest.param(True, THREAD_FROM_BYTES, True, id="in a thread"),
    ],
)
def test_large_bodies_are_compressed_if_asked(is_asked, size, is_compressed):
    """A body of 4 KiB or more is compressed and says so; what is unpacked is the same body."""
    packing, batch = Packing(ENVELOPE, is_asked, 10), Batch(0, 2)
    request = packing.pack(payloads(size), batch)
    body = gzip.decompress(request.data) if is_compressed else request.data
    assert body == b'["' + b"x" * (size - 2) + b'",1]'
    assert request.headers == ({"Content-Encoding": "gzip"} if is_compressed else {})
    assert packing.size(payloads(size), batch) == len(body)
    assert asyncio.run(packing.pack_aside(payloads(size), batch)) == request
