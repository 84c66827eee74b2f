"""Of a parked event another version is planned: that is sent instead, and by its round told from what was refused."""

import json
import sqlite3

import pytest
from older import AS_12
from workdirs import events, planned

from migrate.workdir import outdated, parked, rounds
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.formats import FORMAT
from migrate.workdir.outdated import ANY, Outdated
from migrate.workdir.parked import Key, Parked
from migrate.workdir.records import Settled

_FORMAT_11 = """
    DROP TABLE outdated; ALTER TABLE rejects DROP COLUMN digest;
    CREATE TABLE outdated (day TEXT NOT NULL, uuid TEXT NOT NULL, PRIMARY KEY (day, uuid)) WITHOUT ROWID;
    PRAGMA user_version = 11
"""
DAYS = ("2024-04-03", "2024-04-04")


def one(number, day=DAYS[0], *, name="e", who="u", told=0):
    """A refused event."""
    uuid = f"u{number}"
    text = json.dumps({"event": name, "distinct_id": who, "uuid": uuid, "properties": {"n": told}})
    return Parked(uuid, f"{day}T00:00:{number:02d}Z", 400, "no", text)


def version(event, **more):
    """An event as it is planned: its uuid, its name, its payload."""
    return event.uuid, more.get("name", "e"), f"{one(int(event.uuid[1:]), **more).payload},"


@pytest.fixture
def checkpoint(tmp_path):
    """A workdir of which the first day's round is sent, and three events are refused; one of another day, too."""
    with planned(tmp_path, events(4)) as made:
        (begun,) = rounds.of_day(made, DAYS[0])
        rounds.settle(made, [rounds.Outcome(begun, Settled(accepted=1, parked=3), is_last=True)])
        with made.change() as db:
            parked.add(db, [one(1), one(2), one(2, name="f"), one(3, DAYS[1])], is_later=True)
            db.execute(parked.ENQUEUE)
        yield made


def left(checkpoint):
    """What is parked."""
    return [(key.uuid, key.event) for key in parked.every_key(checkpoint)]


def test_another_version_that_is_planned_takes_the_place_of_a_parked_one(checkpoint):
    """It is a duplicate from then on, and goes out of the queue; whoever the other is of."""
    outdated.outdate(
        checkpoint, DAYS[0], [version(one(1), told=1), version(one(2), who="v"), version(one(3))], 2
    )
    assert left(checkpoint) == [("u2", "f"), ("u3", "e")]
    assert rounds.outcome(checkpoint) == Settled(accepted=0, duplicate=2, parked=2)
    assert outdated.of_day(checkpoint, DAYS[0]) == [Outdated("u1", "e", 1), Outdated("u2", "e", 1)]
    assert outdated.of_day(checkpoint, DAYS[1]) == []
    waiting = parked.following(checkpoint, max_events=9, max_bytes=10**6)
    assert [event.payload for event in waiting] == [one(2, name="f").payload]


@pytest.mark.parametrize(
    "told",
    [
        [version(one(1))],
        [version(one(1)), version(one(1), told=1)],
        [version(one(1), told=1), version(one(1))],
        [version(one(1), name="f")],
        [],
    ],
)
def test_what_is_planned_as_it_was_or_is_another_event_takes_no_place(checkpoint, told):
    """What was refused stays parked, also where it is there in two forms, or its uuid is another event's, too."""
    before = left(checkpoint)
    outdated.outdate(checkpoint, DAYS[0], told, 2)
    assert (left(checkpoint), outdated.of_day(checkpoint, DAYS[0])) == (before, [])


def test_what_is_refused_once_more_is_outdated_up_to_a_later_round(checkpoint):
    """What was planned for the first one was refused, too."""
    outdated.outdate(checkpoint, DAYS[0], [version(one(1), told=1)], 2)
    with checkpoint.change() as db:
        parked.add(db, [one(1, told=1)], is_later=True)
    outdated.outdate(checkpoint, DAYS[0], [version(one(1), told=2)], 5)
    assert outdated.of_day(checkpoint, DAYS[0]) == [Outdated("u1", "e", 4)]


def test_what_is_parked_is_known_by_all_that_tells_it_apart(checkpoint):
    """Also where it is harmed: then by its day and uuid alone."""
    with checkpoint.change() as db:
        db.execute("UPDATE parked SET payload = '{' WHERE uuid = 'u1'")
    assert parked.every_key(checkpoint)[:2] == [Key(DAYS[0], "u1", "", ""), Key(DAYS[0], "u2", "e", "u")]


@pytest.mark.parametrize("is_settled", [True, False])
def test_what_an_earlier_format_noted_holds_where_the_other_version_is_not_sent(checkpoint, is_settled):
    """Of all that was sent by then, whatever its name; where all is sent, so is the other version."""
    checkpoint.close()
    with sqlite3.connect(checkpoint.workdir / FILE) as db:
        db.executescript(AS_12 + _FORMAT_11)
        db.execute("INSERT INTO outdated VALUES (?, 'u9')", (DAYS[0],))
        if not is_settled:
            db.execute(
                "INSERT INTO parts SELECT 'other', input, day, events, bytes, first, last, leads, anew, increment,"
                " size, sums, NULL, fate, 0 FROM parts LIMIT 1"
            )
    with Checkpoint.open(checkpoint.workdir) as made:
        assert made.query("PRAGMA user_version").fetchone() == (FORMAT,)
        assert outdated.of_day(made, DAYS[0]) == ([] if is_settled else [Outdated("u9", ANY, 1)])
