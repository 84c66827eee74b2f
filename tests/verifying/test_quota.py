"""What all is missing of from some moment on is the sign of a quota that is used up; what is there after it is none."""

from datetime import UTC, datetime

import pytest
from imported import DAYS, gone, of

from migrate.verifying.ledger import Sent
from migrate.verifying.quota import tails

FIRST, SECOND = (
    Sent(datetime(2026, 1, day, tzinfo=UTC), datetime(2026, 1, day, 6, tzinfo=UTC)) for day in (1, 2)
)
A, B, C, D = "2024-04-03", "2024-04-04", "2024-04-05", "2024-04-06"


@pytest.mark.parametrize(
    ("missing", "sent", "whole", "edges"),
    [
        pytest.param({}, [FIRST] * 4, {}, {}, id="nothing"),
        pytest.param({C: 10, D: 10}, [FIRST] * 4, {C: C, D: C}, {}, id="days"),
        pytest.param({B: 3, C: 10, D: 10}, [FIRST] * 4, {C: C, D: C}, {B: C}, id="and the hours before"),
        pytest.param({C: 10}, [FIRST] * 4, {}, {}, id="a day in between"),
        pytest.param({D: 4}, [FIRST] * 4, {}, {D: ""}, id="hours alone"),
        pytest.param({B: 10, C: 3}, [FIRST, FIRST, SECOND, SECOND], {B: B}, {}, id="the end of a date's"),
        pytest.param(
            {B: 2, C: 10, D: 10},
            [FIRST, FIRST, SECOND, SECOND],
            {C: C, D: C},
            {B: C},
            id="over midnight",
        ),
    ],
)
def test_days_are_sent_oldest_first(missing, sent, whole, edges):
    """So that all days from one on are missing, of what was sent on one date; ten events are planned of each."""
    assert tails(dict.fromkeys((A, B, C, D), 10), missing, dict(zip((A, B, C, D), sent, strict=True))) == (
        whole,
        edges,
    )


def test_from_when_on_it_is(whole):
    """To the second, and the same sentence for all of it."""
    (found,) = whole.after(gone(f"timestamp >= '{DAYS[3]}T18:00'")).findings
    assert found.why.startswith(f"all that was sent from the events of {DAYS[3]} 18:00:00 on is missing")
    (found,) = whole.after("DELETE FROM events").findings
    assert found.why.startswith("nothing is there: the project was over its quota")


def test_the_last_events_alone_are_no_sign(whole):
    """A few may be missing for any reason."""
    (found,) = whole.after(gone(of(*range(990, 1000)))).findings
    assert (found.cause, found.events) == ("unexplained", 10)
