"""What is gathered is what the workdir knows, and no later clock."""

from datetime import UTC, datetime

from filled import made

from migrate.page.gathered import gather
from migrate.report.states import State
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import Holder


def test_it_is_as_of_what_was_done_last(tmp_path):
    """Days are young or old as seen then; ids are short, unless they are wanted whole."""
    with made(tmp_path) as checkpoint:
        checkpoint.note(min_age=86_400.0 * 4)
        found = gather(checkpoint)
        assert gather(checkpoint, working=Holder(7, "now")).found[0].state is State.RUNNING
        whole = gather(checkpoint, is_whole=True)
        by_day = checkpoint.by_day()
    assert found.as_of == datetime(2024, 2, 1, 3, 29, tzinfo=UTC)
    assert found.numbers.events.held == sum(count for day, count in by_day.items() if day >= "2024-01-28")
    assert (found.people.largest[0].ids[0], whole.people.largest[0].ids[0]) == ("an…", "anna0@example.com")
    assert (found.before, found.undated) == (1_234 - 3 * len(by_day) if 3 * len(by_day) < 1_234 else 0, 0)


def test_of_a_new_workdir_nothing_is_known(tmp_path):
    """Not even when that was."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        found = gather(checkpoint)
    assert found.as_of is None
    assert not found.days.all
