"""Iterators that work ahead keep their order, carry errors over, and stop when nobody wants more."""

import threading
import weakref
from functools import partial

import pytest

from migrate.ahead import ahead, in_parallel, numbered
from migrate.plan.interrupted import until_stopped


class Item:
    """Something that can be seen to be gone."""


def broken():
    """Two items, then an error."""
    yield 1
    yield 2
    raise ValueError("three")


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_items(workers):
    """Also where a later one is made first."""
    second = threading.Event()

    def made(item):
        if item == 0 and workers > 1:
            assert second.wait(10)
        if item == 1:
            second.set()
        return item * item

    assert list(in_parallel(made, iter(range(20)), workers)) == [item * item for item in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_one_item_reaches_the_reader(workers):
    """What was made before it arrives first."""
    results = in_parallel(lambda item: 12 // (3 - item), iter(range(9)), workers)
    assert [next(results) for _ in range(3)] == [4, 6, 12]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_no_more_than_so_many_are_under_way():
    """Items are taken up one by one: memory holds as many as there are workers."""
    taken = []

    def items():
        for item in range(50):
            taken.append(item)
            yield item

    results = in_parallel(str, items(), 2)
    assert next(results) == "0"
    assert len(taken) <= 3
    results.close()


def test_what_is_read_ahead_is_read_once_and_its_error_carried_over():
    """The error comes after the items before it."""
    items = ahead(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(items)


@pytest.mark.parametrize(
    "given",
    [
        ahead,
        numbered,
        partial(in_parallel, lambda one: one, workers=1),
        partial(until_stopped, stopping=threading.Event()),
    ],
)
def test_what_was_given_is_held_by_who_took_it_alone(given):
    """Chunks take tens of MB, and what is made of them as much again: one that is done with is to be gone."""
    giving = given(Item() for _ in range(3))
    taken = next(giving)
    one = weakref.ref(taken[1] if isinstance(taken, tuple) else taken)
    del taken
    assert one() is None


def test_reading_ahead_ends_with_its_reader():
    """A reader that leaves early leaves no thread behind."""
    before = {*threading.enumerate()}
    items = ahead(iter(range(1_000_000)))
    assert next(items) == 0
    items.close()
    assert {*threading.enumerate()} <= before


def test_no_more_than_one_is_read_ahead():
    """One item is in use and one ready or being made: each may take up much memory."""
    made, released = [], threading.Event()

    def items():
        for item in range(5):
            made.append(item)
            if item == 2:
                released.set()
            yield item

    reading = ahead(items())
    assert next(reading) == 0
    assert len(made) <= 2
    assert next(reading) == 1
    assert released.wait(10)
    reading.close()
    assert made == [0, 1, 2]
