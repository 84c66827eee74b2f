"""A storage is asked through a real server; what it answers badly is asked again, told, or said to be changed."""

import re

import pytest
from between import BUSY, DENIED

from migrate.errors import Stopped, UsageError
from migrate.stores import buckets
from migrate.stores.buckets import Entry, bucket_of
from migrate.stores.troubles import Trouble
from migrate.stores.urls import parsed

DATA = bytes(range(256)) * 4_096


@pytest.fixture
def bucket(s3, s3_between):  # noqa: ARG001 - it stands between
    """A bucket with one object in it, opened."""
    s3.put("in/a.bin", DATA)
    buckets.met.clear()
    return bucket_of(parsed(s3.url).container)


def test_what_lies_in_a_bucket_is_listed_as_it_is_looked_up(s3, bucket):
    """A prefix need not be a folder; an e_tag is without its quotes; keys of any letters are read as they are."""
    for key in ("in/b c%20!ü.txt", "inn/a", "a/x"):
        s3.put(key, b"abc")
    found = dict(bucket.entries("in"))
    assert [*found] == ["in/a.bin", "in/b c%20!ü.txt", "inn/a"]
    assert found["inn/a"] == Entry(3, "900150983cd24fb0d6963f7d28e17f72") == bucket.entry("inn/a")
    assert bucket.read("in/b c%20!ü.txt", found["in/b c%20!ü.txt"], 1, 3) == b"bc"
    assert [key for key, _ in bucket.entries("in/b")] == ["in/b c%20!ü.txt"]


def test_a_busy_storage_is_asked_again(bucket, s3_between):
    """Each time is counted; one that stays busy stops the command, which goes on when it is run again."""
    entry = bucket.entry("in/a.bin")
    s3_between.answers = [BUSY] * 3
    assert bucket.read("in/a.bin", entry, 0, len(DATA)) == DATA
    assert buckets.met == {"busy": 3}
    s3_between.answers = [BUSY] * 20
    with pytest.raises(Stopped, match=r"the storage answers 503 SlowDown; run the same command again later"):
        bucket.read("in/a.bin", entry, 0, 10)


def test_a_connection_that_is_cut_is_read_on_from_that_byte(bucket, s3_between):
    """Also where every connection is cut; where none brings a byte any more, the place is said."""
    entry = bucket.entry("in/a.bin")
    s3_between.cut_after, s3_between.cuts = 300_000, 4
    s3_between.asked.clear()
    assert bucket.read("in/a.bin", entry, 0, len(DATA)) == DATA
    starts = [int(re.match(r"bytes=(\d+)-", one)[1]) for one in s3_between.gets()]
    # Of what was sent last before the cut some may not have come.
    assert [round(start / 300_000) for start in starts] == [0, 1, 2, 3]
    assert s3_between.sent < len(DATA) + 100_000
    assert buckets.met == {"cut": 3}
    s3_between.cut_after, s3_between.cuts = 0, 100
    with pytest.raises(Trouble, match="the connection was cut again and again at byte 5; run") as raised:
        bucket.read("in/a.bin", entry, 5, 10)
    assert raised.value.reason == "unreadable"


def test_an_object_that_was_replaced_is_never_read_as_the_one_that_was_listed(s3, bucket, s3_between):
    """Before it is read, between two ranges, or by a server that heeds no precondition."""
    entry = bucket.entry("in/a.bin")
    assert bucket.read("in/a.bin", entry, 0, 4) == DATA[:4]
    s3.put("in/a.bin", DATA[::-1])
    with pytest.raises(Trouble, match="was replaced by another object since it was listed") as raised:
        bucket.read("in/a.bin", entry, 4, 8)
    assert raised.value.reason == "changed"
    with pytest.raises(Trouble, match="was replaced by another object"):
        bucket.read("in/a.bin", entry._replace(is_strong=False), 4, 8)
    assert [one.match for one in s3_between.asked][-2:] == [f'"{entry.tag}"', None]


def test_what_may_not_be_read_or_is_not_there_is_said(s3, bucket, s3_between):
    """With the rights that are needed; never with the storage's own words, in which the address stands."""
    entry = bucket.entry("in/a.bin")
    s3_between.refused = ("a.bin", DENIED)
    with pytest.raises(Trouble) as raised:
        bucket.read("in/a.bin", entry, 0, 4)
    assert raised.value.why == (
        "may not be read with these credentials (403 AccessDenied); needed are s3:GetObject on the objects and "
        "s3:ListBucket on the bucket"
    )
    s3_between.refused = None
    s3.delete("in/a.bin")
    with pytest.raises(Trouble, match="is not there; check the address") as raised:
        bucket.read("in/a.bin", entry, 0, 4)
    assert raised.value.reason == "vanished"


@pytest.mark.usefixtures("s3")
def test_an_endpoint_that_is_none_is_said_at_once(monkeypatch):
    """No address at all, and one where nothing answers."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Stopped, match=r"^s3://b-1: nothing answers at its endpoint http://127.0.0.1:9 \("):
        bucket_of(parsed("s3://b-1/"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "minio:9000")
    with pytest.raises(UsageError, match="s3://b-2: its endpoint is no address, found '9000'; write it as"):
        bucket_of(parsed("s3://b-2/"))
