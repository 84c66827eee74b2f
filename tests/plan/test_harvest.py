"""A unit that is looked over tells the same each time, however much of it is held at once."""

from threading import Event

import polars as pl
import pytest
from crews import known
from samples import SAMPLES, settings

from migrate.people.aside import taken
from migrate.plan import harvest
from migrate.plan.bundles import Bundle
from migrate.plan.harvest import Gathering
from migrate.plan.interrupted import Interrupted
from migrate.plan.notes import Read
from migrate.plan.units import Unit


@pytest.fixture
def unit():
    """A file of Segment's, and what is done with it."""
    work = settings("segment").work([str(SAMPLES / "segment")])
    job = next(job for job in work.jobs if job.table.to_links)
    return Unit.of(Bundle([job]), known(work.jobs)), work.settings.harvest


def links(path):
    """What was written aside, in order."""
    whole = pl.concat(list(taken(path)))
    return whole.group_by("kind", "a", "b", "why").agg(pl.col("time").min()).sort(pl.all()).rows()


def test_it_may_be_looked_over_twice_and_piece_by_piece(tmp_path, unit, monkeypatch):
    """A try that is heard of no more is in nobody's way; what is taken is gone."""
    one, how = unit
    work, notes = Gathering(workdir=tmp_path, harvest=how), []
    lost = work.do(one, notes.append, Event())
    found = work.do(one, notes.append, Event())
    assert (found.number, found.stamps, found.rows) == (lost.number, lost.stamps, lost.rows)
    assert found.rows == sum(note.rows for note in notes if isinstance(note, Read)) // 2
    whole = links(found.links)
    assert whole
    assert links(lost.links) == whole
    assert not found.links[0].exists()
    monkeypatch.setattr(harvest, "_HELD_ROWS", 0)
    assert links(work.do(one, notes.append, Event()).links) == whole


def test_nothing_comes_of_it_when_it_is_to_stop(tmp_path, unit):
    """Whatever is written aside is nobody's."""
    stopping = Event()
    stopping.set()
    with pytest.raises(Interrupted):
        Gathering(workdir=tmp_path, harvest=unit[1]).do(unit[0], lambda _: None, stopping)
