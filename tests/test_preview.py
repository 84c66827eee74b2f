"""What a preview shows of rows is what planning makes of them."""

import gzip
import json
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from frames import LATER
from samples import FEW, SAMPLES, settings, some
from served import SPEC, asked

from migrate.people.store import People
from migrate.plan.finished import finished
from migrate.planning import Planning
from migrate.preview import MAPPED, preview
from migrate.readers.files import read_chunks
from migrate.readers.records import Chunk
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import samples
from migrate.workdir.checkpoint import Checkpoint

SEEN = {
    "type": "track",
    "event": "seen",
    "messageId": "1",
    "anonymousId": "a",
    "timestamp": "2024-04-03T10:00:00Z",
}
KNOWN = SEEN | {"type": "identify", "messageId": "2", "userId": "anna", "timestamp": "2024-04-03T11:00:00Z"}
GROUP = KNOWN | {"type": "group", "messageId": "3", "groupId": "acme", "traits": {"seats": 2}}


def planned(workdir, work):
    """The payloads of a plan, how many of its rows were left out, by why, and the payloads of its rows as examples."""
    workdir.mkdir()
    with Checkpoint.open(workdir, create=True) as checkpoint:
        Planning.of(Session(checkpoint, rows=10**6), work, None).plan()
        paths = [workdir / path for path in checkpoint.part_paths()]
        numbers = checkpoint.numbers()
    shown = [text for row in samples.kept(workdir, 10**6) for text in row["payloads"]]
    texts = [text for path in paths for text in pl.read_parquet(path)["payload"].to_list()]
    kinds = (("filtered", numbers.filtered), ("rejected", numbers.rejected))
    return sorted(texts), {f"{kind}: {name}": n for kind, names in kinds for name, n in names.items()}, shown


def unknown_to_anybody(work):
    """The payloads of all rows where nothing is known of people."""
    for job in work.jobs:
        for chunk in read_chunks(job.source, job.table, job.header):
            with People() as nobody:
                made = finished(Chunk(chunk.rows, [], {}), work.settings.transform(job, nobody), LATER)
            yield from made.frame["payload"]


def payloads(previews):
    """All payloads that are shown."""
    return sorted(text for one in previews for text in one.payloads)


@pytest.mark.law
@pytest.mark.parametrize("platform", ["heap", "posthog"])
def test_a_preview_of_all_rows_is_the_plan(tmp_path, platform):
    """Payload by payload, with what is told of people; and what is left out is so for the same reasons.

    So are the examples that a plan keeps, with the people that are planned; without them Heap's events would be
    another's.
    """
    work = settings(platform).work([str(SAMPLES / platform)])
    shown = list(preview(work, 10**6))
    expected, left_out, as_examples = planned(tmp_path / "w", work)
    assert payloads(shown) == expected
    whys = [one.why.split(",")[0] for one in shown if one.why and one.why != MAPPED]
    assert {why: whys.count(why) for why in whys} == left_out
    assert as_examples
    assert set(as_examples) <= set(expected)
    others = set(unknown_to_anybody(work)) - set(expected)
    assert bool(others) == (platform == "heap")


@pytest.mark.law
@pytest.mark.parametrize("options", [{}, {"person_properties": "none"}], ids=["all", "no persons"])
@pytest.mark.parametrize("folder", [*some(FEW, 3), "ga4/unnested"])
def test_a_row_makes_no_event_for_the_reason_that_the_plan_counts(tmp_path, folder, options):
    """Also where that depends on the rows before, as of an event whose first row stands for all of its rows."""
    chosen = settings(folder.partition("/")[0], **options)
    since, until = datetime(2024, 4, 2, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    work = replace(chosen, since=since, until=until).work([str(SAMPLES / folder)])
    shown = Counter(one.why.split(",")[0] for one in preview(work, 10**6) if one.why and one.why != MAPPED)
    assert shown == Counter(planned(tmp_path / "w", work)[1])
    assert folder != "ga4/unnested" or shown["filtered: row_of_same_event"] == 3


@pytest.fixture
def work(tmp_path):
    """A file of which the second row says who the first is, and the third tells of a group."""
    lines = [json.dumps(row) + "\n" for row in (SEEN, KNOWN, GROUP)]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    return Settings(platform="segment").work([str(tmp_path / "a.jsonl")])


def told(previews):
    """Each preview as the row it is of, the events it comes to and of whom, and why it comes to none."""
    return [
        (
            one.place.rpartition(":")[2],
            [(event["event"], event["distinct_id"]) for event in map(json.loads, one.payloads)],
            one.why,
        )
        for one in previews
    ]


def test_people_are_those_of_the_rows_shown(work):
    """Who is who stands before them, persons and groups after them; of rows that are not shown nothing is known."""
    assert told(preview(work, 1)) == [("1", [("seen", "a")], None)]
    assert told(preview(work, 2)) == [
        ("", [("$identify", "anna")], None),
        ("1", [("seen", "a")], None),
        ("2", [], "filtered: identity_only"),
    ]
    assert told(preview(work, 3))[3:] == [("3", [], MAPPED), ("", [("$groupidentify", "anna")], None)]


def test_a_row_is_shown_as_its_file_has_it(work):
    """With its place; what is no row of the file has none."""
    found = [(one.place, json.loads(one.source)) for one in preview(work, 3)]
    (source,) = (job.source.name for job in work.jobs)
    rows = [(f"{source}:{number}", row) for number, row in enumerate((SEEN, KNOWN, GROUP), 1)]
    assert found == [("", {}), *rows, ("", {})]


def test_a_preview_leaves_nothing_behind(work, tmp_path, monkeypatch):
    """Neither where temporary files are, nor beside the file; also where it is left in the middle."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    previews = preview(work, 3)
    next(previews)
    previews.close()
    list(preview(work, 3))
    assert [*(tmp_path / "temporary").iterdir()] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "temporary"]


def test_small_files_are_shown_as_each_is_alone(tmp_path):
    """In their order, with their own numbers, rejects and reasons, though they are mapped together."""
    head = "id,action,user,device,at,price,note\n"
    for n in range(3):
        lines = (
            f"{n}-{one},seen,u{one},,{at},1,x\n"
            for one, at in enumerate(("2024-04-03", "soon", "2024-04-05"))
        )
        data = gzip.compress((head + "".join(lines)).encode())
        (tmp_path / f"{n}.csv.gz").write_bytes(data if n != 1 else data[:-4])
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC)
    how = asked("table", tmp_path, spec=spec).settings()
    names = [str(tmp_path / f"{n}.csv.gz") for n in range(3)]
    together = [*preview(how.work([str(tmp_path)]), 100)]
    assert together == [row for name in names for row in preview(how.work([name]), 100)]
    assert [row.place.removeprefix(f"{tmp_path}/") for row in together] == [
        *("0.csv.gz:1", "0.csv.gz:2", "0.csv.gz:3"),
        *("1.csv.gz:1", "1.csv.gz:2", "1.csv.gz:3", "1.csv.gz:4"),
        *("2.csv.gz:1", "2.csv.gz:2", "2.csv.gz:3"),
    ]
    assert [row.why and row.why.partition(",")[0] for row in together[3:7]] == [
        *(None, "rejected: bad_timestamp", None, "rejected: truncated_file"),
    ]
