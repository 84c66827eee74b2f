"""What is written aside of sources that are planned: events and rejects, each under its own file and row."""

import gzip
import io
import json

import polars as pl
import pytest
from frames import LATER
from rejected import BAD, GOOD, written

from migrate.people.statefiles import States
from migrate.people.states import BETWEEN, GROUP
from migrate.plan.attempt import Attempt
from migrate.plan.bundles import bundles
from migrate.plan.finished import finished
from migrate.settings import Settings
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Input

POSTHOG = Settings(platform="posthog")


def attempt(workdir, *paths, settings=POSTHOG):
    """An attempt at the sources that lie there, none of which is read yet."""
    (bundle,) = bundles(settings.work([str(path) for path in paths]).jobs)
    bundle = bundle.metered()
    inputs = [Input(number, name, "", 0, "", planned=False) for number, name in enumerate(bundle.names, 1)]
    return Attempt(inputs, DayWriter(workdir, 1), States(workdir / "1.states"), bundle)


def taken(one, chunks, names=(), settings=POSTHOG):
    """Take these chunks; return the lines of rejects, in order of file and row."""
    lines = io.StringIO()
    for chunk in chunks:
        one.take(finished(chunk, settings.transform(one.bundle.job), LATER), lines, names)
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    return sorted(found, key=lambda line: (line["file"], line["row"]))


def short(name):
    """A name without folders."""
    return name.rpartition("/")[2]


def events(one):
    """The file, row and payload of each event that is written."""
    frames = [pl.read_parquet(path) for paths in one.writer.files().values() for path in paths]
    whole = pl.concat(frames).select(pl.col("file").cast(pl.String), "row", "payload")
    return sorted((short(file), row % 2**40, payload) for file, row, payload in whole.rows())


@pytest.fixture
def folder(tmp_path):
    """Three small files: one that was cut off, two with bad rows, also a line and a cell that are no JSON."""
    written(tmp_path / "in" / "a.jsonl", [GOOD, BAD, GOOD])
    second = written(tmp_path / "in" / "b.jsonl", [BAD, GOOD], name="f")
    with second.open("a") as file:
        file.write('{"event":\n')
        file.write(
            json.dumps({"event": "h", "timestamp": GOOD, "distinct_id": "u", "properties": "{x"}) + "\n"
        )
    whole = gzip.compress(
        b"".join(
            b'{"event":"g","distinct_id":"%d","timestamp":"2024-04-03T12:00:00Z"}\n' % n for n in range(900)
        ),
        mtime=0,
    )
    (tmp_path / "in" / "c.jsonl.gz").write_bytes(whole[:-20])
    return tmp_path / "in"


def test_a_reject_has_its_own_file_and_row_and_what_the_file_had_there(folder, tmp_path):
    """A record that could not be read has its text alone; of a file that was cut off it is told which."""
    one = attempt(tmp_path / "w", folder)
    found = taken(one, one.bundle.regrouped())
    assert [(short(line["file"]), line["row"], line["reason"]) for line in found[:4]] == [
        ("a.jsonl", 2, "bad_timestamp"),
        ("b.jsonl", 1, "bad_timestamp"),
        ("b.jsonl", 3, "malformed_json"),
        ("b.jsonl", 4, "bad_json"),
    ]

    def had(name, row):
        return json.loads((folder / name).read_text().splitlines()[row - 1])

    assert [line["source"] for line in (*found[:2], found[3])] == [
        had("a.jsonl", 2),
        had("b.jsonl", 1),
        had("b.jsonl", 4),
    ]
    assert "source" not in found[2]
    assert found[2]["value"] == '{"event":'
    assert [short(name) for name in one.numbers.damaged] == ["c.jsonl.gz"]
    assert [short(place) for place in one.numbers.examples["bad_timestamp"]] == ["a.jsonl:2", "b.jsonl:1"]


def test_what_is_taken_does_not_depend_on_how_it_is_cut(folder, tmp_path):
    """File by file, or all of them at once: the same events, rejects and numbers."""
    one, other = (attempt(tmp_path / name, folder) for name in ("one", "other"))
    assert taken(one, one.bundle.chunks()) == taken(other, other.bundle.regrouped())
    assert events(one) == events(other)
    assert [(file, row) for file, row, _ in events(one)[:3]] == [
        ("a.jsonl", 1),
        ("a.jsonl", 3),
        ("b.jsonl", 2),
    ]
    assert one.numbers == other.numbers


def test_a_row_that_is_rejected_again_has_the_place_it_had_first(folder, tmp_path):
    """Where its file is an input of the workdir; else that in the rejects file."""
    first = attempt(tmp_path / "w", folder / "a.jsonl")
    (line,) = taken(first, first.bundle.chunks())
    rejects = tmp_path / "rejects.jsonl"
    rejects.write_text(f"{json.dumps(line)}\n\n{json.dumps(line)}\n")
    again = attempt(tmp_path / "again", rejects)
    (name,) = again.bundle.names
    assert name.startswith(f"{rejects}")
    for known, places in (([line["file"]], [(line["file"], 2)] * 2), ([], [(name, 1), (name, 3)])):
        again = attempt(tmp_path / "again", rejects)
        found = taken(again, again.bundle.chunks(), known)
        assert [(one["file"], one["row"]) for one in found] == places


def test_what_is_read_is_counted_in_bytes_of_the_disk(folder, tmp_path):
    """Nothing before it begins, and in the end all that there is to read."""
    one = attempt(tmp_path / "w", folder)
    assert one.read() == 0
    taken(one, one.bundle.chunks())
    assert one.read() == sum(path.stat().st_size for path in folder.iterdir())


def test_rejects_lie_beside_the_events_until_they_are_noted(tmp_path, folder):
    """So that both are removed alike."""
    one = attempt(tmp_path / "w", folder)
    assert one.rejects.parent == one.writer.aside.parent
    assert one.rejects.name == f"{one.writer.aside.name}.rejects"


def test_what_rows_tell_of_groups_waits_aside(tmp_path):
    """Until all events are planned."""
    call = {"type": "group", "userId": "u", "anonymousId": "a", "messageId": "1", "timestamp": GOOD}
    (tmp_path / "a.jsonl").write_text(json.dumps(call | {"groupId": "acme", "traits": {"size": 7}}) + "\n")
    segment = Settings(platform="segment")
    one = attempt(tmp_path / "w", tmp_path / "a.jsonl", settings=segment)
    assert taken(one, one.bundle.chunks(), settings=segment) == []
    assert one.states.close()
    told = pl.read_parquet(one.states.path).filter(pl.col("owner") == f"{GROUP}company{BETWEEN}acme")
    assert [json.loads(text) for text in told["told"]] == [{"size": 7}]
