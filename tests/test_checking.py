"""A target is looked at from both sides."""

from dataclasses import replace
from datetime import UTC, datetime

from asks import PERSONAL
from posting import OK, batch, event, post

from migrate.asking.checked import Plan, Weight
from migrate.asking.target import Access
from migrate.checking import Known, Target, check, check_shortly
from migrate.errors import Unasked
from migrate.sandbox.server import Sandbox

NOW = datetime(2026, 3, 31, tzinfo=UTC)
PLAN = Plan(import_id="history", days={"2024-04-03": 1}, last=datetime(2024, 4, 3, 13, tzinfo=UTC))


def told(found):
    """What is found, by what it is about."""
    return [(one.weight.value, one.about) for one in found]


def test_newer_events_are_those_of_others_after_the_plans_last():
    """Neither those of the import, nor what is older; where that cannot be asked it is said."""
    mine, old = {"$import_job_id": "history"}, "2024-04-03T12:59:59Z"
    with Sandbox() as sandbox:
        target = Target(sandbox.url, "phc_key", Access(sandbox.app_url, PERSONAL))
        late = "2024-04-03T14:00:00Z"
        events = [event(timestamp=late, properties=mine), event(timestamp=old), event(timestamp=late)]
        assert post(sandbox, batch(*events)) == OK
        (newer,) = [one for one in check(target, PLAN, NOW) if one.about == "persons"]
        assert (newer.weight, newer.text) == (
            Weight.NOTE,
            "the project has 1 event of other origin, newer than the plan's (2024-04-03 the newest)",
        )
        sandbox.faults([{"fault": "time_out"}])
        assert told(check(target, PLAN, NOW))[-1] == ("unseen", "unseen")


def test_in_passing_the_project_is_found_or_it_is_said_why_not():
    """Once, and without patience; what it means for a plan is asked when there is one."""
    with Sandbox() as sandbox:
        target = Target(sandbox.url, "phc_key", Access(sandbox.app_url, PERSONAL))
        known = check_shortly(target, is_packed=True)
        assert isinstance(known, Known)
        assert told(known.findings(PLAN, NOW)) == [("fine", "project"), ("fine", "groups")]
        sandbox.faults([{"fault": "ask_status", "status": 503, "detail": "Busy"}])
        why = check_shortly(target, is_packed=True)
        assert isinstance(why, Unasked)
        assert str(why).endswith("no answer in 1 attempt, found 503: Busy; ask again later")
        assert check_shortly(Target(sandbox.url), is_packed=False) is None
        assert sandbox.requests()[0]["events"] == 0


def test_a_workdir_keeps_to_capture_v1():
    """Where it is not there any more, sending would wait for it in vain; a 404 of now and then is none."""
    over_v1 = replace(PLAN, protocol="v1")
    with Sandbox(has_v1=False) as sandbox:
        assert told(check(Target(sandbox.url), over_v1, NOW))[1] == ("asks", "host")
        assert told(check(Target(sandbox.url), PLAN, NOW))[1] == ("fine", "host")
    with Sandbox(has_v1=True, faults=[{"fault": "status", "status": 404, "after": 1, "times": 2}]) as sandbox:
        assert told(check(Target(sandbox.url), over_v1, NOW))[1] == ("fine", "host")
