"""Findings on a screen end with a verdict to act on."""

from migrate.asking.checked import Finding, Weight
from migrate.report import checked

FINE = Finding(Weight.FINE, "host", "it answers")
ASKS = Finding(Weight.ASKS, "groups", "a sixth")
FORBIDS = Finding(Weight.FORBIDS, "dropping", "all of it")
UNSEEN = Finding(Weight.UNSEEN, "unseen", "the rest")


def test_the_verdict_counts_what_speaks_against_it():
    """By what it is about; what could not be seen is no reason, and is said."""
    assert checked.verdict([FINE]) == "nothing speaks against sending"
    assert checked.verdict([FINE, UNSEEN]) == "nothing speaks against sending, of what could be seen"
    assert checked.verdict([FORBIDS, ASKS, ASKS]) == "do not send yet: 3 reasons above (dropping, groups)"


def test_a_screen_and_a_document_say_the_same():
    """Each finding, then the verdict."""
    assert [line.text for line in checked.lines([FINE, ASKS])] == [
        "host     it answers",
        "groups   a sixth",
        "",
        "verdict  do not send yet: 1 reason above (groups)",
    ]
    assert [line.text for line in checked.asked([FINE])] == ["host     it answers"]
    assert checked.document([FINE]) == {
        "verdict": "nothing speaks against sending",
        "findings": [{"weight": "fine", "about": "host", "text": "it answers"}],
    }
