"""What stands inside of objects, as columns."""

from migrate.inspection.columns import columns_of
from migrate.inspection.nested import nested
from migrate.inspection.values import Value


def test_keys_are_columns_called_by_their_paths():
    """With types and roles, by their own name or with that of the object; what is no object has nothing inside."""
    bags = ['{"id": "u1", "age": 30, "tags": ["x"], "a.b": 1}', '{"id": "u2"}', "{broken"]
    rows = [{"user": Value("object", bag), "n": Value("number", "1")} for bag in bags]
    within, wider = nested(columns_of((), rows), rows)
    assert [(one.name, one.type, one.values, [role.what for role in one.roles]) for one in within] == [
        ("user.id", "text", 2, ["person"]),
        ("user.age", "whole number", 1, []),
    ]
    assert wider[0]["user.age"] == Value("number", "30")
    assert "user.age" not in rows[0]
