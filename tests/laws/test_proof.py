"""All laws, on mappings that are built in and on one that breaks each: the same ones that `migrate test` tries."""

import pytest
from owned import changed, proof
from samples import SAMPLES, settings

from migrate.laws.proof import LAWS, judged
from migrate.laws.sample import Sample

NONE = {name: [] for name in LAWS}
"""No law is broken."""


@pytest.mark.law
@pytest.mark.parametrize("name", ["posthog", "table"])
def test_what_is_built_in_breaks_none(name):
    """Nor is anything found that is not there."""
    sample = Sample.of(settings(name), [str(SAMPLES / name)])
    assert {one.name: one.broken for one in judged(sample, str)} == NONE


def test_a_sound_mapping_breaks_none(tmp_path):
    """Of a user's own."""
    assert proof(tmp_path) == NONE


def test_what_a_mapping_raises_breaks_the_law_that_asked(tmp_path):
    """With the line in its file, and no traceback."""
    text = changed(('each row is."""\n', 'each row is."""\n    if rows.collect().height:\n        {}["x"]\n'))
    found = proof(tmp_path, text)
    assert found["contract"] == []
    (broken,) = found["columns"]
    assert (broken.place, broken.what) == (f"{tmp_path}/acme.py:12", "KeyError: 'x'; mend it there")
