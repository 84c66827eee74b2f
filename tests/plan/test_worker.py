"""What a worker tells of what it cannot plan, and who it is."""

import pytest
from crews import RAISES, Planned, own
from samples import SAMPLES, settings

from migrate.errors import Refused, UsageError
from migrate.plan import worker
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes


def test_what_a_mapping_raises_is_said_as_by_one_process(tmp_path):
    """With its file, the line there, and the row."""
    said = []
    for name, executor in (("one", Inline()), ("two", Processes(1))):
        work = own(tmp_path / name, RAISES, "seen", "other")
        with pytest.raises(UsageError) as error:
            Planned(tmp_path / name / "w", work, executor)
        said.append(str(error.value).replace(f"{tmp_path / name}", ""))
    assert said[0] == said[1]
    assert "acme.py:" in said[0]


def test_a_worker_of_another_version_is_refused(tmp_path, monkeypatch):
    """It may have been installed since the command began."""
    monkeypatch.setattr(worker, "VERSION", "0.0.9")
    work = settings("posthog").work([str(SAMPLES / "posthog")])
    with pytest.raises(Refused, match=r"migrate .* where 0\.0\.9 began"):
        Planned(tmp_path / "w", work, Processes(1))
