"""What PostHog says of events that it accepts is counted by its words, as long as they are few."""

from migrate.workdir import warned
from migrate.workdir.checkpoint import Checkpoint


def test_warnings_are_counted_by_their_words(tmp_path):
    """Numbers left out, most first, in the transaction that settles the events."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        for counts in ({"limit 7": 2, "disabled": 3}, {"limit 19": 4}, {}):
            with checkpoint.change() as db:
                warned.add(db, counts)
        assert list(warned.by_words(checkpoint).items()) == [("limit …", 6), ("disabled", 3)]


def test_many_words_are_counted_as_others(tmp_path):
    """A server that says something else each time does not fill the checkpoint."""
    words = [f"{one}{other}" for one in "abcdefghijkl" for other in "ghijklmnopq"]
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        with checkpoint.change() as db:
            warned.add(db, dict.fromkeys(words, 1))
        found = warned.by_words(checkpoint)
    assert (len(found), found["(other words)"], sum(found.values())) == (101, 32, 132)
