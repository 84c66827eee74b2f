"""Words that programs write where there is no id are told from ids that only look like them."""

import polars as pl
import pytest

from migrate.kit.nulls import means_nothing


@pytest.mark.parametrize(
    ("text", "is_nothing"),
    [
        *(
            (word, True)
            for word in ("null", " NULL\t", '"none"', "'nan'", "(null)", "N/A", r"\N", "[]", "{}", "<nil>")
        ),
        *((word, True) for word in ("00000000-0000-0000-0000-000000000000", "0" * 32, "--", "\u2014", "   ")),
        *((word, False) for word in ("nullable", "none@example.com", "0", "00000000", "a-b", "", "nan1")),
        (None, None),
    ],
)
def test_a_word_for_nothing_is_no_id(text, is_nothing):
    """In any case, in quotes or blanks; no text at all is no word, and null stays null."""
    frame = pl.DataFrame({"id": [text]}, {"id": pl.String})
    assert frame.select(means_nothing(pl.col("id"))).item() is is_nothing
