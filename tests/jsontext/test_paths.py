"""Paths into JSON: what stands there, in its own text."""

import polars as pl
import pytest

from migrate.jsontext.paths import at


def found(text, *steps):
    """What stands behind these steps of one text, the same beside others."""
    alone = at(pl.Series("x", [text], dtype=pl.String), steps)
    among = at(pl.Series("x", ["{", text, None, "[]", '{"a":1}'], dtype=pl.String), steps)
    assert alone[0] == among[1]
    return alone[0]


@pytest.mark.parametrize(
    ("text", "steps", "value"),
    [
        ('{"id":"u-1"}', ["id"], "u-1"),
        ('{"x":{"id":1},"id":2}', ["id"], "2"),
        ('{"id":9007199254740993.10}', ["id"], "9007199254740993.10"),
        ('{"a":{"b":[{"c":true}]}}', ["a", "b", 0, "c"], "true"),
        ('[{"sku":"A"},{"sku":"B"}]', [1, "sku"], "B"),
        ("[1,2]", [2], None),
        ('{"a":"\\u00fc\\"\\n"}', ["a"], 'ü"\n'),
        ('{"a":{"b":[1, {}]}}', ["a"], '{"b":[1, {}]}'),
        ('{"a":null}', ["a"], None),
        ('{"a":null}', ["a", "b"], None),
        ('{"a":1}', ["a", "b"], None),
        ('{"a":{}}', ["a", 0], None),
        ('{"a":[{"b":1},2]}', ["a", 0, "b"], "1"),
        ('{"a":"{\\"b\\":[7]}"}', ["a", "b", 0], "7"),
        (' {"a":1}', ["a"], "1"),
        ('{"a":1,"a":2}', ["a"], "2"),
        ('{"q\\"":1}', ['q"'], "1"),
        ("plain", ["a"], None),
        ("", ["a"], None),
        ('{"a":', ["a"], None),
        ('{"a":{"b":"\\ud83e"}}', ["a", "b"], "\ufffd"),
        ("[" * 5_000, [0], None),
    ],
)
def test_what_stands_behind_steps_is_found(text, steps, value):
    """Text unescaped, numbers in their digits, objects as JSON; null for what is not there."""
    assert found(text, *steps) == value
