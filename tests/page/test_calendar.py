"""Each day has its cell in the calendar of its year."""

from datetime import date, timedelta

from migrate.page.calendar import LEVELS, calendar, path
from migrate.page.days import Day, Days, Differing


def test_cells_stand_in_columns_of_weeks():
    """Monday on top; the first column ends with the first Sunday."""
    assert (
        path(["2024-01-01", "2024-01-07", "2024-01-08"]) == "M0 0h0M0 6h0M1 0h0"
    )  # 2024 begins with a Monday
    assert path(["2023-01-01", "2023-01-02", "2023-12-31"]) == "M0 6h0M1 0h0M52 6h0"  # and 2023 with a Sunday


def test_levels_share_the_days():
    """Every day with events is in one; holes, and days that differ, have marks of their own."""
    start = date(2023, 11, 1)
    counts = {(start + timedelta(n)).isoformat(): 1 + n * 10 for n in range(100)}
    days = Days(
        all={day: Day(planned=count) for day, count in counts.items()} | {"2031-01-01": Day(planned=1)},
        holes=["2023-10-31"],
        strays=["2031-01-01"],
        differing=[Differing("2024-01-01", "why")],
    )
    found = calendar(days)
    assert [(one.year, one.days, one.missing, one.events) for one in found.years] == [
        (2023, 61, 1, sum(n for day, n in counts.items() if day < "2024")),
        (2024, 39, 0, sum(n for day, n in counts.items() if day > "2024")),
    ]
    assert [sum(drawn.count("M") for _, drawn in one.levels) for one in found.years] == [61, 39]
    assert found.bounds[0][0] == 1
    assert found.bounds[-1][1] == max(counts.values())
    assert all(
        before[1] + 1 == after[0] for before, after in zip(found.bounds, found.bounds[1:], strict=False)
    )
    assert (found.years[0].holes.count("M"), found.years[1].differing) == (1, "M0 0h0")
    assert found.years[0].levels[0][0] == 1
    few = calendar(days, most=1)
    assert ([one.year for one in few.years], few.left_out) == ([2024], 1)


def test_days_alike_are_of_the_highest_level():
    """There is nothing to tell apart."""
    found = calendar(Days(all={"2024-01-01": Day(planned=3), "2024-01-02": Day(planned=3)}))
    assert [level for level, _ in found.years[0].levels] == [LEVELS]
    assert calendar(Days()).years == []
