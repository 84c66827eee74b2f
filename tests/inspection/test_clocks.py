"""When a column of times is, and how its zone is known."""

import pytest

from migrate.inspection.clocks import Clock, clock_of


@pytest.mark.parametrize(
    ("texts", "kind", "found"),
    [
        (
            ["2024-03-02T00:30:00+02:00", "2024-03-01T10:00:00Z"],
            "time",
            ("2024-03-01T10:00:00Z", "2024-03-01T22:30:00Z", "in the text", 0),
        ),
        (
            ["2024-03-01 10:00:00", "soon", "2024-03-01 09:00:00"],
            "time",
            ("2024-03-01T09:00:00", "2024-03-01T10:00:00", "unknown", 1),
        ),
        (
            ["2024-03-01 10:00:00", "2024-03-01T10:00:00Z"],
            "time",
            ("2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z", "in some", 0),
        ),
        (["1709287200"], "Unix seconds", ("2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z", "Unix", 0)),
        (["1709287200000"], "Unix milliseconds", ("2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z", "Unix", 0)),
        (["1709287200000000"], "Unix microseconds", ("2024-03-01T10:00:00Z",) * 2 + ("Unix", 0)),
        (["1709287200000000000"], "Unix nanoseconds", ("2024-03-01T10:00:00Z",) * 2 + ("Unix", 0)),
        (["05.03.2024"], "local date", (None, None, "unknown", 0)),
        (
            ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
            "time",
            (None, None, "unknown", 2),
        ),
        (["soon"], "time", (None, None, "unknown", 1)),
    ],
)
def test_span_and_zone(texts, kind, found):
    """In UTC where the zone is known, else as the clock stood."""
    clock = clock_of(texts, kind)
    assert (clock.first, clock.last, clock.zone, clock.unreadable) == found


def test_the_evidence_is_named():
    """Which offsets, and how many have one."""
    clock = clock_of(["2024-03-01T10:00:00Z", "2024-03-01T10:00:00+01:00", "2024-03-01T10:00:00"], "time")
    assert isinstance(clock, Clock)
    assert clock.why == "2 of 3 times end with an offset, '+01:00' or 'Z'; the others with none"
