"""Who plans: several processes where there is enough to do for them."""

import sys
from types import SimpleNamespace

import pytest

from migrate.errors import UsageError
from migrate.plan import choosing
from migrate.plan.choosing import ENOUGH, check, chosen, memory, usual
from migrate.plan.dask import Dask
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes


def units(count, size):
    """So many units of so many bytes together."""
    return [SimpleNamespace(size=size // count) for _ in range(count)]


def test_processes_plan_what_is_large_and_in_many_pieces(monkeypatch):
    """All else this one plans, unless it is asked for otherwise; memory bounds how many there are."""
    monkeypatch.setattr(choosing, "usual", lambda: 4)
    assert chosen(units(8, ENOUGH)) == Processes(4)
    for few in (units(7, ENOUGH), units(8, ENOUGH - 8), []):
        assert isinstance(chosen(few), Inline)
    assert chosen([], "processes") == Processes(4)
    monkeypatch.setattr(choosing, "usual", lambda: 3)
    assert isinstance(chosen(units(8, ENOUGH)), Inline)
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
