"""What a user's own mapping raises is an error in its file, said with the row that it stumbles over."""

import pytest
from commands import migrate, summary
from owned import changed, export, written

STRICT = changed(
    ('extra={"acme_id": pl.col("id")}', 'extra={"n": pl.col("size").cast(pl.Int64)}'),
    ('"who", "at"), pl.String', '"who", "at", "size"), pl.String'),
)


def test_a_row_that_the_mapping_stumbles_over_is_named(tmp_path, monkeypatch):
    """In the middle of a file, among small ones, by preview and by plan; mended, the same command goes on."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, STRICT)
    export(tmp_path / "exports" / "a.jsonl", size="7")
    export(tmp_path / "exports" / "b.jsonl", count=40, size="7")
    odd = tmp_path / "exports" / "b.jsonl"
    lines = odd.read_text().splitlines(keepends=True)
    odd.write_text("".join([*lines[:30], lines[30].replace('"7"', '"7x"'), *lines[31:]]))
    said = (
        "acme.py: InvalidOperationError: conversion from `str` to `i64` failed in column 'size' for 1 out of 1 values: "
        f'["7x"], at {tmp_path}/exports/b.jsonl:31; mend it there'
    )
    done = migrate("preview", "./acme.py", "exports", "--limit", "90")
    assert (done.returncode, done.stderr) == (2, f"error: {said}\n")
    done = migrate("plan", "./acme.py", "exports", "--json")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"error: {said}")
    assert (summary(done)["run"]["exit_code"], summary(done)["run"]["error"]) == (2, said)
    assert "planning stopped, 0 of 2 files planned; refused on " in migrate("status", "acme.workdir").stderr
    written(tmp_path, STRICT.replace("cast(pl.Int64)", "cast(pl.Int64, strict=False)"))
    done = migrate("plan", "./acme.py", "exports", "--json")
    assert (done.returncode, summary(done)["events"]["planned"]) == (0, 43)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("    __import__('sys').exit(0)\n", "acme.py:11: SystemExit: 0; mend it there"),
        (
            "    rows = rows.with_columns(pl.col('id').map_elements(lambda v: exit(0), pl.String))\n",
            "acme.py:11: SystemExit: 0, at {}/a.jsonl:1; mend it there",
        ),
        (
            "    rows = rows.with_columns(pl.col('id').map_elements(lambda v: str(1 // (v != 'r2')), pl.String))\n",
            "acme.py:11: ZeroDivisionError: integer division or modulo by zero, at {}/a.jsonl:2; mend it there",
        ),
    ],
    ids=["exit", "exit of a row", "of a row"],
)
def test_a_function_ends_no_command(tmp_path, new, said):
    """With a code of its own, or with a traceback: it is an error in the file, which is said."""
    written(tmp_path, changed(("    return events.events(", f"{new}    return events.events(")))
    export(tmp_path / "a.jsonl")
    for command in ("preview", "plan"):
        done = migrate(command, "acme.py", "a.jsonl", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[-1] == f"error: {said.format(tmp_path)}"
