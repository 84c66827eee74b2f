"""Refused events are kept with the server's words, sent again in order, and told in parked.jsonl."""

import json
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonvalues import COMPARED
from samples import examples

from migrate.errors import Refused
from migrate.workdir import parked
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.parked import Parked

DAYS = ("2024-04-03", "2024-04-04")


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a new workdir."""
    with Checkpoint.open(tmp_path, create=True) as made:
        yield made


def one(number, day=DAYS[0], *, status=400, message="no", payload=None):
    """A refused event."""
    text = payload or json.dumps({"uuid": f"u{number}", "n": number})
    return Parked(f"u{number}", f"{day}T00:00:{number:02d}Z", status, message, text)


def keep(checkpoint, *several, is_later=True, is_queued=False):
    """Park events, and have them sent again if that is asked for."""
    with checkpoint.change() as db:
        parked.add(db, several, is_later=is_later)
        if is_queued:
            db.execute(parked.ENQUEUE)


def sent_again(checkpoint, **bounds):
    """The payloads that are sent again, batch by batch, all taken."""
    batches = []
    while waiting := parked.following(checkpoint, **({"max_events": 100, "max_bytes": 10**6} | bounds)):
        batches.append([event.payload for event in waiting])
        parked.settle(checkpoint, waiting, [], {})
    return batches


def told(checkpoint):
    """What parked.jsonl has: uuids, status and words."""
    lines = [json.loads(line) for line in (checkpoint.workdir / parked.PARKED).read_text().splitlines()]
    return [(line["uuid"], line["status"], line["message"]) for line in lines]


def test_parked_events_are_told_until_they_are_taken(checkpoint):
    """With the words of the last refusal; ever parked is counted for ever, taken or not."""
    keep(checkpoint, one(1), one(2), one(3, DAYS[1]), is_queued=True)
    assert parked.refresh(checkpoint) == []
    assert told(checkpoint) == [("u1", 400, "no"), ("u2", 400, "no"), ("u3", 400, "no")]
    waiting = parked.following(checkpoint, max_events=9, max_bytes=10**6)
    parked.settle(checkpoint, waiting, [one(2, status=413, message="too large")], {"requests": 7})
    parked.refresh(checkpoint)
    assert told(checkpoint) == [("u2", 413, "too large"), ("u3", 400, "no")]
    assert [parked.any_of(checkpoint, day) for day in DAYS] == [True, True]
    assert sent_again(checkpoint) == [[one(3, DAYS[1]).payload]]
    parked.refresh(checkpoint)
    assert told(checkpoint) == [("u2", 413, "too large")]
    assert [parked.any_of(checkpoint, day) for day in DAYS] == [True, False]
    assert (checkpoint.counts()[parked.EVER], checkpoint.facts()["requests"]) == (4, 7)


@given(
    st.lists(st.tuples(st.sampled_from(DAYS), st.booleans(), st.integers(1, 40)), max_size=8),
    st.integers(1, 4),
    st.integers(1, 150),
)
@example([(DAYS[0], True, 1)] * 2, 4, 12)  # as full as can be
@settings(COMPARED, max_examples=examples(50))
def test_what_is_sent_again_keeps_its_order_and_its_bounds(checkpoint, several, max_events, max_bytes):
    """Day by day, merges first, then by time; a batch is of one day and as full as both bounds allow, never empty."""
    parts = [
        (day, is_later, one(number, day, payload=f'"{number}{"é" * size}"'))
        for number, (day, is_later, size) in enumerate(several)
    ]
    with checkpoint.change() as db:
        for _, is_later, event in Random(0).sample(parts, len(parts)):
            parked.add(db, [event], is_later=is_later)
        db.execute(parked.ENQUEUE)
        batches = []
        while waiting := parked.following(checkpoint, max_events=max_events, max_bytes=max_bytes):
            batches.append([event.payload for event in waiting])
            db.executemany("DELETE FROM queue WHERE id = ?", ((event.id,) for event in waiting))
        db.execute("DELETE FROM parked")
    ordered = sorted(parts, key=lambda part: (part[0], part[1], part[2].timestamp))
    expected, day_before, size = [], None, 0
    for day, _, event in ordered:
        bytes_ = len(event.payload.encode()) + 1
        if day != day_before or len(expected[-1]) == max_events or size + bytes_ > max_bytes:
            expected.append([])
            size = 0
        expected[-1].append(event.payload)
        day_before, size = day, size + bytes_
    assert batches == expected


def test_words_are_counted_without_their_numbers(checkpoint, monkeypatch):
    """Most first; beyond so many different words all others are one."""
    messages = ["it is bad", "row 12 of 300 is bad", "row 7 of 9 is bad", "uuid 0190d1a0-0000-7000 is bad"]
    keep(checkpoint, *(one(number, message=words) for number, words in enumerate(messages)))
    keep(checkpoint, one(5, status=413, message="it is bad"))
    row, it, uuid = "400 row … of … is bad", "400 it is bad", "400 uuid … is bad"
    assert [one[:2] for one in parked.refusals(checkpoint)] == [
        (row, 2),
        (it, 1),
        (uuid, 1),
        ("413 it is bad", 1),
    ]
    monkeypatch.setattr(parked, "_WORDS", 2)
    assert dict(one[:2] for one in parked.refusals(checkpoint)) == {
        it: 1,
        row: 2,
        "(other words)": 2,
    }


def test_a_parked_event_that_is_harmed_is_not_sent(checkpoint):
    """What changed in the checkpoint since it was kept is noticed; what a person mends there is not harm."""
    keep(checkpoint, one(1), is_queued=True)
    (event,) = parked.following(checkpoint, max_events=9, max_bytes=10**6)
    with checkpoint.change() as db:
        parked.mend(db, event.id, '{"mended":true}', one(1).timestamp)
    assert sent_again(checkpoint) == [['{"mended":true}']]
    keep(checkpoint, one(2), is_queued=True)
    with checkpoint.change() as db:
        db.execute("UPDATE parked SET payload = replace(payload, '2', '3')")
    with pytest.raises(Refused) as raised:
        parked.following(checkpoint, max_events=9, max_bytes=10**6)
    assert str(raised.value) == (
        f"{checkpoint.workdir / FILE}: the parked event u2 is harmed since it was kept, and is not sent; plan its "
        "source into a new --workdir: what was sent already collapses with what is sent again"
    )


def test_an_edited_file_is_left_as_it_is_and_one_that_is_gone_is_made_again(checkpoint):
    """Both are said; what was mended is never written over."""
    keep(checkpoint, one(1))
    parked.refresh(checkpoint)
    path = checkpoint.workdir / parked.PARKED
    path.unlink()
    assert parked.refresh(checkpoint) == [f"{path}: was gone, and is made again of what is known"]
    assert told(checkpoint) == [("u1", 400, "no")]
    path.write_text("mended")
    keep(checkpoint, one(2))
    assert parked.refresh(checkpoint) == [
        (
            f"{path}: was changed by hand, and is left as it is; what was mended in it is sent with: "
            f"migrate resend {checkpoint.workdir}"
        )
    ]
    assert path.read_text() == "mended"
