"""Months have what their days have, and the table of days has each of them."""

from migrate.page.days import Day, Days
from migrate.page.months import months, table

DAYS = Days(
    all={
        "2024-02-28": Day(5, 4, 3, 1, 0, 3),
        "2024-03-01": Day(7, 6),
        "2031-01-01": Day(1, 1),
    },
    first="2024-02-28",
    last="2024-03-01",
    holes=["2024-02-29"],
    strays=["2031-01-01"],
    knows_source=True,
    knows_there=True,
)


def test_a_month_is_the_sum_of_its_days():
    """What is not known, or not asked, is no zero."""
    found = months(DAYS)
    assert [tuple(one) for one in found.all] == [
        ("2024-02", 5, 4, 3, 1, 0, 3),
        ("2024-03", 7, 6, 0, 0, 0, None),
    ]
    assert found.most == 7
    assert {one.kind: one.path for one in found.series} == {
        "source": "M0.5 60v-43M5.5 60v-60",
        "planned": "M1.5 60v-34M6.5 60v-51",
        "accepted": "M2.5 60v-26",
        "there": "M3.5 60v-26",
    }
    assert months(Days()).all == []


def test_every_day_has_its_cell():
    """Holes have their own, and days that a month has not have none."""
    february, march = table(DAYS, [2024])
    assert (february.month, february.counts[27:]) == ("2024-02", [4, None, -1, -1])
    assert (march.month, march.counts[:2]) == ("2024-03", [6, 0])


def test_the_last_month_of_the_calendar_is_a_month():
    """There is no day after it."""
    (row,) = table(Days({"9999-12-31": Day(planned=3)}), [9999])
    assert (len(row.counts), row.counts[-1]) == (31, 3)
