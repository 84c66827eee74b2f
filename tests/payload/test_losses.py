"""What PostHog makes of events that it takes is said of those events and of no others."""

import pytest
from frames import event_frame, made

from migrate.payload.losses import losses


def told(*rows):
    """What is said of events, with the rows that it is said of."""
    frame = made(event_frame(*rows)).frame
    assert frame.height == len(rows)
    return {reason: found.to_list() for reason, found in losses(frame).items()}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param({"event": "$exception"}, "exception_lane", id="exception"),
        pytest.param({"event": "$ai_generation"}, "ai_lane", id="ai"),
        pytest.param({"event": "$$heatmap"}, "heatmap_lane", id="heatmap"),
        pytest.param({"event": "ü" * 101}, "event_name_over_200_bytes", id="name"),
        pytest.param({"distinct_id": "😀" * 51}, "distinct_id_over_200_bytes", id="id"),
        pytest.param({"extra": '{"a":123.71000000000001}'}, "long_decimal", id="double"),
        pytest.param({"set": '{"a":-0.00012345678901234567}'}, "long_decimal", id="of_a_person"),
        pytest.param({"extra": '{"a":[0,1711969200123.4567]}'}, "long_decimal", id="few_decimals"),
        pytest.param({"extra": '{"a":-12345678901234.56}'}, "long_decimal", id="two_decimals"),
        pytest.param({"extra": '{"a":123456789012345.6}'}, "long_decimal", id="one_decimal"),
        pytest.param(
            {"extra": r'{"s":"\\\"","o":{"a" : 1.2345678901234567e-7 }}'}, "long_decimal", id="deep"
        ),
    ],
)
def test_told(row, reason):
    """By name, and with its row."""
    assert told({}, row) == {reason: [2]}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"event": "exception", "distinct_id": "$ai_1"}, id="names"),
        pytest.param({"event": "e" * 200, "distinct_id": "ü" * 100}, id="200_bytes"),
        pytest.param(
            {"extra": '{"a":12.34,"b":0.000000000001,"c":1234567890.123,"d":12345678901234.5}'}, id="short"
        ),
        pytest.param({"extra": '{"a":1234567890123456,"b":12345678901234567890}'}, id="integers"),
        pytest.param({"extra": r'{"a":"1.23456789012345678","b":"x, 123456789012345.6 "}'}, id="texts"),
        pytest.param({"extra": r'{"a":"{\"b\":1.23456789012345678}"}'}, id="json_in_a_text"),
        pytest.param({"extra": r'{"a":"\\","1.23456789012345678":1}'}, id="key"),
    ],
)
def test_not_told(row):
    """Numbers that texts hold are no numbers, and what fits both of PostHog's captures is no news."""
    assert told(row) == {}


def test_one_event_may_be_told_of_twice():
    """Each thing counts for itself."""
    row = {"event": "$exception", "extra": '{"a":0.1234567890123456789}'}
    assert told(row, {"event": "$exception"}, {}) == {"exception_lane": [1, 2], "long_decimal": [1]}
