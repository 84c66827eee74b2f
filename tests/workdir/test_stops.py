"""Why a phase stopped is known from when it stops until it begins again."""

from migrate.workdir import stops
from migrate.workdir.checkpoint import Checkpoint


def test_why_and_when_is_kept_until_it_begins_again(tmp_path):
    """Each phase for itself; of a process that could not say so it is said that it was killed."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        for phase in ("planning", "sending"):
            checkpoint.note(**stops.begun(phase))
        stops.note(checkpoint, "sending", "quota", "the quota is used up")
        found = stops.last(checkpoint.facts(), "sending")
        assert (found.why, found.message) == ("quota", "the quota is used up")
        assert found.at.endswith("+00:00")
        assert stops.last(checkpoint.facts(), "planning") == stops.Stop("killed")
        checkpoint.note(**stops.begun("planning"))
        assert stops.last(checkpoint.facts(), "sending") == found
        checkpoint.note(**stops.begun("sending"))
        assert stops.last(checkpoint.facts(), "sending") == stops.Stop("killed")
