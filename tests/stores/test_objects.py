from pathlib import Path

from between import many

from migrate.stores.buckets import opened
from migrate.stores.objects import Object, below
from migrate.stores.tallies import Tally
from migrate.stores.urls import parsed


def test_an_object_is_what_was_listed(s3, s3_between):
    """Its stamp, size and name cost no request; what stands for a folder is none; others have other stamps."""
    for key, body in {
        "in/": b"",
        "in/a.txt": b"abc",
        "in/b/": b"",
        "in/empty": b"",
        "in/b/c.txt": b"d",
    }.items():
        s3.put(key, body)
    found = list(below(parsed(f"{s3.url}in/")))
    assert [one.as_posix().removeprefix(s3.url) for one in found] == ["in/a.txt", "in/b/c.txt", "in/empty"]
    first = found[0]
    s3_between.asked.clear()
    assert (first.name, first.entry.size, first.exists()) == ("a.txt", 3, True)
    assert s3_between.asked == []
    same = Object(f"{s3.url}in/a.txt")
    assert same.entry.stamp == first.entry.stamp == "3:900150983cd24fb0d6963f7d28e17f72"
    assert {same, first} == {first}
    assert not Object(f"{s3.url}in/none").exists()
    tally = Tally()
    with first.open("rb", tally=tally) as file:
        assert (file.read(2), file.seek(0), file.read(), file.read()) == (b"ab", 0, b"abc", b"")
    assert tally.text().startswith("0-0:")
    s3.put("in/a.txt", b"abd")
    assert Object(f"{s3.url}in/a.txt").entry.stamp != first.entry.stamp


def resident():
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def test_a_hundred_thousand_objects_are_listed_in_flat_memory(s3, monkeypatch):
    """Page by page: each once, in order; what is kept of them all is less than a kilobyte each."""
    with many(100_000) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        next(below(parsed("s3://b/in/")))
        opened.cache_clear()
        before = resident()
        last = -1
        for one in below(parsed("s3://b/in/")):
            assert one.entry.size == last + 1
            last = one.entry.size
        assert (last, one.url, one.entry.tag) == (99_999, "s3://b/in/099999.jsonl.gz", f"{99_999:032x}")
        assert resident() - before < 40 << 20
        kept = list(below(parsed("s3://b/in/")))
        assert len({one.url for one in kept}) == 100_000
        assert resident() - before < 100 << 20
    del s3


def test_all_of_an_object_is_read_in_large_ranges(s3, s3_between):
    """From front to back, each byte once."""
    s3.put("a", bytes(range(250)))
    assert b"".join(Object(f"{s3.url}a").ranges(100)) == bytes(range(250))
    assert s3_between.gets("/a") == ["bytes=0-99", "bytes=100-199", "bytes=200-249"]
