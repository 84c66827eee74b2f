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
            rounds.settle(checkpoint, [rounds.Outcome(one, Settled(accepted=its), is_last=count is None)])


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
    first, second = lost.needed(checkpoint)
    assert {first.day, second.day} == {day}
    assert lost.give_up(checkpoint) == ([], Half())
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
    assert [*lost.needed(checkpoint)] == []


def test_days_are_told_from_first_to_last(checkpoint):
    """Where there are several; and what was refused of those that begin anew."""
    one, other = lost.needed(checkpoint)
    said, _, refused = lost.Given([one._replace(day="2024-01-05"), other], Half(9, 1)).remarks()
    assert f", of 2024-01-05 to {other.day}: " in said
    assert refused == (
        "lost: PostHog had refused 1 event of these, which are sent as they are planned: not as they were mended since "
        "then, nor left out where they were dismissed"
    )
    assert lost.is_sent(checkpoint, one.path)
    assert not lost.is_sent(checkpoint, rounds.of_day(checkpoint, one.day)[0].parts[0].path)
