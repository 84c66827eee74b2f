"""Which names are gone: however few stragglers there are, and whatever only fades, rests or grows."""

from datetime import date, timedelta

import pytest

from migrate.page.times import Bins
from migrate.page.vanished import Gone, Seen

FIRST, LAST = date(2022, 1, 1), date(2023, 12, 31)
BINS = Bins.of(FIRST.isoformat(), LAST.isoformat())


def told(events, last=LAST):
    """Whether a name is gone of which there are so many events on a day, and whether it has come."""
    seen, counts, first = Seen(BINS), [0] * BINS.count, ""
    for number in range((last - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        text = day.isoformat()
        place, count = BINS.place(text), events(day)
        counts[place] += count
        first = first or text * bool(count)
        seen.add(text, place, ["other", "e"] if count else ["other"])
    return seen.gone("e", first, counts), seen.has_come("e", first)


def until(last, usual=100, **later):
    """So many a day until a day, and on these days (`d0720`) so many."""

    def events(day):
        return usual if day.isoformat() <= last else later.get(f"d{day:%m%d}", 0) * (day.year == LAST.year)

    return events


def half_as_many(day):
    """It fades away, by half each month."""
    return 20_000 >> (12 * (day.year - 2022) + day.month)


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        pytest.param(until("2023-03-14"), ("2023-03-14", 0), id="none"),
        pytest.param(until("2023-03-14", d1120=1), ("2023-03-14", 1), id="one"),
        pytest.param(
            until("2023-03-14", d0316=2, d0720=1, d1231=1), ("2023-03-16", 2), id="in its month, too"
        ),
        pytest.param(until("2023-03-14", d0401=1, d1231=1), ("2023-03-14", 2), id="at both ends"),
        pytest.param(until("2023-11-30", d1224=1), ("2023-11-30", 1), id="of late"),
        pytest.param(until("2023-12-20"), None, id="not long ago"),
        pytest.param(until("2023-03-14", 1, d1120=1), ("2023-03-14", 1), id="one, of a rare name"),
        pytest.param(until("2023-03-14", 1, d0501=1, d0701=1, d0901=1, d1225=1), None, id="too many"),
        pytest.param(until("2023-03-14", d0720=50, d1120=1), ("2023-03-14", 51), id="a day of some"),
        pytest.param(lambda day: 100 if day.month == 12 else int(day.day == 9), None, id="each Christmas"),
        pytest.param(lambda day: 100 if day.month < 4 else int(day.day == 9), None, id="each winter"),
        pytest.param(lambda day: int(day.day == 1), None, id="once a month"),
        pytest.param(
            lambda day: 1 + 10_000 * (day.month == 1 and day.year == 2022), None, id="after a burst"
        ),
        pytest.param(half_as_many, ("2023-02-28", 0), id="faded"),
        pytest.param(lambda day: 1 + half_as_many(day), None, id="fades"),
    ],
)
def test_stragglers_break_no_silence(events, gone):
    """Next to nothing beside what was usual, on rare days, is nothing; all else is there."""
    assert told(events) == (gone and Gone(*gone), False)


def test_what_has_come_is_told():
    """A name that is steady from a day on, which is not the first one."""
    assert told(lambda day: int(day.isoformat() > "2023-03-14")) == (None, True)
    assert told(lambda day: int(day.isoformat() > "2022-01-09")) == (None, False)
