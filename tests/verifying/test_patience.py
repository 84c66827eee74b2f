"""Events are on their way for a while: more comes each time, or all is there in the end."""

from datetime import UTC, datetime, timedelta

from imported import causes

from migrate.verifying.patience import Patience


def test_what_comes_meanwhile_is_not_missing(whole):
    """At the first look half of it was not there, at the second one all is."""
    assert causes(whole.after(rules=[{"fault": "lost", "nth": 2, "times": 1}], now=datetime.now(UTC))) == {}


def test_what_is_still_coming_passes(whole):
    """The rest of what was sent in this hour is likely to come, too; what was sent long ago is not."""
    rules = [{"fault": "lost", "nth": 2, "times": 1}, {"fault": "lost", "nth": 5}]
    verdict = whole.after(rules=rules)
    assert (causes(verdict), verdict.passes) == ({"not_there_yet": 200}, True)
    later = datetime.now(UTC) + timedelta(days=3)
    assert causes(whole.after(rules=rules[1:], now=later)) == {"unexplained": 200}


def test_it_is_waited_until_two_counts_are_the_same(whole):
    """Where some is there; as long as nothing is, or it was accepted within the hour, until the time is over."""
    patience = Patience(wait=3_600.0, between=0.01)
    rules = [{"fault": "lost", "nth": 2, "times": 1}, {"fault": "lost", "nth": 5}]
    assert causes(whole.after(rules=rules, patience=patience)) == {"unexplained": 200}
    patience, now = Patience(wait=0.2, between=0.01), datetime.now(UTC)
    assert causes(whole.after(rules=[{"fault": "lost", "times": 4}], patience=patience)) == {}
    assert causes(whole.after(rules=[{"fault": "lost"}], patience=patience)) == {"quota": 1000}
    stalls = [{"fault": "lost", "nth": 2, "times": 3}]
    assert causes(whole.after(rules=stalls, patience=patience, now=now)) == {}
