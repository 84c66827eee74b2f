"""Who plans: several processes where there is enough to do for them."""

from types import SimpleNamespace

from migrate.plan import choosing
from migrate.plan.choosing import ENOUGH, chosen, memory, usual
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
