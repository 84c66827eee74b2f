"""Who plans: several processes where there is enough to do for them."""

import sys
from types import SimpleNamespace

import pytest

from migrate.errors import UsageError
from migrate.plan import choosing
from migrate.plan.choosing import ENOUGH, PACKED, check, chosen, memory, usual
from migrate.plan.dask import Dask
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes


def units(count, size, kind="csv", *, is_plain=True):
    """So many units of so many bytes together."""
    job = SimpleNamespace(header=SimpleNamespace(format=kind), source=SimpleNamespace(is_plain=is_plain))
    return [SimpleNamespace(size=size // count, bundle=SimpleNamespace(job=job)) for _ in range(count)]


@pytest.mark.parametrize(
    ("kind", "workers"), [("csv", 4), ("parquet", 4), ("orc", 4), ("jsonl", 2), ("avro", 2)]
)
def test_processes_plan_what_is_large_and_in_many_pieces(kind, workers, monkeypatch):
    """All else this one plans, unless it is asked for otherwise; memory bounds how many there are."""
    monkeypatch.setattr(choosing, "usual", lambda: workers)
    assert chosen(units(2 * workers, ENOUGH, kind)) == Processes(workers)
    packed = units(2 * workers, ENOUGH // PACKED, kind, is_plain=False)
    assert chosen(packed) == Processes(workers)
    for few in (
        units(2 * workers - 1, ENOUGH, kind),
        units(2 * workers, ENOUGH - 8, kind),
        units(2 * workers, ENOUGH // PACKED - 8, kind, is_plain=False),
        [],
    ):
        assert isinstance(chosen(few), Inline)
    assert chosen([], "processes") == Processes(workers)
    monkeypatch.setattr(choosing, "usual", lambda: workers - 1)
    assert isinstance(chosen(units(8, ENOUGH, kind)), Inline)


def test_of_mixed_files_the_larger_half_says_how_many_workers_processes_take(monkeypatch):
    """As little as the others are, they do not count."""
    monkeypatch.setattr(choosing, "usual", lambda: 2)
    assert chosen(units(4, ENOUGH, "json") + units(4, ENOUGH, "csv")) == Processes(2)
    assert isinstance(chosen(units(4, ENOUGH, "json") + units(4, 2 * ENOUGH, "csv")), Inline)


def test_what_is_asked_for_is_done():
    """Whatever there is to do."""
    assert chosen(units(8, ENOUGH), "inline", 3) == Inline(3)
    assert chosen(units(8, ENOUGH), workers=1) == Inline(1)
    assert 1 <= usual() <= max(1, memory() // (512 << 20))


def test_a_cluster_plans_where_it_is_named(tmp_path, monkeypatch):
    """Its library is an extra, which is missed before anything is begun, unless there is nothing to do."""
    assert chosen(units(1, 1), "dask://node:8786", 3) == Dask("node:8786", 3)
    monkeypatch.setitem(sys.modules, "distributed", None)
    for name in ("dask", "cluster"):
        monkeypatch.delitem(sys.modules, f"migrate.plan.{name}")
    check("dask://node:8786", tmp_path, [])
    with pytest.raises(UsageError) as error:
        check("dask://node:8786", tmp_path, ["a job"])
    assert str(error.value) == (
        "--executor: dask://node:8786 is reached with the extra 'dask', which is not installed; "
        "pip install '.[dask]' in migrate's folder"
    )
