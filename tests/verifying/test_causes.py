"""What the project's settings, the events' names and PostHog's warnings say of what is missing."""

from datetime import UTC, datetime, timedelta

import pytest
from imported import COUNT, DAYS, EVENTS, causes, gone, of

from migrate.verifying.causes import Known, Warned, of_settings
from migrate.verifying.counting import Difference
from migrate.verifying.ledger import NONE, Count, Sent

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SENT = {"2024-01-01": Sent(NOW - timedelta(hours=9), NOW - timedelta(hours=8))}
OLD, YOUNG = (NOW - timedelta(days=2), NOW - timedelta(minutes=9))
KNOWN = {"now": NOW, "sent": SENT, "by_event": {"e": 10, "$ai_trace": 10}, "lost": {"e": 1}}


def judged(event="e", day="2024-01-01", **known):
    """The cause by what is known."""
    found = of_settings(Difference(day, event, Count(10, 10), NONE), Known(**KNOWN | known))
    return found and str(found.cause)


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        pytest.param({}, None, id="nothing known"),
        pytest.param({"retention_months": 12}, "retention", id="hidden"),
        pytest.param({"retention_months": 12, "is_enforced": False}, None, id="not enforced"),
        pytest.param({"retention_months": 36}, None, id="young enough"),
        pytest.param({"oldest_seconds": 86_400.0 * 30}, "dropped", id="dropped when it came"),
        pytest.param({"oldest_seconds": 86_400.0 * 900}, None, id="not so old when it came"),
        pytest.param({"is_growing": True}, "not_there_yet", id="on its way"),
        pytest.param({"is_growing": True, "sent": {"2024-01-01": Sent(OLD, OLD)}}, None, id="not now"),
        pytest.param({"event": "$ai_trace", "lost": {"$ai_trace": 10}}, "lane", id="a way of its own"),
        pytest.param(
            {
                "event": "$ai_trace",
                "lost": {"$ai_trace": 10},
                "sent": {"2024-01-01": Sent(YOUNG, YOUNG)},
            },
            None,
            id="a way of its own, of this hour",
        ),
        pytest.param({"event": "$ai_trace", "lost": {"$ai_trace": 9}}, None, id="some of it is there"),
        pytest.param({"event": "$ai_trace", "lost": {"$ai_trace": 10, "e": 10}}, None, id="nothing is"),
        pytest.param({"lost": {"e": 10}}, None, id="a usual name"),
    ],
)
def test_what_settings_and_names_say(known, cause):
    """The strongest evidence counts."""
    assert judged(**known) == cause


def test_warnings_are_the_cause_of_as_many_as_they_are():
    """Those of some names of these alone; merges are counted apart, and what drops nothing is no cause."""
    warned = Warned(
        [
            ("message_size_too_large", 3),
            ("invalid_alias", 2),
            ("event_timestamp_in_future", 9),
            ("cannot_merge_already_identified", 4),
        ]
    )
    assert warned.of_merges == 4
    assert [*warned.take("$create_alias", 4).values()] == [2, 2]
    assert [*warned.take("e", 5).values()] == [1]
    assert warned.take("e", 5) == {}


def test_retention_drops_and_warnings_are_asked_of_posthog(whole):
    """What is older than the project shows is hidden by it, and nothing else is said of that."""
    hides = {"fault": "project", "event_retention_months": 12, "events_retention_enforced": True}
    assert causes(whole.after(rules=[hides])) == {"retention": COUNT}
    drops = {"fault": "project", "drop_events_older_than_seconds": 86_400}
    assert causes(whole.after(gone(f"day = '{DAYS[1]}'"), rules=[drops])) == {"dropped": 200}
    warned = {"fault": "warned", "type": "message_size_too_large", "count": 3}
    some = gone(of(*range(5)))
    assert causes(whole.after(some, rules=[warned])) == {"dropped": 3, "unexplained": 2}
    assert EVENTS["event"][0] == "seen"


def test_a_posthog_without_warnings_is_no_fault(whole):
    """It is said that they were not seen."""
    verdict = whole.after(rules=[{"fault": "no_warnings"}])
    assert verdict.passes
    assert verdict.unseen == ("ingestion warnings (found 'Unknown table `system.ingestion_warnings`.')",)
