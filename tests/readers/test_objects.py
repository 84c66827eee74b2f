"""Lines become rows, each value in its own text; what a line becomes depends on nothing but the line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS
from readings import table

from migrate.kit.declare import REST, ROW
from migrate.readers.objects import Objects
from migrate.readers.records import Header


def objects(given=None, *, columns=("a", "b"), record_bytes=1_000):
    """What turns lines into rows, for a file whose start has these keys."""
    return Objects(given or table("ab", dropped=["gone"]), Header("jsonl", tuple(columns)), record_bytes)


def came_to(reader, text, first=1):
    """Rows, rejects and counts of a text, and how many lines it has."""
    part, count = reader.part(text, first)
    return part.rows.rows(), [reject[:3] for reject in part.rejects], dict(part.counts), count


LINES = st.lists(
    OBJECTS.map(lambda one: json.dumps(one).encode())
    | st.sampled_from(
        [
            *(b"", b" \t\r", b"5", b'{"a":', b'{"A":1}', b'{"GONE":1}', b'{"a":NaN,"z":1.50}', b'{"a":-0}'),
            *(b'{"a":"\\ud800"}', b'{"a":1}\r', b'{"a":1} {"a":2}', b'{"z":"' + b"x" * 2_000 + b'"}'),
        ]
    ),
    min_size=1,
    max_size=6,
)


@COMPARED
@given(lines=LINES, columns=st.sampled_from([(), ("a", "b"), ("b", "c"), ("A", "gone")]))
def test_a_line_is_what_it_is_alone(lines, columns):
    """Each line is numbered, whether it is a row, a reject or blank."""
    alone = [came_to(objects(columns=columns), line + b"\n", place) for place, line in enumerate(lines, 5)]
    rows, rejects, _, count = came_to(objects(columns=columns), b"\n".join([*lines, b""]), 5)
    assert rows == [row for found, *_ in alone for row in found]
    assert rejects == [reject for _, found, *_ in alone for reject in found]
    assert count == sum(found for *_, found in alone) == len(lines)


@COMPARED
@given(values=st.lists(OBJECTS, min_size=1, max_size=4))
def test_a_reader_that_has_seen_other_lines_reads_the_same(values):
    """What it learns of a file makes it faster, and nothing else."""
    text = b"".join(json.dumps(one).encode() + b"\n" for one in values)
    reader = objects()
    for one in values:
        reader.part(json.dumps(one).encode(), 1)
    assert came_to(reader, text) == came_to(objects(), text)


def test_a_declared_key_is_found_in_any_case():
    """The very name is preferred, and what then is left of the others stays with the rest."""
    text = b'{"A":1}\n{"A":2,"a":3}\n{"Gone":1,"c":[1, 2],"d":null}\n'
    assert came_to(objects(columns=()), text)[0] == [
        (1, "1", None, None),
        (2, "3", None, '{"A":2}'),
        (3, None, None, '{"c":[1, 2]}'),
    ]
    assert came_to(objects(columns=("A",)), b'{"A":1}\n{"A":2,"B":3}\n')[0] == [
        (1, "1", None, None),
        (2, "2", "3", None),
    ]


@pytest.mark.parametrize(
    ("line", "reject"),
    [
        pytest.param(b"[1]", (2, "malformed_json", "[1]"), id="a list"),
        pytest.param(b'{"a":1', (2, "malformed_json", '{"a":1'), id="cut"),
        pytest.param(b'{"z":"' + b"x" * 1_000 + b'"}', (2, "record_too_large", '{"z":"' + "x" * 494), id="long"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_object_is_a_reject(line, reject):
    """Its start is told, and its neighbours are rows."""
    rows, rejects, counts, count = came_to(objects(), b'{"a":1}\n' + line + b'\n{"a":3}')
    assert rows == [(1, "1", None, None), (3, "3", None, None)]
    assert (rejects, counts, count) == ([reject], {}, 3)


@pytest.mark.parametrize(
    ("text", "is_sound"),
    [
        pytest.param(b'{"a":{"x":1}}\n{"a":null}\n{}', True, id="objects or nothing"),
        pytest.param(b'{"a":{"x":1}}\n{"a":"{}"}', False, id="text"),
        pytest.param(b'{"a":{"x":1}}\n{"a":[1]}', False, id="a list"),
        pytest.param(b'{"a":{"x":1}}\n{"a":1}', False, id="a number"),
        pytest.param(b'{"b":1}', True, id="not there"),
    ],
)
def test_a_column_of_objects_alone_is_told(text, is_sound):
    """So that it is not looked into again."""
    part, _ = objects(table("ab", objects=["a"])).part(text, 1)
    assert part.sound == (frozenset("a") if is_sound else frozenset())


def test_no_text_has_no_rows():
    """The columns are those of all parts."""
    part, count = objects().part(b"", 7)
    assert (part.rows.columns, part.rows.rows(), count) == ([ROW, "a", "b", REST], [], 0)
