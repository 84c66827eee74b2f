"""Source rows beside the payloads they become."""

import json

from migrate.preview import Preview
from migrate.report.samples import samples


def sample(source, payloads=(), **more):
    """What is shown of one row."""
    (found,) = samples([Preview(source, list(payloads), "a.csv:7", **more)])
    return found


def test_a_field_stands_on_a_line_under_its_objects_name():
    """Inner objects are indented; lists and empty objects stay on their line."""
    shown = sample('{"a":"x","b":{"c":1,"d":{"e":null}},"f":[1,{"g":true}],"h":{}}', ['{"event":"e"}'])
    assert shown.title == "row a.csv:7"
    assert shown.source == [
        'a: "x"',
        "b",
        "  c: 1",
        "  d",
        "    e: null",
        'f: [1, {"g": true}]',
        "h: {}",
    ]
    assert shown.becomes == ['event: "e"']


def test_numbers_keep_their_digits():
    """What is shown is what is sent: no number is read as another."""
    text = '{"n":12345678901234567890123,"m":1.10,"o":1E5,"p":[0.30]}'
    assert sample(text).source == ["n: 12345678901234567890123", "m: 1.10", "o: 1E5", "p: [0.30]"]


def test_a_row_with_several_events_shows_each_after_a_gap():
    """They stand in the order in which they are sent."""
    assert sample('{"a":1}', ['{"event":"$identify"}', '{"event":"e"}']).becomes == [
        'event: "$identify"',
        "",
        'event: "e"',
    ]


def test_a_row_without_an_event_says_why():
    """In the words of the dry run."""
    assert sample('{"a":1}', why="filtered: session_events").becomes == ["no event: filtered: session_events"]


def test_what_is_of_no_one_row_has_no_source():
    """Merges, and what is told of people, come from all rows."""
    shown = sample("{}", ['{"event":"$identify"}'])
    assert (shown.title, shown.source) == ("not from one row: what rows tell of people and groups", [])
    assert shown.becomes == ['event: "$identify"']


def test_long_values_and_rows_are_cut_and_say_so():
    """Whole, nothing is lost of either."""
    text = json.dumps({"long": "x" * 1_000, **{f"k{n}": n for n in range(60)}})
    (cut,), (whole,) = samples([Preview(text, [])]), samples([Preview(text, [])], whole=True)
    assert cut.source[0] == 'long: "' + "x" * 299 + "… (1,002 characters)"
    assert cut.source[-1] == "… 37 more"
    assert whole.source == ['long: "' + "x" * 1_000 + '"', *(f"k{n}: {n}" for n in range(60))]


def test_what_is_no_object_is_shown_as_it_is():
    """A row that could not be read, however deep it nests."""
    deep = "[" * 5_000
    assert sample("not json").source == ["not json"]
    assert sample(deep).source == [f"{'[' * 300}… (5,000 characters)"]
