"""Who waits for a storage can be interrupted."""

import threading

import pytest

from migrate.stores import waiting


def test_nobody_waits_any_more_where_all_is_over(monkeypatch):
    """An answer, or its error, comes to whoever waits; at the end those that do not come are left behind."""
    monkeypatch.setattr(waiting, "_LAST", 0.01)
    coming, begun = threading.Event(), threading.Event()
    assert waiting.answer(waiting.asked(lambda: 7)) == 7
    with pytest.raises(TimeoutError):
        waiting.answer(waiting.asked(_late))
    assert waiting.is_settled()
    found = waiting.asked(lambda: begun.set() or coming.wait())
    begun.wait()
    waiting.end()
    for ask in (
        lambda: waiting.answer(found),
        lambda: waiting.rest(9),
        lambda: waiting.asked(lambda: 1),
    ):
        with pytest.raises(KeyboardInterrupt):
            ask()
    assert not waiting.is_settled()
    coming.set()
    waiting.begin()
    assert waiting.answer(found)


def _late():
    raise TimeoutError
