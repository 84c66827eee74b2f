"""The rows of a trial are counted by what became of them, and looked at a page at a time."""

import pytest

from migrate.preview import MAPPED, Preview
from migrate.serving.rows import Row, View, counts, page

PAYLOAD = '{"event":"paid","distinct_id":"u","properties":{"n":1}}'


def row(place, why=None, *, warnings=(), is_changed=False):
    """A row that makes an event, unless there is a reason why not."""
    payloads = [] if why else [PAYLOAD]
    one = Preview('{"n":1}', payloads, place, "f", why)
    return Row.of(one, None, ["paid"] * len(payloads), warnings, is_changed=is_changed)


ROWS = [
    row("f:1"),
    row("f:2", 'rejected: bad_timestamp, found "x"'),
    row("f:3", "filtered: where", is_changed=True),
    row("f:4", MAPPED),
    row("f:5", warnings=["odd"]),
]


def test_they_are_counted_by_kind():
    """A row is of one outcome; warned and changed go across them."""
    found = {"all": 5, "mapped": 2, "told": 1, "filtered": 1, "rejected": 1, "warned": 1, "changed": 1}
    assert counts(ROWS) == found


@pytest.mark.parametrize(
    ("view", "places", "of"),
    [
        (View(), ["f:1", "f:2", "f:3", "f:4", "f:5"], 5),
        (View(start=1, count=2), ["f:2", "f:3"], 5),
        (View(start=9), [], 5),
        (View(start=-9, count=-1), [], 5),
        (View("mapped"), ["f:1", "f:5"], 2),
        (View("told"), ["f:4"], 1),
        (View("filtered"), ["f:3"], 1),
        (View("rejected"), ["f:2"], 1),
        (View("warned"), ["f:5"], 1),
        (View("changed"), ["f:3"], 1),
        (View(event="paid", count=1), ["f:1"], 2),
        (View("changed", event="paid"), [], 0),
    ],
)
def test_they_are_looked_at_a_page_at_a_time(view, places, of):
    """Those of a kind, with an event; and how many there are like them."""
    found = page(ROWS, view)
    assert ([one["place"] for one in found["rows"]], found["of"]) == (places, of)
