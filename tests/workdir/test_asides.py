"""Sources that are set aside."""

from migrate.workdir import asides
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Aside

BROKEN = Aside("unreadable", "a.csv: ends within a record", "1")


def test_a_source_is_told_once_as_it_is(tmp_path):
    """A source set aside for the same reason and stamp is not new; with another of either it is."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        assert asides.note(checkpoint, {"a.csv": BROKEN, "b.csv": BROKEN}) == ["a.csv", "b.csv"]
        changed = Aside("unreadable", BROKEN.why, "2")
        assert asides.note(checkpoint, {"a.csv": BROKEN, "b.csv": changed}) == ["b.csv"]
        assert checkpoint.set_aside() == {"a.csv": BROKEN, "b.csv": changed}


def test_set_right_leaves_the_others(tmp_path):
    """Only the sources named are set aside no more."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        asides.note(checkpoint, {"a.csv": BROKEN, "b.csv": BROKEN})
        asides.set_right(checkpoint, ["a.csv", "never seen"])
        assert checkpoint.set_aside() == {"b.csv": BROKEN}


def test_only_open_ones_of_the_reason_are_dismissed(tmp_path):
    """Dismissing says how many it dismissed: of this reason, and not dismissed before."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        asides.note(checkpoint, {"a.csv": BROKEN, "b.csv": Aside("empty", "b.csv: has no rows")})
        assert [asides.dismiss(checkpoint, "unreadable"), asides.dismiss(checkpoint, "unreadable")] == [1, 0]
        assert {name: one.is_dismissed for name, one in checkpoint.set_aside().items()} == {
            "a.csv": True,
            "b.csv": False,
        }
