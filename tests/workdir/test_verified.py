"""The last verification is kept, and of earlier ones the days that were not asked for again."""

from migrate.workdir import verified
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.verified import Verified


def test_days_stay_until_they_are_asked_for_again(tmp_path):
    """Findings and the sentence are those of the last one."""
    finding = {"cause": "dropped", "events": 2, "days": ["2024-04-03"], "names": {"a": 2}, "examples": []}
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        assert verified.last(checkpoint) is None
        days = {"2024-04-03": 5, "2024-04-04": 0}
        verified.keep(checkpoint, "2024-05-01", days, findings=[finding], sentence="2 are missing")
        verified.keep(checkpoint, "2024-05-02", {"2024-04-03": 7}, findings=[], sentence="all there")
    with Checkpoint.open(tmp_path) as checkpoint:
        assert verified.last(checkpoint) == Verified(
            at="2024-05-02",
            there={"2024-04-03": 7, "2024-04-04": 0},
            asked={"2024-04-03": "2024-05-02", "2024-04-04": "2024-05-01"},
            findings=[],
            sentence="all there",
        )
