"""What became of a field is told by names and values; where that leaves a doubt, it is plain."""

import json

import polars as pl

from migrate.kit import events
from migrate.kit.declare import Table
from migrate.serving.fields import beside, flat, shown

SOURCE = {
    "id": "7",
    "price": "19.90",
    "ref": "google",
    "at": "2024-04-03T12:00:00+02:00",
    "kind": "view",
    "gift": "yes",
    "raw": '{"a": 1}',
    "secret": "s",
    "used": "DE",
    "gone": "x",
    "nothing": "",
    "old": 5,
}
PAYLOAD = {
    "event": "view",
    "distinct_id": "u",
    "timestamp": "2024-04-03T10:00:00.000000Z",
    "properties": {
        "id": "7",
        "price": 19.90,
        "source": "google",
        "gift": True,
        "raw": {"a": 1},
        "new": 6,
        "$geoip_country_name": "Germany",
    },
}
TABLE = Table(
    name="t",
    columns={"used": pl.String},
    matches=lambda _: True,
    to_events=events.none,
    rename={"old": "new"},
    dropped=frozenset({"secret"}),
)


def marks(fields):
    """Name -> mark and the field beside it."""
    return {name: (mark, other) for name, _, mark, other in fields}


def test_each_field_is_told_what_became_of_it():
    """Times are compared as times; what the mapping renames is that, whatever it says."""
    source, (payload,) = beside(flat(json.dumps(SOURCE)), [flat(json.dumps(PAYLOAD))], TABLE)
    assert marks(source) == {
        "id": ("passed", "properties.id"),
        "price": ("changed", "properties.price"),
        "ref": ("renamed", "properties.source"),
        "at": ("renamed", "timestamp"),
        "kind": ("renamed", "event"),
        "gift": ("changed", "properties.gift"),
        "raw": ("passed", "raw"),
        "secret": ("dropped", ""),
        "used": ("", ""),
        "gone": ("dropped", ""),
        "nothing": ("", ""),
        "old": ("changed", "properties.new"),
    }
    assert marks(payload) == {
        "event": ("renamed", "kind"),
        "distinct_id": ("added", ""),
        "timestamp": ("renamed", "at"),
        "properties.id": ("passed", "id"),
        "properties.price": ("changed", "price"),
        "properties.source": ("renamed", "ref"),
        "properties.gift": ("changed", "gift"),
        "properties.raw.a": ("added", ""),
        "properties.new": ("changed", "old"),
        "properties.$geoip_country_name": ("added", ""),
    }


def test_of_several_payloads_the_one_counts_that_has_most():
    """A row without any tells nothing of its fields; digits and odd letters are shown as they are, long values cut."""
    row = flat(
        '{"a": "x", "b": 12345678901234567890.10, "c": "\\u001b\\u202e<b>", "d": [1, {"e": 2}], "f": {}}'
    )
    source, _ = beside(row, [{"properties.z": '"x"'}, {"properties.a": '"x"'}], None)
    assert source[0].mark == "passed"
    plain, none = beside(row, [], TABLE)
    assert ([one.mark for one in plain], none) == ([""] * 5, [])
    assert [one.value for one in plain] == [
        '"x"',
        "12345678901234567890.10",
        '"\\u001b\u202e<b>"',
        '[1, {"e": 2}]',
        "{}",
    ]
    (long,) = shown({"long": json.dumps("v" * 20_000)})
    assert long.value == '"' + "v" * 9_999 + "… (20,002 characters)"


def test_times_of_numbers_are_times():
    """Of as many digits as times of our days have, and no others."""
    for text, mark in (
        ("1712138400", "renamed"),
        ("1712138400000", "renamed"),
        ("17121384", ""),
        ("soon", ""),
    ):
        (source,), _ = beside({"used": json.dumps(text)}, [{"timestamp": '"2024-04-03T10:00:00Z"'}], TABLE)
        assert source.mark == mark
