"""Rubbish in, no crash out: every mutation of every sample is accounted for, row by row.

The short form is one of the tests. A long one:

    FUZZ_ROUNDS=2000 pytest tests/promises/test_fuzz.py
"""

import gzip
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from frames import unjoined_chunks
from samples import PLATFORMS, SAMPLES, some, spec

from migrate.errors import MigrateError
from migrate.inputs.listing import sources
from migrate.plan.finished import finished
from migrate.settings import Settings

pytestmark = pytest.mark.fuzz

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "2"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ODD = [
    b"1e400", b"NaN", b"-Infinity", b"\\ud800", b"\\u0000", b"\x00", b"\xff\xfe", b'"', b"\\", b"{", b"]", b",", b"\r",
    b"null", b"[" * 300, b"{}" * 50, b"9" * 400, b"\xef\xbb\xbf", b"'", b"=cmd|", b"\xf0\x9f\x98", b"true", b"\t",
    b"\n\n",    b'{"a":' * 200, b"0000-00-00", b"2024-02-30T25:61:61Z", "\u2028\u202e\ufdd0".encode(), b"x" * 5_000,
]  # fmt: skip


def mutated(data, dice):  # noqa: C901 - a list of what can happen to a file
    """Data with a few things done to it that files have had done to them."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(data) + 1)
        stop = min(len(data), start + dice.randint(0, 40))
        match dice.randrange(7):
            case 0:
                data = data[:start] + dice.choice(ODD) + data[start:]
            case 1:
                data = data[:start] + dice.choice(ODD) + data[stop:]
            case 2:
                data = data[:start] + data[stop:]
            case 3:
                data = data[:start] + bytes(dice.randrange(256) for _ in range(stop - start)) + data[stop:]
            case 4:
                lines = data.splitlines(keepends=True)
                dice.shuffle(lines)
                data = b"".join(lines)
            case 5:
                data = data[:start]
            case 6:
                data = data[:start] + data[start:stop] * 3 + data[stop:]
    match dice.randrange(8):
        case 0:
            return data.decode("utf-8", "replace").encode("utf-16")
        case 1:
            return gzip.compress(data)[: dice.randint(1, 10_000)]
        case 2:
            return b"\xef\xbb\xbf" + data
    return data


def files(name):
    """The sample's files, as they are when unpacked."""
    found = sources([str(SAMPLES / name)]).sources
    return [source for source in found if not source.name.endswith("spec.toml")]


CASES = [
    pytest.param(name, source, id=Path(source.name).name) for name in PLATFORMS for source in files(name)
]


@pytest.mark.parametrize(("name", "source"), some(CASES, 60))
def test_every_row_of_rubbish_is_accounted_for(tmp_path, name, source):
    """No mutation crashes; the sums balance; every payload is strict JSON with the five root keys."""
    with source.open() as stream:
        data = stream.read()
    settings = Settings(platform=name, spec=spec(name))
    for seed in range(ROUNDS):
        path = tmp_path / f"{seed}.bin"
        path.write_bytes(mutated(data, random.Random(f"{source.name[-20:]}{seed}")))
        for payload in payloads(path, settings):
            event = msgspec.json.decode(payload)
            assert list(event) == ["event", "distinct_id", "timestamp", "uuid", "properties"]
        path.unlink()


def payloads(path, settings):
    """The payloads of a file, after checking that its rows balance; none where it is refused with a sentence."""
    try:
        work = settings.work([str(path)])
    except MigrateError as error:
        assert str(error)  # noqa: PT017 - it may be read as well
        return
    for job in work.jobs:
        for chunk in unjoined_chunks(job):
            made = finished(chunk, settings.transform(job), NOW)
            numbers = made.numbers
            left_out = sum(numbers.filtered.values()) + sum(numbers.rejected.values())
            assert numbers.read == numbers.mapped + left_out
            yield from made.frame["payload"]
