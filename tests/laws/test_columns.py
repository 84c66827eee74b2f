"""No column is lost without a word: neither one that is declared, nor one that nobody has declared."""

import json

import pytest
from owned import changed, export, proof, written

LOST = (
    "'{0}' says something in {1}, and nothing becomes of it: make it a property (in properties, rename or extra), or "
    "drop it by name (dropped, or rename to None)"
)


@pytest.mark.parametrize(
    ("pairs", "column"),
    [
        ([(', "at"), pl.String)', ', "at", "cents"), pl.String)')], "cents"),
        ([('        extra={"acme_id": pl.col("id")},\n', "")], "id"),
    ],
)
def test_a_declared_column_of_which_nothing_becomes_is_named(tmp_path, pairs, column):
    """Also one that is in the key alone: nobody reads it out of a uuid; what is dropped by name is not."""
    (broken,) = proof(tmp_path, changed(*pairs))["columns"]
    assert broken.column == column
    assert broken.what == LOST.format(column, f"{tmp_path}/a.jsonl:1")
    dropped = changed(
        ("times=", f'dropped=frozenset({{"{column}"}}),\n            times='), text=changed(*pairs)
    )
    assert proof(tmp_path, dropped)["columns"] == []


def test_columns_that_are_not_carried_over_are_named(tmp_path):
    """Those of the sample, and those that another file may have; counted is not lost."""
    text = changed(("properties=(REST,),\n", ""), ("        laid=pl.col(PROPERTIES),\n", ""))
    found = proof(tmp_path, text)["columns"]
    assert [one.column for one in found] == ["cents", "zz_probe"]
    counted = changed(("times=", "left_out=bool,\n            times="), text=text)
    assert proof(tmp_path, counted)["columns"] == []


def test_keys_of_objects_are_looked_at_as_columns_are(tmp_path):
    """An object of which one key is read and the others are not."""
    path = tmp_path / "a.jsonl"
    rows = [
        {"id": str(n), "what": "w", "who": "u", "at": "2024-04-03", "data": {"a": n, "b": "x"}}
        for n in (1, 2)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = changed(
        ('"at"), pl.String)', '"at", "data"), pl.String)'),
        ("import REST", "import Bag, REST, inside"),
        ("times=", 'bags={"data": Bag(keys=["a"])},\n            times='),
        ('{"acme_id": pl.col("id")}', '{"acme_id": pl.col("id"), "a": pl.col(inside("data", "a"))}'),
    )
    found = proof(tmp_path, text, path)["columns"]
    assert [one.column for one in found] == ["data.b", "data.zz_probe"]
    whole = changed(("properties=(REST,)", 'properties=("data", REST)'), text=text)
    assert proof(tmp_path, whole, path)["columns"] == []


def test_a_column_that_counts_beside_an_empty_one_is_not_named(tmp_path):
    """Such as an id that stands in for another; nor is one that is linked alone, nor one that decides a filter."""
    export(tmp_path / "a.jsonl", device="d")
    text = changed(
        ('"at"), pl.String)', '"at", "device"), pl.String)'),
        ('distinct_id=pl.col("who")', 'distinct_id=pl.coalesce("who", "device")'),
    )
    written(tmp_path, text)
    assert proof(tmp_path, text, tmp_path / "a.jsonl")["columns"] == []
