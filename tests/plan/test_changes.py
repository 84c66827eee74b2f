"""Which events of a source changed, and what is to become of them: by what was sent, and by what PostHog would keep."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from migrate.plan.changes import Versions, compare, ids
from migrate.workdir.days import DayWriter
from migrate.workdir.records import Change, Fate

WHEN = datetime(2024, 4, 3, 12, tzinfo=UTC)


def uuid(number, ms="0190d1a0-0000"):
    """A version-7 uuid of a number; `ms` is where its time stands."""
    return f"{ms}-7000-8000-{number:012}"


def event(number, told="x", **more):
    """An event of the source `a`."""
    name, who, day, ms = (
        more.get(one, usual)
        for one, usual in (("name", "e"), ("who", "u"), ("day", 3), ("ms", "0190d1a0-0000"))
    )
    when = WHEN.replace(day=day)
    own = uuid(number, ms)
    payload = f'{{"event":"{name}","uuid":"{own}","properties":{{"v":"{told}","$lib_version":"1"}}}}'
    return {
        "timestamp": when,
        "event": name,
        "distinct_id": who,
        "uuid": own,
        "payload": payload,
        "file": "a",
        "row": number,
    }


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

    def compared(self, sent, unsent, now, **more):
        """What changed: how many by what it means, and the fates of uuids by their days."""
        versions = Versions(self(*sent), self(*unsent), self(*now), ["a"])
        found = compare(self.workdir, versions, **{"resend": False, **more})
        known = ids(pl.Series([one["uuid"] for one in now], dtype=pl.String)).to_list()
        fates = {
            now[known.index(number)]["uuid"]: (day, fate)
            for day, frame in found.fates.items()
            for number, fate in frame.iter_rows()
        }
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
    now = [event(1, "y"), event(2, who="v"), event(3, name="f"), event(4, day=5, ms="0190e0e0-0000")]
    assert parts.compared([], old, now) == ({Change.REPLACED: 4}, {})


@pytest.mark.parametrize("resend", [False, True])
def test_what_changed_after_it_was_sent_stays_as_it_is(parts, resend):
    """Sent again only where PostHog would keep the later one, and where that is asked for."""
    old = [event(1), event(2), event(3), event(4)]
    now = [event(1, "y"), event(2, who="v"), event(3, name="f"), event(4, day=5, ms="0190e0e0-0000")]
    counts, fates = parts.compared(old, [], now, resend=resend)
    stays = {
        uuid(2): ("2024-04-03", "stays"),
        uuid(3): ("2024-04-03", "stays"),
        uuid(4, "0190e0e0-0000"): ("2024-04-05", "stays"),
    }
    if resend:
        assert counts == {Change.RESENT: 1, Change.KEPT: 3}
        assert fates == stays | {uuid(1): ("2024-04-03", "again")}
    else:
        assert (counts, fates) == ({Change.KEPT: 4}, stays)


def test_what_vanished_is_counted_by_whether_it_was_sent(parts):
    """An event that was sent and one that was not; a third has another time now, and has not vanished."""
    old, now = [event(1), event(3)], [event(3, day=4, ms="0190e0e0-0000"), event(4)]
    counts, fates = parts.compared(old, [event(2)], now)
    assert counts == {Change.VANISHED_SENT: 1, Change.VANISHED: 1, Change.KEPT: 1}
    assert [*fates] == [uuid(3, "0190e0e0-0000")]


def test_what_was_refused_was_not_sent(parts):
    """A parked event that has changed is sent as it is now."""
    assert parts.compared([event(1)], [], [event(1, name="f")], refused=[uuid(1)]) == (
        {Change.REPLACED: 1},
        {},
    )


def test_of_several_versions_that_were_sent_the_last_counts(parts):
    """What was sent again is what PostHog has."""
    sent = [*parts(event(1)), *(replace(one, fate=Fate.AGAIN) for one in parts(event(1, "y")))]
    for told, counts in (("y", {}), ("x", {Change.KEPT: 1})):
        found = compare(parts.workdir, Versions(sent, [], parts(event(1, told)), ["a"]), resend=False)
        assert {change: n for change, n in found.counts.items() if n} == counts


def test_what_is_another_files_is_nothing_to_compare(parts):
    """Files that were planned together have parts together; and one that is harmed tells nothing."""
    other = event(1) | {"file": "b"}
    assert parts.compared([other], [other], [event(2)]) == ({}, {})
    (part,) = parts(event(1))
    (parts.workdir / part.path).write_bytes(b"harmed")
    found = compare(parts.workdir, Versions([part], [], parts(event(1, "y")), ["a"]), resend=True)
    assert (sum(found.counts.values()), found.fates) == (0, {})


def test_slices_of_a_day_find_what_the_day_finds(parts, monkeypatch):
    """However few events are compared at once."""
    old = [event(n) for n in range(50)]
    now = [event(n, "y" if n % 3 else "x", name="f" if n % 5 == 0 else "e") for n in range(10, 60)]
    whole = parts.compared(old, [], now)
    monkeypatch.setattr("migrate.plan.changes._ROWS", 7)
    assert parts.compared(old, [], now) == whole
    assert whole[0][Change.VANISHED_SENT] == 10
