"""What becomes of objects of the same keys is the same, whether it is worked out once or for each."""

import json

from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, VALUES, same

from migrate.readers.shapes import Shapes

CLAIMED, GONE = "b", "c"


def parted(members):
    """What is left of members, `a` under another name and one gone, and what is claimed of them."""
    if not {"a", CLAIMED, GONE} & members.keys():
        return members, {}
    left = {
        {"a": "A"}.get(name, name): value for name, value in members.items() if name not in {CLAIMED, GONE}
    }
    return left, {name: value for name, value in members.items() if name == CLAIMED}


def often(shapes, text):
    """What becomes of an object once its keys were met often."""
    for _ in range(50):
        found = shapes.written(text)
    return found


@COMPARED
@given(
    members=st.dictionaries(
        st.sampled_from(["a", "b", "c", "d", "e f", "é"]),
        VALUES.filter(lambda one: one is not None),
        min_size=1,
    ),
)
def test_an_object_is_parted_as_its_members_are(members):
    """What is left of it and what is claimed, as text; where nothing is claimed nothing."""
    text = json.dumps(members)
    left, own = parted(members)
    found = often(Shapes(parted), text)
    assert found is not None
    for written, expected in zip(found, (left, own), strict=True):
        assert same(json.loads(written or b"{}"), expected)


def test_an_object_of_which_nothing_is_taken_stays_the_text_it_is():
    """With its blanks and spellings."""
    assert often(Shapes(parted), '{ "d": 1.50,"e":"\\u0041" }') == (b'{ "d": 1.50,"e":"\\u0041" }', None)


def test_an_object_with_a_null_or_keys_seldom_met_has_to_be_opened():
    """So has what is no sound object."""
    shapes = Shapes(parted)
    assert shapes.written('{"a":1}') is None
    assert often(shapes, '{"a":1}') == (b'{"A":1}', None)
    for text in ('{"a":null}', '{"a":1', "[1]", '{"a":1,"z":2}'):
        assert shapes.written(text) is None
