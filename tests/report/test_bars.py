"""Counts as bars: what does not fit a screen is put together, and its sum stays the same."""

from migrate.report import bars


def drawn(lines):
    """The bars as name, count and width; their title apart; holes are left out."""
    title, *rest = [line.text for line in lines if "without events" not in line.text]
    return title, [(name, int(count.replace(",", "")), len(bar)) for name, count, bar in map(_cut, rest)]


def _cut(text):
    name, count, bar = text.strip().rsplit(maxsplit=2)
    return name, count, bar


def test_days_are_put_together_as_far_as_needed():
    """Thirty days stand alone, thirty-one are a month, and months that are too many are years."""
    days = {f"2024-{month:02}-{day:02}": month for month in range(1, 4) for day in range(1, 11)}
    assert drawn(bars.by_day(days))[1][::10] == [
        ("2024-01-01", 1, 10),
        ("2024-02-01", 2, 20),
        ("2024-03-01", 3, 30),
    ]
    days["2024-04-01"] = 1_000
    assert drawn(bars.by_day(days))[1] == [
        ("2024-01", 10, 1),
        ("2024-02", 20, 1),
        ("2024-03", 30, 1),
        ("2024-04", 1_000, 30),
    ]
    years = {f"{year}-{month:02}-01": year for year in (2021, 2022, 2023) for month in range(1, 12)}
    assert drawn(bars.by_day(years)) == (
        "events by year",
        [("2021", 2_021 * 11, 30), ("2022", 2_022 * 11, 30), ("2023", 2_023 * 11, 30)],
    )


def test_the_rest_of_the_names_is_one_bar():
    """Fifteen are shown, most first, long ones cut; of as many, in the order of their names."""
    counts = {f"e{n:02}": n for n in range(1, 18)} | {"x" * 70: 100, "also": 100}
    title, shown = drawn(bars.by_name(counts))
    assert title == "events by event"
    assert [name for name, _, _ in shown[:3]] == ["also", "x" * 60, "e17"]
    assert shown[-1] == ("(4 more)", 1 + 2 + 3 + 4, 3)
    assert sum(count for _, count, _ in shown) == sum(counts.values())


def test_of_nothing_there_are_no_bars():
    """Not even a title."""
    assert list(bars.by_day({})) == []


def test_holes_are_said_where_they_are():
    """In the unit of the bars, whatever lies between them; no word where nothing is missing."""
    days = {"2024-02-27": 1, "2024-02-28": 1, "2024-03-01": 1, "2024-12-31": 1, "2025-01-01": 1}
    assert [line.text.split()[:3] for line in bars.by_day(days)][1:] == [
        ["2024-02-27", "1", "█" * 30],
        ["2024-02-28", "1", "█" * 30],
        ["…", "1", "day"],
        ["2024-03-01", "1", "█" * 30],
        ["…", "304", "days"],
        ["2024-12-31", "1", "█" * 30],
        ["2025-01-01", "1", "█" * 30],
    ]
    months = {
        f"{year}-{month:02}-{day:02}": 1 for year in (2023, 2024) for month in (1, 12) for day in range(1, 12)
    }
    assert [line.text.strip() for line in bars.by_day(months) if "without" in line.text] == [
        "… 10 months without events"
    ] * 2
    years = {f"{year}-{month:02}-01": 1 for year in (1999, 2003, 2004) for month in range(1, 12)}
    assert [line.text.strip() for line in bars.by_day(years) if "without" in line.text] == [
        "… 3 years without events"
    ]
