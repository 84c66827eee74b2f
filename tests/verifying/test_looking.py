"""Events that are there, and other ones than were acknowledged: each is found again by its uuid."""

import pytest
from imported import DAYS, EVENTS, again, causes, changed, gone, of

CHANGED = [
    pytest.param([changed("event = 'new'", of(10))], f"new on {DAYS[0]}", id="name"),
    pytest.param(
        [changed("timestamp = '2024-05-06T00:00:00.000000Z', day = '2024-05-06'", of(10))],
        "$pageview on 2024-05-06",
        id="day",
    ),
    pytest.param(
        [changed('properties = \'{"$import_job_id":"other"}\'', of(10))],
        "of import other",
        id="import",
    ),
    pytest.param([changed("properties = '{}'", of(10))], "of no import", id="no import"),
    pytest.param([again(of(10), distinct_id="'somebody'")], "of so…", id="person, once more"),
    pytest.param(
        [again(of(10), day=f"'{DAYS[1]}'", timestamp=f"'{DAYS[1]}T00:00:00.000000Z'")],
        "",
        id="day, once more",
    ),
]


@pytest.mark.parametrize(("changes", "now"), CHANGED)
def test_what_an_event_is_now_is_told(whole, changes, now):
    """PostHog tells events apart by day, name, person and uuid: another one of these is another event."""
    verdict = whole.after(*changes)
    assert causes(verdict) == {"changed_since": 1}
    ((example,),) = (one.examples for one in verdict.findings)
    assert (example.uuid, example.now) == (EVENTS["uuid"][10], now)


def test_where_nothing_can_be_looked_at_in_time_counts_are_what_is_known(whole):
    """Queries over events take too long by then: what is missing is said all the same, without examples."""
    rules = [{"fault": "time_out", "hours": 0.5, "after": 2}]
    verdict = whole.after(gone(of(*range(5))), rules=rules)
    assert causes(verdict) == {"unexplained": 5}
    assert [one.examples for one in verdict.findings] == [[]]
