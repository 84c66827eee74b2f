"""The bytes of a text are found wherever Arrow keeps them."""

import polars as pl
import pytest

from migrate.apply.texts import text_of


@pytest.mark.parametrize("text", ["", "twelve bytes", "thirteen byte", "é" * 5_000])
def test_its_bytes(text):
    """In its view, or beside it."""
    assert text_of(pl.Series([text])) == text.encode()
