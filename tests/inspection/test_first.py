"""The first rows of a file, each value as the file has it."""

import json

import polars as pl

from migrate.inputs.listing import sources
from migrate.inspection import first as module
from migrate.inspection.first import first, most_rows
from migrate.inspection.values import Value
from migrate.readers.headers import read_header


def looked_at(path):
    """What is found in a file."""
    (source,) = sources([str(path)]).sources
    return first(source, read_header(source))


def test_values_are_as_json_writes_them(tmp_path):
    """Numbers with their digits, texts unescaped, objects as their text; null is none."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1.50, "b": "\\u00fc", "c": {"d": [1]}, "e": true, "f": null, "g": [2]}\n{"a"\n')
    found = looked_at(path)
    assert found.rows == [
        {
            "a": Value("number", "1.50"),
            "b": Value("text", "ü"),
            "c": Value("object", '{"d": [1]}'),
            "e": Value("yes or no", "true"),
            "g": Value("list", "[2]"),
        }
    ]
    assert [one.reason for one in found.rejects] == ["malformed_json"]
    assert (found.is_whole, found.share, found.read) == (True, 1.0, 2)


def test_a_large_file_is_read_in_part(tmp_path):
    """So many rows, in whatever format; how much of the file that is is known of text."""
    path = tmp_path / "a.csv"
    path.write_text("id,note\n" + "".join(f"{n},{'x' * 300}\n" for n in range(30_000)))
    found = looked_at(path)
    assert (found.read, found.is_whole) == (module.ROWS, False)
    assert 0 < found.share < 0.5
    pl.DataFrame({"id": range(5_000)}).write_parquet(tmp_path / "a.parquet", row_group_size=100)
    found = looked_at(tmp_path / "a.parquet")
    assert (found.read, found.is_whole, found.rows[0]) == (module.ROWS, False, {"id": Value("number", "0")})


def test_of_wide_files_fewer_rows_are_read(tmp_path):
    """So that their cells can be held."""
    names = [f"c{n}" for n in range(2_000)]
    path = tmp_path / "a.csv"
    path.write_text(",".join(names) + "\n" + "".join(",".join("1" * 2_000) + "\n" for _ in range(120)))
    (source,) = sources([str(path)]).sources
    assert looked_at(path).read == most_rows(read_header(source)) == module.CELLS // 2_000


def test_huge_rows_are_few(tmp_path):
    """A row of many megabytes is read whole, and no more of its like than fit into what is read at the most."""
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"a": "x" * (1 << 20)}) + "\n" for _ in range(8)))
    assert 0 < looked_at(path).read < 8
