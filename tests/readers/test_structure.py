"""Where a JSON object ends is told by its structure alone, however much of it is there already."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS

from migrate.readers.structure import Structure, checked_line, one_line


@COMPARED
@given(
    value=OBJECTS, indent=st.sampled_from([None, 0, 2, "\t"]), behind=st.sampled_from(["", "{", "\n", "x"])
)
def test_an_object_ends_where_json_ends_it(value, indent, behind):
    """Followed piece by piece or at once, whatever stands behind it."""
    text = json.dumps(value, indent=indent).encode()
    at_once, piecemeal = Structure(0), Structure(0)
    assert at_once.follow(text + behind.encode()) is True
    assert all(piecemeal.follow(text[:end]) is None for end in range(1, len(text)))
    assert piecemeal.follow(text) is True
    assert at_once.at == piecemeal.at == len(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a" 1}', id="no colon"),
        pytest.param(b'{"a":[1}', id="another bracket"),
        pytest.param(b'{"a":"b\nc"}', id="a line break in a string"),
        pytest.param(b'{"a":' * 1_001, id="deeper than any parser goes"),
    ],
)
def test_what_can_no_longer_become_an_object(text):
    """It is known at once: no more text is waited for."""
    assert Structure(0).follow(text) is False


def test_text_that_was_let_go_shifts_all_places():
    """An object goes on where it was, though the text before it is gone."""
    structure = Structure(3)
    assert structure.follow(b'   {"a":[1') is None
    assert structure.starts == [3, 8]
    structure.shift(3)
    assert structure.starts == [0, 5]
    assert structure.follow(b'{"a":[1]}') is True
    assert structure.at == 9


def test_line_breaks_between_values_become_spaces():
    """Those inside of a string stay an error: a tab stands for them, which JSON does not take either."""
    assert one_line(b'{"a":\r\n1}') == checked_line(b'{"a":\r\n1}') == b'{"a":  1}'
    assert checked_line(b'{"a":"b\nc"}') == b'{"a":"b\tc"}'
