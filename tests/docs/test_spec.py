"""The TOML spec of `table`, as docs/spec.md tells it: its keys, its examples, its messages."""

import tomllib

import pytest
from commands import migrate
from markdown import ROOT, blocks, rows

from mappings import table
from mappings._table_document import KEYS
from migrate.errors import UsageError

PAGE = ROOT / "docs" / "spec.md"
LEAST = {"event": "action", "distinct_id": "user_id", "timestamp": "at"}


def test_every_key_is_told():
    """None is missing, and none is there that the mapping does not know."""
    told = [cells[0].strip("`") for cells in rows(PAGE, "The keys")]
    known = [key for key in told if key not in {"column", "format", "zone"}]
    assert sorted(known) == sorted(KEYS)
    assert told[len(known) :] == ["column", "format", "zone"]


def test_complete_example_has_every_key_and_makes_what_is_shown(tmp_path):
    """The file and the spec of the page become the events of the page."""
    (tmp_path / "orders.csv").write_text(blocks(PAGE, "csv")[0])
    (tmp_path / "spec.toml").write_text(blocks(PAGE, "toml")[0])
    done = migrate(
        "preview", "table", "orders.csv", "--spec", "spec.toml", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.stdout == blocks(PAGE, "json")[0]
    without_header = {"no_header", "columns"}
    assert set(tomllib.loads(blocks(PAGE, "toml")[0])) | without_header == set(KEYS)


def test_example_without_a_header_is_read(tmp_path):
    """Names of columns are those of the spec."""
    (tmp_path / "orders.csv").write_text(blocks(PAGE, "csv")[1])
    (tmp_path / "spec.toml").write_text(blocks(PAGE, "toml")[1])
    done = migrate(
        "preview", "table", "orders.csv", "--spec", "spec.toml", cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert [line.split('"')[3] for line in done.stdout.splitlines()] == ["order placed", "order paid"]


def read(document):
    """Read all that a spec says."""
    table.tables(document)
    table.layout(document)


@pytest.mark.parametrize(("lines", "message"), [cells[:2] for cells in rows(PAGE, "When a spec is wrong")])
def test_message_for_a_wrong_spec_is_the_one_that_is_told(lines, message):
    """Word for word."""
    document = LEAST | tomllib.loads(lines.strip("`").replace("; ", "\n"))
    with pytest.raises(UsageError) as raised:
        read(document)
    assert str(raised.value) == message.strip("`")
