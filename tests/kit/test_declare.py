"""What a mapping declares; the mapping that the module shows is whole."""

import textwrap

import polars as pl
import pytest
from frames import opened

from migrate.errors import UsageError
from migrate.kit import declare, schemas
from migrate.kit.declare import REST, ROW, Bag, Options, Platform, Table, has

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
    assert event["extra"] == {"acme_id": "1"}
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


CLICKS = {
    "name": "clicks",
    "columns": {"user": pl.String, "at": pl.String, "data": pl.String},
    "matches": bool,
    "to_events": lambda rows, _: rows,
    "bags": {"data": Bag(keys=("url",), whole="all")},
}
KNOWN = "known are user, at, data"
MEND = "spell it as there, or declare it: a column in columns, a key of an object in its Bag"


def test_names_of_columns_and_of_what_objects_hold_are_names():
    """In tuples, lists and sets; what is opened under options only is not known beforehand."""
    named = {"ids": ["user", "data.url"], "times": ("at", "data.all"), "link_columns": ["user", REST]}
    named |= {"objects": ("data",), "properties": ("data", REST)}
    Platform(title="Acme", tables=[Table(**CLICKS, **named)])
    bags = {"bags": lambda options: {"data": Bag(keys=[options.user_id] if options.user_id else [])}}
    Platform(title="Acme", tables=[Table(**CLICKS | bags, ids=("data.login",))])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ids": ("usr",)}, f"ids: no column 'usr', {KNOWN}, _rest, data.url, data.all; {MEND}"),
        (
            {"times": ("data.uri",)},
            f"times: no column 'data.uri', {KNOWN}, _rest, data.url, data.all; {MEND}",
        ),
        (
            {"link_columns": ["usr"]},
            f"link_columns: no column 'usr', {KNOWN}, _rest, data.url, data.all; {MEND}",
        ),
        ({"objects": (REST,)}, f"objects: no column '_rest', {KNOWN}; {MEND}"),
        ({"properties": ("date",)}, f"properties: no column 'date', {KNOWN}, _rest; {MEND}"),
        ({"bags": {"date": Bag()}}, f"bags: no column 'date', {KNOWN}, _rest; {MEND}"),
        ({"ids": "user"}, "ids: expected a tuple of names, found the text 'user'; write ('user',)"),
        ({"dropped": "user"}, "dropped: expected a tuple of names, found the text 'user'; write ('user',)"),
        ({"nulls": "-"}, "nulls: expected a tuple of names, found the text '-'; write ('-',)"),
        (
            {"bags": {"data": Bag(keys="url")}},
            "bags['data'].keys: expected a tuple of names, found the text 'url'; write ('url',)",
        ),
        ({"times": (None,)}, "times: expected a tuple of names, found (None,); write the names as texts"),
        ({"columns": ["user"]}, "columns: expected a dict by name, found ['user']; write {name: …}"),
        ({"rename": {"url"}}, "rename: expected a dict by name, found {'url'}; write {name: …}"),
    ],
)
def test_a_field_that_names_no_column_is_said_where_it_is_declared(change, said):
    """With platform, table, field, what was found, and what there is."""
    with pytest.raises(UsageError) as caught:
        Platform(title="Acme", tables=[Table(**CLICKS | change)])
    assert str(caught.value) == f"Acme: clicks: {said}"


def test_a_platform_says_what_is_wrong_with_it():
    """An option there is none of, and one table where several are meant."""
    with pytest.raises(
        UsageError, match=r"^Acme: options: no such option '--lables', known are --group-key, "
    ):
        Platform(title="Acme", options=frozenset({"--lables"}))
    with pytest.raises(
        UsageError, match="^Acme: options: expected a tuple of names, found the text '--labels'"
    ):
        Platform(title="Acme", options="--labels")
    with pytest.raises(
        UsageError, match="^Acme: tables: expected a list of tables, found the table 'clicks'; "
    ):
        Platform(title="Acme", tables=Table(**CLICKS))


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
