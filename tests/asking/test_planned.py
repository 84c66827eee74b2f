"""A plan as it matters to the project."""

from datetime import UTC, datetime

from workdirs import MIDNIGHT, events, planned

from migrate.asking.planned import SAID, plan_of
from migrate.workdir.checkpoint import Checkpoint


def test_a_plan_says_its_days_its_end_and_whether_it_overwrites(tmp_path):
    """Of a workdir without events there is nothing to say; what nobody has said of persons is a default."""
    (tmp_path / "empty").mkdir()
    with Checkpoint.open(tmp_path / "empty", create=True) as empty:
        assert plan_of(empty) is None
    (tmp_path / "w").mkdir()
    checkpoint = planned(tmp_path / "w", events(4, days=2))
    checkpoint.note(import_id="history", platform="posthog", **{"--person-properties": "set"})
    plan = plan_of(checkpoint)
    assert (plan.import_id, plan.platform, dict(plan.days), plan.overwrites) == (
        "history",
        "posthog",
        {"2024-04-03": 4},
        True,
    )
    assert MIDNIGHT < plan.last < datetime(2024, 4, 4, tzinfo=UTC)
    checkpoint.note(**{SAID: True})
    assert not plan_of(checkpoint).overwrites
    checkpoint.close()
