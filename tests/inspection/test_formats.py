"""Times that are not ISO 8601: which pattern reads them, and whether the values prove it."""

import pytest

from migrate.inspection.formats import formats_of


@pytest.mark.parametrize(
    ("texts", "patterns"),
    [
        (["05.03.2024"], ["%d.%m.%Y", "%m.%d.%Y"]),
        (["05.03.2024", "31.03.2024"], ["%d.%m.%Y"]),
        (["3/25/24 2:30 PM", "3/5/24 11:30 am"], ["%m/%d/%y %I:%M %p"]),
        (["05.03.24"], ["%d.%m.%y", "%m.%d.%y", "%y.%m.%d"]),
        (["31-12-2024 10:00:00", "01-12-2024 10:00:00"], ["%d-%m-%Y %H:%M:%S"]),
        (["25.03.2024 14:30:00", "26.03.2024 14:30:00.5"], ["%d.%m.%Y %H:%M:%S%.f"]),
        (["2024/03/05 10:00"], ["%Y/%m/%d %H:%M"]),
        (["Mar 5, 2024", "March 25, 2024"], ["%B %d, %Y"]),
        (["10/Oct/2000:13:55:36 -0700"], ["%d/%B/%Y:%H:%M:%S %z"]),
        (["Tue, 05 Mar 2024 10:00:00 +0000"], ["%a, %d %B %Y %H:%M:%S %z"]),
        (["20240305", "20240331"], ["%Y%m%d"]),
        (["20249999"], []),
        (["1.2.3", "10.0.1"], []),
        (["192.168.0.1"], []),
        (["99.99.2024", "05.03.2024"], []),
        (["hello", ""], []),
        ([], []),
    ],
)
def test_all_patterns_that_may_be_are_named(texts, patterns):
    """One where the values prove it; day or month first is never guessed."""
    assert [one.pattern for one in formats_of(texts)] == patterns


def test_few_that_cannot_be_read_are_counted():
    """Where most can."""
    texts = [f"{day}.03.2024" for day in range(10, 31)] + ["soon"]
    assert [(one.pattern, one.unread) for one in formats_of(texts)] == [("%d.%m.%Y", 1)]
