"""The screen of what is open: where, how many, and the command that mends it."""

import gzip
from dataclasses import replace

import pytest
from rejected import GOOD, Workdir, written
from workdirs import events, planned

from migrate.report import rejects
from migrate.report.numbers import Events, summary
from migrate.workdir import asides, parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.parked import Parked
from migrate.workdir.records import Aside

NOTHING_OPEN = "nothing is open: no row is rejected, no file set aside, no event refused by PostHog"


def shown(checkpoint, numbers):
    """The texts of the screen."""
    return [line.text for line in rejects.lines(checkpoint, numbers)]


@pytest.fixture
def checkpoint(tmp_path):
    """A workdir whose name is to be quoted, with events."""
    workdir = tmp_path / "my workdir"
    workdir.mkdir()
    with planned(workdir, events(3)) as checkpoint:
        yield checkpoint


def test_every_number_is_in_its_place(checkpoint):
    """Beyond a thousand, most first."""
    refused = [
        Parked(f"{n:032x}", "2024-04-03T00:00:00Z", 400 if n < 1_234 else 413, f"event {n} is bad", "{}")
        for n in range(1_234 + 2_345)
    ]
    with checkpoint.change() as db:
        parked.add(db, refused, is_later=False)
    asides.note(checkpoint, {"b.csv": Aside("changed", "other bytes"), "c.csv": Aside("gone", "no file")})
    asides.dismiss(checkpoint, "gone")
    checkpoint.note(platform="segment")
    numbers = summary(checkpoint)
    assert numbers.events.parked == 3_579
    numbers = replace(numbers, open_rejects={"a": 1_001, "b": 5_002, "c": 3_003})
    where = f"'{checkpoint.workdir}'"
    assert shown(checkpoint, numbers) == [
        "rejected 5,002 rows: b",
        "rejected 3,003 rows: c",
        "rejected 1,001 rows: a",
        "         to mend them, copy the file, mend the `source` of its lines, and plan the copy:",
        f"         cp '{checkpoint.workdir}/rejects.jsonl' mended.jsonl",
        f"         migrate plan segment mended.jsonl --workdir {where}",
        "         or mend the file they come from and plan it --again; or --dismiss REASON, if they are meant",
        "aside    changed: b.csv: other bytes",
        "         or --dismiss REASON, if what is planned is all that is wanted of them",
        "parked   2,345 events refused; PostHog says: 413 event … is bad",
        f"         uuid {1_234:032x}, …",
        "parked   1,234 events refused; PostHog says: 400 event … is bad",
        f"         uuid {0:032x}, …",
        f"         all of them, each with PostHog's words and its payload: '{checkpoint.workdir}/parked.jsonl'",
        "         once the cause is fixed, or their payloads are mended in that file, send them again:",
        f"         migrate resend {where} --host …",
        "         … is us, eu or the URL of your PostHog",
        "         the key is left out of the command: set POSTHOG_API_KEY to the project's key, it is not set here",
        "         or --dismiss parked, if they are not to be sent",
    ]


def test_nothing_open_is_said(checkpoint):
    """In one line; what is dismissed is not open."""
    asides.note(checkpoint, {"c.csv": Aside("gone", "no file")})
    asides.dismiss(checkpoint, "gone")
    assert shown(checkpoint, summary(checkpoint)) == [NOTHING_OPEN]


@pytest.mark.parametrize(
    "more",
    [
        {"open_rejects": {"a": 1}},
        {"set_aside": {"a": "why"}},
        {"events": Events(parked=1)},
    ],
)
def test_one_kind_that_is_open_is_enough(checkpoint, more):
    """A row, a file or an event: then it is not said that nothing is."""
    assert NOTHING_OPEN not in shown(checkpoint, replace(summary(checkpoint), **more))


def test_three_places_of_a_reason_are_named(tmp_path):
    """The first ones that are open, by file and row."""
    workdir = Workdir(tmp_path)
    third = written(workdir.source / "c.jsonl", ["soon", "soon"])
    workdir.plan(workdir.source)
    with Checkpoint.open(workdir.path) as checkpoint:
        first, *_ = shown(checkpoint, summary(checkpoint))
        assert first == (
            f"rejected 5 rows: bad_timestamp  (at {workdir.first}:2, {workdir.first}:4, {workdir.second}:1)"
        )
    mended = workdir.copy(("soon", "2024-04-03T12:00:00Z"))
    lines = mended.read_text().splitlines(keepends=True)
    mended.write_text("".join(line for line in lines if str(third) not in line))
    workdir.plan(mended)
    with Checkpoint.open(workdir.path) as checkpoint:
        first, *_ = shown(checkpoint, summary(checkpoint))
        assert first == f"rejected 2 rows: bad_timestamp  (at {third}:1, {third}:2)"


def test_what_a_file_lacks_is_not_mended_in_a_copy(tmp_path):
    """The command that plans it anew, once it is fetched again; rows beside it are mended as ever."""
    workdir = Workdir(tmp_path)
    whole = written(workdir.source / "cut.jsonl", [GOOD] * 999)
    cut = whole.with_suffix(".jsonl.gz")
    cut.write_bytes(gzip.compress(whole.read_bytes())[:-20])
    whole.unlink()
    workdir.plan(workdir.source)
    with Checkpoint.open(workdir.path) as checkpoint:
        numbers = summary(checkpoint)
        texts = shown(checkpoint, numbers)
        alone = shown(checkpoint, replace(numbers, open_rejects={"truncated_file": 1}))
    at = next(n for n, text in enumerate(texts) if text.startswith("rejected 1 row: truncated_file"))
    how = "         fetch the file again, or mend it, and plan it anew; or --dismiss REASON, if it is meant:"
    assert texts[at + 1] == alone[1] == how
    assert texts[at + 2] == alone[2]
    assert f"--again {cut} " in alone[2]
    assert len(alone) == 3
    assert any("copy the file, mend the `source` of its lines" in text for text in texts)
