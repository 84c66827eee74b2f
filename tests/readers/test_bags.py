"""A bag's known keys become columns, and its cells objects; a cell that holds none costs its row."""

import json
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS, same, value_of

from migrate.jsontext.careful import BadJSON
from migrate.jsontext.parse import encoded
from migrate.kit.declare import ROW, Bag
from migrate.readers.bags import BagOpener
from migrate.readers.records import Part
from migrate.readers.sheet import Sheet


def part(*cells):
    """Rows with these cells in the column `bag`."""
    return Part(
        pl.DataFrame({ROW: range(1, len(cells) + 1), "bag": cells}, {ROW: pl.Int64, "bag": pl.String})
    )


def members(bag, *cells):
    """The members of each cell, its text where it is to be another, the columns found, and what was repaired."""
    given = part(*cells)
    sheet, opener = Sheet(len(cells)), BagOpener("bag", bag, laid=True)
    found = [opener.members(cell, place, sheet, given) for place, cell in enumerate(cells)]
    texts = [encoded(one).decode() for one, _ in found]
    mended = [column.to_list() for column in sheet.mended(given.rows)]
    return texts, mended, {column.name: column.to_list() for column in sheet.found()}, given.counts


@COMPARED
@given(values=st.lists(st.none() | OBJECTS, min_size=1, max_size=6), indent=st.sampled_from([None, 1]))
def test_keys_are_read_the_same_from_all_cells_at_once_and_from_each(values, indent):
    """Text unescaped, all else in its own text; a key that an object has not is null."""
    texts = [None if value is None else json.dumps(value, indent=indent) for value in values]
    given = part(*texts)
    at_once, one_by_one = Sheet(len(texts)), Sheet(len(texts))
    bag = Bag(keys=["a", "b"])
    assert BagOpener("bag", bag, laid=False).by_field(given.rows["bag"], at_once)
    opener = BagOpener("bag", bag, laid=True)
    for place, text in enumerate(texts):
        if text is not None:
            opener.members(text, place, one_by_one, given)
    for sheet in (at_once, one_by_one):
        columns = {column.name: column.to_list() for column in sheet.found()}
        for key in "ab":
            wanted = [value.get(key) if value else None for value in values]
            cells = columns.get(f"bag.{key}", [None] * len(values))
            assert all(same(value_of(cell, one), one) for cell, one in zip(cells, wanted, strict=True))


@pytest.mark.parametrize(
    ("cell", "text", "then"),
    [
        pytest.param('"{\\"a\\": 1}"', '{"a":1}', '{"a": 1}', id="JSON inside of a text"),
        pytest.param(' {"a": 1}\n', '{"a":1}', ' {"a": 1}\n', id="spaces around"),
        pytest.param("[]", "{}", None, id="a list of nothing"),
        pytest.param(" null", "{}", None, id="null"),
        pytest.param('""', "{}", None, id="an empty text"),
    ],
)
def test_a_cell_that_stands_for_an_object_is_read_as_it(cell, text, then):
    """And its column has that object from then on, or nothing."""
    texts, mended, _, counts = members(Bag(), '"null"', '{"b": 2}', cell)
    assert texts == ["{}", '{"b":2}', text]
    assert mended == [[None, '{"b": 2}', then]]
    assert not counts


def test_a_value_that_is_none_costs_itself():
    """The rest of the object is kept, and it is counted."""
    texts, mended, columns, counts = members(Bag(keys=["a", "b"]), '{"a":NaN,"b":1.50}', '{"b":"x"}')
    assert texts == ['{"a":null,"b":1.50}', '{"b":"x"}']
    assert mended == [['{"a":null,"b":1.50}', '{"b":"x"}']]
    assert columns == {"bag.a": [None, None], "bag.b": ["1.50", "x"]}
    assert counts == {"non_finite_number": 1}


@pytest.mark.parametrize("cell", ["5", "[1]", '"text"', "true", "{", '"{"', '{"a":01}'])
@pytest.mark.parametrize("keys", [[], ["a"]])
def test_a_cell_that_holds_no_object_says_so(cell, keys):
    """With its column and its text, also where nothing is taken out of it."""
    for laid in (False, True):
        opener = BagOpener("bag", Bag(keys=keys), laid=laid)
        with pytest.raises(BadJSON) as told:
            opener.members(cell, 0, Sheet(1), part(cell))
        assert str(told.value) == f"bag: {cell}"


def pairs(text):
    """`a=1;b=2` as an object."""
    return json.dumps(dict(one.split("=") for one in text.split(";"))) if text != "none" else None


@pytest.mark.parametrize("times", [1, 50])
def test_a_text_that_is_read_costs_its_row_where_it_cannot_be(times):
    """Alike in each row, whether many of them are alike or not; `whole` is what was read."""
    given = part(*["a=1;b=x", None, "broken", "none", ""] * times)
    opener, sheet = BagOpener("bag", Bag(read=pairs, whole="all"), laid=True), Sheet(5 * times)
    objects = ['{"a": "1", "b": "x"}', None, None, None, ""]
    assert opener.cells(given.rows, sheet, given).to_list() == objects * times
    assert [column.to_list() for column in sheet.found()] == [objects * times]
    assert [one[:3] for one in given.rejects] == [
        (5 * place + 3, "bad_json", "bag: broken") for place in range(times)
    ]


def test_texts_that_are_alike_are_read_once():
    """Where the first rows show that a column holds few of them."""
    read = []

    def noted(text):
        read.append(text)
        return "{}"

    given = part(*["x", "y"] * 50)
    assert (
        BagOpener("bag", Bag(read=noted), laid=True).cells(given.rows, Sheet(100), given).to_list()
        == ["{}"] * 100
    )
    assert Counter(read) == {"x": 1, "y": 1}


def test_a_key_whose_new_name_is_taken_keeps_its_own():
    """So that neither of the two is lost."""
    bag = Bag(name=str.lower, keys=["a"])
    texts, _, columns, _ = members(bag, '{"A":1,"B":2}', '{"a":1,"A":2}')
    assert texts == ['{"a":1,"b":2}', '{"a":1,"A":2}']
    assert columns == {"bag.a": ["1", "1"]}


def test_cells_are_known_to_be_objects_where_they_were_read_or_found_so():
    """Not where their keys are still to be taken out, or are called otherwise."""
    known = part()
    known.sound = frozenset({"bag"})
    for bag, expected in ((Bag(), True), (Bag(name=str.lower), False), (Bag(keys=["a"]), False)):
        assert BagOpener("bag", bag, laid=True).is_sound(known) is expected
    assert not BagOpener("bag", Bag(), laid=True).is_sound(part())
    assert BagOpener("bag", Bag(read=pairs), laid=True).is_sound(part())
    opener, sheet = BagOpener("bag", Bag(keys=["a"]), laid=True), Sheet(1)
    assert not opener.by_field(pl.Series(['{"a":1}']), sheet)
    assert opener.is_sound(part())
