"""The numbers of all inputs together are the same, kept or added up."""

from collections import Counter

import pytest

from migrate.workdir import renewal, totals
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import TOTALS
from migrate.workdir.records import Numbers


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as made:
        yield made


def plan(checkpoint, name, read):
    """Plan an input."""
    checkpoint.register([name])
    numbers = Numbers(read=read, mapped=read - 1, rejected=Counter(r=1), examples={"r": [f"{name}:1"]})
    checkpoint.note_planned(checkpoint.inputs()[name]._replace(digest=f"{read}"), numbers, [])


def keep(checkpoint):
    """Keep the numbers."""
    with checkpoint.change() as db:
        totals.keep(db)


def added(checkpoint):
    """The numbers added up anew, as if none were kept."""
    sql = "SELECT id, lead, name, numbers FROM inputs WHERE numbers IS NOT NULL"
    return totals.totals(checkpoint.query(sql).fetchall())


def is_kept(checkpoint):
    """Whether they are kept."""
    return TOTALS in checkpoint.facts()


def test_what_is_kept_grows_with_what_is_planned(checkpoint):
    """Once it is kept at all; the same as added up."""
    plan(checkpoint, "a", 3)
    assert not is_kept(checkpoint)
    keep(checkpoint)
    for name, read in (("b", 5), ("c", 7)):
        plan(checkpoint, name, read)
        assert is_kept(checkpoint)
        assert checkpoint.numbers() == added(checkpoint)
    assert checkpoint.numbers().read == 15


def test_what_is_planned_anew_is_added_up_anew(checkpoint):
    """From the moment on at which it is to be, until all is done."""
    for name in "ab":
        plan(checkpoint, name, 3)
    keep(checkpoint)
    renewal.supersede(checkpoint, ["a"])
    assert not is_kept(checkpoint)
    keep(checkpoint)
    plan(checkpoint, "a", 4)
    assert not is_kept(checkpoint)
    assert checkpoint.numbers() == added(checkpoint)
    keep(checkpoint)
    with checkpoint.change() as db:
        renewal.replace(db, 1)
    assert not is_kept(checkpoint)
    assert checkpoint.numbers().read == 7
    with checkpoint.change() as db:
        totals.keep(db)
        db.execute("DELETE FROM inputs WHERE name = 'b'")
    assert not is_kept(checkpoint)
