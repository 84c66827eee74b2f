"""A unit may be planned twice, and be lost on the way."""

import json
from dataclasses import replace
from threading import Event

import polars as pl
import pytest
from frames import LATER

from migrate.plan.bundles import Bundle
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Fell, Read
from migrate.plan.planned import Setup
from migrate.plan.units import Unit
from migrate.settings import Settings
from migrate.workdir.records import Input

SETTINGS = Settings(platform="posthog")
ROW = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}


@pytest.fixture
def unit(tmp_path):
    """Two files, with a row each and one that is rejected."""
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.jsonl").write_text(json.dumps(ROW | {"uuid": name}) + "\noops\n")
    jobs = SETTINGS.work([str(tmp_path / "in")]).jobs
    known = {
        job.source.name: Input(n, job.source.name, "", 0, "", planned=False) for n, job in enumerate(jobs, 1)
    }
    return Unit.of(Bundle(jobs), known)


def setup(folder):
    """What it is planned with."""
    (folder / "staging").mkdir(exist_ok=True)
    return Setup(
        workdir=folder,
        names=frozenset(),
        first=None,
        now=LATER,
        transform=SETTINGS.transform,
        examine=lambda bundle, *_: bundle.names[0],
    )


def written(made):
    """What lies there of it."""
    rows = [pl.read_parquet(path).rows() for paths in made.writer.files().values() for path in paths]
    return rows, made.rejects.read_text(), sorted(path.name for path in made.writer.aside.iterdir())


def test_what_was_lost_leaves_nothing(tmp_path, unit):
    """It is planned from its beginning, in the place of what a process that died has written."""
    told, whole = [], []
    first = replace(setup(tmp_path), on_whole=whole.append).do(unit, told.append, Event())
    before = written(first)
    (first.writer.aside / "2024-01-01_000009.parquet").write_bytes(b"half of")
    (tmp_path / "staging" / "00000001.states").write_bytes(b"half of")
    again = setup(tmp_path).do(unit, told.append, Event())
    assert written(again) == before
    assert (again.numbers, again.look, again.inputs) == (first.numbers, first.look, first.inputs)
    assert again.states is None
    assert [first.examined] == whole == unit.bundle.names[:1]
    assert next(note for note in told if isinstance(note, Read)) == Read(1, 4, unit.size)


def test_a_file_that_is_gone_is_told_by_name(tmp_path, unit):
    """The other is planned; where none is left, nothing is."""
    told = []
    unit.bundle.jobs[0].source.path.unlink()
    made = setup(tmp_path).do(unit, told.append, Event())
    assert [one.id for one in made.inputs] == [2]
    unit.bundle.jobs[1].source.path.unlink()
    assert setup(tmp_path).do(unit, told.append, Event()) is None
    assert [note.unit for note in told if isinstance(note, Fell)] == [1, 1, 2]


def test_work_that_is_to_stop_leaves_nothing_aside(tmp_path, unit):
    """And tells so."""
    stopping = Event()
    stopping.set()
    with pytest.raises(Interrupted):
        setup(tmp_path).do(unit, lambda _: None, stopping)
    assert not (tmp_path / "staging" / "00000001").exists()


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_storage_that_is_left_is_left_in_good_order(tmp_path, unit, is_asked):
    """Also where first rows are read once more, to be shown."""
    stopping = Event()

    def left(*_):
        if is_asked:
            stopping.set()
        raise KeyboardInterrupt

    with pytest.raises(Interrupted if is_asked else KeyboardInterrupt):
        replace(setup(tmp_path), examine=left).do(unit, lambda _: None, stopping)
