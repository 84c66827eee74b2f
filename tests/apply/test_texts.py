"""The bytes of a text are found wherever Arrow keeps them."""

import polars as pl
import pytest

from migrate.apply.texts import text_of


@pytest.mark.parametrize("text", ["", "twelve bytes", "thirteen byte", "é" * 5_000])
def test_its_bytes(text):
    """In its view, or beside it; first in its column, or a slice of one."""
    for series in (pl.Series([text]), pl.Series(["before", text])[1:], pl.Series(["no text " * 9, text])[1:]):
        assert text_of(series) == text.encode()
