"""What plans in a process of another's comes when it is called, and goes: told to, or as nobody asks any more."""

import threading

import pytest
from crews import RAISES, own
from frames import LATER

from migrate.plan import guest, worker
from migrate.plan.bundles import Bundle
from migrate.plan.elsewhere import handed
from migrate.plan.handing import packed, unpacked
from migrate.plan.notes import Opened, Read
from migrate.plan.planned import Setup
from migrate.plan.units import Unit
from migrate.workdir.records import Input

CALLS = []
"""What the setup was asked to do."""


def begin():
    CALLS.append("begin")


def stop():
    CALLS.append("stop")


@pytest.fixture
def given(tmp_path):
    """A setup and a unit of one row each, one of them wrong, as they are handed on."""
    work = own(tmp_path, RAISES, "seen", "other")
    known = {
        job.source.name: Input(n, job.source.name, "", 0, "", planned=False)
        for n, job in enumerate(work.jobs, 1)
    }
    units = [Unit.of(Bundle([job]), known) for job in work.jobs]
    setup = Setup(
        workdir=tmp_path / "w",
        names=frozenset(known),
        first=None,
        now=LATER,
        transform=work.settings.transform,
        examine=lambda *_: None,
        on_begin=begin,
        on_stop=stop,
    )
    CALLS.clear()
    sent = handed(units, setup, lambda _: None)
    yield sent.setup, [packed(unit, sent.shared) for unit in units]
    guest.leave("t")


def test_it_plans_as_long_as_it_is_here(tmp_path, given):
    """Its files lie in a folder of the try; what is a mistake comes back as one, and whoever comes anew begins anew."""
    setup, (right, wrong) = given
    assert guest.ask("t") is None
    assert guest.plan("t", "t/1", right) is None
    assert guest.greet("t", setup, worker.kind(), [str(tmp_path)]) == (worker.kind(), [])
    assert unpacked(guest.ask("t")) == []
    notes, what, made = unpacked(guest.plan("t", "t/1", right))
    assert {type(one) for one in notes} >= {Opened, Read}
    assert (what, made.numbers.mapped) == (worker.DONE, 1)
    assert made.writer.aside.parent == tmp_path / "w" / "staging" / "t" / "1"
    _, what, error = unpacked(guest.plan("t", "t/2", wrong))
    assert what == worker.FAILED
    assert "KeyError" in repr(error)
    guest.stop("t")
    assert unpacked(guest.plan("t", "t/3", right))[1:] == (worker.LEFT, None)
    assert CALLS == ["begin", "begin"]  # nothing was under way when it was asked to stop
    guest.greet("t", setup, worker.kind(), [])
    assert unpacked(guest.plan("t", "t/4", right))[1] == worker.DONE
    guest.leave("t")
    assert guest.ask("t") is None


def test_it_does_not_stay_where_it_cannot_plan(tmp_path, given):
    """Nor where nobody asks."""
    setup, _ = given
    assert guest.greet("t", setup, ("0", "0", "0"), [])[0] == worker.kind()
    assert guest.ask("t") is None
    assert guest.greet("t", setup, worker.kind(), [str(tmp_path / "x")])[1] == [str(tmp_path / "x")]
    assert guest.ask("t") is None


def test_it_leaves_its_work_when_nobody_asks(given, monkeypatch):
    """Whoever has called it is gone."""
    monkeypatch.setattr(guest, "SILENCE", -1.0)
    monkeypatch.setattr(guest, "_TICK", 0.01)
    setup, (right, _) = given
    guest.greet("t", setup, worker.kind(), [])
    for thread in [one for one in threading.enumerate() if one.name == "guest"]:
        thread.join(10)
    assert guest.ask("t") == b""
    assert unpacked(guest.plan("t", "t/1", right))[1:] == (worker.LEFT, None)
