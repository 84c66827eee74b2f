"""What speaks against a column of times, and what is to be taken instead."""

import pytest

from migrate.inspection.halves import doubt_of


@pytest.mark.parametrize(
    ("days", "hours", "formats", "made"),
    [
        (["2024-01-01", None], ["10:00", "11:00"], ["iso"], ["iso"]),
        (["2024-01-01"], ["9:05:00"], ["iso"], []),
        (["25.03.2024"], ["9:05"], ["%d.%m.%Y"], ["%d.%m.%Y %H:%M"]),
        (["03/25/2024"], ["9:05 PM"], ["%m/%d/%Y"], ["%m/%d/%Y %I:%M %p"]),
        (["05.03.2024"], ["09:05"], ["%d.%m.%Y"], ["%d.%m.%Y %H:%M", "%m.%d.%Y %H:%M"]),
    ],
)
def test_a_day_and_an_hour_are_a_time_together(days, hours, formats, made):
    """In SQL, and in the formats that both make; where they make none that is known the doubt alone is told."""
    found = doubt_of("day", formats, 0, {"day": days, 'the "hour"': hours})
    assert found.why == 'day says the day alone, and the "hour" the hour: as it is, all would be at midnight'
    if made:
        assert (found.sql, [*found.formats]) == ('"day" || \' \' || "the ""hour"""', made)
    else:
        assert found.sql == ""


@pytest.mark.parametrize(
    ("texts", "unread", "sql"),
    [
        (["2024-01-01 10:00:00,5"] * 2, 2, "REPLACE(\"at\", ',', '.')"),
        (["2024-13-01 10:00:00", "2024-01-01 10:00:00", "2024-14-01 10:00:00"], 2, ""),
    ],
)
def test_what_cannot_be_read_is_none(texts, unread, sql):
    """Where most values are so; a comma in the seconds can be mended."""
    assert doubt_of("at", ["iso"], unread, {"at": texts}).sql == sql


def test_nothing_speaks_against_a_whole_time():
    """Nor against a day where nothing says the hour, nor where a few values are odd."""
    assert doubt_of("at", ["iso"], 0, {"at": ["2024-01-01 10:00"], "hour": ["10:00"]}) is None
    assert doubt_of("at", ["iso"], 1, {"at": ["2024-01-01", "x"], "n": ["10"]}) is None
    assert doubt_of("at", ["unix_s"], 0, {"at": ["1709645400"], "hour": ["10:00"]}) is None
