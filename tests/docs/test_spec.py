"""The TOML spec of `table`, as docs/spec.md tells it: its keys, its examples, its messages."""

import json
import re
import tomllib

import pytest
from commands import migrate
from markdown import ROOT, blocks, rows

from mappings import table
from mappings._table_functions import FUNCTIONS
from mappings._table_keys import KEYS, OF_TABLES, TIME_KEYS, layout
from migrate.errors import UsageError

PAGE = ROOT / "docs" / "spec.md"
OF_ALL = {
    "$geoip_disable",
    "historical_migration",
    "analytics_source",
    "$import_job_id",
    "$lib",
    "$lib_version",
}
LEAST = {"event": "action", "distinct_id": "user_id", "timestamp": "at"}


FIRST = "A complete example"


def example(title):
    """The files of an example below a title, name and text, and the events that are shown of them."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    files = re.findall(r"^`([\w.]+)`[^:`\n]*:\n\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shown = re.findall(r"every event has:\n\n```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return files, [json.loads(line) for block in shown for line in block.splitlines()]


def preview(folder, files):
    """What becomes of files by the spec among them."""
    for name, text in files:
        (folder / name).write_text(text)
    names = [name for name, _ in files if name != "spec.toml"]
    env = {"PYTHONPATH": str(ROOT)}
    return migrate("preview", "table", *names, "--spec", "spec.toml", cwd=folder, env=env)


def of_its_own(line):
    """What an event has that not every event has."""
    event = json.loads(line)
    bag = {key: value for key, value in event.pop("properties").items() if key not in OF_ALL}
    del event["uuid"]
    return event | {"properties": bag}


def test_every_key_is_told():
    """None is missing, and none is there that the mapping does not know."""
    assert sorted(cells[0].strip("`") for cells in rows(PAGE, "The keys")) == sorted(KEYS)
    assert [cells[0].strip("`") for cells in rows(PAGE, "Times")] == list(TIME_KEYS)
    assert [cells[0].strip("`") for cells in rows(PAGE, "Several tables")] == list(OF_TABLES)


def test_every_function_is_told():
    """Those that may be called, and no others."""
    told = PAGE.read_text(encoding="utf-8").partition("are\nrefused.\n\n")[2].partition("\n\n")[0]
    assert [one.strip("`.") for one in told.replace("\n", " ").split(", ")] == list(FUNCTIONS)


def test_complete_example_has_every_key_and_makes_what_is_shown(tmp_path):
    """The file and the spec of the page become the events of the page."""
    files, _ = example(FIRST)
    done = preview(tmp_path, files)
    assert done.stdout == blocks(PAGE, "json")[0]
    assert [line.rpartition(" ")[2] for line in done.stderr.splitlines()[:2]] == ["events.heartbeat", "where"]
    others = {"no_header", "columns", "header_file", "explode"}
    assert set(tomllib.loads(blocks(PAGE, "toml")[0])) | others == set(KEYS)


def test_the_first_spec_asks_what_it_is_said_to_ask(tmp_path):
    """Of the page's own file: one line, which preview names until it is there."""
    (tmp_path / "orders.csv").write_text(blocks(PAGE, "csv")[0])
    write, show = (line.split()[1:] for line in blocks(PAGE, "sh")[0].splitlines())
    text = migrate(*write[:-2], cwd=tmp_path).stdout
    (tmp_path / write[-1]).write_text(text)
    assert text.count("FILL IN: ") == 1
    assert migrate(*show, cwd=tmp_path).stderr.startswith("error: spec: timestamp: missing; use ")
    (tmp_path / write[-1]).write_text(text.replace("# timestamp = ", "timestamp = ", 1))
    done = migrate(*show, cwd=tmp_path)
    assert (done.returncode, "2024-03-05T14:30:00" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("title", ["Many events in a record", "Several tables"])
def test_examples_make_what_is_shown(tmp_path, title):
    """Event by event, in their order."""
    files, shown = example(title)
    done = preview(tmp_path, files)
    assert [of_its_own(line) for line in done.stdout.splitlines()] == shown != []


def test_examples_without_a_header_are_read(tmp_path):
    """Names of columns are those of the spec, or those of the file beside."""
    files, _ = example("A file without a header")
    found = []
    for few in (files[:2], files[2:]):
        folder = tmp_path / few[0][0]
        folder.mkdir()
        done = preview(folder, few)
        found.append([line.split('"')[3] for line in done.stdout.splitlines()])
    assert found == [["order placed", "order paid"], ["order placed"]]


def test_dividing_by_zero_counts_what_is_said(tmp_path):
    """By which operator, of which numbers."""
    ways = [
        "1 / n",
        "f % n",
        "MOD(f, n)",
        "1.5 / n",
        "DIV(f, n)",
        "f // n",
        "1 % n",
        "MOD(1, n)",
        "DIV(1, n)",
        "1 // n",
    ]
    (tmp_path / "rows.csv").write_text("u,at,n,f\nu,2024-03-05T10:00:00Z,0,7.5\n")
    (tmp_path / "spec.toml").write_text(
        'event = {constant = "e"}\ndistinct_id = "u"\ntimestamp = "at"\ndrop = ["n", "f"]\n'
        '[types]\nn = "int"\nf = "float"\n[properties]\nhalf = {sql = "7 / 2"}\nwhole = {sql = "DIV(7, 2)"}\n'
        + "".join(f'p{place} = {{sql = "{way}"}}\n' for place, way in enumerate(ways))
    )
    done = migrate("plan", "table", "rows.csv", "--spec", "spec.toml", "--workdir", "w", cwd=tmp_path)
    failed = {
        ways[int(place)] for place in re.findall(r"1 value, expression_failed.properties.p(\d)", done.stderr)
    }
    assert failed == {"1.5 / n", "DIV(f, n)", "f // n"}, done.stderr
    assert "3 values, non_finite_number" in done.stderr
    shown = of_its_own(migrate("preview", "table", "rows.csv", "--spec", "spec.toml", cwd=tmp_path).stdout)
    assert shown["properties"] == {"half": 3.5, "whole": 3}


@pytest.mark.parametrize("text", blocks(PAGE, "toml"))
def test_every_example_is_a_spec(text):
    """What a part of one leaves out is as short as can be."""
    found = tomllib.loads(text)
    read(found if {"event", "profile", "table"} & {*found} else LEAST | found)


def read(document):
    """Read all that a spec says."""
    table.tables(document)
    layout(document)


@pytest.mark.parametrize(("lines", "message"), [cells[:2] for cells in rows(PAGE, "When a spec is wrong")])
def test_message_for_a_wrong_spec_is_the_one_that_is_told(lines, message):
    """Word for word."""
    document = tomllib.loads(lines.strip("`").replace("; ", "\n"))
    if isinstance(document.get("table"), list):
        document["table"] = [one if "key" in one else LEAST | one for one in document["table"]]
    elif "table" not in document:
        document = LEAST | document
    with pytest.raises(UsageError) as raised:
        read(document)
    assert str(raised.value) == message.strip("`")
