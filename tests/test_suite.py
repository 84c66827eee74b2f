"""The tests themselves: none is red for a busy machine."""

import ast
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent


def test_no_example_has_a_deadline():
    """Hypothesis would take 200 ms for one, which a machine with other work to do does not keep."""
    assert settings().deadline is None


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix()
)
def test_no_test_sets_a_deadline_of_its_own(path):
    """It is said once, in tests/conftest.py."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    found = [
        node.lineno
        for node in calls
        if ast.unparse(node.func).rpartition(".")[2] == "settings"
        and any(one.arg == "deadline" for one in node.keywords)
    ]
    assert found == []
