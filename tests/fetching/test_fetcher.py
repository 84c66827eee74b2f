"""What is asked for, again and in parts where need be; what is kept is whole, whatever comes."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest
from vendors import ACCOUNT, HOUR, KEYS, Amplitude, Mixpanel, amplitude_rows, mixpanel_rows

from migrate.apply.pacing import Backoff
from migrate.errors import Refused, Stopped
from migrate.fetching import amplitude, fetcher, mixpanel, whole
from migrate.fetching.fetcher import Asking, Fetcher, Hearing, wanted
from migrate.fetching.notes import Note, Notes
from migrate.fetching.shelf import Folder
from migrate.fetching.spans import Span

START = datetime(2024, 4, 3)  # noqa: DTZ001 - a vendor's own clock
NOW = datetime(2024, 4, 10, tzinfo=UTC)
DAY = "2024-04-03"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Vendors that may be asked often, and are asked again soon."""
    monkeypatch.setattr(mixpanel, "QUOTAS", ())
    monkeypatch.setattr(mixpanel, "PAUSE", 0.001)
    monkeypatch.setattr(amplitude, "PAUSE", 0.001)


def of(server):
    """The vendor that a server stands for."""
    if isinstance(server, Amplitude):
        return amplitude.Amplitude(server.url, amplitude.login(KEYS))
    return mixpanel.Mixpanel(server.url, mixpanel.login(ACCOUNT), ACCOUNT["MIXPANEL_PROJECT_ID"])


def fetched(server, folder, *, days=1, concurrency=1, lookback=timedelta(0)):
    """Fetch from START on what is missing, and what was young; return the fetcher and what was heard."""
    heard, vendor, shelf = [], of(server), Folder(folder)
    notes = Notes.read(shelf)
    asking = Asking(Span(START, START + timedelta(days=days)), lookback, NOW)
    hearing = Hearing(
        lambda _, shown, what: heard.append(f"{shown}: {what}"),
        lambda _, why: heard.append(f"waits: {why}"),
        heard.append,
    )
    one = Fetcher(vendor, shelf, notes, hearing, concurrency, Backoff(Random(0), base=0.001))
    try:
        asyncio.run(one.run(wanted(vendor, asking, shelf.names(), notes)))
    except (Stopped, Refused) as error:
        heard.append(error)
    return one, heard


def names(folder):
    """What lies in a folder, but for the notes."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".fetch.json")


def rows(folder, name):
    """How many rows a file has."""
    form = "gzip" if name.endswith("gz") else "zip"
    return whole.content(folder / name, form, "event" if form == "gzip" else "event_type").rows


def hours(*counts):
    """Rows of the first hours of the day, so many each."""
    return {START + n * HOUR: [*amplitude_rows(START + n * HOUR, count)] for n, count in enumerate(counts)}


def test_a_day_that_is_too_much_comes_in_parts(tmp_path):
    """By size and by time alike, each part once; what is in one piece later is not asked for again."""
    with Amplitude(hours(3, 2, 0, 4)) as server:
        server.most, server.slow = 5, 4
        one, heard = fetched(server, tmp_path)
        assert names(tmp_path) == [
            *("2024-04-03T00_2024-04-03T01.zip", "2024-04-03T01_2024-04-03T03.zip"),
            "2024-04-03T03_2024-04-03T06.zip",
        ]
        assert [rows(tmp_path, name) for name in names(tmp_path)] == [3, 2, 4]
        assert (one.tally.rows, one.tally.new, one.tally.left, one.tally.empty) == (9, 3, 0, 2)
        assert [what for what in heard if "divided" in what] == [
            f"2024-04-03T00_2024-04-{end}: too much at once, divided"
            for end in ("04T00", "03T12", "03T06", "03T03")
        ]
        before = len(server.asked)
        fetched(server, tmp_path)
        assert len(server.asked) == before
        server.most = server.slow = 100
        one, _ = fetched(server, tmp_path, lookback=timedelta(days=30_000))
        assert (one.tally.same, one.tally.new) == (3, 0)


def test_an_hour_that_is_too_much_is_a_sentence(tmp_path):
    """With what there is beside this API; a time-out of a single hour is tried again first."""
    with Amplitude(hours(3, 2)) as server:
        server.most = 2
        _, heard = fetched(server, tmp_path)
        assert str(heard[-1]).startswith(
            f"{server.url}: an hour is not given, found 400 'over 4GB'; if it is over 4 GB, take this hour from"
        )
        assert names(tmp_path) == []
        server.most, server.slow = 100, 2
        _, heard = fetched(server, tmp_path)
        assert str(heard[-1]) == (
            f"{server.url}: no success in 6 attempts, found 504 'Gateway Time-out'; run the same command again to go on"
        )


@pytest.mark.parametrize("fault", ["cut", "torn", 429, (429, "0"), 500, (503, "0")])
@pytest.mark.parametrize("kind", ["amplitude", "mixpanel"])
def test_what_is_not_whole_is_asked_for_again(tmp_path, fault, kind):
    """Nothing half is ever kept, and whatever may pass does."""
    days = {DAY: [*mixpanel_rows(DAY, 50)]}
    with (
        Amplitude(hours(50), fault, fault) if kind == "amplitude" else Mixpanel(days, fault, fault) as server
    ):
        one, heard = fetched(server, tmp_path)
    (name,) = names(tmp_path)
    assert (rows(tmp_path, name), one.tally.new, len(server.asked)) == (50, 1, 3)
    assert len([what for what in heard if what.startswith("waits")]) == 2


def test_a_limit_that_names_no_time_is_not_hammered(tmp_path, monkeypatch):
    """Now, and before now, are none: the pause is Amplitude's, and grows until it is given up."""
    monkeypatch.setattr(amplitude, "PAUSE", 0.001)
    monkeypatch.setattr(fetcher, "PATIENCE", 0.1)
    with Amplitude(hours(1), *[(429, "0"), (429, "-5"), (429, "0.001")] * 30) as server:
        _, heard = fetched(server, tmp_path)
    assert str(heard[-1]).startswith(f"{server.url}: waited 0 s in vain")
    assert len(server.asked) == 7


def test_stopped_before_it_was_noted_a_file_is_still_young(tmp_path, monkeypatch):
    """How early it was asked for is known, though its content is not; so it comes again, and with what was late."""

    class KilledError(Exception):
        """It ends here."""

    def keep(shelf, path, name):
        real(shelf, path, name)
        if name.endswith(".gz"):
            raise KilledError

    real = Folder.keep
    with Mixpanel({DAY: [*mixpanel_rows(DAY, 3)]}) as server:
        monkeypatch.setattr(Folder, "keep", keep)
        with pytest.raises(KilledError):
            fetched(server, tmp_path)
        monkeypatch.setattr(Folder, "keep", real)
        server.days[DAY] += mixpanel_rows(DAY, 1, start=3)
        one, _ = fetched(server, tmp_path, lookback=timedelta(days=30_000))
    assert (one.tally.replaced, rows(tmp_path, f"{DAY}.jsonl.gz")) == (1, 4)
    notes = Notes.read(Folder(tmp_path))
    assert [note.rows for note in notes.spans.values()] == [4]


def test_what_never_becomes_whole_stops(tmp_path):
    """What was whole before stays; the notes say what is empty, and the next time goes on from there."""
    later = "2024-04-05"
    with Mixpanel(
        {DAY: [*mixpanel_rows(DAY, 3)], later: [*mixpanel_rows(later, 2), "export terminated early"]}
    ) as server:
        one, heard = fetched(server, tmp_path, days=4)
        assert str(heard[-1]) == (
            f"{server.url}: no success in 6 attempts, found the answer is not whole: a line of it is no row ('export "
            "terminated early'); run the same command again to go on"
        )
        assert (names(tmp_path), one.tally.left) == ([f"{DAY}.jsonl.gz"], 2)
        server.days[later].pop()
        before = len(server.asked)
        one, _ = fetched(server, tmp_path, days=4)
        assert [what for what, _ in server.asked[before:]] == [later, "2024-04-06"]
        assert names(tmp_path) == [f"{DAY}.jsonl.gz", f"{later}.jsonl.gz"]


def test_what_came_late_replaces_and_what_is_alike_does_not(tmp_path):
    """A day is asked for until it was once, when it was old; its rows in another order are no others."""
    path = tmp_path / f"{DAY}.jsonl.gz"
    with Mixpanel({DAY: [*mixpanel_rows(DAY, 30)]}) as server:
        fetched(server, tmp_path, days=2)
        inode = path.stat().st_ino
        again = partial(fetched, server, tmp_path, days=2, lookback=timedelta(days=30_000))
        one, _ = again()
        assert (one.tally.same, one.tally.empty, path.stat().st_ino) == (1, 1, inode)
        server.days[DAY] += mixpanel_rows(DAY, 3, start=30)
        server.days["2024-04-04"] = [*mixpanel_rows("2024-04-04", 1)]
        one, _ = again()
        assert (one.tally.replaced, one.tally.new, one.tally.rows, rows(tmp_path, path.name)) == (
            1,
            1,
            34,
            33,
        )
        del server.days[DAY][5:]
        assert again()[1] == [
            f"{DAY}.jsonl.gz: has 5 rows by now, and had 33; Mixpanel gives less of it than before",
            f"{DAY}: 5 rows, others than before",
            "2024-04-04: 1 rows, as before",
        ]
        del server.days[DAY]
        _, heard = again()
        assert heard[0].startswith(f"{DAY}.jsonl.gz: Mixpanel has nothing of it any more, and the file stays")
        assert rows(tmp_path, path.name) == 5
        before = len(server.asked)
        fetched(server, tmp_path, days=2)
        assert len(server.asked) == before
        path.unlink()
        fetched(server, tmp_path, days=2)
        assert server.asked[-1][0] == DAY


def test_a_day_that_has_not_begun_is_asked_for_next_time(tmp_path):
    """The project's zone may be another one than was said."""
    with Mixpanel({DAY: [*mixpanel_rows(DAY, 3)]}, today=DAY) as server:
        one, heard = fetched(server, tmp_path, days=2)
    assert one.tally.left == 1
    assert heard[-1].startswith("2024-04-04: has not begun for Mixpanel, found 400 '")
    assert "2024-04-04" not in json.loads((tmp_path / ".fetch.json").read_text())["spans"]


def test_a_folder_holds_one_project(tmp_path):
    """Keys of another one would mix two of them: their files are not kept."""
    with Amplitude(hours(1)) as server:
        fetched(server, tmp_path)
    with Amplitude(hours(1, 1), project="9") as server:
        _, heard = fetched(server, tmp_path, days=2, lookback=timedelta(days=30_000))
    assert (
        str(heard[-1])
        == f"{tmp_path}: what is there is of project 187520, found 9; fetch into another folder"
    )
    assert names(tmp_path) == ["2024-04-03T00_2024-04-04T00.zip"]


def test_a_vendor_that_refuses_for_hours_is_left_alone(tmp_path, monkeypatch):
    """Each time for longer; in the end somebody has to run it again."""
    monkeypatch.setattr(fetcher, "PATIENCE", 0.02)
    with Mixpanel({}, hourly=0) as server:
        _, heard = fetched(server, tmp_path)
    assert len([what for what in heard if str(what).startswith("waits")]) == 4  # 1, 2, 4 and 8 ms
    assert str(heard[-1]).startswith(
        f"{server.url}: waited 0 s in vain, and 0 s more are longer than it is waited for, found 429"
    )
    assert heard[-1].why == "deadline"


def test_several_at_once_make_the_same(tmp_path):
    """And a limit holds for all of them together."""
    days = {f"2024-04-{n:02}": [*mixpanel_rows(f"2024-04-{n:02}", n)] for n in range(3, 13)}
    with Mixpanel(days) as server:
        one, _ = fetched(server, tmp_path, days=10, concurrency=4)
    assert [rows(tmp_path, name) for name in names(tmp_path)] == [*range(3, 13)]
    assert (one.tally.rows, one.tally.requests, len({what for what, _ in server.asked})) == (75, 10, 10)


def test_what_was_young_is_wanted_again():
    """What lies outside of the stretch is not; a file of which nothing is noted was asked for just now."""
    vendor = mixpanel.Mixpanel("https://a", mixpanel.login(ACCOUNT))
    notes = Notes(
        spans={
            "2024-04-01": Note("2024-04-02T00:00:00+00:00", 1),
            "2024-04-04": Note("2024-04-05T23:59:59+00:00", 1),
        }
    )
    notes.spans["2024-04-05"] = Note("2024-04-07T00:00:00+00:00")
    there = [
        "2024-04-01.jsonl.gz",
        "2024-04-04.jsonl.gz",
        "2024-04-06.jsonl.gz",
        "2024-04-08.jsonl.gz",
        "other.jsonl.gz",
    ]
    asking = Asking(Span(START, START + timedelta(days=6)), timedelta(days=1), NOW - timedelta(seconds=1))
    found = wanted(vendor, asking, there, notes)
    assert [vendor.calendar.shown(span) for span in found] == [
        "2024-04-03",
        "2024-04-04",
        "2024-04-07",
        "2024-04-08",
    ]
