"""A line fits: shorter first, then without what matters least, and never over its end."""

import pytest

from migrate.report.live import Part, line

PARTS = [
    Part("0:00:07", ((1, ""),)),
    Part("sending 1,200/10,000 events", ((3, "sending 1,200/10,000"), (4, "sending 12 %"))),
    Part("350 events/s", ((2, "350/s"), (3, ""))),
]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (None, "0:00:07 · sending 1,200/10,000 events · 350 events/s"),
        (52, "0:00:07 · sending 1,200/10,000 events · 350 events/s"),
        (51, "sending 1,200/10,000 events · 350 events/s"),
        (41, "sending 1,200/10,000 events · 350/s"),
        (34, "sending 1,200/10,000"),
        (19, "sending 12 %"),
        (11, "sending 12…"),
    ],
)
def test_a_line_fits(width, text):
    """The least important goes first."""
    assert line(PARTS, width) == text
