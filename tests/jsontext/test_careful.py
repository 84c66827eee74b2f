"""How deep objects stand in one another, whatever texts hold."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples

from migrate.jsontext.careful import MAX_DEPTH, nests_too_deep

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@settings(max_examples=examples(150))
@given(
    st.recursive(
        texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    st.integers(0, 3),
)
def test_too_deep(value, more):
    """So deep is a text as objects and lists stand in one another, whatever its strings hold."""

    def measured(inner):
        items = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if items is None else 1 + max(map(measured, items), default=0)

    around = max(0, MAX_DEPTH - measured(value)) + more - 1
    text = "[" * around + json.dumps([value, value]) + "]" * around
    assert nests_too_deep(text.encode()) == (around + 1 + measured(value) > MAX_DEPTH)
