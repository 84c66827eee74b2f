"""What is only said about a plan is near what is true."""

import pytest
from workdirs import events, on_record, planned

from migrate.report import estimates
from migrate.workdir.records import Numbers


@pytest.mark.parametrize("ids", [1, 40, 5_000])
def test_ids_are_estimated_within_some_percent(tmp_path, ids):
    """Of all files of the plan: who is in two of them is one."""
    with (
        planned(tmp_path, events(ids, people=ids)),
        planned(tmp_path, events(ids, people=ids, start=ids, days=3), "b.jsonl") as checkpoint,
    ):
        assert estimates.ids(checkpoint) == pytest.approx(ids, rel=0.04)


def test_ids_are_those_of_files_that_can_be_read(tmp_path):
    """One that is harmed is told of where it is to be sent, and ends no report."""
    with planned(tmp_path, events(40, days=2)) as checkpoint:
        first, _ = sorted(checkpoint.part_paths())
        path = checkpoint.workdir / first
        path.write_bytes(path.read_bytes()[:-9])
        assert 0 < estimates.ids(checkpoint) < 40
        path.unlink()
        assert 0 < estimates.ids(checkpoint) < 40


def test_no_request_mixes_days(tmp_path):
    """Each day is as many full requests as it has, and one for the rest."""
    sizes = [(1_000, 1), (1_001, 1), (2_999, 1)]
    with on_record(tmp_path, events(40, days=3), Numbers(), *sizes) as checkpoint:
        assert estimates.requests(checkpoint, 1_000) == 1 + 2 + 3
        assert estimates.requests(checkpoint, 5_000) == 1 + 1 + 1
        assert estimates.requests(checkpoint, 1) == 1_000 + 1_001 + 2_999
