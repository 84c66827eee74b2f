"""Each difference is named, with the right number of events; what was taken out is not what it was written against."""

import pytest
from imported import DAYS, EVENTS, again, causes, changed, gone, of

from migrate.verifying.judging import evenly

TAKEN = [
    pytest.param([gone(of(*range(5, 1000, 97)))], {"unexplained": 11}, id="some"),
    pytest.param([gone(f"day = '{DAYS[2]}'")], {"unexplained": 200}, id="a day"),
    pytest.param([gone("event = 'order'")], {"unexplained": 250}, id="an event"),
    pytest.param([gone("distinct_id = 'u7'")], {"unexplained": 28}, id="a person"),
    pytest.param([gone(f"timestamp GLOB '{DAYS[1]}T07*'")], {"unexplained": 8}, id="an hour"),
    pytest.param([gone(f"timestamp >= '{DAYS[3]}T18:00'")], {"quota": 250}, id="from a moment on"),
    pytest.param([gone(f"timestamp >= '{DAYS[4]}T18:00'")], {"quota": 50}, id="the last hours"),
    pytest.param(["DELETE FROM events"], {"quota": 1000}, id="all"),
    pytest.param(
        [
            changed("day = '1970-01-01', timestamp = '1970-01-01T01'", of(0, 7)),
            changed("day = '2040-01-01', timestamp = '2040-01-01T01'", of(9)),
        ],
        {"changed_since": 3},
        id="far off",
    ),
    pytest.param([gone("event = '$exception'")], {"lane": 250}, id="a way of its own"),
    pytest.param([again(of(*range(0, 1000, 100)))], {"duplicates_not_merged": 10}, id="twice"),
    pytest.param(
        [again(of(3), uuid="'018ea000-0000-7000-8000-000000000001'")], {"sent_elsewhere": 1}, id="one more"
    ),
    pytest.param(
        [
            gone("event = '$exception'"),
            gone(f"timestamp >= '{DAYS[4]}'"),
            gone(f"day = '{DAYS[1]}'"),
            changed("event = 'renamed'", of(0, 1, 2)),
            again(of(4, 5)),
        ],
        # of the last day and of the second one $exception is gone already
        {
            "lane": 250,
            "quota": 150,
            "changed_since": 3,
            "duplicates_not_merged": 2,
            "unexplained": 150,
        },
        id="several at once",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), TAKEN)
def test_what_was_taken_out_is_named(whole, changes, expected):
    """By its cause, or as what nothing explains; only what goes away by itself passes."""
    verdict = whole.after(*changes)
    assert causes(verdict) == expected
    assert verdict.passes == (set(expected) <= {"duplicates_not_merged"})


def test_what_has_come_from_elsewhere_hides_nothing(whole):
    """Where numbers are the same, as another event has come in the place of a missing one."""
    verdict = whole.after(gone(of(200)), changed(f"day = '{DAYS[1]}', timestamp = '{DAYS[1]}T01'", of(0)))
    assert causes(verdict) == {"changed_since": 1, "unexplained": 1}


def test_an_example_is_one_of_those_that_are_missing(whole):
    """With the file and the row it came from."""
    (found,) = whole.after(gone(of(42))).findings
    row = EVENTS.row(42, named=True)
    assert [one._asdict() for one in found.examples] == [
        {"day": DAYS[0], "event": row["event"], "uuid": row["uuid"], "place": "a.jsonl:42", "now": ""}
    ]


def test_what_is_looked_at_of_many_is_evenly_spread():
    """The same each time."""
    assert evenly(range(10), 20) == [*range(10)]
    assert evenly(range(10), 4) == [0, 2, 5, 7]
