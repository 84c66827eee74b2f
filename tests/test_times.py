"""Times are written as PostHog reads them."""

from datetime import UTC, datetime

import polars as pl
import pytest

from migrate import times


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(datetime(2024, 2, 29, 23, 59, 59, 123456, UTC), "2024-02-29T23:59:59.123456", id="any"),
        pytest.param(datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00.000000", id="midnight"),
        pytest.param(
            datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), "1969-12-31T23:59:59.999999", id="before 1970"
        ),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000", id="first"),
        pytest.param(
            datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), "9999-12-31T23:59:59.999999", id="last"
        ),
        pytest.param(None, None, id="none"),
    ],
)
def test_times_are_written_to_the_microsecond(moment, text):
    """All digits, whatever the year; with and without a zone."""
    frame = pl.DataFrame({"at": [moment]}, schema={"at": pl.Datetime("us", "UTC")})
    assert frame.select(times.written(pl.col("at"))).item() == (text and f"{text}Z")
    naive = pl.col("at").dt.replace_time_zone(None)
    assert frame.select(times.written(naive, zone="")).item() == text


def test_no_times_are_no_texts():
    """A frame without rows is one without rows."""
    frame = pl.DataFrame(schema={"at": pl.Datetime("us", "UTC")})
    assert frame.select(times.written(pl.col("at"))).schema == {"at": pl.String}


def test_times_of_years_of_other_lengths_are_whole():
    """Parquet has times of the year 12345, and some before our era, beside others."""
    naive = pl.Series([0, 327_403_382_400_000_000, -62_198_755_200_000_000]).cast(pl.Datetime("us"))
    texts = pl.DataFrame({"at": naive}).select(times.written(pl.col("at"), zone="")).to_series().to_list()
    assert texts == [
        "1970-01-01T00:00:00.000000",
        "+12345-01-01T00:00:00.000000",
        "-0001-01-01T00:00:00.000000",
    ]
