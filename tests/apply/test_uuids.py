"""Uuids as the answer has them that takes all: part by part, one by one, and none where nobody asks."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.apply.uuids import Uuids

BETWEEN = '":{"result":"ok"},"'


@given(st.lists(st.uuids().map(str), min_size=1, max_size=9), st.data())
def test_what_is_spoken_is_what_stands_between(names, data):
    """Of all, of a part, of some; and it is known whether one is there twice."""
    uuids = Uuids.of(pl.Series(names), BETWEEN)
    start = data.draw(st.integers(0, len(names)))
    stop = data.draw(st.integers(start, len(names)))
    part = names[start:stop]
    assert uuids.spoken(start, stop) == BETWEEN.join(part).encode()
    assert uuids.part(start, stop).names() == part
    assert uuids.part(start, stop).spoken(0, len(part)) == BETWEEN.join(part).encode()
    assert Uuids.of(pl.Series(names)[start:stop], BETWEEN).names() == part
    which = data.draw(st.lists(st.integers(0, len(names) - 1), unique=True))
    assert uuids.some(which).names() == [names[number] for number in which]
    assert uuids.may_repeat == (len(set(names)) < len(names))


def test_nobody_asks():
    """There is nothing, of any part."""
    for uuids in (Uuids(), Uuids.of(pl.Series(["a"]), ""), Uuids.of(pl.Series([], dtype=pl.String), BETWEEN)):
        assert (uuids.spoken(0, 7), uuids.part(1, 2).names(), uuids.some([0]).names()) == (b"", [], [])


@pytest.mark.parametrize("names", [["a", "bc"], ["a", "bcd", "ef"], ["a", None]])
def test_another_length_is_refused(names):
    """Where one begins is counted."""
    with pytest.raises(ValueError, match=r"^uuids are not all of one length$"):
        Uuids.of(pl.Series(names), BETWEEN)
