"""Sent files that pending events are held against: which they are, and what is left of those that are given up."""

import pytest
from workdirs import events, planned

from migrate.workdir import daynames, lost, rounds
from migrate.workdir.depot import Left
from migrate.workdir.halves import Half
from migrate.workdir.records import Fate, Settled


def settle(checkpoint, count=None):
    """Settle the rounds of all days, or so many events of each."""
    for day in rounds.days(checkpoint):
        for one in rounds.of_day(checkpoint, day):
            its = sum(part.events for part in one.parts) if count is None else count
            made = rounds.Outcome(one, Settled(accepted=its), is_last=count is None, names={"e": its})
            rounds.settle(checkpoint, [made])


@pytest.fixture
def checkpoint(tmp_path):
    """Two files are sent, each of two days; of a third one, of the second day alone, three of four events are."""
    with planned(tmp_path, events(20, days=2)), planned(tmp_path, events(20, days=2, start=50), "b") as made:
        settle(made)
    later = events(20, days=2, start=90)
    day = later["timestamp"].dt.date()
    with planned(tmp_path, later.filter(day == day.max()).head(4), "c") as made:
        settle(made, 3)
        yield made


def test_what_is_lost_is_given_up_all_at_once(checkpoint):
    """Of days with pending events alone; the numbers stay, and what is half sent is sent from its first event on."""
    (day,) = rounds.days(checkpoint)
    planned_, names = checkpoint.by_day(), dict(daynames.events(checkpoint))
    first, second, half = lost.needed(checkpoint)
    assert {first.day, second.day, half.day} == {day}
    assert (first.under_way, second.under_way, half.under_way) == (0, 0, 2)
    assert lost.give_up(checkpoint) == ([], Half(), 0)
    first.kept.path.unlink()
    data = second.kept.path.read_bytes()
    second.kept.path.write_bytes(data[:90] + bytes([data[90] ^ 1]) + data[91:])
    assert [one.position for one in rounds.of_day(checkpoint, day)] == [3]
    with pytest.raises(Left):
        lost.give_up(checkpoint, lambda: True)
    found = lost.give_up(checkpoint)
    assert [one.path for one in found.files] == [first.path, second.path]
    said, more = found.remarks()
    assert more == (
        "lost: of these days 3 events that were settled when sending stopped in the middle of a day are sent again, "
        "too, and count as pending until then"
    )
    assert said == (
        f"lost: 2 files with {first.events + second.events} events that were sent, of {day}: what is planned of them "
        "is sent again, and PostHog keeps the same event once"
    )
    (left,) = rounds.of_day(checkpoint, day)
    assert (left.position, len(left.parts), left.earlier) == (0, 1, ())
    assert (checkpoint.by_day(), dict(daynames.events(checkpoint))) == (planned_, names)
    assert rounds.unsettled(checkpoint, "") == 4
    assert not second.kept.path.exists()
    assert checkpoint.facts()["lost"] == {"files": 2, "events": first.events + second.events}
    assert [*lost.give_up(checkpoint).remarks()] == []


def test_what_is_sent_again_whatever_was_sent_needs_none(checkpoint):
    """`Fate.AGAIN` is held against nothing."""
    with checkpoint.change() as db:
        db.execute("UPDATE parts SET fate = ? WHERE input = 3", (Fate.AGAIN,))
    assert [one.under_way for one in lost.needed(checkpoint)] == [2]


@pytest.mark.parametrize("settled", [3, 0])
def test_a_round_ends_with_what_is_settled_where_all_that_is_half_sent_is_lost(checkpoint, settled):
    """The others count as planned no more; what all sources together say of people is not given up so."""
    (day,) = rounds.days(checkpoint)
    with checkpoint.change() as db:
        total = daynames.summed(names for _, names in daynames.events(checkpoint))
        db.executemany("INSERT INTO names VALUES (?, ?)", total.items())
    if not settled:
        with checkpoint.change() as db:
            rounds.begin_anew(db, [day])
    before, names = checkpoint.by_day()[day], sum(checkpoint.numbers().names.values())
    *_, half = lost.needed(checkpoint)
    half.kept.path.unlink()
    with checkpoint.change() as db:
        db.execute("UPDATE inputs SET name = '(persons)' WHERE name = 'c'")
    assert (lost.give_up(checkpoint), lost.is_under_way(checkpoint, half.path)) == (([], Half(), 0), False)
    with checkpoint.change() as db:
        db.execute("UPDATE inputs SET name = 'c' WHERE name = '(persons)'")
    assert lost.is_under_way(checkpoint, half.path)
    found = lost.give_up(checkpoint)
    assert found == ([half], Half(), 4 - settled)
    said, more = found.remarks()
    assert f"lost: 1 file with {settled} events that were sent, of {day}: " in said
    assert more.startswith(f"lost: {4 - settled} event")
    assert rounds.days(checkpoint) == []
    assert checkpoint.by_day()[day] == before - found.unsent
    assert sum(checkpoint.numbers().names.values()) == names - found.unsent
    assert sum(dict(daynames.events(checkpoint))[day].values()) == before - found.unsent
    assert rounds.outcome(checkpoint).accepted == 40 + settled
    assert checkpoint.facts()["lost"] == {"files": 1, "events": settled, "unsent": found.unsent}


def test_a_round_is_sent_from_its_first_event_on_where_some_of_it_is_lost(checkpoint):
    """Which of what is settled was of what is lost is not known."""
    (day,) = rounds.days(checkpoint)
    with checkpoint.change() as db:
        db.execute("UPDATE parts SET round = 2 WHERE day = ? AND input = 2", (day,))
    sound, half = (one for one in lost.needed(checkpoint) if one.under_way)
    before = checkpoint.by_day()[day]
    half.kept.path.unlink()
    assert lost.give_up(checkpoint) == ([half], Half(3), 4)
    (left,) = rounds.of_day(checkpoint, day)
    assert (left.position, [part.path for part in left.parts]) == (0, [sound.path])
    assert checkpoint.by_day()[day] == before - 4
    assert checkpoint.facts()["lost"] == {"files": 1, "events": 0, "unsent": 4}


def test_days_are_told_from_first_to_last(checkpoint):
    """Where there are several; and what was refused of those that begin anew."""
    one, other, _ = lost.needed(checkpoint)
    said, _, refused = lost.Given([one._replace(day="2024-01-05"), other], Half(9, 1)).remarks()
    assert f", of 2024-01-05 to {other.day}: " in said
    assert refused == (
        "lost: PostHog had refused 1 event of these, which are sent as they are planned: not as they were mended since "
        "then, nor left out where they were dismissed"
    )
    assert lost.is_sent(checkpoint, one.path)
    assert not lost.is_sent(checkpoint, rounds.of_day(checkpoint, one.day)[0].parts[0].path)
