"""A preview that is shown again whenever what decides it is saved."""

import json
import os
import signal

from commands import migrate, started
from owned import changed, export
from owned import written as written_mapping

SPEC = 'event = {constant = "%s"}\ndistinct_id = "who"\ntimestamp = "at"\n'


def written(folder):
    """A table and its spec."""
    table, spec = folder / "a.csv", folder / "spec.toml"
    table.write_text("who,at\nu-1,2024-04-03T10:00:00Z\n")
    spec.write_text(SPEC % "first")
    return table, spec


def test_each_save_of_the_spec_is_shown(tmp_path):
    """A spec that is wrong says so and is waited for, as is one that an editor is putting in its place."""
    table, spec = written(tmp_path)
    with started("preview", "table", table, "--spec", spec, "--watch") as process:
        assert json.loads(process.stdout.readline())["event"] == "first"
        assert process.stderr.readline() == (
            f"watching {spec}, {table}: shown again when it is saved; Ctrl-C ends\n"
        )
        spec.write_text("colour = 1\n")
        assert process.stderr.readline().startswith("error: spec: colour: no such key")
        assert process.stderr.readline().startswith("watching ")
        other = tmp_path / "other"
        other.write_text(SPEC % "second")
        other.replace(spec)
        assert json.loads(process.stdout.readline())["event"] == "second"
        assert process.stderr.readline().startswith("watching ")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130


def test_each_save_of_an_input_is_shown(tmp_path):
    """Whoever makes the export sees what becomes of it."""
    table, spec = written(tmp_path)
    with started("preview", "table", table, "--spec", spec, "--watch", "--limit", "9") as process:
        assert json.loads(process.stdout.readline())["distinct_id"] == "u-1"
        assert process.stderr.readline().startswith("watching ")
        table.write_text("who,at\nu-2,2024-04-03T10:00:00Z\n")
        assert json.loads(process.stdout.readline())["distinct_id"] == "u-2"


def test_each_save_of_a_module_beside_a_mapping_is_shown(tmp_path):
    """Whether the mapping imports it itself, or a module that it imports does; others are none of it."""
    text = changed(
        ("import polars as pl\n", "import polars as pl\nfrom _acme_names import NAMES\n"),
        ('event=pl.col("what")', 'event=expr.lookup(pl.col("what"), NAMES)'),
    )
    mapping, table = written_mapping(tmp_path, text), export(tmp_path / "a.jsonl", count=1)
    names = written_mapping(tmp_path, "import _more\n\nNAMES = _more.NAMES\n", "_acme_names.py")
    more = written_mapping(tmp_path, 'NAMES = {"order": "first"}\n', "_more.py")
    written_mapping(tmp_path, "x = 1\n", "_other.py")
    with started("preview", mapping, table, "--watch") as process:
        assert json.loads(process.stdout.readline())["event"] == "first"
        assert process.stderr.readline() == (
            f"watching {mapping}, {table}, {names}, {more}: shown again when it is saved; Ctrl-C ends\n"
        )
        more.write_text('NAMES = {"order": "second"}\n')
        assert json.loads(process.stdout.readline())["event"] == "second"
        process.stderr.readline()
        names.write_text('NAMES = {"order": "third"}\n')
        assert json.loads(process.stdout.readline())["event"] == "third"
        assert process.stderr.readline().startswith(f"watching {mapping}, {table}, {names}: shown")


def test_what_cannot_be_watched_is_refused(tmp_path):
    """Folders grow by themselves; what people write by hand is files."""
    written(tmp_path)
    done = migrate("preview", "amplitude", tmp_path, "--watch")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --watch: no file decides what is shown, found folders and archives alone; name a file, or --spec\n"
    )
