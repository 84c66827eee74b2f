"""What PostHog would refuse, drop or change is found before anything is sent."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from frames import LATER, event_frame

from migrate.payload import checks

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("row", "reason", "value"),
    [
        pytest.param({"timestamp": None}, "no_timestamp", None, id="no_time"),
        pytest.param(
            {"timestamp": LATER + 24 * HOUR},
            "timestamp_in_future",
            "2025-01-02 00:00:00.000000+00:00",
            id="future",
        ),
        pytest.param({"event": None}, "no_event_name", None, id="no_name"),
        pytest.param({"event": " \t"}, "no_event_name", "", id="blank_name"),
        pytest.param({"event": "ü" * 201}, "event_name_too_long", "ü" * 201, id="long_name"),
        pytest.param({"event": "😀" * 101}, "event_name_too_long", "😀" * 101, id="long_name_in_utf_16"),
        pytest.param(
            {"event": "$performance_event"}, "event_not_importable", "$performance_event", id="dropped"
        ),
        pytest.param(
            {"event": "$$client_ingestion_warning"},
            "event_not_importable",
            "$$client_ingestion_warning",
            id="never_an_event",
        ),
        pytest.param({"distinct_id": None}, "no_distinct_id", None, id="no_id"),
        pytest.param({"distinct_id": "\u2003"}, "no_distinct_id", "", id="blank_id"),
        pytest.param({"distinct_id": "😀" * 201}, "distinct_id_too_long", "😀" * 201, id="long_id"),
        pytest.param({"dedup_key": None}, "no_dedup_key", "e", id="no_key"),
        pytest.param({"properties": "[1]"}, "bad_json", "properties: [1]", id="list"),
        pytest.param({"set": '"Ada"'}, "bad_json", 'set: "Ada"', id="string"),
        pytest.param(
            {"rest": '{"a":' * 101 + "1" + "}" * 101},
            "nested_too_deep",
            "rest: " + '{"a":' * 101 + "1" + "}" * 101,
            id="deep",
        ),
    ],
)
def test_rejected(row, reason, value):
    """An event that PostHog would not keep as it is becomes a reject with what was found."""
    verdict = checks.check(event_frame({}, row), LATER)
    assert verdict.rejects.rows() == [(2, reason, value)]
    assert verdict.rejects.schema == {"_row": pl.Int64, "reason": pl.String, "value": pl.String}
    assert verdict.frame["_row"].to_list() == [1]


def test_a_year_no_timestamp_can_be_written_in_is_a_reject():
    """PostHog takes years from 1 to 9999 for times, others for now."""
    beyond = event_frame({}).with_columns(
        timestamp=pl.lit(253_402_300_800_000_000).cast(pl.Datetime("us", "UTC"))
    )
    before = event_frame({}).with_columns(
        timestamp=pl.lit(-62_135_596_800_000_001).cast(pl.Datetime("us", "UTC"))
    )
    for frame in (beyond, before):
        assert checks.check(frame, LATER).rejects["reason"].to_list() == ["timestamp_out_of_range"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"timestamp": LATER + 23 * HOUR}, id="almost_too_far_ahead"),
        pytest.param({"event": "ü" * 200, "distinct_id": "😀" * 200}, id="longest"),
        pytest.param({"event": "😀" * 100}, id="longest_in_utf_16"),
        pytest.param({"dedup_key": None, "uuid": "x"}, id="uuid_alone"),
        pytest.param({"properties": " null ", "rest": "", "set": " { }\n"}, id="nothing"),
        pytest.param({"properties": '{"a":' * 100 + "1" + "}" * 100}, id="deepest"),
    ],
)
def test_kept(row):
    """At the limit an event still goes."""
    verdict = checks.check(event_frame(row), LATER)
    assert (verdict.frame.height, verdict.rejects.height) == (1, 0)


def test_the_first_rule_names_the_reject_and_a_row_is_rejected_once():
    """A row that breaks several rules, or several of whose events do, is one reject; none of its events goes."""
    frame = event_frame(
        {"_row": 1}, {"_row": 1, "event": "", "distinct_id": ""}, {"_row": 1, "event": ""}, {"_row": 2}
    )
    verdict = checks.check(frame, LATER)
    assert verdict.rejects.rows() == [(1, "no_event_name", "")]
    assert verdict.frame["_row"].to_list() == [2]


def test_names_and_ids_are_sent_as_posthog_stores_them():
    """Blanks around go, NUL becomes U+FFFD, both counted; blanks inside stay."""
    verdict = checks.check(event_frame({"event": " sign up\n", "distinct_id": "a\0b\0"}, {}), LATER)
    assert verdict.frame.select("event", "distinct_id").row(0) == ("sign up", "a\ufffdb\ufffd")
    assert verdict.repairs == {"blanks_around_id": 1, "nul_character": 1}


@pytest.mark.parametrize(
    ("time", "name"),
    [
        pytest.param(LATER - 47 * HOUR, "younger_than_48h", id="young"),
        pytest.param(datetime(1969, 12, 31, tzinfo=UTC), "before_1970", id="old"),
    ],
)
def test_warned_of_times(time, name):
    """Times PostHog takes and does not like are counted."""
    assert checks.check(event_frame({"timestamp": time}), LATER).warnings == {name: 1}


@pytest.mark.parametrize(
    ("person", "junk"),
    [
        pytest.param("anonymous", True, id="list"),
        pytest.param("NaN", True, id="case"),
        pytest.param("[object Object]", True, id="object"),
        pytest.param('"undefined"', True, id="quoted"),
        pytest.param("''", True, id="empty_in_quotes"),
        pytest.param("-1", True, id="amplitudes"),
        pytest.param("(null)", True, id="no_id"),
        pytest.param("--", True, id="dashes"),
        pytest.param("anonymous-7", False, id="a_person"),
        pytest.param("10", False, id="a_number"),
    ],
)
def test_junk_ids(person, junk):
    """Placeholders that many people share are marked and counted, whatever their case and quotes."""
    verdict = checks.check(event_frame({"distinct_id": person}), LATER)
    assert verdict.frame["junk"].to_list() == [junk]
    assert verdict.warnings["junk_distinct_id"] == junk


def test_an_empty_frame_passes():
    """Nothing in, nothing out."""
    verdict = checks.check(event_frame(), LATER)
    assert (verdict.frame.height, verdict.rejects.height) == (0, 0)
    assert (dict(verdict.repairs), dict(verdict.warnings)) == ({}, {})
