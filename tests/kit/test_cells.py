"""JSON in a cell, read value by value."""

import polars as pl
import pytest

from migrate.kit import cells
from migrate.kit.cells import Json, Shape, reader


class Pair(Shape):
    """A key and a number."""

    key: str
    value: int | None = None


def test_a_shape_is_read_by_type():
    """Keys it does not declare are passed over; what is of another shape raises one of the failures."""
    read = reader(list[Pair])
    assert read('[{"key":"a","value":1,"more":{}},{"key":"b"}]') == [Pair("a", 1), Pair("b")]
    for text in ('[{"value":1}]', '[{"key":1}]', "{}", "[", "\ud83d"):
        with pytest.raises(cells.FAILURES):
            read(text)


def test_a_value_of_python_becomes_a_shape():
    """Numbers in text count as numbers."""
    assert cells.converted({"key": "a", "value": "7"}, Pair) == Pair("a", 7)
    with pytest.raises(cells.FAILURES):
        cells.converted({"key": "a", "value": "seven"}, Pair)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            '{"b":1.50,"a":"x"}', {"b": Json(b"1.50"), "a": Json(b'"x"')}, id="in-their-own-spelling"
        ),
        pytest.param('{"a":"x\ty"}', {"a": Json(b'"x\\ty"')}, id="with-a-tab"),
        pytest.param('{"a":NaN}', {"a": Json(b"null")}, id="no-number"),
        pytest.param("[1]", None, id="a-list"),
        pytest.param("{", None, id="broken"),
        pytest.param("", None, id="blank"),
    ],
)
def test_members(text, found):
    """An object's members in their order, None of anything else."""
    assert cells.members(text) == found


def test_texts_of_objects():
    """Of nothing there is none; halves of surrogate pairs stay escaped, and keys come in order where that is wanted."""
    assert cells.object_text({}) is None
    assert cells.object_text({"b": Json(b"1.50"), "a": Json(b"{}")}) == '{"b":1.50,"a":{}}'
    assert cells.text_of({"b": [1, "é"], "a": "\ud83d"}) == '{"b":[1,"\\u00e9"],"a":"\\ud83d"}'
    assert cells.text_of({"b": "é"}) == '{"b":"é"}'
    assert cells.sorted_text({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert cells.sorted_text({}) is None
    assert cells.sorted_text({"a": "\ud83d"}) == '{"a":"\\ud83d"}'


def test_columns_in_one_text():
    """Each comes out under its name, null where the text lacks it."""
    columns = cells.Columns(["a", "b"])
    text = b"{%b%b}" % (columns.heads["b"], b'"x"')
    found = columns.struct(pl.Series("both", [text.decode(), None]))
    assert found.dtype == columns.dtype
    assert found.to_list() == [{"a": None, "b": "x"}, {"a": None, "b": None}]


@pytest.mark.parametrize("digits", ["9" * 5_000, "-1e400", "1" * 400 + ".5"])
def test_numbers_that_python_cannot_hold_are_their_own_text(digits):
    """Rather than nothing."""
    assert cells.value_of(f'{{"x":{digits},"y":1}}') == {"x": digits, "y": 1}
