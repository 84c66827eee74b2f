"""A piece is spread over lanes so that each person's events stay in order."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.apply.batches import Envelope, body
from migrate.apply.capture_v1 import CaptureV1
from migrate.apply.pieces import spread


@given(st.lists(st.sampled_from("abcdefg"), max_size=30), st.integers(1, 8))
@COMPARED
def test_a_distinct_id_stays_in_one_lane_and_in_order(ids, lanes):
    """No event is lost, those of one distinct_id are in one lane, and each lane keeps the order of the piece."""
    payloads = [f'{{"{one}":{number}}}' for number, one in enumerate(ids)]
    frame = pl.DataFrame(
        {"distinct_id": ids, "payload": payloads}, schema={"distinct_id": pl.String, "payload": pl.String}
    )
    found = spread(frame, lanes)
    texts = [body(Envelope(b"", b""), one, 0, len(one)).decode() for one in found.values()]
    inside = [[payload for payload in payloads if payload in text] for text in texts]
    assert texts == [",".join(lane) for lane in inside]
    assert sorted(payload for lane in inside for payload in lane) == sorted(payloads)
    v1 = CaptureV1("", "").envelope
    named = spread(frame.with_columns(pl.lit("u").alias("uuid")), lanes, envelope=v1)
    assert {lane: [one.planned(n) for n in range(len(one))] for lane, one in named.items()} == dict(
        zip(found, inside, strict=True)
    )
    assert all(len(one.uuids.names()) == len(one) for one in named.values())
    for one in set(ids):
        assert sum(f'{{"{one}":' in text for text in texts) == 1
