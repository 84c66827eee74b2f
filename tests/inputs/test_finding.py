"""Files are found where they are named, in folders, by patterns and by days; what is missing is said."""

from datetime import UTC, datetime, timedelta

import pytest

from migrate.errors import UsageError
from migrate.inputs.dated import Span
from migrate.inputs.listing import sources

SINCE, UNTIL = datetime(2024, 2, 28, 5, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)


def test_days_without_a_file_are_missing(tmp_path):
    """They are counted by name; where there is nothing at all it is a wrong command, unless there once was."""
    (tmp_path / "2024-02-29").mkdir()
    (tmp_path / "2024-02-29" / "a.csv").write_text("a\n1\n")
    given, span = f"{tmp_path}/{{since:%Y-%m-%d}}", Span(since=SINCE, until=UNTIL)
    found = sources([given], span=span)
    assert [source.name for source in found.sources] == [f"{tmp_path}/2024-02-29/a.csv"]
    assert found.skipped == {"missing": [f"{tmp_path}/2024-02-28", f"{tmp_path}/2024-03-01"]}
    later = Span(since=UNTIL, until=UNTIL + timedelta(days=2))
    with pytest.raises(UsageError, match="nothing there to read of 2 days or hours from"):
        sources([given], span=later)
    known = sources([given], span=later, planned={str(tmp_path / "2024-02-29" / "a.csv"): None})
    assert (known.sources, len(known.skipped["missing"])) == ([], 2)
