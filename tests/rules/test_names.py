"""Names and patterns of names."""

import pytest

from migrate.rules.names import Names


@pytest.mark.parametrize(
    ("name", "is_meant"),
    [
        ("email", True),
        ("Email", False),
        ("email2", False),
        ("home_phone", True),
        ("phone", False),
        ("a.c", True),
        ("abc", False),
        ("q1", True),
        ("q12", False),
        ("a\nx_phone", True),
    ],
)
def test_a_pattern_stands_for_letters_and_all_else_for_itself(name, is_meant):
    """Asked once or twice."""
    names = Names(["email", "*_phone", "a.c", "q?"])
    assert (name in names, name in names) == (is_meant, is_meant)


def test_what_protects_ignores_case():
    """`Email` is `email` there."""
    assert "EMAIL" in Names(["email"], ignores_case=True)


def test_no_names_mean_nothing():
    """Not even the empty one."""
    assert not Names([])
    assert "" not in Names([])
