"""Chunks are given until somebody asks to stop, between two or in the middle of one."""

from threading import Event

import pytest

from migrate.plan.interrupted import Interrupted, until_stopped


def given(stopping, *, then):
    """Two chunks, then what a storage raises that nobody waits for any more, asked to stop or not."""
    yield "first"
    yield "second"
    if then:
        stopping.set()
    raise KeyboardInterrupt


def test_what_is_asked_to_stop_is_interrupted():
    """Before the next chunk, and where that one never comes."""
    stopping = Event()
    chunks = until_stopped(given(stopping, then=True), stopping)
    assert [next(chunks), next(chunks)] == ["first", "second"]
    with pytest.raises(Interrupted):
        next(chunks)
    with pytest.raises(Interrupted):
        next(until_stopped(given(stopping, then=True), stopping))


def test_an_interrupt_that_nobody_answers_stays_one():
    """It is not taken for an end that was asked for."""
    chunks = until_stopped(given(stopping := Event(), then=False), stopping)
    assert [next(chunks), next(chunks)] == ["first", "second"]
    with pytest.raises(KeyboardInterrupt):
        next(chunks)
