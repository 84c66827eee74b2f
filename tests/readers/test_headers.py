"""A file's format and columns are told by its content, and what folders say of it by its path."""

import json

import pytest
from readings import source

from migrate.readers.headers import misread, partitions_of, read_header


@pytest.mark.parametrize(
    ("data", "form", "columns"),
    [
        pytest.param(b'\n\n {"a":1}\n{"b":2}\n', "jsonl", ("a", "b"), id="lines"),
        pytest.param(b'[{"a":1},{"b":2}]', "json", ("a", "b"), id="a list"),
        pytest.param(b'exported today\n{"a":1}\n{"a":2}\n', "jsonl", ("a",), id="a title above lines"),
        pytest.param(b"a;b\n1;2\n", "csv", ("a", "b"), id="delimited"),
        pytest.param(json.dumps({"a": 1}).encode("utf-16"), "jsonl", ("a",), id="another encoding"),
    ],
)
def test_a_format_is_told_by_content(tmp_path, data, form, columns):
    """Never by the ending of the name."""
    found = read_header(source(tmp_path / "a.dat", data))
    assert (found.format, found.columns) == (form, columns)


@pytest.mark.parametrize("data", [b"\n", b" \r\n\n", b"[]", b"null", b"null\n"])
def test_in_a_file_without_rows_there_is_nothing(tmp_path, data):
    """Nor in one that says so."""
    assert read_header(source(tmp_path / "a", data)) is None


def test_rows_inside_of_others_have_a_header_of_their_own(tmp_path):
    """Beside that of the file."""
    row = {"_airbyte_data": {"a": 1, "b": 2}, "_airbyte_ab_id": "x"}
    found = read_header(source(tmp_path / "a", json.dumps(row).encode()))
    assert found.columns == ("_airbyte_data", "_airbyte_ab_id")
    assert (found.within.columns, found.within.wrapper) == (("a", "b"), "_airbyte_data")


def test_folders_say_values_by_their_names(tmp_path):
    """Decoded, the innermost of a name; a default is none, and they may be passed over."""
    folder = tmp_path / "day=1" / "a%20b=c%2Fd" / "day=2" / "n=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir(parents=True)
    found = source(folder / "x=y.csv", b"a,b\n1,2\n")
    said = (("day", "2"), ("a b", "c/d"), ("n", None))
    assert partitions_of(found) == read_header(found).partitions == said
    assert read_header(found, partitions=False).partitions == ()


def test_a_file_in_another_encoding_is_not_to_be_read(tmp_path):
    """Before any of it is."""
    found = source(tmp_path / "a.csv", "name,b\ncaf\u00e9,1\n".encode("cp1252") * 9)
    assert misread(found, read_header(found))[0] == "wrong_encoding"
    assert misread(found, read_header(found, encoding="cp1252")) is None
