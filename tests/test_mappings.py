"""Every mapping: its contract, its golden, its completeness. A new mapping is found by its file name."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from migrate import events, platforms
from migrate.cli import cli
from migrate.mapping import REST, ROW, Options
from migrate.session import Settings, preview

ROOT = Path(__file__).parent.parent
NAMES = platforms.names()


def spec(name):
    """The sample's spec, where the platform needs one."""
    path = ROOT / "sample_data" / name / "spec.toml"
    return path if path.exists() else None


def tables(name):
    """The platform's tables that can be migrated."""
    return [table for table in platforms.platform(name, spec(name)).tables if not table.refusal]


TABLES = [pytest.param(table, id=f"{name}-{table.name}") for name in NAMES for table in tables(name)]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("person_properties", ["set", "set_once", "none"])
def test_contract_on_an_empty_frame(table, person_properties):
    """Without any data, a mapping's output has the schema of the event frame, and no rows."""
    rows = pl.LazyFrame(schema={ROW: pl.Int64} | dict(table.columns) | {REST: pl.String})
    frame = table.to_events(rows, Options(person_properties=person_properties))
    assert events.schema_errors(frame.collect_schema()) == []
    assert frame.collect().height == 0


@pytest.mark.parametrize("name", NAMES)
def test_golden(name):
    """The sample's payloads are, byte for byte, those a person has read and kept."""
    golden = ROOT / "tests" / "golden" / f"{name}.jsonl"
    command = ["preview", name, str(ROOT / "sample_data" / name), "--limit", "1000"]
    shown = CliRunner().invoke(cli, command + (["--spec", str(spec(name))] if spec(name) else []))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == golden.read_text(encoding="utf-8"), f"read the change, then: migrate {' '.join(command)}"


@pytest.mark.parametrize("name", NAMES)
def test_completeness(name):
    """Every property of the sample is in a payload under its name or its new one, or dropped by name."""
    settings = Settings(platform=name, spec=spec(name))
    work = settings.work([str(ROOT / "sample_data" / name)])
    renames = {old: new for table in tables(name) for old, new in table.rename.items()}
    declared = {column.lower() for table in tables(name) for column in table.columns}
    dropped = {column.lower() for table in tables(name) for column in table.dropped}
    objects = {column for table in tables(name) for column in table.objects}
    for row in preview(work, 1000):
        found = {key for payload in row.payloads for key in _keys(json.loads(payload)["properties"])}
        for column, value in row.source.items():
            if row.payloads and column in objects:
                lost = {renames.get(key, key) for key, item in json.loads(value).items() if item is not None} - found
                assert lost <= {None} | _known(column, name), f"{column}: {lost} vanished from {row.source}"
            elif row.payloads and column.lower() not in declared | dropped:
                assert renames.get(column, column) in found | {None}, f"{column} vanished from {row.source}"


def _keys(value):
    """All keys of an object and of the objects in it."""
    return set(value) | {key for item in value.values() if isinstance(item, dict) for key in _keys(item)}


def _known(column, name):
    """Keys of a declared object that the mapping turns into something else."""
    return KNOWN.get((name, column), set())


KNOWN = {}


def test_samples_are_small():
    """A sample is read by a person: at most 20 rows a file."""
    for path in (ROOT / "sample_data").rglob("*"):
        if path.is_file() and path.suffix in {".csv", ".jsonl"}:
            assert len(path.read_bytes().splitlines()) <= 21, path
