"""What is planned of a file's slices counts when all of them are planned, in whatever order that is."""

import json
import os
from threading import Event

import polars as pl
import pytest
from frames import LATER

from migrate.inputs.source import fingerprint
from migrate.plan.bundles import Bundle
from migrate.plan.notes import Fell
from migrate.plan.planned import Setup
from migrate.plan.slices import Slicing
from migrate.plan.slicewise import Slicewise, keys, planned
from migrate.plan.units import Unit
from migrate.settings import Settings
from migrate.workdir.records import Input

SETTINGS = Settings(platform="posthog")


@pytest.fixture
def unit(tmp_path):
    """A file of thirty rows, every tenth of which is none."""
    row = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}
    lines = ["oops" if n % 10 == 4 else json.dumps(row | {"uuid": str(n)}) for n in range(30)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (job,) = SETTINGS.work([str(tmp_path / "a.jsonl")]).jobs
    name = job.source.name
    return Unit.of(Bundle([job]), {name: Input(7, name, "", 0, "", planned=False)})


@pytest.fixture
def setup(tmp_path):
    """What it is planned with."""
    (tmp_path / "staging").mkdir()
    return Setup(
        workdir=tmp_path,
        names=frozenset(),
        first=None,
        now=LATER,
        transform=SETTINGS.transform,
        examine=lambda *_: None,
    )


def test_slices_are_put_together_in_their_order(tmp_path, unit, setup):
    """Parts have names of their own; the file's fingerprint is that of all its bytes; nothing is left aside."""
    units = [*Slicing([unit], 2, 400).units()]
    assert 3 < len(units) <= Slicing([unit], 2, 400).count + 1
    assert [one.slice.is_last for one in units] == [False] * (len(units) - 1) + [True]
    assert [*Slicing([unit], 2, 400, pins=False).units()][-1].slice == units[-1].slice._replace(pinned=None)
    slicewise = Slicewise(planned)
    each = (setup.do(one, lambda _: None, Event()) for one in reversed(units))
    *none, made = map(slicewise.take, each)
    assert none == [None] * (len(units) - 1)
    assert keys(made) == [one.key for one in units]
    source = unit.bundle.job.source
    stamp, (size, digest) = units[0].slice.stamp, fingerprint(source)
    assert made.inputs == [unit.known[source.name]._replace(stamp=stamp, size=size, digest=digest)]
    assert [json.loads(line)["row"] for line in made.rejects.read_text().splitlines()] == [5, 15, 25]
    assert made.numbers.examples["malformed_json"] == [f"{source.name}:{row}" for row in (5, 15, 25)]
    parts = made.writer.finish()
    assert [part.path for part in parts][:2] == [
        f"days/2024-04-03/00000007-000{place}-000000.parquet" for place in range(2)
    ]
    rows = [row for part in parts for row in pl.read_parquet(tmp_path / part.path)["row"]]
    assert rows == [row for row in range(1, 31) if row not in {5, 15, 25}]
    made.writer.discard()
    made.rejects.unlink()
    assert not [*(tmp_path / "staging").iterdir()]


def test_a_slice_that_falls_takes_its_file_with_it(tmp_path, unit, setup):
    """The file changed meanwhile; of what was planned of it nothing is kept."""
    first, second, *_ = Slicing([unit], 2, 400).units()
    slicewise, told = Slicewise(planned), []
    assert slicewise.take(setup.do(first, told.append, Event())) is None
    os.utime(unit.bundle.job.source.path, (1, 1))
    assert setup.do(second, told.append, Event()) is None
    (fell,) = [note for note in told if isinstance(note, Fell)]
    assert (fell.unit, fell.reason) == ((7, 1), "changed")
    slicewise.fall(fell.unit)
    assert slicewise.left() == {}
    assert not [*(tmp_path / "staging").glob("*/*")]


def test_a_file_whose_slices_do_not_all_come_is_left(tmp_path, unit, setup):
    """It is to be planned whole."""
    first, *_ = Slicing([unit], 2, 400).units()
    slicewise = Slicewise(planned)
    slicewise.take(setup.do(first, lambda _: None, Event()))
    assert slicewise.left() == {7: [(7, 0)]}
    assert slicewise.left() == {}
    assert not [*(tmp_path / "staging").iterdir()]
