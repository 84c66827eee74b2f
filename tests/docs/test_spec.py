"""The TOML spec of `table`, as docs/spec.md tells it: its keys, its examples, its messages."""

import tomllib

import pytest
from commands import migrate
from markdown import ROOT, blocks, rows

from mappings import table
from mappings._table_functions import FUNCTIONS
from mappings._table_keys import KEYS, TIME_KEYS, layout
from migrate.errors import UsageError

PAGE = ROOT / "docs" / "spec.md"
LEAST = {"event": "action", "distinct_id": "user_id", "timestamp": "at"}


def preview(folder, number, name):
    """What becomes of the page's file of this number, by the spec of this number."""
    (folder / name).write_text(blocks(PAGE, "csv")[number])
    (folder / "spec.toml").write_text(blocks(PAGE, "toml")[number if number == 0 else -1])
    return migrate("preview", "table", name, "--spec", "spec.toml", cwd=folder, env={"PYTHONPATH": str(ROOT)})


def test_every_key_is_told():
    """None is missing, and none is there that the mapping does not know."""
    assert sorted(cells[0].strip("`") for cells in rows(PAGE, "The keys")) == sorted(KEYS)
    assert [cells[0].strip("`") for cells in rows(PAGE, "Times")] == list(TIME_KEYS)


def test_every_function_is_told():
    """Those that may be called, and no others."""
    told = PAGE.read_text(encoding="utf-8").partition("are\nrefused.\n\n")[2].partition("\n\n")[0]
    assert [one.strip("`.") for one in told.replace("\n", " ").split(", ")] == list(FUNCTIONS)


def test_complete_example_has_every_key_and_makes_what_is_shown(tmp_path):
    """The file and the spec of the page become the events of the page."""
    done = preview(tmp_path, 0, "orders.csv")
    assert done.stdout == blocks(PAGE, "json")[0]
    assert [line.rpartition(" ")[2] for line in done.stderr.splitlines()[:2]] == ["events.heartbeat", "where"]
    without_header = {"no_header", "columns"}
    assert set(tomllib.loads(blocks(PAGE, "toml")[0])) | without_header == set(KEYS)


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


def test_example_without_a_header_is_read(tmp_path):
    """Names of columns are those of the spec."""
    done = preview(tmp_path, 1, "orders.csv")
    assert [line.split('"')[3] for line in done.stdout.splitlines()] == ["order placed", "order paid"]


@pytest.mark.parametrize("text", blocks(PAGE, "toml"))
def test_every_example_is_a_spec(text):
    """What a part of one leaves out is as short as can be."""
    found = tomllib.loads(text)
    read(found if {"event", "profile"} & {*found} else LEAST | found)


def read(document):
    """Read all that a spec says."""
    table.tables(document)
    layout(document)


@pytest.mark.parametrize(("lines", "message"), [cells[:2] for cells in rows(PAGE, "When a spec is wrong")])
def test_message_for_a_wrong_spec_is_the_one_that_is_told(lines, message):
    """Word for word."""
    document = LEAST | tomllib.loads(lines.strip("`").replace("; ", "\n"))
    with pytest.raises(UsageError) as raised:
        read(document)
    assert str(raised.value) == message.strip("`")
