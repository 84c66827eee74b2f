"""The last verification is kept, and of earlier ones the days that were not asked for again."""

from workdirs import events, planned

from migrate.workdir import rounds, verified
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.verified import Verified


def test_days_stay_until_they_are_asked_for_again(tmp_path):
    """Findings and the sentence are those of the last one; what was there of a day that is nobody's is gone with it."""
    finding = {"cause": "dropped", "events": 2, "days": ["2024-04-03"], "names": {"a": 2}, "examples": []}
    days = {"2024-04-03": 5, "2024-04-04": 0}
    with planned(tmp_path, events(60, days=2)) as checkpoint:
        assert verified.last(checkpoint) is None
        rounds.begin(checkpoint, [one for day in days for one in rounds.of_day(checkpoint, day)])
        first = days | {"2024-01-01": 1}
        verified.keep(checkpoint, "1 May", first, findings=[finding], sentence="2 lack", is_whole=True)
        verified.keep(
            checkpoint, "2 May", {"2024-04-03": 7}, findings=[], sentence="all there", is_whole=False
        )
    with Checkpoint.open(tmp_path) as checkpoint:
        found = verified.last(checkpoint)
        assert found == Verified(
            at="2 May",
            there={"2024-01-01": 1, "2024-04-03": 7, "2024-04-04": 0},
            asked={"2024-01-01": "1 May", "2024-04-03": "2 May", "2024-04-04": "1 May"},
            findings=[],
            sentence="all there",
        )
        verified.keep(
            checkpoint, "3 May", {"2024-04-03": 7}, findings=[], sentence="all there", is_whole=True
        )
        assert verified.last(checkpoint).asked == {"2024-04-03": "3 May", "2024-04-04": "1 May"}
