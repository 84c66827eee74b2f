"""Small files are planned together, and what becomes of each is what would have become of it alone."""

import gzip
import json

import polars as pl
import pytest
from commands import KEY, migrate

from migrate.plan.bundles import bundles
from migrate.sandbox.server import Sandbox
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint

ROW = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}


def lines(*rows):
    """JSON lines of the posthog platform."""
    return "".join(json.dumps(ROW | row) + "\n" for row in rows).encode()


@pytest.fixture
def folder(tmp_path):
    """Five small files: bad rows, a file cut off, one that is no more than a header, the same event in two of them."""
    inside = tmp_path / "in"
    inside.mkdir()
    twice = {"uuid": "018ea3d4-8e00-7b59-9c99-4d99b5f81579", "properties": {"from": "first"}}
    (inside / "a.jsonl").write_bytes(lines({"properties": {"n": 1}}, twice, {"distinct_id": ""}))
    (inside / "b.jsonl").write_bytes(
        lines({"timestamp": "never"}) + b'{"event": 17\n' + lines({"event": "f"})
    )
    whole = gzip.compress(b"".join(lines({"properties": {"n": n}}) for n in range(10, 200)), mtime=0)
    (inside / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (inside / "d.jsonl").write_bytes(lines(twice | {"properties": {"from": "second"}}, {"event": "g" * 201}))
    (inside / "e.jsonl").write_bytes(lines({"event": "h", "timestamp": "2024-04-05T10:00:00Z"}))
    return inside


def planned(workdir, *inputs):
    """What is planned of these inputs, one command each: events and rejects by file and row, numbers."""
    for given in inputs:
        assert migrate("plan", "posthog", given, "--workdir", workdir).returncode in (0, 3)
    files = [pl.read_parquet(path) for path in workdir.glob("days/*/*.parquet")]
    events = pl.concat(one.select(pl.col("file").cast(pl.String), "row", "uuid", "payload") for one in files)
    events = events.with_columns(pl.col("file").str.split("/").list.last(), pl.col("row") % 2**40)
    rejects = [json.loads(line) for line in (workdir / "rejects.jsonl").read_text().splitlines()]
    placed = sorted((one["file"].split("/")[-1], str(one["row"]), one["reason"]) for one in rejects)
    with Checkpoint.open(workdir) as checkpoint:
        numbers = checkpoint.numbers()
    numbers.damaged = [name.split("/")[-1] for name in numbers.damaged]
    numbers.examples = {
        reason: sorted(place.split("/")[-1] for place in places)
        for reason, places in numbers.examples.items()
    }
    return sorted(events.rows()), placed, numbers


@pytest.mark.law
def test_files_planned_together_become_what_they_become_alone(folder, tmp_path):
    """The same payloads, rejects and numbers, each under its own file and row."""
    assert len(list(bundles(Settings(platform="posthog").work([str(folder)]).jobs))) == 1
    together = planned(tmp_path / "together", folder)
    alone = planned(tmp_path / "alone", *sorted(folder.iterdir()))
    assert together == alone
    events, rejects, numbers = together
    assert {file for file, *_ in events} == {"a.jsonl", "b.jsonl", "c.jsonl.gz", "d.jsonl", "e.jsonl"}
    assert ("a.jsonl", "3", "no_distinct_id") in rejects
    assert ("b.jsonl", "1", "bad_timestamp") in rejects
    assert ("b.jsonl", "2", "malformed_json") in rejects
    assert ("d.jsonl", "2", "event_name_too_long") in rejects
    assert numbers.damaged == ["c.jsonl.gz"]
    assert numbers.read == numbers.mapped + sum(numbers.rejected.values())


def test_the_first_of_two_equal_events_is_the_one_of_the_first_file(folder, tmp_path):
    """Also where the second one stands in an earlier row of its file."""
    (folder / "b.jsonl").unlink()
    workdir = tmp_path / "w"
    with Sandbox() as sandbox:
        done = migrate(
            "run", "posthog", folder, "--workdir", workdir, "--host", sandbox.url, "--api-key", KEY, "--json"
        )
        froms = [event["properties"].get("from") for event in sandbox.events()]
    assert [one for one in froms if one] == ["first"]
    assert json.loads(done.stdout.splitlines()[-1])["events"]["duplicate"] == 1


def test_what_is_planned_anew_is_planned_with_what_it_was_planned_with(folder):
    """In their order, and apart from what is new: so each home comes to the files that it came to before."""
    jobs = Settings(platform="posthog").work([str(folder)]).jobs
    homes = {jobs[0].source.name: 7, jobs[1].source.name: 3, jobs[3].source.name: 7}
    names = [[name.split("/")[-1] for name in bundle.names] for bundle in bundles(jobs, homes)]
    assert names == [["c.jsonl.gz", "e.jsonl"], ["b.jsonl"], ["a.jsonl", "d.jsonl"]]


def test_large_files_and_those_counted_row_by_row_are_planned_alone(folder, tmp_path):
    """Bundles are for small files, and never mix tables."""
    (folder / "b.jsonl").write_bytes(lines(*({"properties": {"n": n}} for n in range(20_000))))
    jobs = Settings(platform="posthog").work([str(folder)]).jobs
    names = [[name.split("/")[-1] for name in bundle.names] for bundle in bundles(jobs)]
    assert names == [["a.jsonl"], ["b.jsonl"], ["c.jsonl.gz", "d.jsonl", "e.jsonl"]]
    spec = tmp_path / "spec.toml"
    spec.write_text('event = "event"\ndistinct_id = "user"\ntimestamp = "at"\n')
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("event,user,at\ne,u,2024-04-03T10:00:00Z\n")
    work = Settings(platform="table", spec=spec).work([str(tmp_path / "1.csv"), str(tmp_path / "2.csv")])
    assert [len(bundle.jobs) for bundle in bundles(work.jobs)] == [1, 1]
