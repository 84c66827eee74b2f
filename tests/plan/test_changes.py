"""Which events of a source changed, and what is to become of them: by what was sent, and by what PostHog would keep."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.plan.changes import Versions, compare
from migrate.plan.versions import ids
from migrate.workdir.days import DayWriter
from migrate.workdir.depot import Depot
from migrate.workdir.parked import Key
from migrate.workdir.records import Change, Fate

WHEN = datetime(2024, 4, 3, 12, 0, 0, 123_000, tzinfo=UTC)
KEY = dict.fromkeys(("uuid", "event", "distinct_id"), pl.String) | {"timestamp": pl.Datetime("us", "UTC")}


def at(day=3):
    """Noon of a day, and the text that a version-7 uuid of that time begins with."""
    when = WHEN.replace(day=day)
    ms = f"{int(when.timestamp() * 1000):012x}"
    return when, f"{ms[:8]}-{ms[8:]}"


def uuid(number, day=3):
    """The uuid that is made of a number and a day."""
    return f"{at(day)[1]}-7000-8000-{number:012}"


def event(number, told="x", **more):
    """An event of the source `a`; its `uuid` is made of its number and time, unless it has one of its own."""
    name, who, day = (more.get(one, usual) for one, usual in (("name", "e"), ("who", "u"), ("day", 3)))
    own = more.get("uuid", uuid(number, day))
    payload = f'{{"event":"{name}","uuid":"{own}","properties":{{"v":"{told}","$lib_version":"1"}}}}'
    return {
        "timestamp": at(day)[0],
        "event": name,
        "distinct_id": who,
        "uuid": own,
        "payload": payload,
        "file": "a",
        "row": number,
    }


def own(number):
    """A uuid of version 1: what stands behind its time is its machine's."""
    return f"{number:08x}-5a3c-11f0-9b1c-0242ac120002"


class Parts:
    """Parts that are written, each of an input of its own."""

    def __init__(self, workdir):
        self.workdir = workdir
        self.count = 0

    def __call__(self, *events):
        """Write one."""
        self.count += 1
        writer = DayWriter(self.workdir, self.count)
        if events:
            times = {"timestamp": pl.Datetime("us", "UTC")}
            writer.write(pl.DataFrame(events, schema_overrides=times))
        return writer.finish()

    def compared(self, sent, unsent, now, *, stayed=(), refused=(), **more):
        """What changed: how many by what it means, and the fates of events, by uuid, name and person."""
        versions = Versions(
            self(*sent), self(*unsent), self(*now), ["a"], self(*stayed), [Key(*one) for one in refused]
        )
        found = compare(Depot(self.workdir), versions, **{"resend": False, **more})
        keys = [tuple(one[name] for name in KEY) for one in now]
        known = dict(zip(ids(pl.DataFrame(keys, KEY, orient="row")).to_list(), keys, strict=True))
        fates = {known[number][:3]: (day, fate) for day, number, fate in found.fates.iter_rows()}
        return {change: n for change, n in found.counts.items() if n}, fates


@pytest.fixture
def parts(tmp_path):
    """What writes parts."""
    return Parts(tmp_path)


def test_what_is_the_same_or_new_is_sent_as_others_are(parts):
    """Whoever made the payloads."""
    first = event(1)
    later = first | {"payload": first["payload"].replace('"$lib_version":"1"', '"$lib_version":"2"')}
    assert parts.compared([first], [event(2)], [later, event(2), event(3)]) == ({}, {})


def test_what_changed_before_it_was_sent_is_sent_as_it_is_now(parts):
    """In whatever it changed: its values, its person, its name, its time."""
    old = [event(1), event(2), event(3), event(4)]
    now = [event(1, "y"), event(2, who="v"), event(3, name="f"), event(4, day=5)]
    assert parts.compared([], old, now) == ({Change.REPLACED: 4}, {})


@pytest.mark.parametrize("resend", [False, True])
def test_what_changed_after_it_was_sent_stays_as_it_is(parts, resend):
    """Sent again only where PostHog would keep the later one, and where that is asked for."""
    old = [event(1), event(2), event(3), event(4)]
    now = [event(1, "y"), event(2, who="v"), event(3, name="f"), event(4, day=5)]
    counts, fates = parts.compared(old, [], now, resend=resend)
    stays = {
        (uuid(2), "e", "v"): ("2024-04-03", "stays"),
        (uuid(3), "f", "u"): ("2024-04-03", "stays"),
        (uuid(4, 5), "e", "u"): ("2024-04-05", "stays"),
    }
    if resend:
        assert counts == {Change.RESENT: 1, Change.KEPT: 3}
        assert fates == stays | {(uuid(1), "e", "u"): ("2024-04-03", "again")}
    else:
        assert (counts, fates) == ({Change.KEPT: 4}, stays)


def test_what_vanished_is_counted_by_whether_it_was_sent(parts):
    """An event that was sent and one that was not; a third has another time now, and has not vanished."""
    old, now = [event(1), event(3)], [event(3, day=4), event(4)]
    counts, fates = parts.compared(old, [event(2)], now)
    assert counts == {Change.VANISHED_SENT: 1, Change.VANISHED: 1, Change.KEPT: 1}
    assert [*fates] == [(uuid(3, 4), "e", "u")]


def test_what_was_refused_was_not_sent(parts):
    """A parked event that has changed is sent as it is now, also where people have mended its name since.

    Not another event of the same uuid, which was accepted.
    """
    day, other = "2024-04-03", event(1, name="f")
    for name in ("e", "mended"):
        refused = [(day, uuid(1), name, "u")]
        assert parts.compared([event(1)], [], [other], refused=refused) == ({Change.REPLACED: 1}, {})
    refused = [(day, uuid(1), "e", "u")]
    counts, fates = parts.compared(
        [event(1), other], [], [event(1, "y"), event(1, "y", name="f")], refused=refused
    )
    assert (counts, fates) == ({Change.REPLACED: 1, Change.KEPT: 1}, {})
    assert parts.compared([event(1)], [], [event(1, "y")], refused=[("2024-04-04", *refused[0][1:])])[0] == {
        Change.KEPT: 1
    }


@pytest.mark.parametrize("day", [3, 4])
def test_new_events_whose_uuids_end_alike_are_new(parts, day):
    """As those of version 1 of one machine do: one that is gone is none of those that are new."""
    old = [event(n, uuid=own(n)) for n in range(3)]
    now = [*old[1:], *(event(n, uuid=own(n), day=day) for n in range(3, 6))]
    assert parts.compared(old, [], now) == ({Change.VANISHED_SENT: 1}, {})
    moved = event(0, uuid=own(0), day=5)
    counts, fates = parts.compared(old, [], [*now, moved])
    assert (counts, fates) == ({Change.KEPT: 1}, {(own(0), "e", "u"): ("2024-04-05", "stays")})


@pytest.mark.parametrize(
    "new",
    [
        [event(1, day=4, name="f")],
        [event(1, day=4, who="v")],
        [event(1, day=4), event(1, day=5)],
        [event(1, day=4, name="f"), event(1, day=4, name="g")],
    ],
)
def test_the_same_key_at_another_time_is_another_event_unless_it_is_the_same_row(parts, new):
    """It is that where its name and its person are the same, and one is gone and one is new."""
    assert parts.compared([event(1), event(2)], [], [event(2), *new]) == ({Change.VANISHED_SENT: 1}, {})


def test_a_key_that_stands_for_several_events_says_nothing_of_their_times(parts):
    """As in a file of the last days: one has gone out of it, one is there still, one is new."""
    old, now = [event(1), event(1, day=4)], [event(1, day=4), event(1, day=5)]
    assert parts.compared(old, [], now) == ({Change.VANISHED_SENT: 1}, {})
    assert parts.compared(old, [], [event(1, day=5)]) == ({Change.VANISHED_SENT: 2}, {})


@pytest.mark.parametrize("more", [{"name": "paid"}, {"who": "seller"}, {"name": "paid", "who": "seller"}])
def test_of_events_of_one_uuid_each_has_its_own_fate(parts, more):
    """Wherever the new one stands; the one that was sent is the same, or has other values."""
    first, other = event(1), event(1, **more)
    for now in ([first, other], [other, first]):
        assert parts.compared([first], [], now) == ({}, {})
    assert parts.compared([first], [], [other, event(1, "y")]) == ({Change.KEPT: 1}, {})
    counts, fates = parts.compared([first], [], [other, event(1, "y")], resend=True)
    assert (counts, [*fates]) == ({Change.RESENT: 1}, [(uuid(1), "e", "u")])


def test_each_event_that_is_gone_answers_for_one_that_is_new(parts):
    """Of one uuid: as many are versions as are gone, those of the same name first; two persons may be one by now."""
    old = [event(1, name="placed"), event(1, name="paid")]
    now = [event(1, name="placed", who="v"), event(1, name="paid", who="v")]
    counts, fates = parts.compared(old, [], now)
    assert (counts, len(fates)) == ({Change.KEPT: 2}, 2)
    counts, fates = parts.compared(old, [], [now[0], event(1, name="shipped"), event(1, name="back")])
    assert (counts, [*fates]) == ({Change.KEPT: 1, Change.VANISHED_SENT: 1}, [(uuid(1), "placed", "v")])
    assert parts.compared([event(1)], [], [event(1, who="v"), event(1, who="w")])[1] == {}
    two = [event(1), event(1, who="v")]
    assert parts.compared(two, [], [event(1, who="w")])[0] == {Change.KEPT: 1, Change.VANISHED_SENT: 1}


def test_what_stayed_is_known_again_at_another_time(parts):
    """It is not what was sent, and yet a version of it; what was sent at several times of its key is not."""
    sent, stayed, now = [event(1)], [event(1, who="v")], [event(1, who="v", day=4)]
    counts, fates = parts.compared(sent, [], now, stayed=stayed)
    assert counts == {Change.KEPT: 1, Change.VANISHED_SENT: 1}
    assert fates == {(uuid(1, 4), "e", "v"): ("2024-04-04", "stays")}
    counts, fates = parts.compared(sent, [], [event(1, day=5)], stayed=[event(1, day=4)])
    assert (counts, [*fates]) == ({Change.KEPT: 1}, [(uuid(1, 5), "e", "u")])


def test_of_several_versions_that_were_sent_the_last_counts(parts):
    """What was sent again is what PostHog has."""
    sent = [*parts(event(1)), *(replace(one, fate=Fate.AGAIN) for one in parts(event(1, "y")))]
    for told, counts in (("y", {}), ("x", {Change.KEPT: 1})):
        found = compare(Depot(parts.workdir), Versions(sent, [], parts(event(1, told)), ["a"]), resend=False)
        assert {change: n for change, n in found.counts.items() if n} == counts


def test_of_several_events_of_a_key_the_earliest_counts_however_its_file_was_planned(parts):
    """It is what is sent, of one part and of the parts of slices; what is the same is no change."""
    noon = event(1)
    morning = event(1, "y") | {"timestamp": noon["timestamp"].replace(hour=6)}
    whole, slices = parts(morning, noon), [*parts(noon), *parts(morning)]
    for old in (whole, slices):
        for now in (whole, slices):
            its = [[replace(one, input=number) for one in some] for number, some in enumerate((old, now), 1)]
            found = compare(Depot(parts.workdir), Versions(its[0], [], its[1], ["a"]), resend=False)
            assert found.counts.total() == 0


def test_what_is_another_files_is_nothing_to_compare(parts):
    """Files that were planned together have parts together; and one that is harmed tells nothing."""
    other = event(1) | {"file": "b"}
    assert parts.compared([other], [other], [event(2)]) == ({}, {})
    (part,) = parts(event(1))
    (parts.workdir / part.path).write_bytes(b"harmed")
    found = compare(Depot(parts.workdir), Versions([part], [], parts(event(1, "y")), ["a"]), resend=True)
    assert (found.counts.total(), found.counts[Change.UNKNOWN], found.fates.height) == (1, 1, 0)
    assert [*found.unread] == [part.path]


def test_slices_of_a_day_find_what_the_day_finds(parts, monkeypatch):
    """However few events are compared at once."""
    old = [event(n) for n in range(50)]
    now = [event(n, "y" if n % 3 else "x", name="f" if n % 5 == 0 else "e") for n in range(10, 60)]
    whole = parts.compared(old, [], now)
    monkeypatch.setattr("migrate.plan.changes._ROWS", 7)
    assert parts.compared(old, [], now) == whole
    assert whole[0][Change.VANISHED_SENT] == 10
