"""What a project means for a plan: findings, each with its weight."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from migrate.asking.checked import Finding, Others, Plan, Weight, findings
from migrate.asking.project import Project

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
PROJECT = Project(7, "Acme")
PLAN = Plan(
    days={"2023-01-01": 5, "2025-02-27": 2, "2025-02-28": 3, "2026-03-01": 4},
    group_types=frozenset({"company"}),
)
FIVE = {name: number for number, name in enumerate("abcde")}
NEWER = Others(3, "2026-03-30T10:00:00.000000Z")


def found(plan=PLAN, others=None, **facts):
    """What is found beside the project's name: weight and sentence."""
    first, *rest = findings(replace(PROJECT, **facts), plan, others, NOW)
    assert first == Finding(Weight.FINE, "project", "7 (Acme)")
    return [(one.weight.value, one.text) for one in rest]


CASES = {
    "events that would be hidden": (
        {"retention_months": 13, "is_enforced": True},
        [
            (
                "asks",
                (
                    "13 months: PostHog hides events before 2025-02-28, and of the plan 7 events (2023: 5, 2025: 2); "
                    "raise the project's retention, or plan with --since 2025-02-28"
                ),
            )
        ],
    ),
    "a window that may be enforced": (
        {"retention_months": 84},
        [("note", "84 months: PostHog hides events before 2019-03-31; none of the plan is")],
    ),
    "a window that is not enforced": (
        {"retention_months": 1, "is_enforced": False},
        [("note", "1 month, not enforced: older events are shown")],
    ),
    "a window, and no plan": (
        {"retention_months": 1, "is_enforced": True, "plan": None},
        [("note", "1 month: PostHog hides events before 2026-02-28")],
    ),
    "events that would be dropped": (
        {"oldest_seconds": 30 * 86_400.0},
        [
            (
                "forbids",
                (
                    "the project drops events older than 30 days when they come, without a word, of the plan 10 events "
                    "(2023: 5, 2025: 5); turn 'drop events older than' off in the project's settings until the "
                    "history is there"
                ),
            )
        ],
    ),
    "none would be dropped": (
        {"oldest_seconds": 4_000 * 86_400.0},
        [("note", "events older than 4,000 days are dropped; none of the plan is")],
    ),
    "no groups yet": ({"group_types": {}}, [("fine", "none of 5 types yet; they are numbered as they come")]),
    "a sixth group type": (
        {"group_types": FIVE},
        [
            ("fine", "5 of 5 types: 0 a, 1 b, 2 c, 3 d, 4 e"),
            (
                "asks",
                (
                    "the plan brings 1 type more (company) and there is room for 0: of the others PostHog keeps "
                    "nothing; leave some out by a rule, or free a number in the project's settings"
                ),
            ),
        ],
    ),
    "numbers of another project": (
        {"group_types": {"team": 0}, "plan": replace(PLAN, platform="posthog")},
        [
            ("fine", "1 of 5 types: 0 team"),
            ("note", "$group_0 … $group_4 of another project are its own numbers; here they are those above"),
        ],
    ),
    "newer events, which the plan would overwrite": (
        {"others": NEWER, "plan": replace(PLAN, overwrites=True)},
        [
            (
                "forbids",
                (
                    "the project has 3 events of other origin, newer than the plan's (2026-03-30 the newest): what "
                    "the plan knows of persons would overwrite what is newer; plan with --person-properties set_once "
                    "or none, or type --person-properties set to have it so"
                ),
            )
        ],
    ),
    "newer events, and somebody has said how": (
        {"others": NEWER},
        [("note", "the project has 3 events of other origin, newer than the plan's (2026-03-30 the newest)")],
    ),
    "no newer events": (
        {"others": Others(0, "1970-01-01T00:00:00Z"), "plan": replace(PLAN, overwrites=True)},
        [],
    ),
    "ages beyond the calendar": (
        {"retention_months": 99_999, "oldest_seconds": 1e14},
        [
            ("note", "99,999 months: PostHog hides events before 0001-01-01; none of the plan is"),
            ("note", "events older than 1,157,407,407 days are dropped; none of the plan is"),
        ],
    ),
    "an age of less than a day": (
        {"oldest_seconds": 1_000.0, "plan": replace(PLAN, days={"2026-04-01": 1})},
        [("note", "events older than 0.3 hours are dropped; none of the plan is")],
    ),
    "names that would break a line": (
        {"group_types": {"a\nverdict": 0}},
        [("fine", "1 of 5 types: 0 a verdict")],
    ),
    "more groups than any project has": (
        {"plan": replace(PLAN, group_types=frozenset("abcdef"))},
        [
            (
                "asks",
                (
                    "the plan has 6 types (a, b, c, d, e, f), a project 5 at the most: of the others PostHog keeps "
                    "nothing; leave some out by a rule"
                ),
            )
        ],
    ),
    "what could not be seen": ({"unseen": ("group types",)}, [("unseen", "group types")]),
}


@pytest.mark.parametrize(("facts", "expected"), CASES.values(), ids=CASES.keys())
def test_each_finding_says_what_it_means_and_what_to_do(facts, expected):
    """By year, where events are counted."""
    assert found(**facts) == expected


def test_the_zone_is_told_where_days_may_be_others():
    """What is counted here is counted by UTC's days."""
    told = findings(replace(PROJECT, timezone="Asia/Tokyo"), None, None, NOW)
    assert told == [Finding(Weight.FINE, "project", "7 (Acme); its zone is Asia/Tokyo, days here are UTC's")]
