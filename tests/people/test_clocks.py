"""The zone of a source's times, told by rows that carry a UTC time as well."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from migrate.errors import UsageError
from migrate.kit import links, schemas
from migrate.people import clocks

PACIFIC = [("2024-01", 28_800, 40), ("2024-03", 25_200, 30), ("2024-03", 28_800, 12), ("2024-07", 25_200, 50)]
UTC_ROWS = [("2024-01", 0, 100), ("2024-01", 900, 3), ("2024-07", 0, 50)]


def test_times_in_utc_pass():
    """A few late rows say nothing."""
    assert clocks.check(UTC_ROWS, None) is None
    assert clocks.check([], None) is None


def test_a_zone_is_asked_for():
    """The message says what was found, when, and which zones fit, summer time and all."""
    with pytest.raises(UsageError, match="7 h behind UTC.*8 h behind UTC.*America/Los_Angeles") as told:
        clocks.check(PACIFIC, None)
    assert "America/Denver" not in str(told.value)
    assert "America/Phoenix" not in str(told.value)


def test_a_zone_that_was_given():
    """One that fits is taken in silence, another is warned of; UTC is an answer too."""
    assert clocks.check(PACIFIC, "America/Los_Angeles") is None
    assert "Europe/Berlin was given" in clocks.check(PACIFIC, "Europe/Berlin")
    assert "UTC was given" in clocks.check(PACIFIC, "UTC")
    assert clocks.check(UTC_ROWS, "UTC") is None
    ahead = [("2024-01", -7200, 10), ("2024-07", -7200, 10)]
    assert clocks.check(ahead, "+02:00") is None
    assert "-02:00 was given, but 20 of 20 rows say 2 h ahead of UTC" in clocks.check(ahead, "-02:00")


def test_a_month_without_a_majority_says_nothing():
    """Rows that came late are spread over all offsets."""
    assert clocks.months([("2024-01", n * 900, 1) for n in range(10)]) == {}
    assert clocks.months([("2024-02", 0, 6), ("2024-02", 900, 4)]) == {"2024-02": (0, 6)}


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("month", [1, 7])
def test_what_rows_show(zone, month):
    """A row that arrived within minutes shows the offset of its zone; a late one, or one without either, nothing."""
    true = datetime(2024, month, 5, 12, tzinfo=UTC)
    shown = true.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    rows = pl.LazyFrame(
        {
            "shown": [shown, shown, shown, None],
            "true": [true, *(true + timedelta(minutes=m) for m in (2, 11, 0))],
        }
    )
    frame = links.clock(rows, shown=pl.col("shown"), true=pl.col("true")).collect()
    behind = int((true - shown).total_seconds())
    assert frame.rows() == [(f"2024-{shown.month:02d}", behind, 2)]
    assert frame.schema == schemas.CLOCK_SCHEMA
