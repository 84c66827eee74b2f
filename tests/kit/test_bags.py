"""Objects whose keys are renamed."""

from migrate.kit import bags


def test_bare_names():
    """A name loses its `_` and its capitals, but never takes another's place; values keep their spelling."""
    assert bags.bare_names('{"_a": 1.50, "B":"x"}') == '{"a":1.50,"B":"x"}'
    assert bags.bare_names('{"_a":1,"a":2}') == '{"_a":1,"a":2}'
