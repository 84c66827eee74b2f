"""What an address stands for is what a folder, a pattern or a path with a day stands for on a disk."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime

import pytest
from between import DENIED

from migrate.errors import Stopped, UsageError
from migrate.inputs.dated import Span
from migrate.inputs.listing import sources
from migrate.log import Wanted, opened
from migrate.logline import Record

FILES = (
    *("2024-04-01/a.jsonl", "2024-04-01/b.csv", "2024-04-02/deep/er/c.jsonl", "2024-05-01/d.jsonl"),
    *("a[1].jsonl", "a1.jsonl", "x!y z.jsonl", "empty.jsonl", "empty.zip", "_SUCCESS", "2024-04-01/manifest"),
    *(".hidden/a.jsonl", "2024-04-01/.part.jsonl", "_temporary/0/b.jsonl", "2024-04-02/a.jsonl.crc"),
)
GIVEN = (
    *("", "2024-04-01", "2024-04-01/", "a1.jsonl", "a[1].jsonl", "x!y z.jsonl", "2024-0[4-5]-01"),
    *("2024-04-*", "2024-04-*/*.jsonl", "2024-04-0?/**/*.jsonl", "a[!2-9].jsonl", "**/a*.jsonl"),
    *("{since:%Y-%m-%d}", "{since:%Y-%m-%d}/*.jsonl"),
)
EVER = Span(since=datetime(2024, 4, 1, tzinfo=UTC), until=datetime(2024, 4, 4, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path, s3):
    """A folder of exports among other things, and a bucket with the same."""
    top = tmp_path / "in"
    for number, name in enumerate(FILES):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if "empty" in name else json.dumps({"a": number}) + "\n")
    for name, mark in (("w/checkpoint.sqlite", b"PMIG"), ("people.sqlite", b"PMIP")):
        (top / name).parent.mkdir(exist_ok=True)
        with sqlite3.connect(top / name) as db:
            db.execute(f"PRAGMA application_id = {int.from_bytes(mark, 'big')}")
            db.execute("CREATE TABLE a (b)")
        db.close()
    (top / "w" / "rejects.jsonl").write_text("{}\n")
    (top / "people.lock").touch()
    shutil.copy(top / "people.sqlite", top / "2024-05-01" / "other.sqlite")
    s3.fill(top, "in/")
    return top


def found(given, top, *, span=EVER):
    """What an input comes to, each name from the top."""
    listed = sources([given], span=span)
    skipped = {why: sorted(one.removeprefix(top) for one in names) for why, names in listed.skipped.items()}
    rows = {one.name.removeprefix(top): one.open().read(99) for one in listed.sources}
    return rows, skipped, [str(one).removeprefix(top) for one in listed.unfit]


def test_an_address_stands_for_what_a_path_stands_for(folder, s3):
    """The same names with the same bytes, and the same passed over for the same reasons."""
    here, there = f"{folder}/", f"{s3.url}in/"
    for given in GIVEN:
        rows, skipped, unfit = found(there + given, there)
        expected, passed, broken = found(here + given, here)
        if "*" in given:  # what a pattern passes over that is hidden is told of a bucket alone
            hidden = [*skipped.pop("hidden", []), *passed.pop("hidden", [])]
            assert all("/." in f"/{one}" for one in hidden)
        assert (given, rows, skipped, unfit) == (given, expected, passed, broken)


def test_a_pattern_reaches_over_folders_with_two_stars(folder, s3):
    """Also as a part of a name."""
    top = f"{s3.url}in/"
    rows = found(f"{top}2024-04-*/**.jsonl", top)[0]
    assert [*rows] == ["2024-04-01/a.jsonl", "2024-04-02/deep/er/c.jsonl"]
    del folder


def test_a_log_and_metrics_of_ours_in_a_bucket_are_none(s3, tmp_path):
    """As in a folder."""
    with opened(Wanted(file=tmp_path / "a.log"), Record("begun", "migrate plan")):
        pass
    s3.put("in/a.log", (tmp_path / "a.log").read_bytes())
    s3.put("in/a.prom", b"# HELP migrate_rows Rows.\n")
    s3.put("in/a.jsonl", b"{}\n")
    listed = sources([f"{s3.url}in"])
    assert [one.name for one in listed.sources] == [f"{s3.url}in/a.jsonl"]
    assert listed.skipped == {"log": [f"{s3.url}in/a.log"], "metrics": [f"{s3.url}in/a.prom"]}


def test_what_cannot_be_listed_is_a_sentence(s3, s3_between, monkeypatch):
    """An input that holds nothing, that may not be looked into, of which there is no bucket, or no server."""
    s3.put("in/a.jsonl", b"{}\n")

    def why(given, kind=UsageError):
        with pytest.raises(kind) as raised:
            sources([given], span=EVER)
        return str(raised.value).removeprefix(f"input {given}: ")

    nothing = "nothing in it to read; name a folder or pattern that holds files"
    assert why(f"{s3.url}none") == why(f"{s3.url}none/") == why(f"{s3.url}in/*.csv") == nothing
    assert why(f"{s3.url}{{since:%Y}}/a").startswith("nothing there to read of 1 days or hours from s3://")
    assert why("s3://nosuchbucket/in/") == "there is no such bucket; check its name, and the endpoint"
    assert why("s3://a*/in/") == "a pattern in a bucket's name; name one bucket"
    assert why(f"{s3.address}/in/") == "a web server lists nothing; name each of its files"
    s3_between.refused = ("list-type", DENIED)
    assert "needed are s3:GetObject on the objects and s3:ListBucket on the bucket" in why(f"{s3.url}in/")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "nothing answers at its endpoint http://127.0.0.1:9" in why("s3://other/in", Stopped)


def test_who_may_not_list_reads_what_is_named(s3, s3_between):
    """With the right to read objects alone, an object that is named is read, and nothing is listed for it."""
    s3.put("in/a.jsonl", b"{}\n")
    s3_between.refused = ("list-type", DENIED)
    assert [one.name for one in sources([f"{s3.url}in/a.jsonl"]).sources] == [f"{s3.url}in/a.jsonl"]


def test_what_was_planned_and_is_there_as_it_was_costs_no_request_of_its_own(s3, s3_between):
    """A listing is all; an input that held what is planned, and holds nothing now, is emptied."""
    for number in range(3):
        s3.put(f"in/{number}.jsonl", b'{"a": %d}\n' % number)
    listed = sources([f"{s3.url}in/"])
    planned = {one.name: one.path.entry.stamp for one in listed.sources}
    s3.put("in/1.jsonl", b'{"a": 9}\n')
    s3_between.asked.clear()
    listed = sources([f"{s3.url}in/"], planned=planned)
    assert [one.name for one in listed.sources] == [f"{s3.url}in/1.jsonl"]
    assert listed.unchanged.found == [f"{s3.url}in/0.jsonl", f"{s3.url}in/2.jsonl"]
    assert [one.path.partition("/in/")[2] for one in s3_between.asked if "list-type" not in one.path] == [
        "1.jsonl"
    ]
    for number in range(3):
        s3.delete(f"in/{number}.jsonl")
    for given in (f"{s3.url}in/", f"{s3.url}in/*.jsonl", f"{s3.url}in"):
        assert sources([given], planned=planned).skipped == {"emptied": [given]}
