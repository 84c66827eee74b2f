import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.apply.batches import Batch, Envelope, Payloads, batches, body
from migrate.apply.capture_v0 import CaptureV0
from migrate.apply.capture_v1 import CaptureV1

HEAD = b'{"api_key":"k","historical_migration":true,"batch":['
ENVELOPE = Envelope(HEAD, b"]}")
FRAME = len(HEAD) + len(b"]}")

names = st.lists(st.text(max_size=40), max_size=60)


def envelope(key):
    """The envelope of batches with this key."""
    return CaptureV0("https://posthog.example.com", key).envelope


def payloads(events):
    return Payloads.of(
        pl.Series([json.dumps(event, ensure_ascii=False) + "," for event in events], dtype=pl.String)
    )


def sized(*sizes):
    """Payloads that are exactly this many bytes each in a body, their separating comma not counted."""
    return payloads(["x" * (size - 2) for size in sizes])


def cut(column, max_bytes, max_events=1000):
    return [
        tuple(batch)
        for batch in batches(column, envelope=ENVELOPE, max_bytes=max_bytes, max_events=max_events)
    ]


def test_body_is_exact_to_the_byte():
    """A body is head, payloads joined by commas, tail, and nothing else."""
    column = payloads([{"event": "a"}, {"event": "ü"}, {"event": "c"}])
    assert body(envelope("phc_x"), column, 0, 2) == (
        '{"api_key":"phc_x","historical_migration":true,"batch":[{"event": "a"},{"event": "ü"}]}'.encode()
    )
    assert body(ENVELOPE, column, 2, 3) == HEAD + b'{"event": "c"}]}'


def test_head_escapes_the_key():
    """A key with a quote or a backslash in it cannot break out of its string."""
    assert envelope('a"b\\').head == b'{"api_key":"a\\"b\\\\","historical_migration":true,"batch":['


@pytest.mark.parametrize(
    ("max_bytes", "expected"),
    [
        pytest.param(FRAME + 21, [(0, 2), (2, 3)], id="two and their comma fit exactly"),
        pytest.param(FRAME + 20, [(0, 1), (1, 2), (2, 3)], id="one byte less"),
        pytest.param(FRAME + 32, [(0, 3)], id="all fit exactly"),
        pytest.param(FRAME + 31, [(0, 2), (2, 3)], id="all but one byte"),
        pytest.param(FRAME + 10, [(0, 1), (1, 2), (2, 3)], id="one fits exactly"),
        pytest.param(0, [(0, 1), (1, 2), (2, 3)], id="nothing fits"),
    ],
)
def test_max_bytes_bounds_the_whole_body(max_bytes, expected):
    """Head, tail and separating commas count, the comma after the last payload does not."""
    column = sized(10, 10, 10)
    assert cut(column, max_bytes) == expected
    assert all(
        len(body(ENVELOPE, column, start, stop)) <= max_bytes or stop - start == 1 for start, stop in expected
    )


def test_max_events_bounds_the_count():
    """A batch never carries more events than asked."""
    assert cut(sized(*[5] * 7), 10**6, max_events=3) == [(0, 3), (3, 6), (6, 7)]


def test_oversized_event_travels_alone():
    """An event bigger than the bound neither blocks nor joins its neighbours."""
    assert cut(sized(5, 5, 500, 5, 5), FRAME + 50) == [(0, 2), (2, 3), (3, 5)]


def test_no_payloads_no_batches():
    """An empty column has no batches, rather than one empty one."""
    column = payloads([])
    assert len(column) == 0
    assert cut(column, 100) == []


def test_slices_and_chunks_of_a_series_are_read_right():
    """A series that starts inside its buffer, or comes in several chunks, gives its own payloads only."""
    whole = pl.Series([f'"{n}",' for n in range(10)])
    part = pl.concat([whole[2:4], whole[7:9]], rechunk=False)
    column = Payloads.of(part)
    assert len(column) == 4
    assert body(ENVELOPE, column, 0, 4) == HEAD + b'"2","3","7","8"]}'
    assert body(ENVELOPE, Payloads.of(whole[3:6]), 1, 3) == HEAD + b'"4","5"]}'


def test_text_is_not_copied():
    """The bytes of many payloads are one view into the column's buffer."""
    text = payloads(["a", "b", "c"]).text(1, 3)
    assert isinstance(text, memoryview)
    assert bytes(text) == b'"b","c",'


@pytest.mark.parametrize("bad", [None, "", '{"event":"a"}'], ids=["null", "empty", "no comma"])
def test_payload_without_its_comma_is_refused(bad):
    """A column that would make broken JSON is refused before it is sent."""
    with pytest.raises(ValueError, match=r"^a payload is null or does not end in a comma$"):
        Payloads.of(pl.Series(["{},", bad], dtype=pl.String))


def test_empty_body_is_refused():
    """PostHog answers 400 to a batch without events, so none is ever built."""
    with pytest.raises(ValueError, match=r"^a batch needs at least one event, got 1 to 1$"):
        body(ENVELOPE, payloads(["a"]), 1, 1)


def test_max_events_below_one_is_refused():
    """No batch can carry less than one event."""
    with pytest.raises(ValueError, match="got max_events=0"):
        cut(payloads(["a"]), 100, max_events=0)


def test_halves_keep_every_event_in_order():
    """Halving narrows down to a single event and loses none."""
    assert Batch(3, 8).halves() == (Batch(3, 5), Batch(5, 8))
    assert Batch(3, 5).halves() == (Batch(3, 4), Batch(4, 5))
    assert Batch(3, 8).events == 5


def test_repr_shows_neither_key_nor_payloads():
    """What lands in a traceback is not the data."""
    column = payloads(["secret"])
    assert "secret" not in repr(column)
    assert "secret" not in repr(next(batches(column, envelope=envelope("secret"), max_bytes=1, max_events=1)))


@given(names, st.integers(0, 400), st.integers(1, 20))
def test_batches_hold_every_payload_once_in_order(events, max_bytes, max_events):
    """The bodies, parsed and put together, are the events."""
    column = payloads(events)
    sent = []
    for start, stop in cut(column, max_bytes, max_events):
        request = json.loads(body(envelope('k"ü'), column, start, stop))
        assert (request["api_key"], request["historical_migration"]) == ('k"ü', True)
        sent += request["batch"]
    assert sent == events


@given(names, st.integers(0, 400), st.integers(1, 20))
def test_batches_are_bounded_and_greedy(events, max_bytes, max_events):
    """Every batch is within both bounds, or one event; and the next event would not have fitted."""
    column = payloads(events)

    def fits(start, stop):
        return stop - start <= max_events and len(body(ENVELOPE, column, start, stop)) <= max_bytes

    for start, stop in cut(column, max_bytes, max_events):
        assert fits(start, stop) or stop - start == 1
        assert stop == len(events) or not fits(start, stop + 1)


@given(names, st.integers(0, 30), st.integers(0, 30))
def test_joined_payloads_are_those_with_commas(events, start, length):
    """Put together with commas in one go, a column gives the same bytes, in its slices too; short texts as well."""
    texts = pl.Series([json.dumps(event, ensure_ascii=False) for event in events], dtype=pl.String)
    for part in (
        texts,
        texts.slice(start),
        pl.concat([texts.slice(start), texts.head(start)], rechunk=False),
    ):
        joined, added = Payloads.joined(part), Payloads.of(part + ",")
        assert list(joined.offsets) == [offset - added.offsets[0] for offset in added.offsets]
        assert joined.text(0, len(joined)) == added.text(0, len(added))
        stop = min(start + length, len(joined))
        if start <= stop:
            assert joined.part(start, stop).text(0, stop - start) == added.text(start, stop)


V1 = CaptureV1("https://posthog.example.com", "phc_key").envelope
NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30)


@given(NAMES, st.integers(1, 9), st.integers(0, 400))
def test_no_body_of_v1_holds_one_uuid_twice(uuids, max_events, room):
    """Bodies are still as large as they may be, hold every event once and in order, and are measured as they are."""
    texts = [f'{{"uuid":"{uuid}","n":"{"é" * number}"}}' for number, uuid in enumerate(uuids)]
    column = Payloads.joined(pl.Series(texts), "", pl.Series(uuids), V1)
    bounds = {"max_bytes": len(V1) + room, "max_events": max_events}
    cuts = list(batches(column, envelope=V1, **bounds))
    assert [number for cut in cuts for number in range(cut.start, cut.stop)] == [*range(len(uuids))]
    for cut, after in zip(cuts, [*cuts[1:], None], strict=True):
        assert len(set(uuids[cut.start : cut.stop])) == cut.events <= max_events
        sent = body(V1, column, cut.start, cut.stop)
        options = {"options": {"disable_skew_correction": True}}
        found = [json.loads(text) | options for text in texts[cut.start : cut.stop]]
        assert json.loads(sent)["batch"] == found
        assert len(sent) <= bounds["max_bytes"] or cut.events == 1
        if after is not None:
            is_full = (
                len(body(V1, column, cut.start, cut.stop + 1)) > bounds["max_bytes"]
                or cut.events == max_events
            )
            assert is_full or uuids[cut.stop] in uuids[cut.start : cut.stop]


@given(NAMES, st.data())
def test_some_payloads_are_as_they_were_planned(uuids, data):
    """Whatever stands at their end in a request; so are those of a part."""
    texts = [f'{{"uuid":"{uuid}","n":"{"é" * number}"}}' for number, uuid in enumerate(uuids)]
    which = data.draw(st.lists(st.integers(0, len(uuids) - 1), min_size=1))
    for envelope in (V1, Envelope(b"", b"")):
        column = Payloads.joined(pl.Series(texts), "2024-04-03", pl.Series(uuids), envelope)
        assert [column.planned(number) for number in range(len(texts))] == texts
        some = column.some(which)
        assert [some.planned(number) for number in range(len(some))] == [texts[number] for number in which]
        assert (some.day, len(some)) == ("2024-04-03", len(which))
        assert some.uuids.names() == ([uuids[number] for number in which] if envelope is V1 else [])
        part = column.part(which[0], len(texts))
        assert part.planned(0) == texts[which[0]]


def test_a_null_cannot_be_joined():
    """A payload that is missing is refused, not left out."""
    with pytest.raises(ValueError, match=r"^a payload is null$"):
        Payloads.joined(pl.Series(["{}", None], dtype=pl.String))
