"""When an event happened: by its own word, corrected by the client's clock, and never in the far future."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from posting import NOW

from migrate.sandbox.moments import Clock, canonical, instant

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - given a zone below
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@COMPARED
@given(TIMES, ZONES)
def test_a_moment_is_read_in_every_zone_and_spelling(time, zone):
    """A blank for the T, slashes, an offset without its colon: the same moment, and one spelling of it in UTC."""
    moment = time.replace(tzinfo=zone)
    text = moment.isoformat()
    day, offset = text[:10], text[-6:]
    for spelled in (
        canonical(moment),
        text,
        text.replace("T", " "),
        text.replace(day, day.replace("-", "/")),
        text.removesuffix(offset) + offset.replace(":", ""),
        f" {text}\n",
    ):
        assert instant(spelled, NOW) == moment
    assert datetime.fromisoformat(canonical(moment)) == moment
    assert canonical(moment).endswith("Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-04-03", datetime(2024, 4, 3, 3, 4, 5, tzinfo=UTC)),
        ("2024-4-3 1:02", datetime(2024, 4, 3, 1, 2, tzinfo=UTC)),
        ("4/3/2024 01:02:03", datetime(2024, 4, 3, 1, 2, 3, tzinfo=UTC)),
        ("2024-04-03T01:02:03,1234567Z", datetime(2024, 4, 3, 1, 2, 3, 123_456, tzinfo=UTC)),
        ("Wed, 03 Apr 2024 01:02:03 GMT", datetime(2024, 4, 3, 1, 2, 3, tzinfo=UTC)),
        ("1712106123", datetime(2024, 4, 3, 1, 2, 3, tzinfo=UTC)),
        ("171210612", None),
        ("2024-13-03", None),
        ("2024-04-03T25:00:00Z", None),
        ("٢٠٢٤-04-03", None),
        ("someday", None),
        ("", None),
    ],
)
def test_dates_are_those_posthog_reads(text, moment):
    """Without a zone in UTC; a number of another length is no date, nor is what no calendar has."""
    assert instant(text, NOW) == moment


def when(timestamp, sent_at=None, *, offset=None, ignores_sent_at=False):
    """The moment of an event, on a server where it is now."""
    return Clock(NOW, sent_at).moment(timestamp, offset=offset, ignores_sent_at=ignores_sent_at)


@COMPARED
@given(
    st.timedeltas(timedelta(days=-9_000), timedelta(0)), st.timedeltas(timedelta(0), timedelta(days=9_000))
)
def test_a_client_whose_clock_is_wrong_is_set_right(wrong, ago):
    """An event is as old as it was when it was sent, whatever the client's clock said; unless that is ignored."""
    sent_at = NOW + wrong
    own = canonical(sent_at - ago)
    assert when(own, sent_at) == canonical(NOW - ago)
    assert when(own, sent_at, ignores_sent_at=True) == own == when(own)


@COMPARED
@given(st.integers(0, 10**11))
def test_an_offset_is_milliseconds_ago(offset):
    """It goes before the timestamp."""
    assert when("2024-04-03", offset=offset) == canonical(NOW - timedelta(milliseconds=offset))


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        pytest.param({"timestamp": None}, NOW, id="no timestamp"),
        pytest.param({"timestamp": "someday"}, NOW, id="no date"),
        pytest.param({"timestamp": "2024-02-30T00:00:00.000000Z"}, NOW, id="no day of the calendar"),
        pytest.param(
            {"timestamp": canonical(NOW + timedelta(hours=23))}, NOW + timedelta(hours=23), id="near future"
        ),
        pytest.param({"timestamp": canonical(NOW + timedelta(hours=23, seconds=1))}, NOW, id="far future"),
        pytest.param({"timestamp": "2024-04-03", "offset": 10**18}, NOW, id="offset before the calendar"),
        pytest.param({"timestamp": "0001-01-01T00:00:00+14:00"}, NOW, id="before the calendar"),
    ],
)
def test_what_cannot_be_is_now(given, moment):
    """Far in the future, or no date at all: the moment it came."""
    assert when(**given) == canonical(moment)
