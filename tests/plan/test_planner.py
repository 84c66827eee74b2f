"""Sources are planned whole or not at all, and what is planned is not planned twice."""

import json

import polars as pl
import pytest
from frames import event_frame, made

from migrate.plan.executors import Inline
from migrate.plan.interrupted import Interrupted
from migrate.plan.judged import Made
from migrate.plan.planner import Planner
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint, Numbers

SETTINGS = Settings(platform="posthog")
ROW = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}


@pytest.fixture
def planner(tmp_path):
    """A planner into a new workdir."""
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as checkpoint:
        yield Planner(workdir=tmp_path / "w", checkpoint=checkpoint, executor=lambda _: Inline(2))


def jobs(folder, **files):
    """The jobs of files with so many events each."""
    folder.mkdir(exist_ok=True)
    for name, count in files.items():
        rows = (json.dumps(ROW | {"properties": {"n": number}}) + "\n" for number in range(count))
        (folder / f"{name}.jsonl").write_text("".join(rows))
    return SETTINGS.work([str(folder)]).jobs


def planned(planner):
    """How many events of each file the parts on the disk hold."""
    frames = [pl.read_parquet(path, columns=["file"]) for path in planner.workdir.glob("days/*/*.parquet")]
    names = pl.concat(frames)["file"].cast(pl.String).to_list() if frames else []
    return {name: names.count(name) for name in sorted(set(names))}


def plan(planner, todo):
    """Plan these jobs."""
    planner.plan(todo, SETTINGS.transform)


def test_what_is_planned_is_not_to_do_any_more(planner, tmp_path):
    """What is new is, in the order given; a file that is gone later stays planned."""
    first = jobs(tmp_path / "in", a=3)
    assert planner.todo(first) == first
    plan(planner, first)
    both = jobs(tmp_path / "in", b=2)
    todo = planner.todo(both)
    assert [job.source.stem for job in todo] == ["b"]
    plan(planner, todo)
    assert planner.todo(both) == []
    assert list(planned(planner).values()) == [3, 2]
    assert planner.aside.found == {}


def test_nothing_of_a_plan_that_is_stopped_is_half_there(planner, tmp_path):
    """It is planned as a whole by the next command."""
    todo = planner.todo(jobs(tmp_path / "in", a=3))
    planner.stopping.set()
    plan(planner, todo)
    assert planned(planner) == {}
    planner.stopping.clear()
    assert planner.todo(todo) == todo
    plan(planner, todo)
    assert list(planned(planner).values()) == [3]


def test_a_limit_is_of_rows_over_all_files(planner, tmp_path):
    """Files behind it are not begun."""
    planner.limit = 4
    todo = planner.todo(jobs(tmp_path / "in", a=3, b=3, c=3))
    plan(planner, todo)
    assert list(planned(planner).values()) == [3, 1]


def derived(planner, name, count):
    """Plan so many events that come from no row."""
    frame = made(event_frame(*({"dedup_key": str(number)} for number in range(count)))).frame
    pieces = [Made(frame.rename({"_row": "row"}), Numbers())] if count else []
    planner.plan_derived(name, (piece for piece in pieces))


def test_events_that_come_from_no_row_are_an_input_of_their_own(planner):
    """Where there are none, there is no input."""
    derived(planner, "(none 1)", 0)
    derived(planner, "(some 1)", 2)
    assert list(planner.checkpoint.inputs()) == ["(some 1)"]
    assert planned(planner) == {"(some 1)": 2}


def test_events_that_come_from_no_row_are_all_planned_or_none(planner):
    """A plan that is asked to stop between two pieces has none of them."""
    planner.stopping.set()
    with pytest.raises(Interrupted):
        derived(planner, "(some 1)", 2)
    assert not planner.checkpoint.inputs()["(some 1)"].planned
    assert planned(planner) == {}


def test_a_limit_counts_rows_that_cannot_be_read(planner, tmp_path):
    """Those beyond it are not counted, though they stand in the same block of the file."""
    planner.limit = 4
    source = tmp_path / "in" / "a.jsonl"
    (job,) = jobs(tmp_path / "in", a=3)
    source.write_text("oops\n" + source.read_text() + "oops\n" * 5)
    plan(planner, planner.todo([job]))
    numbers = planner.checkpoint.numbers()
    assert (numbers.read, dict(numbers.rejected)) == (4, {"malformed_json": 1})
