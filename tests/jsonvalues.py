"""JSON values of all kinds, and when two of them are the same to PostHog."""

import json
import math
import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"/\b\t\n\x00\x1f'), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c", "gone", "\\", '"é']), VALUES, max_size=5)
COMPARED = settings(
    max_examples=100 if "EVERY" in os.environ else 20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def value_of(cell, original):
    """The value a cell stands for, given whether it was text."""
    return cell if isinstance(original, str) else cell and json.loads(cell)


def same(one, other):
    """Whether two JSON values are equal as PostHog reads them: numbers as doubles."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) in {int, float} and type(other) in {int, float}:
        return math.isclose(one, other, rel_tol=1e-15)
    return type(one) is type(other) and one == other
