"""What is wrong with a declaration."""

import pytest

from migrate.kit import mistakes


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (("a", "b"), []),
        ([], []),
        ("ab", ["ids: expected a tuple of names, found the text 'ab'; write ('ab',)"]),
        ((1,), ["ids: expected a tuple of names, found (1,); write the names as texts"]),
        (None, ["ids: expected a tuple of names, found None; write the names as texts"]),
    ],
    ids=repr,
)
def test_names_are_a_collection_of_texts(found, said):
    """A text alone would be taken for its letters."""
    assert list(mistakes.of_names("ids", found)) == said


def test_a_function_is_called():
    """What recognises a file is said with an example."""
    assert list(mistakes.of_function("matches", bool)) == []
    said = [*mistakes.of_function("matches", 3), *mistakes.of_function("to_events", "x")]
    assert said == [
        "matches: expected a function, found 3; give one as has('id', 'at')",
        "to_events: expected a function, found 'x'; give one",
    ]


@pytest.mark.parametrize("found", [("a",), {1: "a"}], ids=repr)
def test_a_mapping_is_by_name(found):
    """What goes by other keys would never be looked up."""
    assert list(mistakes.of_mapping("rename", found)) == [
        f"rename: expected a dict by name, found {found!r}; write {{name: …}}"
    ]
    assert list(mistakes.of_mapping("rename", {"a": found})) == []


def test_a_name_that_is_no_column_is_said_with_those_that_are():
    """One sentence for each; without any column there is none to name."""
    assert [
        one.partition(";")[0] for one in mistakes.of_columns("times", ["wat", "at", "wen"], ["at", "id"])
    ] == [
        "times: no column 'wat', known are at, id",
        "times: no column 'wen', known are at, id",
    ]
    (alone,) = mistakes.of_columns("times", ["at"], [])
    assert "known are none" in alone


def test_what_is_computed_is_of_columns_that_are_there():
    """Of those read, and of those computed before; no name stands for two columns."""
    computed = {"a": ["x"], "b": ["a", "c", "wat"], "c": ["x"], "x": [], "d": ["bag.key"]}
    assert [one.partition(";")[0] for one in mistakes.of_computed(computed, ["x"], ("bag.",))] == [
        "computed['b']: no column 'c', known are x, a",
        "computed['b']: no column 'wat', known are x, a",
        "computed['x']: a column of that name is read",
    ]
