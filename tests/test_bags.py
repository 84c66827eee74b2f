"""Values read by type, and objects whose keys are renamed."""

import pytest

from migrate import bags

WRITTEN = [
    pytest.param('[{"key":"a","value":{"int_value":"1"}}]', id="bq extract"),
    pytest.param("[{'key': 'a', 'value': {'int_value': 1, 'string_value': None}}]", id="Python"),
    pytest.param('{"list":[{"element":{"key":"a","value":{"int_value":1}}}]}', id="wrapped by Parquet"),
    pytest.param('{"a":1}', id="plain object"),
]


@pytest.mark.parametrize("text", WRITTEN)
def test_pairs_are_read_in_any_spelling(text):
    """A list of keys and values is one, whoever wrote it."""
    (pair,) = bags.pairs(text)
    assert (pair.key, int(pair.value.int_value)) == ("a", 1)


def test_what_is_no_list_of_pairs_says_so():
    """Text that holds no pairs raises one of the failures that are named."""
    for text in ("[1]", "nonsense", '"a"', "[", "3"):
        with pytest.raises(bags.FAILURES):
            bags.pairs(text)


def test_sorted_text_keeps_cut_emoji():
    """Keys come in order, nothing of no keys, and half an emoji stays escaped."""
    assert bags.sorted_text({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert bags.sorted_text({}) is None
    assert bags.sorted_text({"a": "\ud83d"}) == '{"a":"\\ud83d"}'


def test_bare_names():
    """A name loses its `_` and its capitals, but never takes another's place; values keep their spelling."""
    assert bags.bare_names('{"_a": 1.50, "B":"x"}') == '{"a":1.50,"B":"x"}'
    assert bags.bare_names('{"_a":1,"a":2}') == '{"_a":1,"a":2}'
