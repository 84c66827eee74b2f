"""Findings of a target → a screen with a verdict to act on, what a question adds of them, and JSON."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from migrate.asking.checked import Finding, Weight
from migrate.report.sections import BOLD, WARNING, Line, labelled
from migrate.screen import counted

AGAINST: Final = (Weight.ASKS, Weight.FORBIDS)
"""What speaks against sending."""


def lines(findings: Sequence[Finding]) -> Iterator[Line]:
    """Yield the screen: what is fine, what is to be known, what could not be seen, and the verdict."""
    for one in findings:
        yield labelled(one.about, one.text, WARNING if one.weight in AGAINST else "")
    yield Line("")
    yield labelled("verdict", verdict(findings), BOLD)


def verdict(findings: Sequence[Finding]) -> str:
    """Return what is to be done."""
    against = [one.about for one in findings if one.weight in AGAINST]
    unseen = any(one.weight is Weight.UNSEEN for one in findings)
    if against:
        return (
            f"do not send yet: {counted(len(against), 'reason')} above ({', '.join(dict.fromkeys(against))})"
        )
    return f"nothing speaks against sending{', of what could be seen' if unseen else ''}"


def asked(findings: Sequence[Finding]) -> Iterator[Line]:
    """Yield what the question before the first event adds: all that was found of the project."""
    for one in findings:
        yield labelled(one.about, one.text, WARNING if one.weight in AGAINST else "")


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the same for `--json`."""
    return {
        "verdict": verdict(findings),
        "findings": [{**vars(one), "weight": str(one.weight)} for one in findings],
    }
