"""Matomo's tables: joined here or beforehand, and the same events as those of its Live API."""

import csv
import json
import re
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from commands import migrate

from mappings import _matomo_codes as codes
from mappings import _matomo_tables as tables
from mappings._matomo_rest import rest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data" / "matomo"
PAGE = ROOT / "docs" / "platforms" / "matomo.md"
ALIKE = ("event", "distinct_id", "timestamp")
SAME = (
    *(
        "$session_id",
        "$current_url",
        "$external_click_url",
        "title",
        "revenue",
        "cart_value",
        "currency",
        "order_id",
    ),
    *(
        "utm_source",
        "utm_campaign",
        "$os",
        "$browser",
        "$browser_version",
        "$device_type",
        "$screen_width",
        "$ip",
    ),
    *(
        "$geoip_country_code",
        "$device_id",
        "matomo_type",
        "matomo_page_id",
        "matomo_event_name",
        "dimension1",
    ),
    *("matomo_event_value", "matomo_site_search_keyword", "matomo_site_search_count", "matomo_goal_name"),
)
"""Properties that an action has in both, where its sample says the same of it."""


def previewed(*words):
    """The payloads of files by uuid, and what is said of the rows that make none."""
    shown = migrate("preview", "matomo", *words, "--limit", "1000")
    assert shown.returncode == 0, shown.stderr
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    return {event["uuid"]: event for event in events}, shown.stderr


def test_an_action_is_one_event_wherever_it_is_read():
    """Same uuid, same event, same person, same session, and the same words for what both say."""
    live, _ = previewed(SAMPLE / "visits_2024-07-04.json")
    ours, _ = previewed(SAMPLE / "tables")
    both = live.keys() & ours.keys()
    assert len(both) == 12  # of 13 actions one, of a form, is in no table; a $identify is among them
    for uuid in both:
        one, other = live[uuid], ours[uuid]
        assert [one[name] for name in ALIKE] == [other[name] for name in ALIKE]
        bags = [event["properties"] for event in (one, other)]
        told = [{name: bag.get(name) for name in SAME} for bag in bags]
        if one["distinct_id"] != "anna@example.com":
            assert told[0] == told[1]
        else:  # of her visit the tables of the sample know no dimension
            assert told[0] | {"dimension1": None} == told[1]


def database(folder):
    """The sample's tables in a database, with all columns that the page asks for; ids are bytes there."""
    base = sqlite3.connect(":memory:")
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8").splitlines()
        head, *rows = csv.reader(text, delimiter="\t" if path.suffix == ".tsv" else ",")
        name = re.sub(r"_\d$", "", path.stem)
        base.execute(f"create table if not exists {name} ({', '.join(f'`{one}`' for one in head)})")
        for row in rows:
            values = [None if cell in {"NULL", r"\N"} else cell for cell in row]
            bare = [bytes.fromhex(one[2:]) if one and one.startswith("0x") else one for one in values]
            base.execute(f"insert into {name} values ({', '.join('?' * len(bare))})", bare)  # noqa: S608
    wanted = {
        "log_visit": tables.VISIT,
        "log_conversion": tables.CONVERSION,
        "log_link_visit_action": (*tables.ACTION, *tables.NAMED.values()),
    }
    for name, columns in wanted.items():
        known = {row[1] for row in base.execute(f"pragma table_info(matomo_{name})")}
        for column in [one for one in columns if one not in known]:
            base.execute(f"alter table matomo_{name} add column `{column}`")
    return base


def test_what_mysql_writes_is_read(tmp_path):
    """With quotes, tabs and ends of lines in a cell, `NULL` for nothing, and numbers that no action has."""
    title = '"Merci" \\ tab\tline\nend'
    base = database(SAMPLE / "tables")
    base.execute("update matomo_log_action set name = ? where name = 'Merci'", (title,))
    for (name,) in base.execute("select name from sqlite_master").fetchall():
        found = base.execute(f"select * from {name}")  # noqa: S608
        lines = ["\t".join(one[0] for one in found.description)]
        lines += ["\t".join(map(batch, row)) for row in found]
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    told, _ = previewed(tmp_path, "--dialect", "clickhouse")
    whole, _ = previewed(SAMPLE / "tables")
    assert told.keys() == whole.keys()
    for event in whole.values():
        if event["properties"].get("title") == "Merci":
            event["properties"]["title"] = title
    assert told == whole


def batch(value):
    """A cell as `mysql --batch --binary-as-hex` writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"0x{value.hex().upper()}"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def test_the_queries_of_the_page_join_as_we_do(tmp_path):
    """Their results, beside the tables that stay, have the same events, but for what they do not select."""
    text = PAGE.read_text(encoding="utf-8")
    queries = re.findall(r"^`(joined_\w+)\.tsv`:\n\n```sql\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in queries] == ["joined_actions", "joined_conversions", "joined_items"]
    base = database(SAMPLE / "tables")
    for name, query in queries:
        found = base.execute(query)
        lines = ["\t".join(one[0] for one in found.description)]
        lines += ["\t".join(map(batch, row)) for row in found]
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("goal", "custom_dimensions"):
        (tmp_path / f"{name}.csv").write_bytes((SAMPLE / "tables" / f"matomo_{name}.csv").read_bytes())
    whole, _ = previewed(SAMPLE / "tables")
    joined, said = previewed(tmp_path, "--dialect", "clickhouse")
    own = {"matomo_time_spent_ref_action", "matomo_bandwidth", "custom_variable_rayon", "dimension2"}
    for event in whole.values():
        event["properties"] = {key: value for key, value in event["properties"].items() if key not in own}
    assert joined == whole
    assert said.count("bad_timestamp") == 1


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("0xA1B2C3D4E5F60001", "a1b2c3d4e5f60001"),
        ("0Xa1b2c3d4e5f60001", "a1b2c3d4e5f60001"),
        (" A1B2C3D4E5F60001 ", "a1b2c3d4e5f60001"),
        (bytes.fromhex("a1b2c3d4e5f60020").decode("latin-1"), "a1b2c3d4e5f60020"),
        (bytes.fromhex("80b2c3d4e5f60020").decode("cp1252"), "80b2c3d4e5f60020"),
        (bytes.fromhex("2031323334353620").decode("latin-1"), "2031323334353620"),
        ("a1b2\ufffdc3d", None),
        ("visitor-17", "visitor-17"),
        ("", None),
    ],
)
def test_an_id_is_its_bytes(given, found):
    """However they are written, it is what the Live API says."""
    assert pl.select(codes.identifier(pl.lit(given))).item() == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("0xCB007107", "203.0.113.7"),
        ("cb007107", "203.0.113.7"),
        ("0x00000000000000000000FFFFCB007107", "203.0.113.7"),
        ("0x20010DB8000000000000000000000001", "2001:db8::1"),
        ("203.0.113.7", "203.0.113.7"),
        (bytes([203, 0, 113, 7]).decode("latin-1"), "203.0.113.7"),
        ("0xCB0071", None),
        ("here", "104.101.114.101"),
        ("", None),
    ],
)
def test_an_address_is_its_bytes(given, found):
    """Four or sixteen of them; four letters are four bytes, too."""
    assert pl.select(codes.address(pl.lit(given))).item() == found


@pytest.mark.parametrize(
    ("code", "names", "found"),
    [
        ("TIZ", codes.SYSTEMS, "Tizen"),
        ("WOS", codes.SYSTEMS, "webOS"),
        ("SY3", codes.SYSTEMS, "Symbian^3"),
        ("AIX", codes.SYSTEMS, "AIX"),
        ("MX", codes.BROWSERS, "Maxthon"),
        ("AR", codes.BROWSERS, "Arora"),
        ("YL", codes.BROWSERS, "Yandex Browser Lite"),
        ("SA", codes.BRANDS, "Samsung"),
        ("Fairphone", codes.BRANDS, "Fairphone"),
    ],
)
def test_a_code_is_a_name(code, names, found):
    """The first, the last and some of each list; a name is one already."""
    assert pl.select(codes.coded(pl.lit(code), names)).item() == found


def test_what_is_too_large_is_refused_with_the_way_out():
    """The page has the query that joins it beforehand."""
    name, _, heading = tables.QUERY.removeprefix("join it in SQL before the export, as ").partition(
        " says how"
    )
    assert ROOT / name == PAGE
    assert heading == ", and leave the file out"
    lookups = [table.lookup.otherwise for table in tables.TABLES if table.lookup is not None]
    assert lookups == [tables.QUERY] * 3


def test_an_action_waits_for_the_tables_it_needs(tmp_path):
    """Without visits nobody knows whose it is."""
    name = "matomo_log_link_visit_action.csv"
    (tmp_path / name).write_bytes((SAMPLE / "tables" / name).read_bytes())
    shown = migrate("preview", "matomo", tmp_path)
    assert shown.stdout == ""
    assert "idvisit is looked up in log_visit, and no input called log_visit.* or" in shown.stderr


def test_columns_of_plugins_are_properties():
    """A number is one, an id is none; variables and dimensions have their names."""
    given = {"form_fields": "7", "share": "0.5", "idform": "3", "note": "a", "custom_dimension_7": "x"}
    variables = {"custom_var_k3": "plan", "custom_var_v3": "pro", "custom_var_k4": "", "custom_var_v4": "b"}
    assert json.loads(rest(json.dumps(given | variables))) == {
        "matomo_form_fields": 7,
        "matomo_share": 0.5,
        "matomo_idform": "3",
        "matomo_note": "a",
        "custom_dimension_7": "x",
        "custom_variable_plan": "pro",
        "custom_variable_4": "b",
    }
