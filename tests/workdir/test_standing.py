"""What has become of rejected rows is told: how many are open, mended and dismissed, and where they are."""

import json

from rejected import BAD, GOOD, Workdir

from migrate.workdir import standing
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.standing import Again, Was


def told(workdir):
    """How many are open, by reason, and how many mended and dismissed."""
    with Checkpoint.open(workdir.path) as checkpoint:
        closed = standing.closed(checkpoint)
        return standing.by_reason(checkpoint), closed[Was.MENDED], closed[Was.DISMISSED]


def test_a_row_is_in_one_state_whatever_it_was_rejected_for(tmp_path):
    """Rejected for another reason it is open for that, and not mended; mended then, it is one row that is."""
    workdir = Workdir(tmp_path)
    assert told(workdir) == ({"bad_timestamp": 3}, 0, 0)
    workdir.plan(workdir.copy((f'"timestamp":"{BAD}"', '"timestamp":""')))
    assert told(workdir) == ({"no_timestamp": 3}, 0, 0)
    second = workdir.copy(name="second.jsonl")
    lines = second.read_text().splitlines(keepends=True)
    second.write_text(lines[0].replace('"timestamp":""', f'"timestamp":"{GOOD}"'))
    workdir.plan(second)
    assert told(workdir) == ({"no_timestamp": 2}, 1, 0)
    with Checkpoint.open(workdir.path) as checkpoint:
        assert standing.dismiss(checkpoint, "no_timestamp") == 2
        assert standing.dismiss(checkpoint, "no_timestamp") == 0
    assert told(workdir) == ({}, 1, 2)


def test_rows_of_a_copy_that_are_rejected_again_are_told_with_their_places(tmp_path):
    """The open ones first, most first; those of other copies are not among them."""
    workdir = Workdir(tmp_path)
    with Checkpoint.open(workdir.path) as checkpoint:
        standing.dismiss(checkpoint, "bad_timestamp")
    copy = workdir.copy()
    first, second, third = (json.loads(line) for line in copy.read_text().splitlines())
    second["source"]["timestamp"] = third["source"]["timestamp"] = ""
    copy.write_text("".join(json.dumps(line) + "\n" for line in (first, second, third)))
    workdir.plan(copy)
    where = [f"{one['file']}:{one['row']}" for one in (first, second, third)]
    with Checkpoint.open(workdir.path) as checkpoint:
        names = [name for name in checkpoint.inputs() if name.startswith(str(copy))]
        assert standing.again(checkpoint, names) == [
            Again("no_timestamp", False, 2, sorted(where[1:])),
            Again("bad_timestamp", True, 1, where[:1]),
        ]
        assert standing.again(checkpoint, names, most=1)[0].places == sorted(where[1:])[:1]
        assert standing.again(checkpoint, []) == []
        assert standing.places(checkpoint, "no_timestamp") == sorted(where[1:])
