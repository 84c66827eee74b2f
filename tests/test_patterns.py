"""Patterns that give nothing back, compared with what the same would be without patterns."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.patterns import end_of, kept, woven

CELL = rb'"[^"]*+"(?=,)'
"""Of this a try may take much before it fails."""


def taken(body, data):
    """Where the bodies end that stand one behind another, found one by one."""
    place, end = -1, 0
    while end != place:
        place, end = end, end_of(re.compile(body), data, end)
    return end


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CELL, id="looked at ahead"),
        pytest.param(CELL + rb"[^,]*+,", id="two that take much"),
        pytest.param(rb'[^",\n]++|' + CELL + rb"|,", id="choices"),
        pytest.param(rb'[^"\n]*+' + kept(CELL + rb'[^"\n]*+') + rb"\n", id="one in another"),
        pytest.param(woven(rb'[^"\n]', rb'""') + rb"\n", id="woven inside"),
    ],
)
@given(data=st.text('"",,a\n', max_size=12).map(str.encode))
@example(data=b'a,"b",\n"c"')
@example(data=b'a,"b')
def test_many_end_where_the_last_whole_one_does(body, data):
    """Nothing of the one that fails is taken, as it is by `*+` of Python 3.11.2."""
    assert end_of(re.compile(kept(body)), data, 0) == taken(body, data)


@pytest.mark.parametrize("odd", [rb"\\[\s\S]", rb"\\[^\n]", rb"\\\\", rb"(?:\\a|\\n)"])
@given(data=st.text('\\\\an"\n', max_size=12).map(str.encode))
def test_odd_characters_are_between_plain_ones(odd, data):
    """Whatever of the two comes next is taken, up to what is neither."""
    assert end_of(re.compile(woven(rb'[^"\\]', odd)), data, 0) == taken(rb'[^"\\]|' + odd, data)


def test_nothing_is_given_back():
    """What follows has to do with what is left, and is not tried at each place: long text fails at once."""
    data = b'"a",' * 50_000
    assert re.match(kept(rb'(?:"[^"]*+"|,)') + rb"a", data) is None
    assert re.match(woven(rb"[^,]", rb",") + rb'"', data) is None


def test_no_match_ends_where_it_begins():
    assert end_of(re.compile(b"b+"), b"abb", 0) == 0
    assert end_of(re.compile(b"b+"), b"abb", 1) == 3
