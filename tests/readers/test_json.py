import json
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS, VALUES, same, value_of
from readings import read, source, table

from migrate.jsontext.careful import careful_members
from migrate.jsontext.parse import cells
from migrate.kit.declare import REST, ROW
from migrate.readers.files import read_chunks
from migrate.readers.headers import read_header
from migrate.readers.records import Header

WIDTHS = pytest.mark.parametrize(
    "columns", [pytest.param("ab", id="few columns"), pytest.param("abmnopqrst", id="many columns")]
)
"""Few columns are taken out of the lines one by one, many are read column-wise."""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"b":"x"}\n{"a":2}\n', id="plain"),
        pytest.param(b'{"a":1,"b":"x"}\r\n{"a":2}\r\n', id="crlf"),
        pytest.param(b'{"a":1,"b":"x"}\n{"a":2}', id="no newline at the end"),
        pytest.param(b'\xef\xbb\xbf{"a":1,"b":"x"}\n{"a":2}\n', id="byte order mark"),
        pytest.param(b' { "a" : 1 , "b" : "x" } \n\t{"a":2,"b":null}\n', id="spaces"),
    ],
)
def test_shapes_of_json_lines(tmp_path, data):
    """Line ends, spaces and missing keys make no difference."""
    reading = read(tmp_path / "a", data)
    assert reading.rows == [
        {ROW: 1, "a": "1", "b": "x", REST: None},
        {ROW: 2, "a": "2", "b": None, REST: None},
    ]
    assert reading.rejects == []


def test_row_is_the_line(tmp_path):
    """Blank lines are no rows, and count."""
    reading = read(tmp_path / "a", b'\n{"a":1}\n \n\r\n{"a":2}\n\n')
    assert reading.column("a") == [(2, "1"), (5, "2")]
    assert reading.rejects == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        pytest.param('"x"', "x", id="text"),
        pytest.param('""', "", id="empty text"),
        pytest.param("null", None, id="null"),
        pytest.param("true", "true", id="boolean"),
        pytest.param("12345678901234567890", "12345678901234567890", id="long integer"),
        pytest.param("1" * 60, "1" * 60, id="integer of 60 digits"),
        pytest.param("0.1", "0.1", id="decimal"),
        pytest.param("1.5e300", "1.5e300", id="large number"),
        pytest.param('"\\u00e9\\n\\"\\/"', 'é\n"/', id="escapes"),
        pytest.param('"\\\\t\\t\\b\\f\\u0001\\u005c"', "\\t\t\b\f\x01\\", id="dangerous escapes"),
        pytest.param('"\\ud83d\\ude00"', "😀", id="surrogate pair"),
        pytest.param('"a\\u0000b"', "a\0b", id="NUL"),
        pytest.param('"\u2028\x7f"', "\u2028\x7f", id="odd characters"),
    ],
)
@pytest.mark.parametrize("where", ["a", "b"])
@WIDTHS
def test_values_become_cells(tmp_path, value, cell, where, columns):
    """Text is unescaped, null is null, all else keeps its digits."""
    lines = f'{{"a":0}}\n{{"{where}":{value}}}\n{{"a":2}}\n'
    reading = read(tmp_path / "a", lines.encode(), table(columns))
    assert reading.rows[1] == {ROW: 2, **dict.fromkeys(columns), REST: None} | {where: cell}
    assert (reading.rejects, reading.counts) == ([], {})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(r'{"x":"\\"}', id="backslash"),
        pytest.param(r'{"x":"\\t\\n"}', id="backslash and letter"),
        pytest.param(r'{"x":"\t\b\f\r\n"}', id="control characters"),
        pytest.param(r'{"x":"\u0000\u0001\u001f"}', id="control characters by number"),
        pytest.param(r'{"x":"\u005c\u0022\u002f"}', id="escapes of what need not be escaped"),
        pytest.param(r'{"\n":1,"\"":{"\\":[]}}', id="escapes in keys"),
        pytest.param(r'{"\u0061":1}', id="letter escaped in a key"),
        pytest.param(r'{"\"":null,"x\"y":{"\"\"":0}}', id="quotes in keys"),
        pytest.param(r'{"x":["\\",{"y":"\\d+"}]}', id="deep inside"),
        pytest.param(r'{"x":"\ud83d\ude00"}', id="surrogate pair"),
        pytest.param('{"x":1e22,"y":1.5e300,"z":-0.0,"w":1E-7}', id="exponents"),
        pytest.param('{"x":0.30000000000000004,"y":9007199254740993}', id="digits"),
        pytest.param('{"x":{},"y":[],"z":null,"w":[null,[[]]]}', id="empties"),
        pytest.param('{"é":"😀\u2028"}', id="beyond ASCII"),
        pytest.param('{"x":' + "1" * 60 + "}", id="integer of 60 digits"),
        pytest.param('{"x":' + "[" * 98 + "]" * 98 + "}", id="a hundred deep"),
    ],
)
def test_nested_values_stay_valid_json(tmp_path, text):
    """A nested value is the same JSON value, declared or in the rest, whatever it holds."""
    reading = read(tmp_path / "a", f'{{"a":{text},"z":{text}}}'.encode())
    assert json.loads(reading.rows[0]["a"]) == json.loads(text)
    assert reading.rests == [f'{{"z":{text}}}']
    assert (reading.rejects, reading.counts) == ([], {})


def test_lone_surrogates_become_replacement_characters(tmp_path):
    """Half an emoji, in a value, a nested value or a key, costs a character and is counted."""
    data = rb'{"a":"x\ud83d","b":{"\ude00":"\\ud83d\ud83d\ude00\ud83d\ud83d\ude00"}}'
    reading = read(tmp_path / "a", data)
    assert reading.rows == [
        {
            ROW: 1,
            "a": "x\ufffd",
            "b": rb'{"\ufffd":"\\ud83d\ud83d\ude00\ufffd\ud83d\ude00"}'.decode(),
            REST: None,
        }
    ]
    assert reading.counts == {"lone_surrogate": 3}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"x", "malformed_json", id="text"),
        pytest.param(b"null", "malformed_json", id="null"),
        pytest.param(b"5", "malformed_json", id="number"),
        pytest.param(b"[1]", "malformed_json", id="list"),
        pytest.param(b'"x"', "malformed_json", id="string"),
        pytest.param(b'{"a":1', "malformed_json", id="cut"),
        pytest.param(b'{"a":1}}', "malformed_json", id="too much"),
        pytest.param(b'{"a":1} x', "malformed_json", id="more than one"),
        pytest.param(b'{"a":1},', "malformed_json", id="comma"),
        pytest.param(b"{'a':1}", "malformed_json", id="single quotes"),
        pytest.param(b'{"a":NaNs}', "malformed_json", id="no word of Python"),
        pytest.param(b'{"a":"x', "malformed_json", id="cut in a text"),
        pytest.param(b'{"a":01}', "malformed_json", id="leading zero"),
        pytest.param(b'{"a":"\t"}', "malformed_json", id="raw tab"),
        pytest.param(b'{"a":"\\x"}', "malformed_json", id="no escape"),
        pytest.param(b'{"a":"\\u12"}', "malformed_json", id="short escape"),
        pytest.param(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested_too_deep", id="5001 deep"),
        pytest.param(b'{"a":' + b'{"a":' * 5000, "nested_too_deep", id="5001 deep and cut"),
    ],
)
def test_line_that_is_no_object_is_rejected(tmp_path, line, reason):
    """One bad line costs one row; its neighbours are read."""
    reading = read(tmp_path / "a", b'{"a":1}\n' + line + b'\n{"a":3}\n')
    assert reading.column("a") == [(1, "1"), (3, "3")]
    assert [one[:3] for one in reading.rejects] == [(2, reason, line.decode()[:500])]


@pytest.mark.parametrize(
    ("value", "cell", "lost"),
    [
        pytest.param(b"NaN", None, 1, id="NaN"),
        pytest.param(b"Infinity", None, 1, id="infinity"),
        pytest.param(b"-Infinity", None, 1, id="minus infinity"),
        pytest.param(b'[NaN, "NaN", -Infinity]', '[null, "NaN", null]', 2, id="inside"),
        pytest.param(b'"-Infinity"', "-Infinity", 0, id="text"),
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_words_for_no_number_cost_the_value(tmp_path, value, cell, lost, array):
    """What Python writes for numbers that are none is null, and counted; row, neighbours and other values stay."""
    lines = [b'{"a":1}', b'{"a":' + value + b',"b":"x","z":' + value + b"}", b'{"a":3}']
    reading = read(tmp_path / "a", b"[" + b",".join(lines) + b"]" if array else b"\n".join(lines))
    assert reading.column("a") == [(1, "1"), (2, cell), (3, "3")]
    assert reading.rows[1]["b"] == "x"
    shown = value.decode() if cell == "-Infinity" else cell
    assert reading.rests[1] == (None if cell is None else f'{{"z":{shown}}}')
    assert (reading.rejects, reading.counts) == ([], {"non_finite_number": 2 * lost} if lost else {})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("1e400", id="1e400"),
        pytest.param('{"x":[-1e400]}', id="-1e400 inside"),
        pytest.param("[" * 100 + "]" * 100, id="101 deep"),
        pytest.param('{"a":' * 500 + "1" + "}" * 500, id="501 deep"),
    ],
)
def test_what_only_posthog_does_not_take_is_read(tmp_path, value):
    """Numbers no double holds and deep objects are JSON, read as written; see test_records for what becomes of them."""
    data = f'{{"a":1}}\n{{"a":{value},"z":{value}}}\n{{"a":3}}\n'
    reading = read(tmp_path / "a", data.encode())
    assert reading.column("a") == [(1, "1"), (2, value), (3, "3")]
    assert reading.rests[1] == f'{{"z":{value}}}'
    assert (reading.rejects, reading.counts) == ([], {})


@pytest.mark.parametrize("block_bytes", [16, 100, 8 << 20])
def test_line_beyond_the_limit_is_rejected(tmp_path, block_bytes):
    """A line too long is a reject with its start; its neighbours are rows."""
    long = b'{"a":"' + b"x" * 500 + b'"}'
    data = b'{"a":1}\n' + long + b'\n{"a":3}\n' + long
    reading = read(tmp_path / "a", data, block_bytes=block_bytes, record_bytes=300)
    assert reading.column("a") == [(1, "1"), (3, "3")]
    assert reading.reasons == [(2, "record_too_large"), (4, "record_too_large")]
    assert all(one.value.startswith('{"a":"xx') for one in reading.rejects)


def test_undeclared_keys_are_seen_on_every_row(tmp_path):
    """A key that comes first in the last row is in its rest; dropped keys and nulls are not."""
    data = b'{"a":1,"gone":1}\n' * 5000 + b'{"a":2,"GONE":1,"n":null,"late":1.50,"nested":{"x": "\\\\"}}\n'
    reading = read(tmp_path / "a", data, table(["a"], dropped=["gone"]), block_bytes=1000)
    assert reading.rests[:-1] == [None] * 5000
    assert reading.rests[-1] == '{"late":1.50,"nested":{"x": "\\\\"}}'


def test_flat_files_keep_everything_in_the_rest(tmp_path):
    """Where most keys are undeclared, the rest holds each value in its own text."""
    data = b"".join(b'{"a":%d,"p q":1.0,"r":"\\u00e9","s":[1, 2]}\n' % number for number in range(3000))
    reading = read(tmp_path / "a", data, table(["a"]), block_bytes=10_000)
    assert set(reading.rests) == {'{"p q":1.0,"r":"\\u00e9","s":[1, 2]}'}
    assert reading.column("a") == [(number + 1, str(number)) for number in range(3000)]


def test_other_spelling_that_comes_late_is_found(tmp_path):
    """A declared key in another case counts on the row that has it, wherever that is; an exact one wins."""
    data = b'{"a":1}\n' * 100 + b'{"A":2}\n{"A":3,"a":4}\n{"b":5,"B":6}\n'
    reading = read(tmp_path / "a", data, block_bytes=50)
    assert [(row["a"], row["b"], row[REST]) for row in reading.rows[100:]] == [
        ("2", None, None),
        ("4", None, '{"A":3}'),
        (None, "5", '{"B":6}'),
    ]


def test_keys_no_decoder_field_can_have(tmp_path):
    """Quotes, backslashes and control characters in declared and dropped keys are like any other."""
    given = table(['q"', "back\\", "tab\t"], dropped=["drop\n"])
    reading = read(tmp_path / "a", rb'{"q\"":1,"back\\":2,"tab\t":3,"drop\n":4}', given)
    assert reading.rows == [{ROW: 1, 'q"': "1", "back\\": "2", "tab\t": "3", REST: None}]


def test_odd_names(tmp_path):
    """Names that mean something to polars are only names."""
    reading = read(tmp_path / "a", b'{"*":1,"^x$":2,"_row":3}', table(["*", "^x$"]))
    assert reading.rows == [{ROW: 1, "*": "1", "^x$": "2", REST: '{"_row":3}'}]


ARRAYS = [
    pytest.param('[{"a":1,"b":"x"},{"a":2}]', id="tight"),
    pytest.param('\n [ {"a":1,"b":"x"} ,\r\n {"a" :\n 2} ] \n', id="spaces"),
    pytest.param('[{"a":1,"b":"x"},{"a":2},]', id="comma at the end"),
    pytest.param('[{"a":1,"b":"x"}]\n[{"a":2}]', id="two arrays"),
]


@pytest.mark.parametrize("data", ARRAYS)
@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 8 << 20])
def test_shapes_of_arrays(tmp_path, data, block_bytes):
    """Elements are rows, numbered by their place, wherever blocks end."""
    reading = read(tmp_path / "a", data.encode(), block_bytes=block_bytes)
    assert reading.rows == [
        {ROW: 1, "a": "1", "b": "x", REST: None},
        {ROW: 2, "a": "2", "b": None, REST: None},
    ]
    assert reading.rejects == []


@pytest.mark.parametrize("block_bytes", [1, 5, 8 << 20])
def test_array_elements_that_are_no_objects_are_rejected(tmp_path, block_bytes):
    """A bad element costs one row; brackets and quotes in strings are text."""
    data = rb'[{"a":"]},{\"[\\"},5,[1,{"a":2}],{"a":1e400},{"a" 1},"},{",{"a":"\ud800"},{"a":7}]'
    reading = read(tmp_path / "a", data, block_bytes=block_bytes)
    assert reading.column("a") == [(1, ']},{"[\\'), (4, "1e400"), (7, "\ufffd"), (8, "7")]
    assert reading.reasons == [
        (2, "malformed_json"),
        (3, "malformed_json"),
        (5, "malformed_json"),
        (6, "malformed_json"),
    ]


@pytest.mark.parametrize("block_bytes", [1, 5, 8 << 20])
def test_line_break_inside_of_a_text_is_no_json(tmp_path, block_bytes):
    """An element is put on one line, and is no more JSON for it."""
    data = b'[{"a":"x\ny"},\n{"a":\n"b"},{"a":"\r","b":NaN}]'
    reading = read(tmp_path / "a", data, block_bytes=block_bytes)
    assert reading.column("a") == [(2, "b")]
    assert reading.reasons == [(1, "malformed_json"), (3, "malformed_json")]


def test_text_outside_the_array_is_rejected_line_by_line(tmp_path):
    """What follows an array is not lost in silence."""
    reading = read(tmp_path / "a", b'[{"a":1}]\ntrailing\n{"a":3}\n')
    assert reading.column("a") == [(1, "1"), (3, "3")]
    assert [one[:3] for one in reading.rejects] == [(2, "malformed_json", "trailing")]


@pytest.mark.parametrize(
    ("data", "rejects"),
    [
        pytest.param(
            b'[{"a":1},', [(2, "truncated_file", "the JSON array does not end")], id="after a comma"
        ),
        pytest.param(
            b'[{"a":1}', [(2, "truncated_file", "the JSON array does not end")], id="after an element"
        ),
        pytest.param(b'[{"a":1},{"a":', [(2, "truncated_file", '{"a":')], id="in an element"),
        pytest.param(b'[{"a":1},{"a":"x', [(2, "truncated_file", '{"a":"x')], id="in a string"),
    ],
)
def test_array_that_does_not_end(tmp_path, data, rejects):
    """An array without its end is a file that ends early."""
    reading = read(tmp_path / "a", data)
    assert reading.column("a") == [(1, "1")]
    assert [one[:3] for one in reading.rejects] == rejects


@pytest.mark.parametrize("block_bytes", [1, 10, 300])
def test_element_beyond_the_limit_is_rejected(tmp_path, block_bytes):
    """An element too long is a reject with its start; its neighbours are rows."""
    data = b'[{"a":1},{"a":"' + b"x" * 700 + b'"},{"a":3},{"a":[' + b"1," * 300 + b'1]},{"a":5}]'
    reading = read(tmp_path / "a", data, block_bytes=block_bytes, record_bytes=300)
    assert reading.column("a") == [(1, "1"), (3, "3"), (5, "5")]
    assert reading.reasons == [(2, "record_too_large"), (4, "record_too_large")]


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(b'{"a":1,"b":{"c":[{"d":"},{"},{"e":2}]}}', id="sound"),
        pytest.param(b'{"a":1,"b":"\\ud800"}', id="each to be mended"),
    ],
)
def test_large_array_takes_linear_time(tmp_path, element):
    """Elements are cut from the stream once each."""
    started = time.process_time()
    reading = read(tmp_path / "a", b"[" + b",\n".join([element] * 50_000) + b"]", block_bytes=1 << 18)
    assert time.process_time() - started < 12
    assert len(reading.rows) == 50_000
    assert reading.rejects == []


@pytest.mark.law
@COMPARED
@given(
    objects=st.lists(OBJECTS, min_size=1, max_size=8),
    ascii_only=st.booleans(),
    array=st.booleans(),
    block_bytes=st.integers(1, 60),
)
def test_any_objects_are_read_back(tmp_path, objects, ascii_only, array, block_bytes):
    """Whatever JSON holds, as lines or as an array, in blocks of any size, is read as what it was."""
    lines = [json.dumps(one, ensure_ascii=ascii_only) for one in objects]
    data = f"[{','.join(lines)}]" if array else "\n".join(lines)
    reading = read(
        tmp_path / "a",
        data.encode("utf-8", "replace"),
        table("ab", dropped=["gone"]),
        block_bytes=block_bytes,
    )
    assert reading.rejects == []
    assert [row[ROW] for row in reading.rows] == list(range(1, len(objects) + 1))
    for row, one in zip(reading.rows, objects, strict=True):
        assert all(same(value_of(row[key], one.get(key)), one.get(key)) for key in "ab")
        rest = {key: one[key] for key in one if key not in {"a", "b", "gone"} and one[key] is not None}
        assert same(json.loads(row[REST] or "{}"), rest)


def alone(path, lines, given, head):
    """What chunks come to when each line is a file of its own: rows and rejects, numbered through."""
    rows, rejects, line = [], [], 1
    for one in lines:
        found = list(read_chunks(source(path, one), given, head)) if one.strip() else []
        last = 1
        for chunk in found:
            last = max([last, *chunk.rows[ROW], *(reject.row for reject in chunk.rejects)])
            rows += [(row[0] + line - 1, *row[1:]) for row in chunk.rows.rows()]
            rejects += [reject._replace(row=reject.row + line - 1) for reject in chunk.rejects]
        line += last
    return rows, rejects


def together(path, lines, given, head, block_bytes):
    """What chunks come to when all lines are one file, in blocks of this size: rows and rejects."""
    found = list(read_chunks(source(path, b"\n".join([*lines, b""])), given, head, block_bytes=block_bytes))
    return [row for one in found for row in one.rows.rows()], [each for one in found for each in one.rejects]


PARTS = st.sampled_from(
    [
        *(b'{"a":1}', b'{"b":"x"}', b'{"c":1}', b'{"A":2}', b'{"a":"\\\\"}', b'{"b":[1.0]}'),
        *(b"null", b'{"a":1e400}', b'{"a":01}', b"}", b'"', b'{"b":' + b"9" * 50 + b"}", b'{"a":NaN}'),
        *(b"", b" ", b'{"a":"\\ud800"}', b"\xff", b'{"a":1} {"a":2}', b'{"a":1}{"a":2}\r', b"1}"),
        *(
            b'{"a":-0}',
            b'{"b":1.50}',
            b'{"a":"\xff"}',
            b'{"a":1},',
            b'x{"a":1}{"a":2}',
            b'{"a":1}}',
            b' {"a":1}',
        ),
    ]
)
"""Lines that hold objects or none; none of them opens one that it does not close."""


@pytest.mark.law
@WIDTHS
@COMPARED
@given(lines=st.lists(PARTS, max_size=12), block_bytes=st.integers(1, 60))
def test_line_is_read_the_same_whatever_is_around_it(tmp_path, columns, lines, block_bytes):
    """Rows and rejects are those of each line read alone, and every line that is not blank is one or the other."""
    given_table, head = table(columns), Header("jsonl", ("a", "b"))
    rows, rejects = together(tmp_path / "a", [b"{}", *lines], given_table, head, block_bytes)
    assert (rows, rejects) == alone(tmp_path / "b", [b"{}", *lines], given_table, head)
    numbers = [row[0] for row in rows] + [one.row for one in rejects]
    assert len(set(numbers)) == len(numbers) >= 1 + sum(bool(line.strip()) for line in lines)


OPEN = st.sampled_from(
    [
        *(b'{"a":1}', b'{"b":"x"}', b'{"a":[{"b":1}]}', b'{"a":{"x":[1.50,{"y":null}]},"b":"x"}', b"{}"),
        *(
            b'{"a":',
            b'{"a"',
            b"{",
            b'{"a":"x',
            b'{"a":[1,',
            b'{"a":1,',
            b'{"a":1',
            b'{"b":{"a":[{',
            b'{"a":"\\',
        ),
    ]
)
"""Lines that hold an object each, or the start of one."""


@COMPARED
@given(lines=st.lists(OPEN, max_size=12), block_bytes=st.integers(1, 60))
def test_object_that_does_not_end_costs_none_of_its_neighbours(tmp_path, lines, block_bytes):
    """Every line that begins with an object is read as alone, whatever was left open before it."""
    given_table, head = table(), Header("jsonl", ("a", "b"))
    rows, rejects = together(tmp_path / "a", [b"{}", *lines], given_table, head, block_bytes)
    assert (rows, rejects) == alone(tmp_path / "b", [b"{}", *lines], given_table, head)
    assert len(rows) + len(rejects) == 1 + len(lines)


CELLS = st.sampled_from(
    [
        *(b'{"a":{}}', b'{"a":{"x":[1.50,{"y":null}]},"b":"x"}', b'{"a":null}', b"{}", b'{"b":{"x":1}}'),
        *(b'{"a":"{}"}', b'{"a":"{\\"x\\":1}"}', b'{"a":"{bad"}', b'{"a":""}', b'{"a":[]}', b'{"a":1}'),
        *(b'{"A":{}}', b'{"a":{},"a":"bad"}', b'{"a":{"x":1e22}}', b'{"a":{"x":1e400}}', b'{"d":1,"a":{}}'),
        *(b'{"a":' + b'{"x":' * 101 + b"1" + b"}" * 102, b'{"a":{}} {"a":{}}', b"{}}", b' {"a":{}}\r'),
    ]
)


@COMPARED
@given(lines=st.lists(CELLS, min_size=1, max_size=12), block_bytes=st.integers(1, 400))
def test_objects_are_the_same_whatever_is_around_them(tmp_path, lines, block_bytes):
    """A cell that must hold an object is judged by itself, whether or not its block was read at once."""
    given_table, head = table("ab", dropped=["d"], objects=["a"]), Header("jsonl", ("a",))
    found = together(tmp_path / "a", lines, given_table, head, block_bytes)
    assert found == alone(tmp_path / "b", lines, given_table, head)


@WIDTHS
def test_lines_that_only_together_are_as_many_as_objects(tmp_path, columns):
    """Two objects on a line and one over two lines are three, not two: they do not make up for each other."""
    lines = b'{"a":0}\n{"a":1} {"a":2}\n{"a":\n3}\n{"a":4}\n'
    reading = read(tmp_path / "a", lines, table(columns))
    assert reading.column("a") == [(1, "0"), (2, "1"), (3, "2"), (4, "3"), (6, "4")]
    assert reading.rejects == []


def test_key_that_comes_late(tmp_path):
    """A declared key that no line had in the first megabyte is read from the line on that has it."""
    lines = [b'{"a":1}'] * 200_000 + [b'{"a":2,"b":"late"}', b'{"a":3}']
    reading = read(tmp_path / "a", b"\n".join(lines))
    assert reading.column("b")[-3:] == [(200_000, None), (200_001, "late"), (200_002, None)]
    assert reading.rejects == []


@WIDTHS
def test_other_kind_of_value_that_comes_late(tmp_path, columns):
    """A column of texts and whole numbers that holds a decimal far into a block is read on, none of it lost."""
    lines = [b'{"a":1,"b":"x"}'] * 20_000 + [b'{"a":1.5,"b":"y"}', b'{"a":true}']
    reading = read(tmp_path / "a", b"\n".join(lines), table(columns))
    assert reading.column("a")[-3:] == [(20_000, "1"), (20_001, "1.5"), (20_002, "true")]
    assert reading.column("b")[:2] == [(1, "x"), (2, "x")]
    assert len(reading.rows) == 20_002
    assert reading.rejects == []


@WIDTHS
@COMPARED
@given(one=st.dictionaries(st.sampled_from("ab"), VALUES))
def test_fast_and_careful_reading_agree(tmp_path, columns, one):
    """A line read together with others and a line read with care are the same values."""
    line = json.dumps(one).encode()
    (row,) = read(tmp_path / "a", line, table(columns)).rows
    careful = {key: cells([value]).item() for key, value in careful_members(line, Counter()).items()}
    for key in "ab":
        assert same(value_of(row[key], one.get(key)), value_of(careful.get(key), one.get(key)))


ELEMENTS = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b",", b'"', b"\\", b'{"a":1}', b'{"a":{"b":[]}}', b" ", b"\n", b"5"]
    ),
    max_size=30,
)


@COMPARED
@given(parts=ELEMENTS, block_bytes=st.integers(1, 20))
def test_any_array_is_read_the_same_in_blocks_of_any_size(tmp_path, parts, block_bytes):
    """However broken the array, rows and rejects do not depend on blocks."""
    found = source(tmp_path / "a", b"[" + b"".join(parts))
    head = Header("json", ("a",))
    small = list(read_chunks(found, table(), head, block_bytes=block_bytes))
    large = list(read_chunks(found, table(), head))
    assert [row for one in small for row in one.rows.rows()] == [
        row for one in large for row in one.rows.rows()
    ]
    assert [reject for one in small for reject in one.rejects] == [
        reject for one in large for reject in one.rejects
    ]


def test_header_and_chunks_survive_any_first_bytes(tmp_path):
    """Binary junk is rejected rows, never an exception."""
    junk = bytes(range(256)) * 40
    for start in (b"{", b"[", b"", b"a,b\n"):
        found = source(tmp_path / "a", start + junk)
        head = read_header(found)
        assert head is not None
        assert sum(len(chunk.rejects) for chunk in read_chunks(found, table(), head)) > 0


GOOD = b'{"a":1,"b":{"c":"x"}}'


@pytest.mark.parametrize(
    ("first", "rejects"),
    [
        pytest.param(b"not json", 1, id="words"),
        pytest.param(b"# written 2024-04-03, a, b", 1, id="a-remark"),
        pytest.param(b"Fetching ...\nStill fetching ...\n\nDone", 3, id="what-a-program-says"),
        pytest.param(b"null", 1, id="null"),
        pytest.param(b'"text"', 1, id="text"),
        pytest.param(b"17", 1, id="number"),
        pytest.param(b'"a":1}', 1, id="end-of-another"),
        pytest.param(b"a,b", 1, id="a-header"),
        pytest.param(b'{"a":1,"b', 1, id="cut"),
        pytest.param(b"\xef\xbb\xbfnot json", 1, id="byte-order-mark"),
        pytest.param(b"\n \nnot json\r", 1, id="blank-lines"),
    ],
)
@pytest.mark.parametrize("further", [1, 40])
def test_a_bad_first_line_costs_one_reject(tmp_path, first, rejects, further):
    """The file is known by its first good ones, however many follow."""
    text = first + b"\n" + b"\n".join([GOOD] * further)
    for block_bytes in (7, 8 << 20):
        reading = read(tmp_path / "a.jsonl", text, block_bytes=block_bytes)
        assert reading.header.format == "jsonl"
        assert reading.header.columns[0] == "a"
        assert [value for _, value in reading.column("a")] == ["1"] * further
        assert [one.reason for one in reading.rejects] == ["malformed_json"] * rejects


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'a,b\n"{""a"":1}",2\n', id="quoted"),
        pytest.param(b"a\tb\n" + GOOD + b"\t2\n", id="one-of-two"),
        pytest.param(b'a\tb\n1\t"x\n{}\ny"\n2\t3\n4\t5\n', id="empty-object-in-a-text"),
        pytest.param(b'a,b\n1,"see\n' + b'{""a"":1}\n"\n', id="object-in-a-text"),
        pytest.param(b"a;b\n{1};{2}\n{3};{4}\n", id="braces"),
        pytest.param(b"a,b\n1,2\n" + GOOD + b"\n3,4\n5,6\n", id="few"),
    ],
)
def test_a_table_with_objects_in_it_stays_a_table(tmp_path, text):
    """No line of a table is an object by itself, or not most of them."""
    assert read(tmp_path / "a", text).header.format == "csv"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "character 1: expecting value, found 'n'"),
        (b'{"a":1', "character 7: expecting ',' delimiter, found the end"),
        (b'{"a":1}}', "character 8: extra data, found '}'"),
        (b'{"a":1} x', "character 9: extra data, found 'x'"),
        (b"{'a':1}", 'character 2: expecting property name enclosed in double quotes, found "\'"'),
        (b'{"a" 1}', "character 6: expecting ':' delimiter, found '1'"),
        (b'{"a":"x', "character 6: unterminated string, found '\"'"),
        (b'{"a":"\t"}', "character 7: invalid control character, found '\\t'"),
        ('{"äö":"\\x"}'.encode(), "character 8: invalid \\escape, found '\\\\'"),
        (b"[1]", "a list and no object"),
        (b'"x"', "a text and no object"),
        (b"5", "a number and no object"),
        (b"null", "null and no object"),
        (b"true", "true or false and no object"),
    ],
)
def test_malformed_json_says_where_and_what(tmp_path, line, why):
    """Of every line, wherever it stands; counted in characters, also behind some that take more bytes."""
    reading = read(tmp_path / "a.jsonl", GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    assert [(one.row, one.reason, one.value, one.why) for one in reading.rejects] == [
        (2, "malformed_json", line.decode(), why)
    ]


def test_what_is_wrong_far_behind_what_is_shown_is_said(tmp_path):
    """And in which line, of a record of several."""
    long = b'{"a":"' + b"x" * 5_000 + b'",}'
    several = b'{\n "a": 1,\n "b" 2\n}'
    reading = read(tmp_path / "a.jsonl", b"\n".join([GOOD, long, several, GOOD]))
    assert len(reading.rejects[0].value) < len(long)
    far, inside = (one.why for one in reading.rejects)
    assert far.startswith("character 500")
    assert inside == "line 3, character 6: expecting ':' delimiter, found '2'"


@pytest.mark.parametrize("block_bytes", [7, 60, 8 << 20])
@pytest.mark.parametrize("beside", [b'{"a":"x"}', b'{\n"a":"x"}', b"not json", b'{"a":"x\\\\y"}'])
def test_a_record_that_was_escaped_twice(tmp_path, beside, block_bytes):
    """It is the record it was before, whatever stands around it; what is no object then either is a reject."""
    once = b'{"a":"{\\"k\\":\\"v\\\\n\\"}"}'
    twice = once.replace(b"\\", b"\\\\")
    bad = twice[:-1]
    reading = read(
        tmp_path / "a.jsonl", b"\n".join([twice, beside, twice, bad, b""]), block_bytes=block_bytes
    )
    values = [value for _, value in reading.column("a")]
    assert values[0] == values[-1] == json.loads(once)["a"]
    assert len(values) == 2 + (beside != b"not json")
    assert [one.reason for one in reading.rejects] == ["malformed_json"] * (1 + (beside == b"not json"))
    assert reading.counts["escaped_twice"] == 2
