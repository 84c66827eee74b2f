"""Rows are taken out of what a copying service or an API puts around them, and what is none is said."""

from collections import Counter

import pytest

from migrate.readers.cutter import Broken
from migrate.readers.wrapped import AIRBYTE, PAGE, Wrapper, wrapper


@pytest.mark.parametrize(
    ("columns", "is_json", "key"),
    [
        (["_airbyte_data", "_airbyte_ab_id"], False, "_airbyte_data"),
        (["_AIRBYTE_DATA", "_AIRBYTE_EMITTED_AT"], False, "_AIRBYTE_DATA"),
        (["_airbyte_data", "other"], True, None),
        (["next", "results"], True, "results"),
        (["next", "results"], False, None),
        (["results"], True, None),
        (["datapoints", "meta"], True, "datapoints"),
        (["datapoints", "next"], True, None),
    ],
)
def test_what_holds_rows_is_told_by_what_stands_beside_it(columns, is_json, key):
    """In the service's own case; a column of that name alone is a row's own."""
    assert wrapper(columns, is_json=is_json) == key


def test_a_row_is_an_object_or_its_text():
    """A record without the key is a row itself; rows keep the numbers of their records."""
    records = [
        b'{"_airbyte_data":{"a":1}}',
        b'{"_airbyte_data":"{\\"a\\":2}"}',
        b'{"a":3}',
        b'{"_airbyte_data":4}',
    ]
    before = Broken("malformed_json", b"x")
    found, numbers = Wrapper(AIRBYTE).opened([*records, before], [1, 2, 5, 6, 9], 0, Counter())
    assert found == [
        b'{"a":1}',
        b'{"a":2}',
        b'{"a":3}',
        Broken("bad_json", b"_airbyte_data: 4"),
        before,
    ]
    assert numbers == [1, 2, 5, 6, 9]


def test_rows_of_pages_are_numbered_through_the_file():
    """However many a page holds; what is no list is one that is broken."""
    pages = [b'{"next":"x","results":[{"a":1},{"a":2}]}', b'{"next":null,"results":7}', b'{"results":[]}']
    found, numbers = Wrapper(PAGE).opened(pages, [1, 2, 3], 4, Counter())
    assert found == [b'{"a":1}', b'{"a":2}', Broken("bad_json", b"results: 7")]
    assert numbers == [5, 6, 7]


@pytest.mark.parametrize(
    ("cell", "row"),
    [
        ('{"a": 1}', b'{"a": 1}'),
        ('"{}"', b"{}"),
        (None, Broken("bad_json", b"_airbyte_data: null")),
        ("", Broken("bad_json", b"_airbyte_data: null")),
        ("[1]", Broken("bad_json", b"_airbyte_data: [1]")),
    ],
)
def test_a_cell_holds_a_row_or_says_what_it_holds(cell, row):
    """Nothing is no row."""
    assert Wrapper(AIRBYTE).cell(cell) == row
