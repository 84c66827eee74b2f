"""Queries of the known forms become SQL; any other is refused in a sentence that says which are known."""

import math
from datetime import UTC, datetime

import pytest

from migrate.asking import queries
from migrate.sandbox.hogql import MOST_ROWS, Unknown, translated

SINCE, UNTIL = datetime(2024, 4, 3, tzinfo=UTC), datetime(2024, 4, 4, 12, tzinfo=UTC)
ALL = {
    "counts": queries.counts(SINCE, UNTIL, "history"),
    "uuids": queries.uuids(SINCE, UNTIL, "seen", "history"),
    "uuids after one": queries.uuids(SINCE, UNTIL, "seen", "history", after="01"),
    "there": queries.there(SINCE, UNTIL, ["01", "02"]),
    "persons": queries.persons(["ann"]),
    "warnings": queries.warnings(SINCE),
    "newest": queries.newest(SINCE),
    "newest of others": queries.newest(SINCE, but="history"),
    "newest of persons": queries.newest_of(["p"], but="history"),
    "bounds": queries.bounds("history"),
}


@pytest.mark.parametrize("query", ALL.values(), ids=ALL.keys())
def test_all_that_is_asked_is_known(query):
    """Its columns have names and types, one each."""
    sql = translated(query, zone="UTC")
    assert len(sql.columns) == len(sql.types) > 1


def test_texts_are_values_whatever_they_hold():
    """Quotes, backslashes, words of SQL and lists arrive as they were meant, and never as a part of the query."""
    odd = ["it's", "a\\'b\\", "x' or 1=1 limit 5", "a and b", "?", "(?*)", ""]
    assert [translated(queries.bounds(one), zone="UTC").values["v0"] for one in odd] == odd
    listed = translated(queries.persons(odd), zone="UTC")
    assert listed.values == {
        "v0": '["it\'s", "a\\\\\'b\\\\", "x\' or 1=1 limit 5", "a and b", "?", "(?*)", ""]'
    }


def test_bounds_are_of_the_zone_and_limit_is_kept_to():
    """A time without a zone is the project's; a range says how many hours it has, none is without end."""
    sql = translated(ALL["counts"], zone="America/New_York")
    assert [sql.values["v0"], sql.values["v1"]] == [
        "2024-04-03T04:00:00.000000Z",
        "2024-04-04T16:00:00.000000Z",
    ]
    assert (sql.hours, translated(ALL["bounds"], zone="UTC").hours) == (36.0, math.inf)
    limits = [
        translated(ALL["counts"].rpartition(" limit")[0] + tail, zone="UTC").text.rpartition(" ")[2]
        for tail in ("", " limit 7", f" limit {MOST_ROWS + 1}")
    ]
    assert limits == ["100", "7", str(MOST_ROWS)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "select 1",
            "answers what migrate asks and nothing else, found 'select 1'; it knows: toDate(timestamp) as",
        ),
        (ALL["bounds"].replace("from events", "from events final"), "nothing else, found 'select min"),
        (ALL["bounds"].replace("= '", "!= '"), "knows no condition 'properties.$import_job_id != ?'"),
        (ALL["newest"].replace("00:00:00", "noon"), "not a time, found '2024-04-03 noon'"),
        ("", "found ''"),
    ],
    ids=["other", "FINAL", "condition", "time", "nothing"],
)
def test_anything_else_is_refused(query, said):
    """With what was found and what is known."""
    with pytest.raises(Unknown) as refused:
        translated(query, zone="UTC")
    assert said in str(refused.value)
