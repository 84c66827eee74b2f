"""What columns could be of an event: guesses, each with its reason."""

import pytest

from migrate.inspection.columns import Column
from migrate.inspection.roles import roles


def column(name, kind="text", rows=100, **more):
    """A column that is filled in every row."""
    return Column(**({"name": name, "type": kind, "rows": rows, "values": rows, "distinct": 7} | more))


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (column("createdAt", "time"), ["time"]),
        (column("ts", "Unix seconds"), ["time"]),
        (column("price", "Unix seconds"), []),
        (column("valid", "time"), ["time"]),
        (column("User ID"), ["person"]),
        (column("anonymous_id", "uuid"), ["person"]),
        (column("user_id", "nothing", values=0), []),
        (column("event_name"), ["event"]),
        (column("event_name", "whole number"), []),
        (column("event_name", distinct=501, rows=1000), []),
        (column("event_id", "uuid", distinct=100), ["key"]),
        (column("event_id", distinct=99), ["key"]),
        (column("order_id", distinct=99), []),
        (column("colour", distinct=100), []),
        (column("event_id", distinct=100, values=90), []),
        (column("user_id", distinct=100), ["person"]),
    ],
)
def test_what_a_column_could_be(one, what):
    """By its name, its type, how much of it is filled, and how often a value comes again."""
    assert [role.what for role in roles([one])[0]] == what


def test_the_event_s_own_time_weighs_most():
    """What was received or changed later counts less, and a day less than a time."""
    names = {"updated_at": "time", "event_time": "time", "received_at": "time", "event_date": "date"}
    found = dict(zip(names, roles([column(name, kind) for name, kind in names.items()]), strict=True))
    assert max(found, key=lambda name: found[name][0].weight) == "event_time"
    assert found["received_at"][0].why.endswith("perhaps of something later, or earlier, than the event")


def test_reasons_are_for_people():
    """They say what was counted."""
    (time,), (person,) = roles([column("ts", "time"), column("uid", values=50)])
    assert time.why == "ISO 8601, in every row, called like a time"
    assert person.why == "called like an id of someone, 7 different in 100 rows, in 50% of the rows"
