"""A spec of several tables: which takes a file, what they look up in each other, and files without a header."""

import json
import tomllib

import pytest
from commands import KEY, migrate, summary

from mappings.table import tables
from migrate.errors import UsageError

SPEC = """
nulls = ["-"]

[[table]]
name = "orders"
files = ["orders*.csv"]
event = "state.name"
distinct_id = ["user", "card.owner"]
timestamp = "at"
dedup_key = ["id", {sql = 'UPPER("user")'}]
where = "\\"state.name\\" <> 'test'"

[table.join.state]
table = "states"
on = "state_id"
columns = ["name", "rank"]

[table.join.card]
table = "cards"
on = "card_id"
columns = ["owner", "number"]

[table.types]
"state.rank" = "int"

[table.values."state.name"]
paid = "order paid"

[table.properties]
rank = {sql = '"state.rank" + 1'}
state = "state.name"

[table.set]
card = "card.number"

[[table.links]]
anonymous = "card.owner"
identified = "user"

[[table]]
name = "users"

[table.profile]
distinct_id = "user_id"

[table.profile.set]
card = "card.number"

[table.join.card]
table = "cards"
on = "card_id"
columns = ["number"]

[[table]]
name = "states"
files = ["states.*"]
key = "id"
columns = ["id", "name", "rank"]

[[table]]
name = "cards"
files = ["cards.parquet", "cards.csv"]
key = "id"
"""


class Shop:
    """A folder of exports, and a spec."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "in").mkdir()
        self.write("../spec.toml", SPEC)
        self.write("states.tsv", "1\tpaid\t3\n2\ttest\t\n")
        self.write("cards.csv", "number,id,owner\nc-1,7,o-1\nc-2,8,null\n")
        self.write("users.csv", "user_id,card_id,note\nu-9,8,\n")

    def write(self, name, text):
        """Write a file."""
        path = self.folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def orders(self, name, *rows):
        """Write orders: id, user, state, card."""
        lines = [f"2024-04-03T10:00:0{row[0]}Z,{','.join(map(str, row))}\n" for row in rows]
        self.write(name, "at,id,user,state_id,card_id\n" + "".join(lines))

    def preview(self, code=0):
        """What becomes of the files, and what is said of it."""
        done = migrate("preview", "table", "in", "--spec", "spec.toml", "--limit", "50", cwd=self.folder)
        assert done.returncode == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def plan(self, *inputs, code=0):
        """Plan files; the summary."""
        words = ["plan", "table", *(inputs or ["in"]), "--spec", "spec.toml", "--workdir", "w", "--json"]
        done = migrate(*words, cwd=self.folder, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == code, done.stderr
        return summary(done)


@pytest.fixture
def shop(tmp_path):
    """A shop with three tables beside its orders."""
    return Shop(tmp_path)


def test_what_other_tables_say_may_stand_for_any_column(shop):
    """In ids, names, maps, SQL, conditions and links; words for nothing are no ids there either."""
    shop.orders(
        "orders_1.csv", (1, "u-1", 1, 7), (2, "", 1, 7), (3, "", 1, 8), (4, "u", 2, 7), (5, "u", 9, 7)
    )
    events, _ = shop.preview()
    told = [(one["event"], one["distinct_id"], one["properties"]) for one in events]
    assert [(event, who, bag.get("rank"), bag.get("$set")) for event, who, bag in told] == [
        ("$identify", "u-1", None, None),
        ("order paid", "u-1", 4, {"card": "c-1"}),
        ("order paid", "o-1", 4, {"card": "c-1"}),
        ("$set", "u-9", None, {"card": "c-2"}),
    ]
    assert told[0][2]["$anon_distinct_id"] == "o-1"
    assert {key: value for key, value in told[1][2].items() if key in {"state", "card_id", "state.name"}} == {
        "state": "order paid",
        "card_id": "7",
    }
    found = shop.plan(code=3)
    assert found["rows"]["rejected"] == {"no_distinct_id": 1}
    assert found["rows"]["filtered"] == {"lookup": 4, "where": 2}
    assert found["warnings"]["not_found.state"] == 1


def test_a_file_is_of_the_first_table_that_takes_it(shop):
    """By its name, or by the columns that the table names; one that none takes is unknown."""
    shop.orders("orders_1.csv", (1, "u-1", 1, 7))
    shop.write("orders_2.csv", "user_id,card_id\nu-3,7\n")
    shop.write("more.csv", "CARD_ID,User_Id\n7,u-4\n")
    shop.write("others.csv", "a,b\n1,2\n")
    _, said = shop.preview(code=2)
    assert (
        "others.csv: no table of Any flat file, described by a TOML spec (orders, users, states, cards) has"
        in said
    )
    (shop.folder / "in" / "others.csv").unlink()
    aside = shop.plan(code=5)["set_aside"]
    assert {name.rpartition("/")[2]: why.partition(" in the file")[0] for name, why in aside.items()} == {
        "more.csv": 'spec: table users: join.card.on: no column "card_id"',
        "orders_2.csv": 'spec: table orders: join.state.on: no column "state_id"',
    }


@pytest.mark.parametrize("key", ["", 'dedup_key = ["x"]\n', 'dedup_key = ["n"]\n'])
def test_rows_of_two_tables_are_two_events(shop, key):
    """Whatever their keys, the name of the table is part of them; all else is as of a table alone."""
    alone = f'event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n{key}'
    for name in ("states.tsv", "cards.csv", "users.csv"):
        (shop.folder / "in" / name).unlink()
    found = {}
    both = "".join(f'[[table]]\nname = "{name}"\nfiles = ["{name}*"]\n{alone}' for name in "xy")
    for spec, names in ((alone, "x"), (both, "x"), (both, "xy")):
        for name in names:
            shop.write(f"{name}.csv", "e,u,t,x,n\na,b,2024-01-01T00:00:00Z,1,\n")
        shop.write("../spec.toml", spec)
        found[spec, names] = shop.preview()[0]
    (lone,), (one,), two = found.values()
    uuids = {event.pop("uuid") for event in (lone, one, *two)}
    assert len(uuids) == 3
    for event in (lone, one, *two):
        del event["properties"]["$import_job_id"]  # which names the spec
    assert [one, *two] == [lone] * 3


def test_each_file_has_the_lookups_of_its_day(shop):
    """What an id meant then."""
    for name in ("states.tsv", "users.csv"):
        (shop.folder / "in" / name).unlink()
    for day, name in enumerate(("paid", "sent"), 1):
        shop.orders(f"2024-04-0{day}/orders.csv", (day, "u", 1, 7))
        shop.write(f"2024-04-0{day}/states.tsv", f"1\t{name}\t{day}\n")
    events, _ = shop.preview()
    assert [(one["event"], one["properties"]["rank"]) for one in events[1:]] == [
        ("order paid", 2),
        ("sent", 3),
    ]


def test_rows_that_are_mended_are_of_the_table_they_were_of(shop):
    """Whatever the copy is called that they are mended in."""
    shop.orders("orders_1.csv", (1, "u-1", 1, 7), (2, "", 1, 8))
    assert shop.plan(code=3)["rows"]["rejected"] == {"no_distinct_id": 1}
    text = (shop.folder / "w" / "rejects.jsonl").read_text()
    line = json.loads(text)
    line["source"]["user"] = "u-2"
    (shop.folder / "m.jsonl").write_text(json.dumps(line))
    assert shop.plan("m.jsonl", "in")["open_rejects"] == {}


USERS = """
[[table]]
name = "events"
files = ["a.csv"]
event = "what"
distinct_id = "user.email"
timestamp = "at"
[table.join.user]
table = "users"
on = "who"
columns = ["email", "plan"]
required = true
[table.properties]
plan = "user.plan"
[[table]]
name = "users"
files = ["users.csv"]
key = "id"
[table.profile]
distinct_id = "email"
[table.profile.set]
plan = "plan"
"""
HEADERS = """
header_file = "column_headers*.tsv"
event = "what"
distinct_id = "who"
timestamp = {column = "when", format = "unix_s"}
"""


@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_columns_are_called_as_a_file_beside_says(shop, ending):
    """In whatever order; each file by the one that lies with it."""
    for name in ("states.tsv", "cards.csv", "users.csv"):
        (shop.folder / "in" / name).unlink()
    shop.write("../spec.toml", HEADERS)
    mark = "\t" if ending == "tsv" else ","
    for place, names in enumerate((("who", "what", "when", "x"), ("when", "x", "what", "who"))):
        row = {"who": f"u-{place}", "what": '"a"', "when": "1709645400", "x": "1"}
        shop.write(f"{place}/column_headers.tsv", mark.join(names) + "\n")
        shop.write(f"{place}/data.{ending}", mark.join(row[name] for name in names) + "\n")
    events, _ = shop.preview()
    assert [(one["event"], one["distinct_id"], one["properties"]["x"]) for one in events] == [
        ("a", "u-0", "1"),
        ("a", "u-1", "1"),
    ]


LEAST = {"event": "e", "distinct_id": "u", "timestamp": "t"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'event = "x"\n[[table]]\nname = "a"',
            (
                "event: found beside [[table]], where only table, nulls, dialect, quote, escape may stand; "
                "move it into the table that it is of"
            ),
        ),
        (
            "[table]\nname = 'a'",
            'table: expected a list of tables, found {"name": "a"}; use [[table]] before each',
        ),
        (
            '[[table]]\nevent = "x"',
            'table[1].name: expected a name, each once, found null; use name = "orders"',
        ),
        (
            '[[table]]\nname = "a"\nevent = "x"\ndistinct_id = "u"',
            (
                'table a: timestamp: missing; use timestamp = "column" or timestamp = {column = "…", format = "…", '
                'zone = "…"}'
            ),
        ),
        (
            '[[table]]\nname = "a"\nkey = "id"',
            'table a: key: found without files; name the files, as files = ["os*.tsv"]',
        ),
        (
            '[[table]]\nname = "a"\nkey = "id"\nfiles = ["a"]\ndrop = ["x"]',
            "table a: drop: no such key; the keys are name, files, has, key, columns, header_file, nulls",
        ),
        (
            '[[table]]\nname = "a"\nkey = "id"\nfiles = ["a"]\nevent = "x"',
            "table a: key: found beside event; rows that are events cannot be looked up, take one out",
        ),
        (
            '[[table]]\nname = "a"\nheader_file = "h"\ncolumns = ["x"]',
            "table a: header_file: found beside columns; take one out",
        ),
    ],
    ids=["root", "table", "name", "within", "files", "lookup", "event", "columns"],
)
def test_tables_that_cannot_be_are_refused(text, message):
    """The table is named, and the key."""
    with pytest.raises(UsageError) as raised:
        tables(tomllib.loads(text))
    assert str(raised.value) == f"spec: {message}"


JOIN = {"table": "os", "on": "os_id", "columns": ["name"]}
LOOKED_UP = (
    "is looked up, and the same row would be another event once it is found, or another value is; "
    "name columns of the row alone"
)
OS = {"name": "os", "key": "id", "files": ["os.tsv"]}


@pytest.mark.parametrize(
    ("join", "more", "message"),
    [
        (
            {"table": "oss"},
            {},
            'join.os.table: no [[table]] "oss" with a key, found "os"; give that table key = "column"',
        ),
        ({"on": 1}, {}, 'join.os.on: expected the name of a column, found 1; use on = "…"'),
        (
            {"columns": []},
            {},
            'join.os.columns: expected a list of columns, found []; use join.os.columns = ["column", …]',
        ),
        ({"required": 1}, {}, "join.os.required: expected true or false, found 1; use required = true"),
        ({"by": 1}, {}, "join.os.by: no such key; the keys are table, on, columns, required"),
        (
            {},
            {"set": {"x": "os.version"}},
            'set.x: join.os has no column "os.version"; add it to join.os.columns',
        ),
        (
            {},
            {"drop": ["os.name"]},
            "drop: os.name is no property by itself; name it under [properties], or take it out of drop",
        ),
        ({}, {"dedup_key": ["id", "os.name"]}, f'dedup_key: "os.name" {LOOKED_UP}'),
        ({}, {"dedup_key": ["id", {"sql": 'UPPER("os.name")'}]}, f'dedup_key[2]: "os.name" {LOOKED_UP}'),
        ({}, {"uuid": "os.name", "distinct_id": "os.name"}, f'uuid: "os.name" {LOOKED_UP}'),
        ({}, {"uuid": {"sql": 'COALESCE(id, "os.name")'}}, f'uuid: "os.name" {LOOKED_UP}'),
        (
            {},
            {"set": {"x": "^a$"}},
            'set.x: "^a$" would be taken for a pattern of columns; rename it in the file',
        ),
    ],
    ids=[
        *("table", "on", "columns", "required", "key", "column", "drop"),
        *("dedup_key", "dedup_key_sql", "uuid", "uuid_sql", "pattern"),
    ],
)
def test_joins_that_cannot_be_are_refused(join, more, message):
    """By key."""
    with pytest.raises(UsageError) as raised:
        tables({"table": [{"name": "a", "join": {"os": JOIN | join}} | LEAST | more, OS]})
    assert str(raised.value) == f"spec: table a: {message}"


def test_a_column_that_is_not_there_is_told_with_the_table():
    """Of the file, or of a lookup."""
    orders, systems = tables({"table": [{"name": "a", "join": {"os": JOIN}} | LEAST, OS]})
    assert orders.missing(["e", "u", "t"]) == (
        'spec: table a: join.os.on: no column "os_id" in the file, found e, u, t; spell it as there'
    )
    assert systems.missing(["id", "names"]) == (
        'spec: table os: no column "name" to look up in the file, found id, names'
    )


def test_a_table_that_is_looked_up_may_tell_of_persons(shop):
    """By the very columns that others ask of it."""
    for name in ("states.tsv", "users.csv", "cards.csv"):
        (shop.folder / "in" / name).unlink()
    shop.write("a.csv", "who,what,at\nu-1,x,2024-01-01T00:00:00Z\n")
    shop.write("users.csv", "id,email,plan,x\nu-1,a@x.y,p1,1\nu-2,b@x.y,p2,2\n")
    shop.write("../spec.toml", USERS)
    events, _ = shop.preview()
    told = [(one["event"], one["distinct_id"], one["properties"].get("$set")) for one in events]
    assert told == [
        ("x", "a@x.y", None),
        ("$set", "a@x.y", {"plan": "p1"}),
        ("$set", "b@x.y", {"plan": "p2"}),
    ]
    assert [one["properties"].get("plan") for one in events] == ["p1", None, None]
    found = shop.plan()
    assert (found["rows"]["read"], found["repairs"]["column_left_out.x"]) == (3, 2)
