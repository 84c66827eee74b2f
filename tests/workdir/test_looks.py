"""What plan saw is put together to the same, in whatever order, and however often it is put together."""

import sqlite3
from collections import Counter
from random import Random

from older import AS_12
from workdirs import events, planned

from migrate.workdir import looks
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.looks import MOST, Look, Property


def seen(random, names):
    """A look at some events of one month."""
    month = f"2024-0{random.randrange(1, 9)}"
    properties = {
        name: Property(
            Counter({month: random.randrange(1, 9)}), Counter(text=1), [f'"{random.randrange(9)}é"'[:80]]
        )
        for name in names
    }
    renamed = {random.choice(names): {f"old {random.randrange(3)}"}}
    dropped = {random.choice(names)}
    by_day = Counter({f"{month}-03": 5})
    return Look(by_day, 2, Counter({month: 9}), properties, renamed=renamed, dropped=dropped)


def note(checkpoint, found):
    """Keep looks as an input each."""
    for number, one in enumerate(found):
        name = f"{number}.jsonl"
        checkpoint.register([name])
        with checkpoint.change() as db:
            looks.note(db, checkpoint.inputs([name])[name].id, one)


def test_looks_add_up_whatever_their_order(tmp_path):
    """Of two hundred inputs, more names than are kept: those kept are exact, the others are counted."""
    random = Random(1)
    names = [f"p{n:05}" for n in range(MOST + 500)]
    found = [seen(random, random.sample(names, 30) + names[:2]) for _ in range(200)]
    expected = Look()
    for one in found:
        expected.add(one)
    kept = []
    for order in range(2):
        random.shuffle(found)
        (tmp_path / str(order)).mkdir()
        with Checkpoint.open(tmp_path / str(order), create=True) as checkpoint:
            assert looks.look(checkpoint) is None
            assert not looks.are_kept(checkpoint)
            note(checkpoint, found)
            assert looks.are_kept(checkpoint)
            (rows,) = checkpoint.query("SELECT count(*) FROM looks").fetchone()
            assert rows < 64 + 1
            kept.append(looks.look(checkpoint))
    assert kept == [expected, expected]
    there = {name for one in found for name in one.properties}
    assert sorted(expected.properties) == sorted(there)[:MOST]
    assert expected.more == len(there) - MOST
    assert expected.properties["p00000"].filled.total() == sum(
        one.properties["p00000"].filled.total() for one in found
    )
    assert len(expected.properties["p00000"].examples) == 3
    assert (expected.rows.total(), expected.undated, expected.before) == (1_000, 400, 0)


def test_rows_of_which_no_event_is_wanted_are_known(tmp_path):
    """Those that a source had before it was planned anew, and those beyond --since and --until, as far as days tell."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        days = {f"2024-03-{day:02d}": day for day in range(1, 6)}
        note(checkpoint, [Look(rows=Counter(days), undated=2)] * 2)
        with checkpoint.change() as db:
            db.execute("UPDATE inputs SET name = '0.jsonl (planned before, 1)' WHERE name = '0.jsonl'")
            ends = ("2024-03-02T00:00:00+00:00", "2024-03-04T12:00:00+00:00")
            db.execute("UPDATE inputs SET since = ?, until = ? WHERE name = '1.jsonl'", ends)
        found = looks.look(checkpoint)
    assert found.rows == Counter({day: 2 * count for day, count in days.items()})
    assert found.left_out == found.rows - Counter({"2024-03-02": 2, "2024-03-03": 3})


def test_rows_that_an_earlier_version_read_are_told_apart(tmp_path):
    """None is kept of it alone; beside what is planned now, its rows are counted as such."""
    with planned(tmp_path, events(60)) as checkpoint:
        read = checkpoint.numbers().read
    assert read == 60
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript(AS_12)
    with Checkpoint.open(tmp_path) as checkpoint:
        assert looks.look(checkpoint) is None
        checkpoint.register(["b.jsonl"])
        with checkpoint.change() as db:
            looks.note(db, checkpoint.inputs()["b.jsonl"].id, Look(undated=1))
        found = looks.look(checkpoint)
        assert (found.undated, found.before) == (1, read - 1)
