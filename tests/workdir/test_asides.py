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


def test_what_is_misread_is_passed_over_and_no_input(tmp_path):
    """All of it is noted at once: what is noted of a part would be asked for for ever, as the file that it is."""
    torn = Aside("nul_bytes", "torn", "1")
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        checkpoint.register(["a.csv", "b.csv", "c.csv"])
        found, skipped = (
            {"a.csv": BROKEN, "b.csv": torn, "c.csv": torn},
            {"empty": ["d"], "nul_bytes": ["c.csv"]},
        )
        assert asides.note(checkpoint, found, skipped) == [*found]
        facts = checkpoint.facts()
        assert facts["skipped_names"] == {"empty": ["d"], "nul_bytes": ["c.csv", "b.csv"]}
        assert facts["skipped"] == {"empty": 1, "nul_bytes": 2}
        assert (checkpoint.set_aside(), [*checkpoint.inputs()]) == (found, ["a.csv"])


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
