"""Months side by side, however many there are."""

from migrate.page.times import Bins, days, median


def test_ten_years_are_months_and_more_are_several():
    """Each has its place; what lies outside has none."""
    ten = Bins.of("2014-01-01", "2023-12-31")
    assert (ten.count, ten.months, ten.unit) == (120, 1, "month")
    assert (ten.place("2014-01"), ten.place("2023-12-31"), ten.place("2024-01")) == (0, 119, None)
    more = Bins.of("2004-01-01", "2023-12-31")
    assert (more.count, more.unit, more.labels[:2]) == (120, "2 months", ["2004-01", "2004-03"])
    assert more.years[1] == (6, "2005")
    assert Bins.of("2024-02-01", "2024-02-02").labels == ["2024-02"]


def test_counts_by_day_are_counts_by_bin_and_year():
    """What is in no bin is in none."""
    bins = Bins.of("2023-12", "2024-01")
    counts = bins.summed({"2023-12-30": 1, "2023-12-31": 2, "2024-01": 4, "2031-01-01": 8})
    assert counts == [3, 4]
    assert bins.yearly(counts) == [("2023", 3), ("2024", 4)]


def test_days_of_a_span():
    """Both ends are among them, to the last day there is."""
    assert [*days("2024-02-28", "2024-03-01")] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert [*days("9999-12-30", "9999-12-31")] == ["9999-12-30", "9999-12-31"]
    assert (median([3, 1, 2, 9]), median([])) == (2, 0)
