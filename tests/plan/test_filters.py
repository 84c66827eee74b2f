"""What is left out is counted under the name of the rule that leaves it out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
from frames import IMPRINT, event_frame, table
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.kit.declare import ROW, Options
from migrate.people.states import nothing
from migrate.plan.filters import by_rules, filtered, within, without_persons, without_tellings
from migrate.plan.judged import NOTHING_REJECTED
from migrate.plan.transform import Transform
from migrate.rules.declared import read
from migrate.rules.frames import Ruling
from migrate.workdir.records import Numbers

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)


def transform(filters=None, **choices):
    """A table with these filters, under these choices."""
    return Transform(table=replace(table(), filters=filters or {}), imprint=IMPRINT, **choices)


RULES = {"odd": pl.col("n") % 2 == 1, "large": pl.col("n") > 5}
ROWS = pl.DataFrame({ROW: range(1, 10), "n": range(1, 10)}, {ROW: pl.Int64, "n": pl.Int64})


def test_the_first_rule_that_holds_names_a_row():
    """7 and 9 are odd and large: they count as odd."""
    numbers = Numbers()
    assert filtered(ROWS, transform(RULES), numbers, {})["n"].to_list() == [2, 4]
    assert numbers.filtered == {"odd": 5, "large": 2}
    assert {name: sorted(rows) for name, rows in numbers.examples.items()}.keys() == {"odd", "large"}


def test_a_rule_that_the_user_keeps_rows_of_does_not_hold():
    """What it would leave out may still be left out by another."""
    numbers = Numbers()
    kept = filtered(ROWS, transform(RULES, options=Options(keep=frozenset({"odd"}))), numbers, {})
    assert kept["n"].to_list() == [1, 2, 3, 4, 5]
    assert numbers.filtered == {"large": 4}


def moment(hour):
    """So many hours after noon, or no time."""
    return None if hour is None else NOON + timedelta(hours=hour)


HOURS = st.lists(st.none() | st.integers(-5, 5), min_size=1, max_size=8)


@COMPARED
@given(hours=HOURS, since=st.none() | st.integers(-5, 5), until=st.none() | st.integers(-5, 5))
def test_a_span_takes_its_beginning_and_not_its_end(hours, since, until):
    """Events without a time are kept; each that is not is counted once."""
    frame = event_frame(*({"timestamp": moment(hour)} for hour in hours))
    numbers = Numbers()
    (kept,) = within([frame], transform(since=moment(since), until=moment(until)), numbers, {})
    expected = [
        row
        for row, hour in enumerate(hours, 1)
        if hour is None or ((since is None or hour >= since) and (until is None or hour < until))
    ]
    assert kept[ROW].to_list() == expected
    assert sum(numbers.filtered.values()) == len(hours) - len(expected)


def test_events_that_only_tell_of_persons_are_left_out():
    """A row that is another event, too, is not counted."""
    frame = event_frame({"event": "$set"}, {"event": "e"}, {"event": "$set", ROW: 2})
    numbers = Numbers()
    assert without_persons(frame, [frame.clear()], numbers, {})["event"].to_list() == ["e"]
    assert numbers.filtered == {"person_properties": 1}


def test_a_trial_leaves_out_what_changes_people():
    """Events that PostHog merges or changes persons and groups by, and what rows tell of them beside their events."""
    names = ["$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set", "e"]
    frame = event_frame(
        *({"event": name, ROW: row} for row, name in enumerate(names, 1)), {"event": "$set", ROW: 6}
    )
    news = pl.DataFrame({ROW: [6, 7, 8]}, {ROW: pl.Int64})
    rejects = pl.DataFrame({ROW: [8]}, {ROW: pl.Int64})
    numbers = Numbers()
    taken = {}
    kept, left = without_tellings(frame, news, rejects, numbers, taken)
    assert sorted(taken["not_in_a_trial"]) == [1, 2, 3, 4, 5, 7]
    assert (kept["event"].to_list(), left.height) == (["e"], 0)
    assert numbers.filtered == {
        "not_in_a_trial": 6
    }  # rows 1 to 5, and 7; 6 is an event, too, and 8 is rejected


def test_a_row_without_an_id_is_no_one_s_to_leave_out():
    """It is judged like any other: rejected, as it has none."""
    frame = event_frame({"distinct_id": None}, {"event": None, "distinct_id": "a"}, {"distinct_id": "never"})
    news = pl.DataFrame(schema=nothing().schema)
    numbers = Numbers()
    said = {"never_import": ["never"], "drop_events": ["x"], "only_events": ["e", "event"], "drop": ["email"]}
    kept, _ = by_rules([frame, news], NOTHING_REJECTED, Ruling.of(read(said, "f")), numbers, {})
    assert kept[ROW].to_list() == [1, 2]
    assert numbers.filtered == {"rule:never_import": 1}


def test_rows_that_the_user_s_rules_leave_out_are_counted_once_under_the_first():
    """One of which anything is left is not; what is left is as the rules want it."""
    frame = event_frame(
        {"event": "seen", "distinct_id": "never"},
        {"event": "beat", "distinct_id": "a"},
        {"event": "seen", "distinct_id": "a"},
        {"event": "beat", "distinct_id": "b"},
    )
    told = [
        (4, "pb", "state", NOON, "b", '{"email":"b@x","n":1}'),
        (5, "pc", "state", NOON, "c", '{"email":"c@x"}'),
        (6, "pnever", "state", NOON, "never", '{"n":1}'),
        (7, "pd", "first", NOON, "d", None),
    ]
    news = pl.DataFrame(told, nothing().schema, orient="row")
    said = {"never_import": ["never"], "drop_events": ["beat"], "drop": ["email"]}
    ruling = Ruling.of(read(said | {"event_names": {"seen": "viewed"}}, "f"))
    numbers, taken = Numbers(), {}
    kept, states = by_rules([frame, news], NOTHING_REJECTED, ruling, numbers, taken)
    assert kept.select(ROW, "event").rows() == [(3, "viewed")]
    assert states.select(ROW, "told").rows() == [(4, '{"n":1}'), (7, None)]
    assert numbers.filtered == {"rule:never_import": 2, "rule:drop_events": 1, "rule:nothing_left": 1}
    assert {name: rows.to_list() for name, rows in taken.items()} == {
        "rule:never_import": [1, 6],
        "rule:drop_events": [2],
        "rule:nothing_left": [5],
    }
    assert numbers.repairs == {"rule:drop": 2}
