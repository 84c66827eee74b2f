"""What a spec says beside columns: SQL, paths, maps, sessions, links, persons and groups, in each kind of file."""

import json
import tomllib

import polars as pl
import pytest
from commands import migrate, summary
from frames import made_of

from mappings.table import tables
from migrate.errors import UsageError
from migrate.kit.declare import OURS
from migrate.readers.files import read_chunks
from migrate.settings import Settings

SPEC = """
event = {sql = "LOWER(kind)"}
distinct_id = {sql = 'COALESCE("user.id", dev)'}
timestamp = {sql = "day || ' ' || time", format = "%d.%m.%Y %H:%M:%S", zone = "Europe/Berlin"}
dedup_key = {sql = "id"}
session_id = {id = "visit", start = {column = "began", format = "unix_s"}}
where = "test = '0'"
numbers = ["user.age"]
json = ["user.tags"]
drop = ["test"]
[events]
view = "$pageview"
beat = false
[values.plan]
p1 = "Pro"
[types]
price = "int"
[properties]
age = "user.age"
tags = "user.tags"
tag = "user.tags[0]"
twice = {sql = "price * 2"}
known = {sql = "price IS NOT NULL"}
[set]
plan = "plan"
"""
USER = {"id": 'u"1', "age": 33.25, "tags": ["a", "ü"]}
ROW = {
    "id": "1",
    "kind": "VIEW",
    "user": USER,
    "dev": "d-1",
    "day": "02.01.2024",
    "time": "03:04:05",
    "visit": "v",
}
ROW |= {"began": "1704150000", "test": "0", "plan": "p1", "price": "3", "note": "n"}
OTHERS = [{"id": "2", "kind": "beat"}, {"id": "3", "test": "1"}, {"id": "4", "test": None}]
OTHERS += [{"id": "5", "user": None, "price": "x", "plan": "p9", "began": None, "kind": "Add"}]
ROWS = [ROW, *(ROW | other for other in OTHERS)]


def written(path, rows):
    """Write rows as a file of the kind its name says."""
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        flat = [{k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()} for row in rows]
        pl.DataFrame(flat).write_csv(path)
    return path


def made(folder, rows, spec, name="rows.csv", **options):
    """Return what rows come to by a spec."""
    (folder / "spec.toml").write_text(spec)
    return made_of("table", written(folder / name, rows), spec=folder / "spec.toml", **options)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_every_kind_of_file_becomes_the_same_events(tmp_path, name):
    """Text in a cell, a struct, an object: the same paths lead into them."""
    found = made(tmp_path, ROWS, SPEC, name)
    one, other = found.bags
    assert [json.loads(text)["event"] for text in found.payloads] == ["$pageview", "add"]
    assert [json.loads(text)["distinct_id"] for text in found.payloads] == ['u"1', "d-1"]
    assert json.loads(found.payloads[0])["timestamp"] == "2024-01-02T02:04:05.000000Z"
    asked = ["age", "tags", "tag", "twice", "known", "note", "$set", "price"]
    assert {key: one.get(key) for key in asked} == {
        "age": 33.25,
        "tags": ["a", "ü"],
        "tag": "a",
        "twice": 6,
        "known": True,
        "note": "n",
        "$set": {"plan": "Pro"},
        "price": "3",
    }
    assert {key: other.get(key) for key in asked} == {
        "age": None,
        "tags": None,
        "tag": None,
        "twice": None,
        "known": False,
        "note": "n",
        "$set": {"plan": "p9"},
        "price": "x",
    }
    assert (one["$session_id"][:13], other["$session_id"][:13]) == ("018cc741-6180", "018cc778-5000")
    assert found.numbers.filtered == {"where": 2, "events.beat": 1}
    assert found.numbers.repairs["wrong_type.price"] == 1
    assert "test" not in one


def test_identities_are_those_of_the_same_rows_in_another_format(tmp_path):
    """The uuid of an event depends on its key, wherever it is read."""
    names = ("a.csv", "b.jsonl", "c.parquet")
    assert len({tuple(made(tmp_path, ROWS, SPEC, name).uuids) for name in names}) == 1


def test_sql_and_paths_leave_the_identity_of_rows_without_a_key(tmp_path):
    """What is only looked at stays where it was, and a row is known by the same columns as before."""
    least = 'event = "kind"\ndistinct_id = "dev"\ntimestamp = "at"\n'
    more = '[properties]\nx = {sql = "UPPER(note)"}\ny = "user.id"\n[values.plan]\np1 = "Pro"\n'
    rows = [ROW | {"at": "2024-01-02"}]
    assert made(tmp_path, rows, least).uuids == made(tmp_path, rows, least + more).uuids


def test_a_column_that_is_called_as_a_path_goes_before_it(tmp_path):
    """Row by row, where lines of JSON have it or not."""
    rows = [{"user.id": "own", "user": {"id": "not"}}, {"user": {"id": "inside"}}]
    rows = [{"kind": "e", "at": "2024-01-02"} | row for row in rows]
    found = made(tmp_path, rows, 'event = "kind"\ndistinct_id = "user.id"\ntimestamp = "at"\n', "a.jsonl")
    assert [json.loads(text)["distinct_id"] for text in found.payloads] == ["own", "inside"]


def test_where_can_be_turned_off(tmp_path):
    """As every other filter, by its name."""
    assert len(made(tmp_path, ROWS, SPEC, keep=frozenset({"where"})).payloads) == 4


def test_words_for_nothing_are_no_ids_in_sql(tmp_path):
    """The next id counts then, as it does in a list of columns."""
    text = 'event = "kind"\ntimestamp = "at"\ndistinct_id = {sql = "COALESCE(who, dev)"}\n'
    found = made(tmp_path, [{"kind": "e", "at": "2024-01-02", "who": "null", "dev": "d-1"}], text)
    assert json.loads(found.payloads[0])["distinct_id"] == "d-1"
    assert found.numbers.repairs["null_text"] == 1


def test_values_are_the_same_wherever_chunks_end(tmp_path):
    """Rows that SQL fails on among others: each is what it is alone."""
    (tmp_path / "spec.toml").write_text(
        'event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n[properties]\nn = {sql = "CAST(x AS INT)"}\n'
    )
    rows = [
        {"e": "e", "u": f"u-{n}", "t": "2024-01-02", "x": "x" if n % 7 == 0 else str(n)} for n in range(200)
    ]
    settings = Settings(platform="table", spec=tmp_path / "spec.toml")
    [job] = settings.work([str(written(tmp_path / "a.csv", rows))]).jobs
    name = "_sql.properties.n"
    read = [
        [
            value
            for chunk in read_chunks(job.source, job.table, job.header, block_bytes=size)
            for value in chunk.rows[name]
        ]
        for size in (64, 1_000, 1 << 20)
    ]
    assert read[0] == read[1] == read[2] == [None if n % 7 == 0 else n for n in range(200)]


def test_a_time_that_comes_round_is_none(tmp_path):
    """Its row is rejected, as 64 bits hold no such product."""
    time = '{sql = "x * 1000", format = "unix_ms"}'
    spec = f'event = "e"\ndistinct_id = "u"\ntimestamp = {time}\n[types]\nx = "int"\n'
    (tmp_path / "spec.toml").write_text(spec)
    rows = [{"e": "e", "u": "u", "x": str(x)} for x in (2**63 - 1, 1_709_649_000)]
    found = made_of("table", written(tmp_path / "a.csv", rows), spec=tmp_path / "spec.toml")
    assert [one["reason"] for one in found.rejects] == ["bad_timestamp"]
    assert len(found.uuids) == 1


def sent(folder, spec, rows):
    """Return the events that a preview shows."""
    (folder / "spec.toml").write_text(spec)
    done = migrate(
        "preview", "table", str(written(folder / "rows.csv", rows)), "--spec", str(folder / "spec.toml")
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_links_are_made_where_their_condition_holds(tmp_path):
    """At the row's time, and not of rows that `where` leaves out."""
    spec = """
event = "e"
distinct_id = ["u", "d"]
timestamp = "t"
where = "x <> 'out'"
[[links]]
anonymous = "d"
identified = "u"
where = "x <> 'shared'"
"""
    rows = [
        {"e": "e", "u": f"u-{x}", "d": f"d-{x}", "t": "2024-01-02 03:04:05", "x": x}
        for x in ("a", "shared", "out")
    ]
    merges = [one for one in sent(tmp_path, spec, rows) if one["event"] == "$identify"]
    found = [(one["distinct_id"], one["properties"]["$anon_distinct_id"], one["timestamp"]) for one in merges]
    assert found == [("u-a", "d-a", "2024-01-02T03:04:05.000000Z")]


def test_rows_may_tell_of_persons_and_groups_alone(tmp_path):
    """A table of users: the latest row counts, and what goes nowhere is counted by its column."""
    spec = """
timestamp = "at"
[profile]
distinct_id = "id"
timestamp = "at"
[profile.set]
email = {sql = "LOWER(email)"}
[profile.set_once]
shop = "shop"
[[groups]]
type = "company"
key = "company"
[groups.properties]
size = {sql = "TRY_CAST(size AS INT)"}
"""
    row = {
        "id": "u-1",
        "at": "2024-01-02",
        "email": "A@x.example",
        "shop": "Köln",
        "company": "acme",
        "size": "7",
        "beside": "b",
    }
    rows = [row, row | {"at": "2024-01-01", "email": "old"}]
    found = sent(tmp_path, spec, rows)
    told = {one["event"]: one["properties"] for one in found}
    assert told["$set"]["$set"] == {"email": "a@x.example"}
    assert told["$groupidentify"]["$group_set"] == {"size": 7}
    counted = made(tmp_path, rows, spec).numbers
    assert counted.repairs["column_left_out.beside"] == 2
    assert (counted.mapped, counted.read) == (2, 2)


def test_a_session_without_a_start_begins_with_the_day_of_its_event(tmp_path):
    """So that PostHog takes its id; one that goes on past midnight becomes two."""
    spec = 'event = "e"\ndistinct_id = "u"\ntimestamp = "t"\nsession_id = "s"\n'
    times = ["2024-01-02 03:04:05", "2024-01-02 23:59:59", "2024-01-03 00:00:01"]
    found = made(tmp_path, [{"e": "e", "u": "u", "t": time, "s": "s-1"} for time in times], spec)
    first, same, next_day = [bag["$session_id"] for bag in found.bags]
    assert first == same != next_day
    assert first.startswith("018cc778-5000-7")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            '[properties]\nx = {sql = "UPPER(prise)"}',
            'spec: properties.x: no column "prise" in the file, found e, u, t, price; did you mean price?',
        ),
        (
            '[properties]\nx = "usr.id"',
            'spec: properties.x: no column "usr.id" in the file, found e, u, t, price; spell it as there',
        ),
        (
            '[properties]\nprice = {sql = "1"}',
            'spec: properties.price: the file has a column "price" already; choose another name',
        ),
        ('[properties]\nx = "price.usd"', None),
        ('drop = ["price"]\n[properties]\nprice = {sql = "price"}', None),
    ],
)
def test_files_are_held_against_sql_and_paths(more, message):
    """Before anything is read, with the name that may be meant."""
    [found] = tables(tomllib.loads(f'event = "e"\ndistinct_id = "u"\ntimestamp = "t"\n{more}'))
    assert found.missing(["e", "u", "t", "price"]) == message


def test_what_only_events_have_needs_events():
    """A key that would be of no effect is not passed over."""
    with pytest.raises(UsageError) as caught:
        tables({"profile": {"distinct_id": "id", "set": {"a": "a"}}, "uuid": "x"})
    assert str(caught.value) == (
        "spec: uuid: found without event, and only events have one; add event, or take it out"
    )


@pytest.mark.parametrize("where", ["preview", "plan"])
def test_a_column_that_no_first_row_of_json_has_is_said(tmp_path, where):
    """As a slip of the hand would be null in all rows; once for all files, and rows are planned."""
    for name in ("a.jsonl", "b.jsonl"):
        written(tmp_path / name, [ROW | {"at": "2024-01-02"}])
    least = 'event = "kind"\ndistinct_id = "dev"\ntimestamp = "at"\n[properties]\nx = {sql = "UPPER(nota)"}\n'
    (tmp_path / "spec.toml").write_text(least)
    words = ["--workdir", "w", "--json"] if where == "plan" else []
    done = migrate(where, "table", "a.jsonl", "b.jsonl", "--spec", "spec.toml", *words, cwd=tmp_path)
    assert done.returncode == 0
    assert (
        done.stderr.replace("\n", " ").count(
            'spec: properties.x: no column "nota" in its first rows, found id'
        )
        == 1
    )
    assert "did you mean note?; it is null where a row has none" in done.stderr


def test_a_list_may_hold_sql(tmp_path):
    """The first that is not blank counts; a word for nothing is none there either."""
    least = 'event = "kind"\ntimestamp = "at"\ndistinct_id = [{sql = "LOWER(who)"}, "dev"]\n'
    key = 'dedup_key = ["kind", {sql = "UPPER(dev)"}]\n'
    rows = [{"kind": "e", "at": "2024-01-02", "who": who, "dev": "D"} for who in ("U", "NULL", "x", None)]
    found = made(tmp_path, rows, least + key)
    assert [json.loads(text)["distinct_id"] for text in found.payloads] == ["u", "D", "x", "D"]
    assert len({*found.uuids}) == 1
    assert "dev" in found.bags[0]


@pytest.mark.parametrize("name", sorted(OURS))
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("numbers", 'numbers = ["{}"]'),
        ("dedup_key", 'dedup_key = ["{}"]'),
        ("groups.a", "[groups]\na = {{sql = '\"{}\" || event'}}"),
        ("explode", 'explode = "{}"'),
        ("set.a", '[set]\na = "{}"'),
        ("groups.a", '[groups]\na = "{}"'),
        ("links", '[[links]]\nanonymous = "{}"\nidentified = "user"'),
    ],
)
def test_a_column_that_is_called_as_one_of_ours_is_refused_where_it_would_be_that(name, key, said):
    """It would be a row's number, or nothing; the sentence says what to do."""
    text = f'event = "event"\ndistinct_id = "user"\ntimestamp = "at"\n{said.format(name)}\n'
    with pytest.raises(
        UsageError, match=rf'^spec: {key}.*: "{name}" is what migrate itself .*rename it in the'
    ):
        tables(tomllib.loads(text))


@pytest.mark.parametrize("name", sorted({*OURS, "_file"}))
def test_a_column_that_is_called_as_one_of_ours_is_a_property(tmp_path, name):
    """Under its name, or another, and SQL may look at it; so what `migrate spec` writes of such a file works."""
    (tmp_path / "a.csv").write_text(f"event,user_id,at,{name}\na,u,2024-01-01T00:00:00Z,7\n")
    assert migrate("spec", "a.csv", "-o", "s.toml", cwd=tmp_path).returncode == 0
    with (tmp_path / "s.toml").open("a") as spec:
        spec.write(f"[properties]\nb = '{name}'\nc = {{sql = '\"{name}\" || 1'}}\n")
    done = migrate("preview", "table", "a.csv", "--spec", "s.toml", cwd=tmp_path)
    found = json.loads(done.stdout)["properties"]
    assert [str(found[one]) for one in (name, "b", "c")] == ["7", "7", "71"]
    if name == "_file":
        migrate("plan", "table", "a.csv", "--spec", "s.toml", "--workdir", "w", cwd=tmp_path)
        (part,) = tmp_path.glob("w/days/*/*.parquet")
        assert json.loads(pl.read_parquet(part)["payload"][0])["properties"]["b"] == found["b"]


def test_a_time_of_a_person_that_cannot_be_read_is_counted_and_tells_nothing(tmp_path):
    """It would stand over what is known of a later time, as if it were of the export."""
    (tmp_path / "p.csv").write_text(
        "id,name,upd\nu1,A,2024-03-05T10:00:00Z\nu3,E,bad\nu3,F,2024-03-05T10:00:00Z\nu4,G,\n"
    )
    (tmp_path / "s.toml").write_text(
        '[profile]\ndistinct_id = "id"\ntimestamp = "upd"\n[profile.set]\nname = "name"\n'
    )
    words = ("--spec", tmp_path / "s.toml", "--workdir", tmp_path / "w", "--until", "2024-06-01", "--json")
    done = migrate("plan", "table", tmp_path / "p.csv", *words)
    assert summary(done)["warnings"] == {"profile_time_unread": 1}
    shown = migrate("preview", "table", tmp_path / "p.csv", *words[:2], "--until", "2024-06-01").stdout
    told = [json.loads(line) for line in shown.splitlines()]
    assert {one["distinct_id"]: one["properties"]["$set"]["name"] for one in told} == {
        "u1": "A",
        "u3": "F",
        "u4": "G",
    }
