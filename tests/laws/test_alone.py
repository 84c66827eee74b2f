"""What becomes of a row depends on that row alone."""

import pytest
from owned import changed, proof


@pytest.mark.parametrize(
    "said", ['pl.col("what").shift(1)', "pl.len().cast(pl.String)", 'pl.col("what").first()']
)
def test_a_look_beside_the_row_is_found(tmp_path, said):
    """Chunks are cut anywhere, so that it would be another row, or none."""
    broken = proof(
        tmp_path, changed(('{"acme_id": pl.col("id")}', f'{{"acme_id": pl.col("id"), "other": {said}}}'))
    )
    assert broken["alone"][0].place.startswith(f"{tmp_path}/a.jsonl:")
    assert broken["alone"][0].what.endswith("count and look at nothing beside the row, and at no clock")
