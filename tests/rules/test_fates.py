"""What becomes of a property for its name."""

import pytest

from migrate.rules.declared import PROTECTED, read
from migrate.rules.fates import Fates


def fates(**said):
    """The rules on names, ready."""
    return Fates(read({"hash_salt": "sixteen letters!"} | said, "f"))


@pytest.mark.parametrize(
    ("said", "is_deep", "is_any"),
    [
        ({}, False, False),
        ({"tags": {"a": 1}, "never_link": ["a"]}, False, False),
        ({"drop": ["a"]}, False, True),
        ({"rename": {"a": "b"}}, False, True),
        ({"keep_only": ["a"]}, False, True),
        ({"hash": ["a"]}, True, True),
        ({"shorten_ip": True}, True, True),
        ({"drop_anywhere": ["a"]}, True, True),
    ],
)
def test_whether_there_is_anything_to_do(said, is_deep, is_any):
    """At all, and inside of values."""
    found = fates(**said)
    assert (found.is_deep, found.is_any) == (is_deep, is_any)


def test_names_of_no_interest_are_passed_over():
    """Asked once or twice; an event's that hold others are not, nor is what an import must have."""
    found = fates(drop=["*e*"])
    bag = {"a": 1, "email": 2, "$set": 3, "$groups": 4, **dict.fromkeys(PROTECTED)}
    for _ in range(2):
        assert found.touched(bag, is_event=True) == ["email", "$set", "$groups"]
        assert set(found.touched(bag, is_event=False)) == {name for name in bag if "e" in name.lower()}
        assert found.touched({"a": 1}, is_event=True) == ()


def test_leaving_out_comes_first_and_what_is_only_not_kept_is_not_personal():
    """So that no warning is made of it."""
    found = fates(drop=["a"], hash=["a", "b"], keep_only=["c"], rename={"c": "d"})
    assert [(one.dropped, one.is_hashed, one.is_personal) for one in map(found.of, "abcx")] == [
        ("drop", True, True),
        ("keep_only", True, True),
        (None, False, False),
        ("keep_only", False, False),
    ]
    assert found.of("c").name == "d"
    assert found.inside("x").is_plain
