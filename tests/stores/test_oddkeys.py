"""Keys that obstore cannot hold are listed, looked up and read as all others are, through a real server."""

import pytest
from between import BUSY, DENIED, server
from storage import environment

from migrate.errors import Stopped
from migrate.stores import buckets
from migrate.stores.buckets import Entry, bucket_of
from migrate.stores.objects import below
from migrate.stores.oddkeys import is_odd
from migrate.stores.troubles import Trouble
from migrate.stores.urls import parsed

ODD = ("0/c//d", "in//b c+%20ü&<.txt", "in/./x", "in/../y", "in/\x01z\x7f", "in/n//o", "in/t/", "in/z/.")
EVEN = ("0/a", "0/a-b", "0/b", "in/a", "in/a-b", "in/a/b", "in/b", "in/n/o", "inn")
MARKS = ("0/c/", "in/a/", "in/a//", "in/n/", "in/y/")


@pytest.fixture
def bucket(s3, s3_between):  # noqa: ARG001 - it stands between
    """A bucket of such keys among others, opened."""
    for key in (*ODD, *EVEN):
        s3.put(key, key.encode())
    for key in MARKS:
        s3.put(key, b"")
    buckets.met.clear()
    return bucket_of(parsed(s3.url).container)


def test_a_key_is_odd_where_obstore_takes_another_one_for_it():
    """Dots within a part, and spaces, are none of it."""
    assert [key for key in (*ODD, *MARKS, "/a", ".", "a\tb") if not is_odd(key)] == []
    assert [key for key in (*EVEN, "a/.b", "a/..b/c", "...", "a b") if is_odd(key)] == []


@pytest.mark.parametrize("size", [1_000, 1])
def test_every_object_is_listed_once_in_order_with_its_bytes(s3, s3_between, bucket, size, monkeypatch):
    """On whichever page a key lies; folders' markers are none, however many slashes they end with."""
    s3_between.page = size
    monkeypatch.setattr(buckets, "_PAGE", size)
    s3_between.asked.clear()
    everything = sorted((*ODD, *EVEN))
    found = list(below(parsed(s3.url)))
    assert [one.url.removeprefix(s3.url) for one in found] == everything
    assert [one.path for one in s3_between.asked if "start-after=0/b&" in one.path] != [] or size > 1
    for one in found:
        key = one.url.removeprefix(s3.url)
        assert bucket.entry(key) == one.entry
        with one.open() as file:
            file.seek(1)
            assert file.read() == key.encode()[1:]
    for prefix in ("in/a", "in/n/", "in//", "in/n//", "in/./", "i", "in/a//"):
        listed = [one.url.removeprefix(s3.url) for one in below(parsed(s3.url + prefix))]
        assert listed == [key for key in everything if key.startswith(prefix)]


def test_a_slash_before_a_key_is_a_part_of_it(s3, bucket):
    """Without it there may be another object."""
    for key in ("/in/a", "/x"):
        s3.put(key, b"behind a slash")
    listed = dict(bucket.entries(""))
    assert [*listed] == s3.keys()
    assert [key for key, _ in bucket.entries("/in/")] == ["/in/a"]
    assert [key for key, _ in bucket.entries("x")] == []
    assert bucket.read("/in/a", listed["/in/a"], 0, 6) == b"behind"
    assert bucket.read("in/a", listed["in/a"], 0, 4) == b"in/a"


def test_what_is_answered_badly_is_asked_again_or_said(s3, s3_between, bucket):
    """As of any object: busy, cut, forbidden, replaced, gone, silent; never with an address."""
    data = bytes(range(256)) * 4_096
    s3.put("in//big", data)
    entry = bucket.entry("in//big")
    s3_between.answers = [BUSY] * 2
    s3_between.cut_after, s3_between.cuts = 300_000, 2
    assert bucket.read("in//big", entry, 0, len(data)) == data
    assert buckets.met == {"busy": 2, "cut": 2}
    s3_between.answers = [BUSY] * 20
    with pytest.raises(Stopped, match=r"the storage answers 503 SlowDown; run the same command again later"):
        list(bucket.entries("in//"))
    s3_between.answers, s3_between.refused = [(200, data), DENIED], None
    with pytest.raises(Trouble, match="its server gives no parts of a file"):
        bucket.read("in//big", entry, 0, 4)
    with pytest.raises(
        Trouble, match=r"may not be read with these credentials \(403 AccessDenied\); needed are s3:"
    ):
        bucket.read("in//big", entry, 0, 4)
    s3.put("in//big", data[::-1])
    with pytest.raises(Trouble, match="was replaced by another object"):
        bucket.read("in//big", entry, 0, 4)
    with pytest.raises(Trouble, match="was replaced by another object"):
        bucket.read("in//big", entry._replace(is_strong=False), 0, 4)
    s3.delete("in//big")
    with pytest.raises(Trouble, match="is not there; check the address") as raised:
        bucket.entry("in//big")
    assert raised.value.reason == "vanished"


def test_a_public_bucket_is_read_as_nobody(monkeypatch):
    """No request is signed, then; else with the environment's key, whatever profile is named."""
    asked = []

    def answer(handler):
        asked.append((handler.path, "Credential=testing/" in handler.headers.get("Authorization", "")))
        return 200, {"ETag": '"a"', "Last-Modified": "Wed, 03 Apr 2024 12:00:00 GMT"}, b"abc"

    with server(answer) as address:
        for skipped in ("false", "true"):
            with environment(monkeypatch, address):
                monkeypatch.setenv("AWS_SKIP_SIGNATURE", skipped)
                monkeypatch.setenv("AWS_PROFILE", "nowhere")
                assert bucket_of(parsed("s3://box/")).entry("in/../a//b") == Entry(3, "a")
    assert asked == [("/box/in/../a//b", True), ("/box/in/../a//b", False)]


def test_nothing_is_written_under_such_a_key(s3, bucket):
    """It would be under another one."""
    with pytest.raises(
        Trouble, match="cannot be held here, found '/in/a'; rename that object, or name a folder"
    ):
        bucket.put("/in/a", [b"abc"])
    assert s3.get("in/a") == b"in/a"
