"""`migrate spec`: a first spec is written of anything with rows, and the platform `table` reads it."""

import ast
import tomllib
from pathlib import Path

import pytest
from commands import migrate, rows
from samples import SAMPLES, SHARED

from mappings import table

CASES = SHARED / "cases"
FILES = [
    *("table/orders.csv", "plausible/events_v2.csv", "heap/one_time/events.json", "june/events.csv"),
    *("ga4/flattener/flat_items_20240406.csv", "umami/postgres/website_event.csv"),
]
"""Of each sort of sample one."""
ORDERS = (
    "order_id,user_id,device_id,action,ordered_at,price\n"
    "1001,u-1,d-9,order placed,25.03.2024 14:30:00,19.90\n1002,,d-9,order paid,26.03.2024 14:31:00,12.50\n"
)
KEYS = ("event", "distinct_id", "timestamp")


def previewed(source, spec):
    """What preview says of a spec; where a key is to be filled in, that it names it."""
    document = tomllib.loads(Path(spec).read_text(encoding="utf-8"))
    done = migrate("preview", "table", source, "--spec", spec, "--limit", 3)
    missing = next((key for key in KEYS if key not in document), None)
    if missing is not None:
        assert (done.returncode, done.stderr.startswith(f"error: spec: {missing}: missing; use ")) == (
            2,
            True,
        )
    else:
        assert table.tables(document)
        assert done.returncode == 0, done.stderr
    return done


def test_events_are_shown_at_once(tmp_path):
    """Written, then previewed, with nothing to be filled in."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    written = migrate("spec", "orders.csv", cwd=tmp_path)
    assert (written.returncode, written.stderr) == (
        0,
        "next: once it is in spec.toml: migrate preview table orders.csv --spec spec.toml --pretty\n",
    )
    (tmp_path / "spec.toml").write_text(written.stdout)
    done = migrate("preview", "table", "orders.csv", "--spec", "spec.toml", cwd=tmp_path)
    assert [line.split('"')[3:8:4] for line in done.stdout.splitlines()] == [
        ["order placed", "u-1"],
        ["order paid", "d-9"],
    ]
    assert '"2024-03-25T14:30:00.000000Z"' in done.stdout
    assert '"price":19.90' in done.stdout
    assert migrate("spec", "orders.csv", cwd=tmp_path).stdout == written.stdout


@pytest.mark.parametrize("name", FILES)
def test_a_spec_of_any_sample_is_read(tmp_path, name):
    """Or names the key that is to be filled in."""
    spec = tmp_path / "spec.toml"
    done = migrate("spec", SAMPLES / name, "-o", spec)
    assert done.returncode == 0, done.stderr
    previewed(SAMPLES / name, spec)


@pytest.mark.skipif(not CASES.exists(), reason="these small inputs are on the machines of the project alone")
@pytest.mark.parametrize(
    "name",
    [
        *("dialect/clickhouse.tsv", "dialect/excel.csv", "dialect/spark.csv", "dialect/redshift_unload.txt"),
        *(
            "hive/country=DE",
            "null/table.csv",
            "types/int96.parquet",
            "types/float_ids_1.parquet",
            "json/pretty.json",
        ),
        *(
            "json/airbyte_wrapped.jsonl",
            "json/bad_first_line.jsonl",
            "silent/groups.csv",
            "wide/mixpanel.jsonl",
        ),
    ],
)
def test_a_spec_of_small_inputs_that_go_wrong_is_read(tmp_path, name):
    """The same, of formats, dialects, folders and headers."""
    spec = tmp_path / "spec.toml"
    done = migrate("spec", CASES / name, "-o", spec)
    assert done.returncode == 0, done.stderr
    previewed(CASES / name, spec)


def test_a_platform_s_file_is_said_to_be_one(tmp_path):
    """And the spec is written all the same."""
    source = rows(tmp_path / "a.jsonl")
    done = migrate("spec", source, "-o", tmp_path / "s.toml")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        f"{source}: this is PostHog, events, of which a platform of its own knows more than a spec can say: "
        "migrate run posthog …"
    )
    assert previewed(source, tmp_path / "s.toml").stdout.count('"event":"e"') == 3


def test_a_file_that_is_there_stays(tmp_path):
    """Nothing is written over."""
    (tmp_path / "a.csv").write_text(ORDERS)
    (tmp_path / "s.toml").write_text("mine")
    done = migrate("spec", "a.csv", "-o", "s.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: --output: s.toml is there already; name another file, or move it away\n",
    )
    assert (tmp_path / "s.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no row in it to write a spec of, found only empty files; name a file with rows"),
        (b"<html></html>", "it is an HTML page, and no export; fetch it again"),
        ("a,b\nmüller,1\n".encode("cp1252"), "--encoding cp1252"),
    ],
)
def test_where_there_are_no_rows_it_says_why(tmp_path, data, said):
    """With 2, and no file."""
    (tmp_path / "a.csv").write_bytes(data)
    done = migrate("spec", tmp_path / "a.csv", "-o", tmp_path / "s.toml")
    begins = done.stderr.startswith(f"error: {tmp_path}/a.csv: ")
    assert (done.returncode, begins, said in done.stderr) == (2, True, True)
    assert not (tmp_path / "s.toml").exists()


def test_a_file_without_a_header(tmp_path):
    """Its columns have numbers, or the names that are said."""
    (tmp_path / "a.txt").write_text("buy|u1|2024-03-01 10:00:00\nbuy|u2|2024-03-01 11:00:00\n")
    found = tomllib.loads(migrate("spec", "a.txt", cwd=tmp_path).stdout)
    assert (found["no_header"], found["timestamp"]) == (True, "column_3")
    done = migrate("spec", "a.txt", "--columns", "event,uid,time", "-o", "s.toml", cwd=tmp_path)
    assert done.stderr == "next: migrate preview table a.txt --spec s.toml --pretty\n"
    found = tomllib.loads((tmp_path / "s.toml").read_text())
    assert (found["columns"], found["distinct_id"]) == (["event", "uid", "time"], "uid")
    assert previewed(tmp_path / "a.txt", tmp_path / "s.toml").stdout.count('"event":"buy"') == 2


def test_options_that_a_spec_has_no_word_for_are_in_the_command(tmp_path):
    """Such as the encoding."""
    (tmp_path / "a.csv").write_bytes(ORDERS.replace("placed", "für").encode("cp1252"))
    done = migrate("spec", "a.csv", "--encoding", "cp1252", cwd=tmp_path)
    command = "migrate preview table a.csv --encoding cp1252 --spec spec.toml --pretty"
    assert done.stderr == f"next: once it is in spec.toml: {command}\n"
    assert f"#   {command}\n" in done.stdout


def test_a_mapping_to_begin_from(tmp_path):
    """Python, whose preview shows the events; where it cannot be whole it is not written."""
    (tmp_path / "orders.csv").write_text(
        ORDERS.replace("25.03.2024", "2024-03-25").replace("26.03.2024", "2024-03-26")
    )
    done = migrate("spec", "orders.csv", "--as-mapping", "-o", "acme.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "next: migrate preview ./acme.py orders.csv --pretty\n")
    assert ast.parse((tmp_path / "acme.py").read_text())
    shown = migrate("preview", "./acme.py", "orders.csv", cwd=tmp_path)
    assert shown.stdout.startswith(
        '{"event":"order placed","distinct_id":"u-1","timestamp":"2024-03-25T14:30:00'
    )
    (tmp_path / "b.csv").write_text("a,b\nx,y\n")
    done = migrate("spec", tmp_path / "b.csv", "--as-mapping")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: --as-mapping: {tmp_path}/b.csv: no column could be the person of an event, found a, b; write a spec "
        "instead, without --as-mapping, and fill it in\n"
    )


def test_no_key_of_posthog_s_is_written(tmp_path):
    """Wherever it stands in a file."""
    key = "phc_" + "a1" * 20
    (tmp_path / "a.csv").write_text(f"event,user_id,at,{key},n\na,u,2024-03-01T10:00:00Z,1,{key}\n")
    done = migrate("spec", "a.csv", cwd=tmp_path)
    assert done.returncode == 0
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["\udcff\udcfe.csv", "a\nevent = 1\n#.csv", "a\r[x.csv", "a\u2028b.csv"])
@pytest.mark.parametrize("more", [[], ["--as-mapping"]])
def test_a_file_s_name_adds_nothing_to_what_is_written(tmp_path, name, more):
    """Whatever it is: it stands in comments alone, each of one line."""
    (tmp_path / name).write_text("event,user_id,at\na,u,2024-01-01T00:00:00Z\n")
    (tmp_path / "plain.csv").write_text("event,user_id,at\na,u,2024-01-01T00:00:00Z\n")
    done, plain = (migrate("spec", one, *more, cwd=tmp_path) for one in (name, "plain.csv"))
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    if more:
        assert ast.parse(done.stdout)
    else:
        assert tomllib.loads(done.stdout) == tomllib.loads(plain.stdout)
