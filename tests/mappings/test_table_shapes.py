"""Objects and lists that a spec lays out of several columns, alike of every format."""

import json

import polars as pl
import pytest
from commands import migrate

SPEC = """
event = {constant = "e"}
distinct_id = "user"
timestamp = "at"
dedup_key = ["id"]
numbers = ["n"]

[values.kind]
a = "A"

[properties]
one = {text = "note", n = "n", kind = "kind", deep = {path = "bag.x", gone = "none"}}
list = [{name = "note"}, {name = "none"}, "kind"]
fixed = {v = {constant = 1.5}, w = [{constant = true}]}
empty = {always = {constant = "x"}, gone = "none"}
raw = {column = "bag", json = true}
made = {sql = "'[' || id || ', 2]'", json = true}
odd = {sql = "'[' || note", json = true}
half = [{sql = "CAST(id AS INT) + 1"}]
"""
ROWS = {
    "id": ["1", "2"],
    "user": ["u", "u"],
    "at": ["2024-03-05T10:00:00Z"] * 2,
    "note": ['a "b" \\ c\nd\u2028', None],
    "n": ["7.50", "x"],
    "kind": ["a", "b"],
    "bag": ['{"x": "y", "n": [1]}', None],
    "none": pl.Series([None, None], dtype=pl.String),
}


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_an_object_is_made_of_columns(tmp_path, form):
    """Text is quoted, numbers and JSON are themselves, what is null is left out, and so is what holds nothing."""
    getattr(pl.DataFrame(ROWS), f"write_{form}")(tmp_path / f"a.{form}")
    (tmp_path / "s.toml").write_text(SPEC)
    done = migrate("preview", "table", tmp_path / f"a.{form}", "--spec", tmp_path / "s.toml")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line)["properties"] for line in done.stdout.strip().split("\n"))
    note = ROWS["note"][0]
    assert first["one"] == {"text": note, "n": 7.5, "kind": "A", "deep": {"path": "y"}}
    assert '"n":7.50' in done.stdout
    assert first["list"] == [{"name": note}, "A"]
    assert first["fixed"] == {"v": 1.5, "w": [True]}
    assert (first["raw"], first["made"], first["half"]) == ({"x": "y", "n": [1]}, [1, 2], [2])
    assert first["odd"] == f"[{note}"
    assert "empty" not in first
    assert second["one"] == {"n": "x", "kind": "b"}
    assert second["list"] == ["b"]
    assert {"raw", "odd", "empty"}.isdisjoint(second)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('a = [{b = "nope"}]', 'spec: properties.a[1].b: no column "nope" in the file, found'),
        ('a = {b = {sql = "LOWR(id)"}}', "spec: properties.a.b: no function LOWR; did you mean LOWER?"),
        ("a = [{}]", "spec: properties.a[1]: expected the name of a column, an object or a list, found {}"),
        ("a = {b = 1}", "spec: properties.a.b: expected the name of a column, an object or a list, found 1"),
        ('note = ["id"]', 'spec: properties.note: the file has a column "note" already; choose another name'),
        ('id = ["note"]', 'spec: properties.id: id gives a property "id" already; choose another name'),
    ],
)
def test_what_is_wrong_in_it_is_named_with_its_place(tmp_path, line, said):
    """Before a row is planned."""
    pl.DataFrame(ROWS).write_csv(tmp_path / "a.csv")
    (tmp_path / "s.toml").write_text(SPEC.partition("[properties]")[0] + f"[properties]\n{line}\n")
    done = migrate("preview", "table", tmp_path / "a.csv", "--spec", tmp_path / "s.toml")
    assert done.returncode != 0
    assert said in done.stderr
