"""A source that is planned anew puts back what was harmed, or takes the place of what was not sent."""

import json

import polars as pl
import pytest
from workdirs import applied, delivery

from migrate.plan import again
from migrate.plan.executors import Inline
from migrate.plan.planner import Planner
from migrate.sandbox.server import Sandbox
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.renewal import supersede

SETTINGS = Settings(platform="posthog")


@pytest.fixture
def planner(tmp_path):
    """A planner into a new workdir."""
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as checkpoint:
        yield Planner(workdir=tmp_path / "w", checkpoint=checkpoint, executor=lambda _: Inline(1))


def write(tmp_path, *numbers):
    """Write a source of an event for each number, each on a day of its own."""
    rows = [
        {
            "event": "e",
            "distinct_id": "u",
            "timestamp": f"2024-04-{day:02}T10:00:00Z",
            "properties": {"n": number},
        }
        for day, number in enumerate(numbers, 1)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def plan(planner, tmp_path):
    """Plan the source where it is not planned."""
    planner.plan(planner.todo(SETTINGS.work([str(tmp_path / "a.jsonl")]).jobs), SETTINGS.transform)


def plan_anew(planner, tmp_path):
    """Plan the source anew, and settle that."""
    supersede(planner.checkpoint, [name for name in planner.checkpoint.inputs() if name.endswith("a.jsonl")])
    plan(planner, tmp_path)
    again.settle(planner.checkpoint)


def parts(planner):
    """What the parts hold that the checkpoint knows, by path: the numbers of their events."""
    return {
        path: [
            json.loads(text)["properties"]["n"] for text in pl.read_parquet(planner.workdir / path)["payload"]
        ]
        for path in planner.checkpoint.part_paths()
    }


def on_disk(planner):
    """The paths of all parts that there are."""
    return {path.relative_to(planner.workdir).as_posix() for path in planner.workdir.glob("days/*/*.parquet")}


@pytest.mark.parametrize("how", ["changed", "gone", "a folder"])
def test_a_harmed_part_is_put_back_in_its_place(planner, tmp_path, how):
    """By the same source: under the same path with the same events, and nothing else is left of the second plan."""
    write(tmp_path, 1, 2)
    plan(planner, tmp_path)
    before, inputs = parts(planner), [*planner.checkpoint.inputs()]
    harmed = planner.workdir / min(before)
    if how == "changed":
        harmed.write_bytes(harmed.read_bytes()[:-1] + b"?")
    else:
        harmed.unlink()
    if how == "a folder":
        harmed.mkdir()
    plan_anew(planner, tmp_path)
    assert parts(planner) == before
    assert on_disk(planner) == {*before}
    assert [*planner.checkpoint.inputs()] == inputs
    assert planner.checkpoint.numbers().read == 2


def test_a_source_that_is_another_now_takes_the_place_of_what_was_not_sent(planner, tmp_path):
    """Of what was planned before nothing is left, neither on the disk nor in the numbers."""
    write(tmp_path, 1, 2)
    plan(planner, tmp_path)
    before = on_disk(planner)
    write(tmp_path, 3)
    plan_anew(planner, tmp_path)
    assert [*parts(planner).values()] == [[3]]
    assert on_disk(planner) == {*parts(planner)}
    assert not on_disk(planner) & before
    assert planner.checkpoint.numbers().read == 1


def test_what_was_sent_stays(planner, tmp_path):
    """Beside what is planned now, of which only what is new is sent."""
    write(tmp_path, 1, 2)
    plan(planner, tmp_path)
    sent = parts(planner)
    with Sandbox() as sandbox:
        assert applied(planner.checkpoint, delivery(sandbox.url))
        write(tmp_path, 1, 2, 3)
        plan_anew(planner, tmp_path)
        assert sent.items() <= parts(planner).items()
        assert applied(planner.checkpoint, delivery(sandbox.url))
        assert [row["properties"]["n"] for row in sandbox.events("raw")] == [1, 2, 3]


def test_what_is_not_planned_whole_yet_is_not_settled(planner, tmp_path):
    """What was planned before stays until the source is planned again; settled once, it is settled."""
    write(tmp_path, 1)
    plan(planner, tmp_path)
    before = parts(planner)
    supersede(planner.checkpoint, [*planner.checkpoint.inputs()])
    again.settle(planner.checkpoint)
    assert parts(planner) == before
    assert planner.checkpoint.facts()["superseded"] != []
    plan(planner, tmp_path)
    for _ in range(2):
        again.settle(planner.checkpoint)
        assert parts(planner) == before
        assert planner.checkpoint.facts()["superseded"] == []
