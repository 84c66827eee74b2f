"""A mapping to begin from is whole: `migrate test` has nothing against it, once its golden is kept."""

import ast
import json

import polars as pl
import pytest
from commands import migrate

from migrate.draft import Draft, mapping_text
from migrate.errors import UsageError

USUAL = {"title": "Acme", "table": "events", "event": "what", "person": "who", "time": "at", "key": "id"}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="usual"),
        pytest.param({"key": None}, id="no key"),
        pytest.param({"event": "visit", "is_event_constant": True}, id="one kind"),
        pytest.param({"time": "ms", "unit": "ms"}, id="milliseconds"),
        pytest.param({"key": "who"}, id="key is person"),
        pytest.param({"person": "odd ' \" \\ ü", "title": 'A "b" \\ c"""', "guesses": ("a\nb",)}, id="odd"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_written_breaks_no_law(tmp_path, monkeypatch, more, form):
    """Whatever the columns are called, and whichever of them there are."""
    monkeypatch.chdir(tmp_path)
    draft = Draft(**{**USUAL, **more})
    (tmp_path / "acme.py").write_text(mapping_text(draft), encoding="utf-8")
    rows = pl.DataFrame(
        {
            "id": ["1", "2"],
            "what": ["a", "b"],
            "who": ["u", "v"],
            "at": ["2024-04-03", "2024-04-04 10:00"],
            "price": [1, 2],
        }
    ).with_columns(pl.lit("1711969200000").alias("ms"), pl.col("who").alias("odd ' \" \\ ü"))
    {"csv": rows.write_csv, "jsonl": rows.write_ndjson}[form](tmp_path / f"acme.sample.{form}")
    done = migrate("test", "./acme.py", "--renew")
    assert done.returncode == 0, done.stdout + done.stderr
    payloads = [json.loads(line) for line in (tmp_path / "acme.golden.jsonl").read_text().splitlines()]
    assert [one["properties"]["price"] for one in payloads] == ([1, 2] if form == "jsonl" else ["1", "2"])
    assert [one["distinct_id"] for one in payloads] == ["u", "v"]


def test_guesses_are_comments():
    """Each to be looked over, above what is made of them."""
    text = mapping_text(Draft(**USUAL, guesses=("at is taken for the time", "who is taken for the person")))
    assert "# Guessed, look it over: at is taken for the time\n# Guessed, look it over: who is" in text
    assert isinstance(ast.parse(text), ast.Module)


def test_what_cannot_be_is_refused():
    """A role without a column, and a column with two that exclude each other."""
    with pytest.raises(UsageError, match="person: nothing is said, found ' '; name one"):
        mapping_text(Draft(**USUAL | {"person": " "}))
    with pytest.raises(
        UsageError, match="person: the column 'at' is said to hold the time, too; name another"
    ):
        mapping_text(Draft(**USUAL | {"person": "at"}))
