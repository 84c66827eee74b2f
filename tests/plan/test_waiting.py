"""States wait in the workdir, sealed, until they are told; what nobody noted does not stay."""

from migrate.plan.waiting import STATES, keep_states, tidy_states
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.seals import Seal


def test_states_that_were_never_noted_are_removed(tmp_path):
    """And the folder with the last of them; other files stay."""
    made = tmp_path / "00000001.states"
    made.write_bytes(b"states")
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as checkpoint:
        kept = keep_states(checkpoint.workdir, made)
        assert not made.exists()
        assert kept.path == checkpoint.workdir / STATES / made.name
        assert kept.seal == Seal.of(kept.path)
        tidy_states(checkpoint)
        assert not (checkpoint.workdir / STATES).exists()
        tidy_states(checkpoint)
