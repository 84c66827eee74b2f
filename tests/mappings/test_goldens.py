"""Every mapping: its contract, its golden, its completeness. A new mapping is found by its file name."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from samples import EVERY, SEVERAL, spec

from migrate import platforms
from migrate.cli.commands import cli
from migrate.kit.declare import OWN, PROPERTIES, REST, WHOLE, Options, inside
from migrate.kit.schemas import FRAMEWORK
from migrate.laws.contract import wrong_frames
from migrate.payload import payloads
from migrate.plan.jobs import Job
from migrate.plan.lean import lean
from migrate.preview import preview
from migrate.readers.records import Header
from migrate.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = platforms.names()
METADATA = re.compile(r"^metadata\.(.+)_(text|int|bool|date)$")
ENTITY = re.compile(
    r"(contexts|unstruct_event)_(?:com_snowplowanalytics_snowplow_)?(.+?)_\d+(?:_\d+_\d+)?(?:_recovered_\w+)?"
)
"""Columns that are renamed by a rule, and not one by one."""


def tables(name):
    """The platform's tables that can be migrated."""
    return [table for table in platforms.platform(name, spec(name)).tables if not table.refusal]


TABLES = [pytest.param(table, id=f"{name}-{table.name}") for name in NAMES for table in tables(name)]


OPTIONED = [
    pytest.param(table, way, id=f"{name}-{table.name}-{way}")
    for name in NAMES
    for table in tables(name)
    for way in ("set", "set_once", "none")
    if way == "set" or name in SEVERAL
]


@pytest.mark.law
@pytest.mark.parametrize(("table", "person_properties"), OPTIONED)
def test_contract_on_an_empty_frame(table, person_properties):
    """Without any data, what a mapping makes of rows has the schema it should have, and no rows."""
    assert [*wrong_frames(table, Options(person_properties=person_properties))] == []


@pytest.mark.parametrize("table", TABLES)
def test_what_is_gathered_needs_no_other_columns(table):
    """Files are looked over with `link_columns` alone, and without what no table declares."""
    known = payloads.claimed(table, Options())
    least = lean(Job(source=None, header=Header("jsonl", tuple(table.columns)), table=known)).table
    delivered = _delivered(known) if table.link_columns is None else set(table.link_columns)
    assert delivered <= _delivered(least) <= _delivered(known)
    assert least.properties == ()
    framework = {
        name: dtype for name, dtype in FRAMEWORK.items() if name not in {REST, PROPERTIES, OWN, WHOLE}
    }
    delivered |= set(table.joined())
    rows = pl.LazyFrame(schema={name: table.columns.get(name, pl.String) for name in delivered} | framework)
    for function in (table.to_links, table.to_recoveries, table.clock):
        assert function is None or function(rows, Options()).collect().height == 0


def _delivered(table):
    """The columns a reader delivers for a table, those of the keys of its objects among them."""
    keys = {inside(column, key) for column, bag in table.bags.items() for key in bag.keys}
    return {*table.columns, *table.joined(), *keys}


def printing(name):
    """The command that prints the payloads of a sample."""
    command = ["preview", name, str(ROOT / "sample_data" / name), "--limit", "1000"]
    return command + (["--spec", str(spec(name))] if spec(name) else [])


def kept(name):
    """The golden of a platform."""
    return (ROOT / "tests" / "golden" / f"{name}.jsonl").read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=NAMES)
def sample(request):
    """A platform, and what each row of its sample becomes."""
    name = request.param
    work = Settings(platform=name, spec=spec(name)).work([str(ROOT / "sample_data" / name)])
    return name, [*preview(work, 1000)]


def test_golden(sample):
    """The sample's payloads are, byte for byte, those a person has read and kept."""
    name, rows = sample
    told = "".join(f"{text}\n" for row in rows for text in row.payloads)
    assert told == kept(name), f"read the change, then: migrate {' '.join(printing(name))}"


@pytest.mark.parametrize("name", NAMES if EVERY else ["ga4", "table"])
def test_a_golden_is_what_is_printed(name):
    """It can be made anew by the command, and by nothing else."""
    shown = CliRunner().invoke(cli, printing(name))
    assert (shown.exit_code, shown.stdout) == (0, kept(name)), shown.output


@pytest.mark.law
def test_completeness(sample):
    """Every property of the sample is in a payload under its name or its new one, or dropped by name."""
    name, rows = sample
    rows = [row for row in rows if row.payloads]
    found = {word for row in rows for text in row.payloads for word in _words(json.loads(text)["properties"])}
    assert {prop for row in rows for prop in _properties(json.loads(row.source), name)} - found == set()


def _properties(source, name):
    """Yield the properties of a source row under the names they should have in PostHog."""
    known = tables(name)
    renames = {old: new for table in known for old, new in table.rename.items()}
    consumed = {column.lower() for table in known for column in [*table.columns, *table.dropped]}
    bags = {column for table in known for column in table.objects}
    for column, value in source.items():
        bag = {} if column.lower() in consumed else {column: value}
        if column in bags:
            bag = value if isinstance(value, dict) else json.loads(value)
        for key, item in bag.items():
            if name == "snowplow" and (found := ENTITY.fullmatch(key)):
                yield from _said(found, item)
                continue
            is_empty = item in {None, "EMPTY"} if isinstance(item, str | None) else False
            named = METADATA.sub(r"\1", key) if name == "simpleanalytics" else key
            named = named.removeprefix("post_") if name == "adobe" else named
            if not is_empty and renames.get(named, named) is not None:
                yield f"${key}" if key.startswith("initial_") else renames.get(named, named)


def _said(column, value):
    """Yield what is told of a Snowplow column of entities: their name, or the keys of an event."""
    said = json.loads(value) if isinstance(value, str) and value else value
    if column[2] == "web_page":
        yield "$pageview_id"
    elif column[1] == "contexts" and said:
        yield column[2]
    elif said:
        (event,) = said if isinstance(said, list) else [said]
        yield from event.keys() - {"_schema_version"}


def _words(value):
    """Yield all keys and all texts in a JSON value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str):
        yield value


def test_samples_are_small():
    """A sample is read by a person: at most 20 rows a file."""
    for path in (ROOT / "sample_data").rglob("*"):
        if path.is_file() and path.suffix in {".csv", ".jsonl"}:
            assert len(path.read_bytes().splitlines()) <= 21, path
