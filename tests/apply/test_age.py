"""A day is sent once all of it is old enough."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrate.apply import age


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 10**6))  # noqa: DTZ001 - made UTC below
def test_a_day_goes_when_it_is_no_longer_held(moment, min_age):
    """From the moment a day may be sent it is before the first held day; a microsecond earlier it is held."""
    day = moment.date().isoformat()
    goes = age.goes(day, min_age)
    assert day < age.first_held(goes, min_age)
    assert day >= age.first_held(goes - timedelta(microseconds=1), min_age)


def test_no_age_holds_nothing():
    """Without an age that is asked for no day is held."""
    assert age.first_held(datetime(2024, 4, 3, tzinfo=UTC), 0) is None


def test_only_posthog_cloud_has_an_age_of_its_own():
    """Events for PostHog Cloud are to be two days old, those for other hosts of any age."""
    assert age.usual("https://us.i.posthog.com") == 48 * 3600
    assert age.usual("https://posthog.example.com") == 0
