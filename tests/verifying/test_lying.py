"""What is missing for no known reason shows by how it lies where to look."""

import pytest
from imported import DAYS, gone, of

WHY = "missing, and nothing says why"
LYING = [
    pytest.param(of(3, 400, 999), [WHY], id="here and there"),
    pytest.param(f"day = '{DAYS[2]}'", [f"{WHY}: nothing of their day is there"], id="a day"),
    pytest.param("event = 'order'", [f"{WHY}: none of 'order' is there on any day"], id="an event"),
    pytest.param(
        f"timestamp GLOB '{DAYS[1]}T07*'",
        [f"{WHY}: nothing from {DAYS[1]} 07:04:48 to {DAYS[1]} 07:55:12 is there"],
        id="an hour",
    ),
    pytest.param(
        f"distinct_id IN ('u7', 'u11') OR {of(3, 400)}",
        [
            f"{WHY}: all that 2 ids did on these days (u1…, u…), who may be deleted since",
            WHY,
        ],
        id="people",
    ),
]


@pytest.mark.parametrize(("where", "why"), LYING)
def test_how_it_lies_is_told(whole, where, why):
    """Days, names, stretches of time, people, or none of these."""
    findings = whole.after(gone(where)).findings
    assert [one.why for one in findings] == why
