"""What a mapping declares; the mapping that the module shows is whole."""

import textwrap

import polars as pl
import pytest
from frames import opened

from migrate.kit import declare, schemas
from migrate.kit.declare import ROW, Options, Platform, Table, has

ACME = {
    "id": "1",
    "action": "page_view",
    "user": " u ",
    "at": "2024-04-03 12:00",
    "url": "https://x/",
    "n": "5",
}


def shown():
    """The mapping that the docstring shows, loaded."""
    text = str(declare.__doc__)
    start, end = text.index('    """Acme'), text.index("\n**The order")
    module = {}
    exec(textwrap.dedent(text[start:end]), module)  # noqa: S102 - it is what a reader would write
    return module["MAPPING"]


def test_the_mapping_shown_maps_a_row():
    """Its table takes the file, and its row becomes an event; what is not declared is passed on or renamed."""
    mapping = shown()
    (table,) = mapping.tables
    assert mapping.table_for(ACME) is table
    rest = '{"url":"https://x/","n":5,"_loaded_at":"now"}'
    row = {name: [ACME[name]] for name in table.columns} | {ROW: [1], "_rest": [rest]}
    rows = opened(table, pl.DataFrame(row), Options())
    (event,) = table.to_events(rows.lazy(), Options(source_timezone="Europe/Berlin")).collect().to_dicts()
    assert (event["event"], event["distinct_id"], event["dedup_key"]) == ("$pageview", "u", "1")
    assert event["timestamp"].isoformat() == "2024-04-03T10:00:00+00:00"
    assert event["laid"] == '{"n":5,"$current_url":"https://x/"}'


@pytest.mark.parametrize(
    ("columns", "file", "found"),
    [
        pytest.param(["ID", "At"], "", "events", id="in-any-case"),
        pytest.param(["id", "at"], "Users", "users", id="told-by-its-name"),
        pytest.param(["id"], "users", None, id="of-no-table"),
    ],
)
def test_the_first_table_that_takes_a_file_has_it(columns, file, found):
    """Columns and the file's name decide, in lower case."""

    def events(rows, _options):
        return rows

    table = {"columns": {}, "matches": has("id", "AT"), "to_events": events}
    users = Table(name="users", **table, file=lambda name: name == "users")
    platform = Platform(title="Acme", tables=[users, Table(name="events", **table)])
    told = platform.table_for(columns, file)
    assert (told.name if told else None) == found


def test_a_frame_that_is_none_says_why():
    """Each column that is missing, of another type, or unknown has its sentence."""
    right = {"_row": pl.Int64, "timestamp": schemas.TIMESTAMP}
    right |= dict.fromkeys((*schemas.TEXT_COLUMNS, *schemas.OBJECT_COLUMNS), pl.String)
    assert schemas.schema_errors(pl.Schema(right)) == []
    wrong = right | {"event": pl.Int64, "extra": pl.Int64, "more": pl.String}
    del wrong["uuid"]
    assert schemas.schema_errors(pl.Schema(wrong)) == [
        "event: expected String, found Int64",
        "uuid: expected String, found None",
        "extra: expected a struct or text, found Int64",
        "more: not a column of the event frame",
    ]
