"""Parked events are sent again as they are, or as a person has mended them; nothing of parked.jsonl is guessed."""

import json
import sqlite3
from collections import defaultdict

import pytest
from refused import POISON, Parked, mended, text_of
from workdirs import SAVED, events, here, planned, saved

from migrate.sandbox.server import Sandbox


@pytest.fixture
def workdir(tmp_path):
    """A workdir with parked events, and where they go."""
    with Sandbox() as sandbox:
        made = Parked(tmp_path, sandbox)
        made.first = made.lines()
        yield made


@pytest.mark.parametrize("how", SAVED)
def test_what_a_person_mended_is_sent_by_its_uuid(workdir, how):
    """However the file is saved; with the uuids, names, people and times that were planned."""
    workdir.file.write_bytes(saved(how, text_of(map(mended, workdir.first))))
    done, left = workdir.send()
    assert (done.returncode, left, workdir.file.read_text()) == (0, 0, ""), done.stderr
    assert f"{workdir.file}: 24 events are sent as they were mended there" in done.stderr
    for line in workdir.first:
        row, payload = workdir.arrived()[line["uuid"]], json.loads(line["payload"])
        assert [row[name] for name in ("event", "distinct_id", "timestamp")] == [
            payload[name] for name in ("event", "distinct_id", "timestamp")
        ]
        assert row["properties"]["mended"] is True
    assert not list(workdir.folder.glob("parked.edited*"))


def test_a_payload_may_stand_there_as_an_object(workdir):
    """As `jq` leaves it."""
    lines = [line | {"payload": json.loads(mended(line)["payload"])} for line in workdir.first]
    workdir.file.write_text(text_of(lines))
    done, left = workdir.send()
    assert (done.returncode, left) == (0, 0), done.stderr


def wrong(first):
    """Lines that cannot be used, each with what is said of it."""
    day = json.loads(first[0]["payload"])["timestamp"][:10]
    deep = {"properties": {"x": json.loads("[" * 120 + "]" * 120)}}
    yield "not json", "cannot be read"
    yield {"uuid": first[0]["uuid"]}, "cannot be read"
    yield json.dumps(mended(first[0]))[:-3], "cannot be read"
    yield '{"payload":' + "[" * 100_000, "cannot be read"
    yield mended(first[0], uuid=first[1]["uuid"]), "leave the uuid as it was"
    yield mended(first[0], event=" "), "its event is empty"
    yield mended(first[0], distinct_id=""), "its distinct_id is empty"
    yield mended(first[0], distinct_id="ü" * 201), "longer than 200 characters"
    yield mended(first[0], event="😀" * 101), "longer than 200 characters"
    yield (
        mended(first[0], timestamp="2024-04-20T00:00:00Z"),
        f"of another day, found '2024-04-20T00:00:00Z' where it is planned for {day}",
    )
    yield mended(first[0], timestamp="2024-04-03 10:00"), "no time with a zone"
    yield mended(first[0], properties=None), "cannot be sent"
    yield mended(first[0], properties={"x": "y" * 998_000}), "it is too large"
    yield mended(first[0], **deep), "nested deeper"
    yield mended(first[0], options={}), "unknown field `options`"
    yield first[0] | {"payload": "{'event': 1}"}, "cannot be sent"
    yield first[0] | {"payload": '{"properties":' + "[" * 100_000}, "cannot be sent"
    yield first[0] | {"payload": first[0]["payload"].replace("true", "NaN")}, "cannot be sent"
    yield (
        mended(first[0] | {"uuid": "0190d1a0-0000-7000-8000-000000000000"}),
        "no event of this uuid is parked",
    )


def test_lines_that_cannot_be_used_are_named_and_kept(workdir):
    """None of them is sent; what they are of stays parked as it was; the others go."""
    cases = list(wrong(workdir.first))
    for bad, why in cases:
        workdir.sandbox.faults([])
        workdir.file.write_text(f"{bad if isinstance(bad, str) else json.dumps(bad)}\n")
        found = workdir.file.read_bytes()
        done, left = workdir.send()
        assert (done.returncode, left) == (3, 24), bad
        assert "1 of its lines cannot be used" in done.stderr
        assert "line 1: " in done.stderr
        assert why in done.stderr, why
        newest = max(
            workdir.folder.glob("parked.edited-*.jsonl"), key=lambda path: int(path.stem.rpartition("-")[2])
        )
        assert newest.read_bytes() == found
        assert newest.name in done.stderr
        assert workdir.lines() == workdir.first
    assert workdir.arrived() == {}
    assert len(list(workdir.folder.glob("parked.edited-*"))) == len(cases)


def test_a_pretty_printed_file_is_none_of_lines(workdir):
    """Each of its lines is named by its number; nothing is sent of it."""
    workdir.file.write_text("\n".join(json.dumps(line, indent=2) for line in workdir.first))
    done, left = workdir.send()
    assert (done.returncode, left) == (3, 24)
    assert "line 1: cannot be read" in done.stderr
    assert "24 parked events are not in it, and stay parked" in done.stderr
    assert workdir.lines() == workdir.first


def test_what_a_person_took_out_stays_parked(workdir):
    """Said by number and example; what is there is sent; a line that is there twice once."""
    workdir.sandbox.faults([])
    kept = [mended(line) for line in workdir.first[3:]]
    workdir.file.write_text(text_of([*kept, kept[0], mended(kept[1], event="other")]))
    done, left = workdir.send()
    assert (done.returncode, left) == (3, 3)
    names = ", ".join(line["uuid"] for line in workdir.first[:3])
    assert f"3 parked events are not in it, and stay parked: {names}" in done.stderr
    assert "2 of its lines cannot be used" in done.stderr
    assert done.stderr.count("the event is there twice") == 2
    assert workdir.lines() == workdir.first[:3]
    arrived = workdir.arrived()
    assert arrived.keys() == {line["uuid"] for line in kept}
    assert {row["event"] for row in arrived.values()} == {"e"}


@pytest.mark.parametrize("how", ["gone", "shortened in a line", "emptied"])
def test_a_file_that_was_lost_or_cut_is_made_again(workdir, how):
    """Gone: all are sent as they are kept. Cut: what is not in it stays parked. Nothing is lost."""
    workdir.sandbox.faults([])
    if how == "gone":
        workdir.file.unlink()
        done, left = workdir.send()
        assert f"{workdir.file}: was gone, and is made again" in done.stderr
        assert (done.returncode, left) == (0, 0)
        return
    text = workdir.file.read_bytes()
    whole = text.splitlines(keepends=True)[:11]
    workdir.file.write_bytes(b"".join(whole) + text[-30:] if how != "emptied" else b"")
    done, left = workdir.send()
    assert left == len(workdir.lines()) == (24 if how == "emptied" else 13)
    assert f"{left} parked events are not in it, and stay parked" in done.stderr
    assert done.returncode == (0 if how == "emptied" else 3)
    assert workdir.send()[1] == 0


def test_sending_leaves_an_edited_file_as_it_is(workdir):
    """Half of a day's mending is not written over by tonight's run; what is parked tonight is not lost either."""
    text = text_of(map(mended, workdir.first))
    workdir.file.write_text(text)
    planned(workdir.folder, events(10, poison={103}, start=100), name="b.jsonl").close()
    done, left = workdir.send(command="apply")
    assert (done.returncode, left, workdir.file.read_text()) == (3, 25, text)
    assert "was changed by hand, and is left as it is" in done.stderr
    assert f"is sent with: migrate resend {workdir.folder}" in done.stderr
    workdir.sandbox.faults([])
    done, left = workdir.send()
    assert (done.returncode, left, len(workdir.lines())) == (0, 1, 1)
    assert "1 parked events are not in it" in done.stderr
    assert workdir.send()[1] == 0


def test_events_go_again_in_their_order(workdir):
    """Days oldest first, never two in a request; what says who is who before the others; one person's in time order.

    However they came to be parked: later increments are of the same days and of earlier times.
    """
    more = events(40, days=3, people=4, poison=range(100, 140), start=100)
    merges = events(3, days=3, people=4, poison=range(200, 203), start=200)
    merges = merges.with_columns(
        merges["payload"].str.replace('"event":"e"', '"event":"a merge"', literal=True)
    )
    planned(workdir.folder, more, name="b.jsonl").close()
    planned(workdir.folder, merges, name="c.jsonl", leads=True).close()
    assert workdir.send("--max-batch-events", "10", command="apply")[1] == 67
    workdir.sandbox.faults([])
    before = len(workdir.sandbox.events("raw"))
    assert workdir.send("--max-batch-events", "7")[1] == 0
    rows = workdir.sandbox.events("raw")[before:]
    requests, people, names = defaultdict(set), defaultdict(list), defaultdict(list)
    for row in rows:
        day = row["timestamp"][:10]
        requests[row["request"]].add(day)
        names[day].append(row["event"])
        if row["event"] == "e":
            people[row["distinct_id"], day].append(row["timestamp"])
    assert all(len(days) == 1 for days in requests.values())
    order = [min(days) for _, days in sorted(requests.items())]
    assert order == sorted(order)
    assert len(set(order)) == 3
    assert all(found == sorted(found) for found in names.values())
    assert all(times == sorted(times) for times in people.values())
    assert len(rows) == 67


def test_what_is_refused_again_has_the_new_words(workdir):
    """It stays parked, and that is news; by other words it is listed apart."""
    workdir.sandbox.faults([{"fault": "status", "status": 413, "times": 5, "after": 1}, *POISON])
    assert workdir.send("--max-batch-events", "1")[0].returncode == 3
    assert sorted(line["status"] for line in workdir.lines()) == [400] * 19 + [413] * 5
    shown = here("rejects", workdir.folder)
    says = "events refused; PostHog says:"
    assert f"parked   19 {says} 400 invalid event could not be processed" in shown.stderr
    assert f"parked   5 {says} 413 maximum event size exceeded" in shown.stderr
    assert f"migrate resend {workdir.folder}" in shown.stderr
    assert here("status", workdir.folder).returncode == 3


def test_a_server_that_stops_is_gone_on_with(workdir):
    """What was accepted is noted round by round; the same command sends what is left, and what was parked since."""
    workdir.sandbox.faults([{"fault": "status", "status": 401, "after": 2}])
    done, left = workdir.send("--max-batch-events", "4")
    assert (done.returncode, left) == (4, 16)
    assert len(workdir.lines()) == 16
    workdir.sandbox.faults(POISON)
    planned(workdir.folder, events(10, poison={103}, start=100), name="b.jsonl").close()
    assert workdir.send(command="apply")[1] == 17
    workdir.sandbox.faults([])
    before = len(workdir.sandbox.events("raw"))
    done, left = workdir.send()
    assert (done.returncode, left) == (0, 0)
    assert len(workdir.sandbox.events("raw")) - before == 17


def test_a_parked_event_that_is_harmed_is_not_sent(workdir):
    """Its sum is held against it before it leaves."""
    with sqlite3.connect(workdir.folder / "checkpoint.sqlite") as db:
        db.execute("UPDATE parked SET payload = replace(payload, '\"n\":1', '\"n\":7') WHERE id = 20")
    db.close()
    workdir.sandbox.faults([])
    done, _ = workdir.send("--max-batch-events", "1")
    assert done.returncode == 5
    assert "is harmed since it was kept, and is not sent" in done.stderr
    assert not any(row["properties"]["n"] == 7 for row in workdir.sandbox.events("raw"))


def test_the_file_is_no_input(workdir):
    """What is mended in it is sent by `resend`."""
    done = here("plan", "posthog", workdir.file, "--workdir", workdir.folder)
    assert done.returncode == 2
    assert f"input {workdir.file}: it is written anew by migrate itself; " in done.stderr
    assert workdir.lines() == workdir.first
