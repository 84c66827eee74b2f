"""Spans are noted with the input they are of, and forgotten where that is planned anew."""

import polars as pl
import pytest
from workdirs import events

from migrate.workdir import parting, renewal, spans
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.days import DayWriter
from migrate.workdir.harm import sources
from migrate.workdir.records import Numbers


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as made:
        yield made


def plan(checkpoint, *names):
    """Plan sources together; their events are few, of many days."""
    checkpoint.register(names)
    first, *beside = (checkpoint.inputs()[name] for name in names)
    writer = DayWriter(checkpoint.workdir, first.id, gathers=True)
    writer.write(events(80).with_columns(pl.col("timestamp") + pl.duration(days=pl.col("row") % 40)))
    assert writer.finish() == []
    (span,) = writer.spans
    checkpoint.note_planned(first, Numbers(), [], beside=beside, also=lambda db: spans.note(db, writer.spans))
    return span


def test_they_are_known_as_they_were_written(checkpoint):
    """With what was planned of their inputs before; what is not noted is removed."""
    first, second = plan(checkpoint, "a"), plan(checkpoint, "b", "c")
    (checkpoint.workdir / spans.FOLDER / "torn.parquet").touch()
    spans.tidy(checkpoint)
    assert [*spans.noted(checkpoint)] == [
        spans.Noted(first, anew=False, increment=1, done="", was=0, home=None),
        spans.Noted(second, anew=False, increment=1, done="", was=0, home=None),
    ]
    there = {f"{spans.FOLDER}/{path.name}" for path in (checkpoint.workdir / spans.FOLDER).iterdir()}
    assert there == {first.path, second.path}
    assert sum(checkpoint.by_day().values()) == 160
    assert sources(checkpoint, second.path) == ["b", "c"]
    renewal.supersede(checkpoint, ["a"])
    plan(checkpoint, "a")
    assert [(one.anew, one.was) for one in spans.noted(checkpoint)] == [(False, 0), (False, 0), (True, 1)]


def test_what_is_planned_anew_after_its_spans_are_lost_is_as_new(checkpoint):
    """Nothing of it can have been sent: its days are put together with those of others. Else they are not."""
    plan(checkpoint, "a")
    spans.drop(checkpoint, ["a"])
    renewal.supersede(checkpoint, ["a"])
    plan(checkpoint, "a")
    assert [(one.anew, one.was) for one in spans.noted(checkpoint)] == [(False, 0)]
    parting.part(checkpoint)
    renewal.supersede(checkpoint, ["a"])
    plan(checkpoint, "a")
    spans.drop(checkpoint, ["a"])
    renewal.supersede(checkpoint, ["a"])
    plan(checkpoint, "a")  # what was planned last is lost, and what was planned before it is there
    assert [one.anew for one in spans.noted(checkpoint)] == [True]


def test_what_is_planned_anew_is_forgotten_with_all_it_was_planned_with(checkpoint):
    """Where one of these stands, it stays."""
    plan(checkpoint, "a")
    stays = plan(checkpoint, "b", "c")
    spans.drop(checkpoint, ["a", "b"])
    assert [one.span for one in spans.noted(checkpoint)] == [stays]
    assert sum(checkpoint.by_day().values()) == 80
