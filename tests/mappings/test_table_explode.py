"""A spec that makes an event of each element of a record's array: in each kind of file, with its time and its place."""

import json
import re
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from commands import KEY, migrate
from frames import made_of

from mappings.table import tables
from migrate.errors import UsageError
from migrate.readers.files import read_chunks
from migrate.settings import Settings

SPEC = """
explode = "hits"
event = "hits.type"
distinct_id = ["hits.who", "user"]
timestamp = {sql = 'start * 1000 + "hits.time"', format = "unix_ms"}
where = "\\"hits.type\\" <> 'ROBOT'"
numbers = ["hits.price"]
drop = ["hits.secret"]
[events]
PAGE = "$pageview"
[types]
start = "int"
"hits.time" = "int"
[values."hits.kind"]
k = "Known"
[rename]
"hits.name" = "title"
[properties]
path = "hits.page.path"
sku = "hits.items[0].sku"
hit = "position"
last = {sql = "position = 2"}
"""
HITS = [
    {"time": 0, "type": "PAGE", "page": {"path": "/a"}, "name": "A", "kind": "k", "price": "1.50", "n": 1.25},
    {
        "time": 2500,
        "type": "ADD",
        "items": [{"sku": "s-1"}],
        "who": "w",
        "kind": "z",
        "secret": "!",
        "user": "x",
    },
    {"time": 9, "type": "ROBOT"},
]
RECORD = {"id": "v1", "user": "u", "start": "1709649000", "hits": HITS, "n": "record"}
EMPTY = [{"id": "v2", "user": "u", "start": "1", "hits": one} for one in ([], None)]

USE = 'explode = "column" or explode = {column = "…", position = "…"}'


def written(path, records):
    """Write records as a file of the kind its name says."""
    if path.suffix == ".parquet":
        pl.DataFrame(records, infer_schema_length=None).write_parquet(path, row_group_size=1)
    elif path.suffix == ".csv":
        flat = [{k: json.dumps(v) if isinstance(v, list) else v for k, v in one.items()} for one in records]
        pl.DataFrame(flat).write_csv(path)
    else:
        path.write_text("\n".join(map(json.dumps, records)))
    return path


def made(folder, records, spec, name="a.jsonl", **options):
    """Return what records come to by a spec."""
    (folder / "spec.toml").write_text(spec)
    return made_of("table", written(folder / name, records), spec=folder / "spec.toml", **options)


def plan(folder, name, records, code=0, workdir="w"):
    """Plan a file; the uuids of all that is planned."""
    if records:
        written(folder / name, records)
    words = ["plan", "table", name, "--spec", "spec.toml", "--workdir", workdir, "--json"]
    done = migrate(*words, cwd=folder, env={"POSTHOG_API_KEY": KEY})
    assert done.returncode == code, done.stderr
    paths = sorted((folder / workdir).glob("days/*/*.parquet"))
    return sorted(pl.concat(pl.read_parquet(one, columns=["uuid"]) for one in paths)["uuid"])


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_elements_are_events_of_their_own(tmp_path, name):
    """With their own time, place, person and keys, and what their record says; nothing goes by a name that is taken."""
    found = made(tmp_path, [RECORD, *EMPTY], SPEC, name)
    one, other = found.bags
    heads = [json.loads(text) for text in found.payloads]
    assert [(head["event"], head["distinct_id"], head["timestamp"]) for head in heads] == [
        ("$pageview", "u", "2024-03-05T14:30:00.000000Z"),
        ("ADD", "w", "2024-03-05T14:30:02.500000Z"),
    ]
    own = (
        "path",
        "sku",
        "hit",
        "last",
        "title",
        "hits.kind",
        "hits.price",
        "hits.n",
        "n",
        "user",
        "hits.user",
        "id",
    )
    assert [one.get(key) for key in own] == [
        *("/a", None, 1, False, "A", "Known", 1.5, 1.25, "record", "u", None, "v1"),
    ]
    assert [other.get(key) for key in own] == [
        *(None, "s-1", 2, True, None, "z", None, None, "record", "u", "x", "v1"),
    ]
    gone = {"hits", "hits.secret", "hits.type", "hits.who", "position"}
    assert gone.isdisjoint({*one, *other})
    assert found.numbers.filtered == {"explode.empty": 2, "where": 1}


def test_an_element_is_the_same_event_in_csv_and_json_and_in_any_order_of_keys(tmp_path):
    """It is known by itself, its place and its record, whatever other elements there are."""
    mixed = dict(reversed(RECORD.items())) | {"hits": [dict(reversed(one.items())) for one in HITS]}
    files = {"a.jsonl": RECORD, "b.csv": RECORD, "c.jsonl": mixed, "d.csv": mixed}
    uuids = {tuple(made(tmp_path, [record], SPEC, name).uuids) for name, record in files.items()}
    assert len(uuids) == 1
    fewer = made(tmp_path, [RECORD | {"hits": HITS[:1]}], SPEC).uuids
    assert [*fewer] == [*uuids.pop()][:1]


def test_identical_elements_are_events_of_their_own(tmp_path):
    """Also under a key that tells their record alone, which has their place added."""
    (tmp_path / "spec.toml").write_text(SPEC)
    assert len({*plan(tmp_path, "twice.jsonl", [RECORD, RECORD])}) == 4
    records = [RECORD | {"hits": [HITS[0], HITS[0]]}]
    assert len({*made(tmp_path, records, SPEC).uuids}) == 2
    assert len({*made(tmp_path, records, 'dedup_key = ["id"]\n' + SPEC).uuids}) == 2
    assert len({*made(tmp_path, records, 'dedup_key = ["id", "hits.time"]\n' + SPEC).uuids}) == 1
    assert (
        len({*made(tmp_path, records, "dedup_key = {sql = \"id || '-' || position\"}\n" + SPEC).uuids}) == 2
    )


@pytest.mark.parametrize(
    ("key", "is_known"),
    [
        ('["id", "hits.id"]', True),
        ('["id", "hits.page.no"]', True),
        ('["id", {sql = "CONCAT(id, \'-\', \\"hits.id\\")"}]', True),
        ('["id", "hits.none"]', False),
        ('{sql = "position"}', False),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_elements_without_their_part_of_the_key_are_told_by_their_place(tmp_path, key, is_known, name):
    """None of them is lost; those that have it are one event wherever they stand."""
    bare, full = {"time": 0, "type": "PAGE"}, {"time": 0, "type": "PAGE", "id": "h", "page": {"no": "7"}}
    spec = f"dedup_key = {key}\n{SPEC}"
    blank = bare | {"id": "", "page": {"no": ""}}
    found = made(tmp_path, [RECORD | {"hits": [bare, bare, blank, full, full]}], spec, name).uuids
    assert len({*found}) == (4 if is_known else 5)
    assert len({*found[:3]}) == 3


def test_what_becomes_of_elements_does_not_depend_on_how_they_are_cut(tmp_path):
    """Chunks may end inside of a record."""
    records = [RECORD | {"id": f"v{n}", "hits": HITS * (n % 4)} for n in range(8)]
    path = written(tmp_path / "a.jsonl", records)
    (tmp_path / "spec.toml").write_text(SPEC)
    (job,) = Settings(platform="table", spec=tmp_path / "spec.toml").work([str(path)]).jobs
    whole, cut = (
        pl.concat([chunk.rows for chunk in read_chunks(job.source, job.table, job.header, block_bytes=size)])
        for size in (1 << 20, 64)
    )
    assert whole.height == 36 + 2
    assert whole.equals(cut)


def test_the_place_may_be_called_otherwise(tmp_path):
    """A column of its name is then a property as any other; one of the same name is refused where it can be seen."""
    least = (
        'event = {constant = "e"}\ndistinct_id = "user"\ntimestamp = {column = "start", format = "unix_s"}\n'
    )
    (found,) = tables(
        {
            "explode": "hits",
            "event": {"constant": "e"},
            "distinct_id": "user",
            "timestamp": "at",
            "properties": {"p": "position"},
        }
    )
    columns = ["hits", "user", "at", "position"]
    assert found.missing(columns) == (
        'spec: explode: the file has a column "position" already; call the place otherwise, explode = '
        '{column = "hits", position = "place"}'
    )
    spec = 'explode = {column = "hits", position = "place"}\n' + least + '[properties]\np = "place"\n'
    bags = made(tmp_path, [RECORD | {"position": "7"}], spec, "a.csv").bags
    assert [(bag["p"], bag["position"]) for bag in bags] == [(1, "7"), (2, "7"), (3, "7")]
    spec = 'explode = "hits"\n' + least + 'drop = ["hits"]\n'
    assert {"hits.n", "hits.time"}.isdisjoint(made(tmp_path, [RECORD], spec).bags[0])


def test_a_spec_that_asks_for_an_array_that_is_not_there_is_refused():
    """A path is none; what is inside of elements is not looked for in the file."""
    (found,) = tables({"explode": "a.hits", "event": "a.hits.type", "distinct_id": "user", "timestamp": "at"})
    assert found.missing(["a", "user", "at"]) == (
        'spec: explode: no column "a.hits" in the file, found a, user, at; spell it as there'
    )
    assert found.missing(["a.hits", "user", "at"]) is None


def test_a_link_may_be_told_by_elements(tmp_path):
    """Their ids and places are looked at before anything is planned."""
    spec = SPEC + '[[links]]\nanonymous = "user"\nidentified = "hits.who"\nwhere = "position = 2"\n'
    hits = [HITS[0] | {"who": "no"}, HITS[1], HITS[2] | {"who": "nor"}]
    written(tmp_path / "a.jsonl", [RECORD | {"hits": hits}])
    (tmp_path / "spec.toml").write_text(spec)
    done = migrate("preview", "table", "a.jsonl", "--spec", "spec.toml", cwd=tmp_path)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    merges = [one for one in found if one["event"] == "$identify"]
    assert [(one["properties"]["$anon_distinct_id"], one["distinct_id"]) for one in merges] == [("u", "w")]


def test_a_rejected_element_is_mended_alone(tmp_path):
    """It is the event that it would have been: its record and its place are those it had."""
    (tmp_path / "spec.toml").write_text(SPEC)
    planned = partial(plan, tmp_path)
    whole = planned("a.jsonl", [RECORD], workdir="whole")
    bad = [HITS[0], HITS[1] | {"time": "soon"}, HITS[2]]
    assert len({*planned("a.jsonl", [RECORD | {"hits": bad}], code=3)} & {*whole}) == 1
    line = json.loads(Path(tmp_path / "w" / "rejects.jsonl").read_text())
    assert (line["reason"], line["unfolded"]) == ("bad_timestamp", {"record": 1, "element": 2})
    (tmp_path / "m.jsonl").write_text(json.dumps(line).replace('"soon"', "2500"))
    assert planned("m.jsonl", None) == whole


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"uuid": "id"},
            'uuid: id is one for all elements of a record; name one of theirs, as "hits.id", or use dedup_key',
        ),
        (
            {"properties": {"x": "hits[0].a"}},
            'properties.x: explode makes a row of each element, found "hits[0].a"; use "hits.key"',
        ),
        (
            {"constants": {"hits.x": 1}},
            'constants.hits.x: "hits.x" is what a key of an element is called; choose another name',
        ),
        ({"json": ["hits"]}, "json: hits is exploded, and its elements are objects; take it out of json"),
        (
            {"drop": ["position"]},
            "drop: position is no property by itself; name it under [properties], or take it out of drop",
        ),
        ({"explode": ["a", "b"]}, f'explode: expected the name of a column, found ["a", "b"]; use {USE}'),
        (
            {"explode": {"column": "a", "position": "a"}},
            f'explode.position: expected another name than the column\'s, found "a"; use {USE}',
        ),
    ],
    ids=["uuid", "place", "name", "json", "position", "list", "same"],
)
def test_what_cannot_be_exploded_is_refused(more, message):
    """By key."""
    least = {"explode": "hits", "event": "hits.type", "distinct_id": "user", "timestamp": "at"}
    with pytest.raises(UsageError) as raised:
        tables(least | more)
    assert str(raised.value) == f"spec: {message}"


def test_a_key_that_is_renamed_takes_no_column_of_its_record(tmp_path):
    """That one is called `_2` then; one that the spec names elsewhere cannot be taken at all."""
    spec = SPEC.replace('"hits.name" = "title"', '"hits.n" = "n"')
    one, other = made(tmp_path, [RECORD], spec).bags
    assert (one["n"], one["n_2"]) == (1.25, "record")
    assert (other.get("n"), other["n_2"]) == (None, "record")
    with pytest.raises(
        UsageError, match='spec: rename: "n" is a column that the spec names; choose another name'
    ):
        made(tmp_path, [RECORD], spec + 'x = {sql = "UPPER(n)"}\n')


def test_elements_are_looked_up(tmp_path):
    """By a key of their own; what is found there may be looked up again, and say whose they are."""
    lines = re.sub(r"^\[", "[table.", SPEC, flags=re.MULTILINE) + 'maker = "maker.name"'
    text = f"""
[[table]]
name = "hits"
files = ["a.*"]
{lines}
[table.join.item]
table = "items"
on = "hits.kind"
columns = ["maker"]
[table.join.maker]
table = "makers"
on = "item.maker"
columns = ["name"]
[[table]]
name = "items"
files = ["items.csv"]
key = "id"
[[table]]
name = "makers"
files = ["makers.csv"]
key = "id"
"""
    (tmp_path / "spec.toml").write_text(text)
    (tmp_path / "items.csv").write_text("id,maker\nk,m-1\n")
    (tmp_path / "makers.csv").write_text("id,name\nm-1,Acme\n")
    written(tmp_path / "a.jsonl", [RECORD])
    done = migrate("preview", "table", ".", "--spec", "spec.toml", cwd=tmp_path)
    bags = [json.loads(line)["properties"] for line in done.stdout.splitlines()]
    assert [bag.get("maker") for bag in bags] == ["Acme", None], done.stderr
