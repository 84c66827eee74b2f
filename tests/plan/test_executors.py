"""Whoever plans units, no thread of it is at work once it is closed."""

import json
import threading
from threading import Event

import pytest
from frames import LATER

from migrate.errors import Stopped
from migrate.logline import Record
from migrate.plan.bundles import Bundle
from migrate.plan.executors import Inline
from migrate.plan.planned import Setup
from migrate.plan.units import Unit
from migrate.settings import Settings
from migrate.workdir.records import Input

SETTINGS = Settings(platform="posthog")
ROW = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}


def units(folder, count):
    """A unit of each of so many files."""
    for number in range(count):
        (folder / f"{number}.jsonl").write_text(json.dumps(ROW) + "\n")
    jobs = SETTINGS.work([str(folder)]).jobs
    known = {
        job.source.name: Input(n, job.source.name, "", 0, "", planned=False) for n, job in enumerate(jobs, 1)
    }
    return [Unit.of(Bundle([job]), known) for job in jobs]


@pytest.mark.parametrize("way", ["closed", "heard"])
def test_it_may_be_closed_before_its_end(tmp_path, way):
    """So may whoever hears of it end it all."""

    def hear(note):
        if way == "heard" and isinstance(note, Record):
            raise Stopped("no room")

    (tmp_path / "in").mkdir()
    (tmp_path / "w" / "staging").mkdir(parents=True)
    setup = Setup(
        workdir=tmp_path / "w",
        names=frozenset(),
        first=None,
        now=LATER,
        transform=SETTINGS.transform,
        examine=lambda *_: None,
    )
    stopping, before = Event(), {*threading.enumerate()}
    completed = Inline(2).map(units(tmp_path / "in", 8), setup, hear, stopping)
    if way == "closed":
        assert len(next(completed).inputs) == 1
        completed.close()
    else:
        with pytest.raises(Stopped, match="no room"):
            next(completed)
    assert stopping.is_set()
    assert {*threading.enumerate()} <= before
