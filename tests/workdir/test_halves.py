"""What is half sent begins anew, and what was refused of it with it."""

import json

import pytest
from workdirs import events, planned

from migrate.apply.beginning import make_ready
from migrate.workdir import halves, parked, rounds
from migrate.workdir.depot import Left
from migrate.workdir.records import Settled


def refused(checkpoint, name, own, accepted, *, is_last):
    """Settle events of a round, two refused, as what was planned of an input."""
    day = rounds.days(checkpoint)[0]
    (one,) = (one for one in rounds.of_day(checkpoint, day) if one.parts[0].input == name)
    rows = own.sort("timestamp").head(2).select("uuid", "payload").rows()
    those = [parked.Parked(uuid, f"{day}T00:00:00Z", 400, "bad", text.rstrip(",")) for uuid, text in rows]
    outcome = rounds.Outcome(one, Settled(accepted=accepted, parked=2), is_last=is_last)
    rounds.settle(checkpoint, [outcome], also=lambda db: parked.add(db, those, is_later=False))
    return {uuid for uuid, _ in rows}


@pytest.fixture
def checkpoint(tmp_path):
    """A day of which one file is sent and another one half, two events of each refused: its `sent` and `half`."""
    first, second = events(9), events(9, start=50)
    with planned(tmp_path, first) as made:
        made.sent = refused(made, 1, first, 7, is_last=True)
    sent = made.sent
    with planned(tmp_path, second, "b") as made:
        made.sent, made.half = sent, refused(made, 2, second, 3, is_last=False)
        yield made


@pytest.mark.parametrize("named", [True, False])
def test_what_was_refused_of_a_half_is_parked_no_more(checkpoint, named):
    """It is sent again; what was refused of what is sent stays, and the numbers of both are right."""
    day = rounds.days(checkpoint)[0]
    with checkpoint.change() as db:
        db.execute(parked.ENQUEUE)
        if not named:  # as by an earlier version
            db.execute("UPDATE parked SET event = NULL")
    with pytest.raises(Left):
        halves.of_days(checkpoint, [day], is_over=lambda: True)
    lost = {part.path for one in rounds.of_day(checkpoint, day) for part in one.parts}
    assert halves.of_days(checkpoint, [day], lost) == (0, 0, ())
    half = halves.of_days(checkpoint, [day, "2001-01-01"])
    assert half[:2] == (5, 2)
    parked.refresh(checkpoint)
    with checkpoint.change() as db:
        halves.begin_anew(db, [day], half)
    assert [one.position for one in rounds.of_day(checkpoint, day)] == [0]
    assert {one.uuid for one in parked.every_key(checkpoint)} == checkpoint.sent
    assert {one.uuid for one in parked.following(checkpoint, max_events=9, max_bytes=999)} == checkpoint.sent
    parked.refresh(checkpoint)
    lines = (checkpoint.workdir / "parked.jsonl").read_text().splitlines()
    assert {json.loads(line)["uuid"] for line in lines} == checkpoint.sent
    assert halves.of_days(checkpoint, [day]) == (0, 0, ())


def test_days_that_are_noted_begin_anew_once_before_anything_is_sent(checkpoint):
    """Told before it is done. What is refused of the day's other rounds stays, and what is settled later counts."""
    day = rounds.days(checkpoint)[0]
    assert [*halves.remarks(checkpoint)] == []
    checkpoint.note(begin_anew=[day, "2001-01-01"])
    (said,) = halves.remarks(checkpoint)
    assert said.startswith(
        f"2 days that an earlier version has sent half, 2001-01-01, {day}: sent from the first"
    )
    with pytest.raises(Left):
        halves.begin_noted(checkpoint, lambda: True)
    make_ready(checkpoint)
    assert {one.uuid for one in parked.every_key(checkpoint)} == checkpoint.sent
    (one,) = rounds.of_day(checkpoint, day)
    assert one.position == 0
    rounds.settle(checkpoint, [rounds.Outcome(one, Settled(accepted=4), is_last=False)])
    make_ready(checkpoint)
    assert [*halves.remarks(checkpoint)] == []
    assert [one.position for one in rounds.of_day(checkpoint, day)] == [4]
