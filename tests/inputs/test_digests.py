"""A digest is that of all bytes, however it is asked for."""

import hashlib
import io

import pytest

from migrate.inputs.digests import Digest
from migrate.inputs.streams import STEP

DATA = bytes(range(256)) * (3 * STEP // 256) + b"end"


@pytest.mark.parametrize("steps", [(), (0,), (1, 5, 2 * STEP), (10 * STEP, 1)])
def test_it_is_worked_out_in_steps(steps):
    """As far as is asked for, and no further; the stream is closed."""
    stream = io.BytesIO(DATA)
    with Digest(stream) as digest:
        for until in steps:
            digest.go_on(until)
            assert stream.tell() >= min(until, len(DATA))
        assert digest.whole() == (len(DATA), hashlib.blake2b(DATA, digest_size=32).hexdigest())
    assert stream.closed
