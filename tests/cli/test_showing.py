"""What may be typed where a workdir is shown."""

import re

import pytest
from commands import migrate


@pytest.mark.parametrize(
    ("command", "option"),
    [("report", "-o, --output FILE"), ("rejects", "--dismiss REASON")],
)
def test_what_is_meant_for_one_time_is_only_typed(command, option):
    """It has no variable, and stands in no file."""
    shown = migrate(command, "--help").stdout
    assert option in shown
    assert "MIGRATE_JSON" in shown
    assert not re.search("MIGRATE_(OUTPUT|DISMISS)", shown)
