"""What is found in the rows of a part comes out as columns, each value in its row."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, VALUES, same, value_of

from migrate.jsontext.parse import Raw
from migrate.kit.declare import ROW
from migrate.readers.records import Part
from migrate.readers.sheet import Sheet


@COMPARED
@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), min_size=1, max_size=6))
def test_a_value_stands_in_the_row_where_it_was_found(rows):
    """Null in all others; what was found nowhere is no column."""
    sheet = Sheet(len(rows))
    for place, row in enumerate(rows):
        for name, value in row.items():
            sheet.note(name, place, Raw(json.dumps(value).encode()))
    columns = {column.name: column.to_list() for column in sheet.found()}
    assert columns.keys() == {name for row in rows for name in row}
    for name, cells in columns.items():
        values = [row.get(name) for row in rows]
        assert all(same(value_of(cell, one), one) for cell, one in zip(cells, values, strict=True))


def test_a_column_that_is_asked_for_and_never_found_holds_nothing():
    """And one that came as a whole is what it is."""
    sheet = Sheet(2)
    sheet.columns |= {"never": None, "whole": pl.Series(["x", "y"])}
    assert {column.name: column.to_list() for column in sheet.found()} == {
        "never": [None, None],
        "whole": ["x", "y"],
    }


def test_a_row_is_one_reject_whatever_is_wrong_with_it():
    """The first cell that holds no object is told; the other rows are kept."""
    sheet, part = Sheet(3), Part(pl.DataFrame({ROW: [7, 8, 9]}))
    for place, number, value in ((1, 8, "a: x"), (1, 8, "b: y"), (2, 9, "a: z")):
        sheet.reject(place, number, value, part)
    assert [one[:3] for one in part.rejects] == [(8, "bad_json", "a: x"), (9, "bad_json", "a: z")]
    assert sheet.kept == [True, False, False]


def test_only_the_cells_that_are_mended_become_another_text():
    """Or nothing; a column of which none is mended is not among them."""
    sheet = Sheet(3)
    sheet.mend("a", 2, "{}")
    sheet.mend("a", 0, None)
    rows = pl.DataFrame({"a": ["x", "y", "z"], "b": ["x", "y", "z"]})
    assert [(column.name, column.to_list()) for column in sheet.mended(rows)] == [("a", [None, "y", "{}"])]


def test_what_is_laid_as_it_stands_comes_before_what_is_put_together():
    """Row by row."""
    sheet = Sheet(3)
    sheet.laid = [b'{"a":1}', b'{"b":2}', None]
    assert sheet.laid_column().to_list() == ['{"a":1}', '{"b":2}', None]
    sheet.as_written = pl.Series([None, '{ "c": 3 }', None], dtype=pl.String)
    assert sheet.laid_column().to_list() == ['{"a":1}', '{ "c": 3 }', None]
