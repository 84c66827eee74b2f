"""Nested values of Google Analytics 4, in any spelling."""

import pytest

from mappings._ga4_nested import parameters
from migrate.kit.cells import FAILURES

WRITTEN = [
    pytest.param('[{"key":"a","value":{"int_value":"1"}}]', id="bq extract"),
    pytest.param("[{'key': 'a', 'value': {'int_value': 1, 'string_value': None}}]", id="Python"),
    pytest.param('{"list":[{"element":{"key":"a","value":{"int_value":1}}}]}', id="wrapped by Parquet"),
    pytest.param('{"a":1}', id="plain object"),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_pairs_are_read_in_any_spelling(text):
    """A list of keys and values is one, whoever wrote it."""
    assert parameters(text) == '{"a":1}'


def test_what_is_no_list_of_pairs_says_so():
    """Text that holds no pairs raises one of the failures that are named."""
    for text in ("[1]", "nonsense", '"a"', "[", "3"):
        with pytest.raises(FAILURES):
            parameters(text)
