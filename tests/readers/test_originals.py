"""A row is shown as its file has it, whatever its table makes of it."""

import pytest
from readings import source, table

from migrate.readers.headers import read_header
from migrate.readers.originals import Originals


def originals(path, data, given=None):
    """The rows of a file."""
    path.parent.mkdir(exist_ok=True)
    found = source(path, data)
    return Originals(found, given or table(dropped=("gone",)), read_header(found))


def plain(rows):
    """Rows as text."""
    return {number: {name: bytes(raw).decode() for name, raw in row.items()} for number, row in rows.items()}


@pytest.mark.parametrize(
    ("name", "data", "null"),
    [
        ("a.csv", b"a,gone,z\n1,2,\nnull,4,5\n", '"null"'),
        ("a.jsonl", b'{"a":"1","gone":"2"}\n{"a":"null","gone":"4","z":"5"}\n', '"null"'),
    ],
)
def test_all_columns_and_words_are_there(tmp_path, name, data, null):
    """Those that are dropped, that nobody knows, and that mean nothing."""
    found = plain(originals(tmp_path / name, data).of([1, 2]))
    assert (found[1]["a"], found[1]["gone"]) == ('"1"', '"2"')
    assert found[2] == {"a": null, "gone": '"4"', "z": '"5"'}


def test_rows_are_asked_for_in_order(tmp_path):
    """Several times; of a row that there is not nothing is said."""
    rows = originals(tmp_path / "a.csv", b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(1, 10)))
    assert plain(rows.of([3, 1])) == {1: {"a": '"1"', "b": '"x"'}, 3: {"a": '"3"', "b": '"x"'}}
    assert plain(rows.of([7, 99])) == {7: {"a": '"7"', "b": '"x"'}}
    assert rows.of([100]) == {}
