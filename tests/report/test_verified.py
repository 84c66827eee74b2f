"""What PostHog has, on a screen: numbers, each difference with its cause, when, what, and a few of the events."""

import pytest

from migrate.report import verified
from migrate.verifying.ledger import Count
from migrate.verifying.verdict import Cause, Example, Finding, Merges, Verdict

LOST = Finding(Cause.UNEXPLAINED, "nobody knows", 3, {"2024-04-03", "2024-04-05"})
LOST.names.update({"order": 2, "seen": 1})
LOST.examples.append(Example("2024-04-03", "order", "u-1", "a.jsonl:7", "new on 2024-04-04"))
TWICE = Finding(Cause.DUPLICATES_NOT_MERGED, "there twice", 1, {"2024-04-03"})
TWICE.names.update({"order": 1})
ALL = Verdict(Count(10, 10), Count(10, 10), 2)


def test_the_screen():
    """Every line of it; what passes and what does not begin otherwise."""
    verdict = Verdict(
        planned=Count(1_000, 1_000),
        there=Count(998, 997),
        days=5,
        findings=(TWICE, LOST),
        merges=Merges(500, 100, 99),
        not_compared={"not sent yet": 30},
        uncounted=("2024-04-03T07",),
        unseen=("ingestion warnings (found 'no')",),
    )
    assert [line.text for line in verified.lines(verdict)] == [
        "compared 1,000 events of 5 days that PostHog has acknowledged: 997 are there",
        "passes   1 event duplicates_not_merged, on 2024-04-03: there twice",
        "         1 order",
        "differs  3 events unexplained, on 2 days from 2024-04-03 to 2024-04-05: nobody knows",
        "         2 order, 1 seen",
        "         such as order of 2024-04-03, uuid u-1, from a.jsonl:7: now new on 2024-04-04",
        "merges   500 planned: 99 of 100 that were asked for have come true",
        "left out 30 events, not sent yet",
        "left out 2024-04-03T07: PostHog could not count this hour in its ten seconds",
        "unseen   ingestion warnings (found 'no')",
        "verdict  not all could be counted; ask again when PostHog is less busy",
    ]


def test_a_name_is_on_its_line():
    """Whatever is in it: it is somebody else's text."""
    found = Finding(Cause.UNEXPLAINED, "none of 'a\nverdict  all is there' is there", 1, {"2024-04-03"})
    found.names["a\nb"] = 1
    found.examples.append(Example("2024-04-03", "a\nb", "u-1"))
    texts = [line.text for line in verified.lines(Verdict(findings=(found,)))]
    assert [text for text in texts if "\\n" in text] == texts[1:4]
    assert not any("\n" in text for text in texts)


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ((), "all that PostHog acknowledged is there"),
        ((TWICE,), "nothing is wrong: what differs goes away by itself"),
        (
            (Finding(Cause.NOT_THERE_YET, "late", 1), TWICE),
            "nothing is known to be wrong: some is not there yet, ask again later",
        ),
        ((TWICE, LOST, LOST), "PostHog has not what it acknowledged: 6 unexplained"),
    ],
)
def test_the_verdict(findings, said):
    """In a sentence."""
    assert verified.sentence(Verdict(findings=findings)) == said


def test_how_far_it_is():
    """Days, and why it waits where it does; another day counted ends a wait."""

    def told():
        return [one.text for one in phase.parts(0.0)]

    phase = verified.Verifying()
    assert told() == ["verifying"]
    phase.note(3, 10)
    phase.wait(120.0, "429: slow")
    assert told() == ["verifying 3/10 days", "waits 120 s: 429: slow"]
    phase.note(4, 10)
    assert told() == ["verifying 4/10 days"]
