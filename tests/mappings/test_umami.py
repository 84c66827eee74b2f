"""The Umami mapping, behaviour by behaviour."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from commands import migrate

from mappings._umami_data import _value as value
from mappings.umami import MAPPING

VISIT = "fab523c5-837d-4327-8080-b7f7297d62d6"
HEAD = "session_id,visit_id,event_id,hostname,url_path,event_type,event_name,distinct_id,created_at\n"


def previewed(*paths):
    """The events of files, and what is said of rows that make none."""
    done = migrate("preview", "umami", *paths, "--limit", "1000")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_visit_begins_with_its_first_event_in_whatever_file_it_stands(tmp_path):
    """However the rows are ordered; across midnight and a login it stays one."""
    later, earlier = tmp_path / "a" / "website_event.csv", tmp_path / "b" / "website_event.csv"
    for path, rows in (
        (later, ["s,{v},e2,a.de,/b,1,,ada,2024-04-04 00:03:10", "s,{v},e3,a.de,/c,1,,,2024-04-03 23:59:00"]),
        (earlier, ["s,{v},e1,a.de,/a,1,,,2024-04-03 23:58:30.250+00"]),
    ):
        path.parent.mkdir()
        path.write_text(HEAD + "".join(f"{row.format(v=VISIT)}\n" for row in rows))
    events, _ = previewed(later, earlier)
    (session,) = {event["properties"]["$session_id"] for event in events if event["event"] == "$pageview"}
    first = datetime(2024, 4, 3, 23, 58, 30, 250_000, tzinfo=UTC)
    assert UUID(session).version == 7
    assert UUID(session).int >> 80 == int(first.timestamp() * 1000)


def test_a_visitor_without_events_of_its_own_is_not_merged(tmp_path):
    """Newer servers give a visitor another number once it is known who it is; a merge of that would be for nothing."""
    path = tmp_path / "website_event.csv"
    path.write_text(
        f"{HEAD}s1,{VISIT},e1,a.de,/,1,,ada,2024-04-03 10:00:00\n"
        f"s2,{VISIT},e2,a.de,/,1,,,2024-04-03 10:00:00\ns2,{VISIT},e3,a.de,/,1,,bob,2024-04-03 10:01:00\n"
    )
    merges = [
        (event["distinct_id"], event["properties"]["$anon_distinct_id"])
        for event in previewed(path)[0]
        if event["event"] == "$identify"
    ]
    assert merges == [("bob", "s2")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("1", "12", None, None), '"12"'),
        (("2", "12.5000", "12.5000", None), "12.5"),
        (("2", "100.0000", "100", None), "100"),
        (("2", "0.0000", None, None), "0"),
        (("2", "NaN", None, None), '"NaN"'),
        (("2.0", "-3.1400", None, None), "-3.14"),
        (("3", "true", None, None), "true"),
        (("3", "maybe", None, None), '"maybe"'),
        (("4", None, None, "2024-04-10 00:00:00"), '"2024-04-10 00:00:00"'),
        (("5", '["a",{"b":1}]', None, None), '["a",{"b":1}]'),
        (("5", '["a",{"b":', None, None), '"[\\"a\\",{\\"b\\":"'),
        ((None, "x", None, None), '"x"'),
        (("1", None, None, None), None),
    ],
)
def test_a_value_is_of_its_kind_or_the_text_it_is(given, told):
    """Umami fills numbers up with zeros, and cuts long lists."""
    assert value(*given) == told


@pytest.mark.parametrize(
    ("columns", "table", "is_refused"),
    [
        ("x y", "counts", True),
        ("zip", "counts", True),
        ("website_id session_id views min_time max_time url_path event_type created_at", "hourly", True),
        ("website_id session_id distinct_id created_at", "sessions", False),
        ("session_data_id website_id session_id data_key string_value data_type", "session_data", False),
        ("event_data_id website_id website_event_id data_key string_value data_type", "event_data", False),
        ("website_id session_id event_id event_key string_value data_type event_name", "event_data", False),
        ("website_id session_id event_id event_name currency revenue created_at", "revenue", False),
        ("session_id created_at url_path event_type", "website_event", False),
    ],
)
def test_files_are_told_by_their_columns(columns, table, is_refused):
    """Those of every kind of server; sums are refused."""
    found = MAPPING.table_for(columns.split(), "pages" if table == "counts" else "")
    assert (found.name, bool(found.refusal)) == (table, is_refused)


@pytest.mark.parametrize("columns", [["x", "y"], ["zip"]])
def test_what_any_program_may_write_is_not_umamis(columns):
    """A curve, or a list of postcodes, is no export of counts because of its columns alone."""
    assert MAPPING.table_for(columns, "curve") is None


def test_events_have_names_of_their_kind(tmp_path):
    """A kind without a name of its own is called by what the row says, or is a reject; without a kind it is a page."""
    path = tmp_path / "website_event.jsonl"
    rows = [
        ("1", ""),
        ("1.0", None),
        ("2", "buy"),
        ("5", None),
        (None, "buy"),
        (None, None),
        ("2", " "),
        ("9", None),
    ]
    path.write_text(
        "".join(
            json.dumps(
                {"session_id": "s", "event_id": f"e{place}", "url_path": "/", "event_type": kind}
                | {"event_name": name, "created_at": "2024-04-03 10:00:00"}
            )
            + "\n"
            for place, (kind, name) in enumerate(rows)
        )
    )
    events, said = previewed(path)
    names = [event["event"] for event in events if event["event"] != "$set"]
    assert names == ["$pageview", "$pageview", "buy", "$web_vitals", "buy", "$pageview"]
    assert [line.partition(": ")[2] for line in said.splitlines()[:2]] == ["rejected: no_event_name"] * 2
