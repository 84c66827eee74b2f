"""A unit whose process is gone is tried again, so often, then file by file; what kills each is set aside."""

import json
from threading import Lock
from types import SimpleNamespace

import pytest

from migrate.plan.bundles import Bundle
from migrate.plan.elsewhere import TRIES, Tries, handed
from migrate.plan.handing import unpacked
from migrate.plan.notes import Fell, Lost
from migrate.plan.units import Unit
from migrate.settings import Settings
from migrate.workdir.records import Input

ROW = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T10:00:00Z"}


@pytest.fixture
def unit(tmp_path):
    """Two files, planned at once."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(ROW) + "\n")
    jobs = Settings(platform="posthog").work([str(tmp_path)]).jobs
    names = [job.source.name for job in jobs]
    known = {name: Input(n, name, "", 0, "", planned=False) for n, name in enumerate(names, 1)}
    return Unit.of(Bundle(jobs), known)


def test_a_unit_has_three_tries_and_so_has_each_of_its_files(unit):
    """What was told of it is void each time."""
    heard = []
    tries = Tries(TRIES, heard.append)
    assert not tries.is_last(unit)
    assert [(tries.lose(unit, "x"), tries.is_last(unit)) for _ in range(TRIES - 1)] == [
        ([unit], False),
        ([unit], True),
    ]
    first, second = tries.lose(unit, "x")
    assert [first.bundle.names, second.bundle.names] == [[name] for name in unit.bundle.names]
    assert [tries.lose(second, "x") for _ in range(TRIES - 1)] == [[second]] * 2
    assert [tries.is_last(one) for one in (first, second)] == [False, True]
    assert tries.lose(second, "exit code 7") == []
    assert heard[:-1] == [Lost(1)] * 3 + [Lost(2)] * 3
    why = "3 processes that planned it died, the last by exit code 7; look whether there is memory enough, or plan it "
    assert heard[-1] == Fell(2, second.bundle.names[0], "worker_lost", why + "with --executor inline")


def test_what_units_have_in_common_is_sent_once(unit):
    """What cannot be sent is told."""
    heard = []
    setup, shared = unpacked(handed([unit, *unit.each()], "setup", heard.append).setup)
    assert (setup, len(shared), heard) == ("setup", 1, [])
    assert handed([unit], SimpleNamespace(lock=Lock()), heard.append) is None
    assert "planned by one process: the mapping cannot be handed to others, found" in heard[0].text
