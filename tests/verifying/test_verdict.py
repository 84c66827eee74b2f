"""What a verdict says, for a program: numbers, causes, a few examples; what passes and what does not."""

import pytest

from migrate.verifying.ledger import Count
from migrate.verifying.verdict import Cause, Example, Findings, Judged, Verdict

LOST = Judged(Cause.UNEXPLAINED, "nobody knows")
LATE = Judged(Cause.NOT_THERE_YET, "wait")


def found(*added):
    """Findings of one cause after another."""
    findings = Findings()
    for judged, events, day in added:
        findings.add(judged, events, day, "e", [Example(day, "e", f"u{n}") for n in range(events)])
    return tuple(findings.all())


def test_findings_of_one_sentence_are_one():
    """With the days and names they are of, and three examples at the most; the causes come in their order."""
    late, lost = found(
        (LOST, 2, "2024-04-03"), (LATE, 1, "2024-04-03"), (LOST, 3, "2024-04-05"), (LOST, 0, "1")
    )
    assert late.cause is Cause.NOT_THERE_YET
    assert lost.document() == {
        "cause": "unexplained",
        "events": 5,
        "why": "nobody knows",
        "days": 2,
        "first_day": "2024-04-03",
        "last_day": "2024-04-05",
        "names": {"e": 5},
        "examples": [
            {"day": day, "event": "e", "uuid": uuid, "place": "", "now": ""}
            for day, uuid in (("2024-04-03", "u0"), ("2024-04-03", "u1"), ("2024-04-05", "u0"))
        ],
    }


@pytest.mark.parametrize(
    ("verdict", "passes"),
    [
        pytest.param(Verdict(), True, id="nothing differs"),
        pytest.param(Verdict(findings=found((LATE, 1, "2024-04-03"))), True, id="it goes away"),
        pytest.param(
            Verdict(findings=found((LATE, 1, "2024-04-03"), (LOST, 1, "2024-04-03"))), False, id="lost"
        ),
        pytest.param(Verdict(uncounted=("2024-04-03T07",)), False, id="not all counted"),
    ],
)
def test_what_passes(verdict, passes):
    """What goes away by itself."""
    assert (verdict.passes, verdict.document()["passes"]) == (passes, passes)


def test_causes_are_summed_up():
    """For who looks at one number."""
    verdict = Verdict(
        planned=Count(9, 9), findings=found((LOST, 2, "2024-04-03"), (LOST._replace(why="b"), 3, "1"))
    )
    assert verdict.document()["causes"] == {"unexplained": 5}
    assert verdict.document()["planned"] == {"events": 9, "uuids": 9}
