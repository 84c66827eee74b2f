"""The Snowplow mapping, behaviour by behaviour."""

import csv
import io
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import migrate
from samples import SHARED

from mappings._snowplow_columns import ENRICHED
from mappings._snowplow_entities import columns, contexts, fact, unstruct

REAL = SHARED / "samples" / "snowplow"
EVENT = {
    "event_id": "a-1",
    "event": "unstruct",
    "event_name": "order_line",
    "event_fingerprint": "f-1",
    "collector_tstamp": "2024-04-03 09:00:01.000",
    "dvce_created_tstamp": "2024-04-03 09:00:00.000",
    "derived_tstamp": "2024-04-03 09:00:00.900",
    "user_id": "mira",
    "domain_userid": "d-1",
}


def planned(tmp_path, name, text):
    """The events that are previewed of a file, and what is said of its other rows."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = migrate("preview", "snowplow", path, "--limit", "1000")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_entities_are_called_alike_in_a_cell_and_in_a_column():
    """By vendor and name, without the version, Snowplow's own by name alone; several of one name are a list."""
    entity = '{"schema":"iglu:com.acme-x/seedBag/jsonschema/2-0-1","data":{"g":1.50}}'
    page = '{"schema":"iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0","data":{"id":"p"}}'
    cell = contexts(f'{{"schema":"s","data":[{page},{entity},{entity}]}}')
    assert cell == '{"~web_page.id":"p","com_acme_x_seed_bag":[{"g":1.50},{"g":1.50}]}'
    column = columns(
        '{"CONTEXTS_COM_SNOWPLOWANALYTICS_SNOWPLOW_WEB_PAGE_1_0_0":"[[{\\"id\\":\\"p\\"}]]",'
        '"contexts_com_acme_x_seed_bag_2":[{"g":1.50}],"contexts_com_acme_x_seed_bag_2_recovered_9f":[{"g":1.50}]}'
    )
    assert json.loads(column) == json.loads(cell)


@pytest.mark.parametrize("value", ['"p"', "7", '["p"]', '"{"', '"[{]"'])
def test_a_column_of_entities_that_holds_none_rejects_its_row(value):
    """It is never passed on as it is, nor left out."""
    with pytest.raises(ValueError, match=r"expected an object|malformed|trailing|truncated"):
        columns(f'{{"contexts_com_acme_a_1":{value}}}')


def test_an_event_is_named_by_its_schema_where_its_row_does_not_name_it():
    """And its data are its own properties."""
    told = unstruct(
        '{"schema":"s","data":{"schema":"iglu:com.acme/orderLine/jsonschema/1-0-0","data":{"n":1}}}'
    )
    assert json.loads(told) == {fact("event", "name"): "com_acme_order_line", "n": 1}


def test_the_same_event_in_every_format(tmp_path):
    """Cells of JSON in a CSV, objects in JSON lines, structs in Parquet: one uuid, the same properties."""
    entity, data = [{"id": "p-1"}], {"line_no": 2, "gift": True}
    page, own = (
        "contexts_com_snowplowanalytics_snowplow_web_page_1",
        "unstruct_event_com_acme_order_line_1",
    )
    flat = io.StringIO()
    writer = csv.DictWriter(flat, [*EVENT, page, own])
    writer.writeheader()
    writer.writerow(EVENT | {page: json.dumps(entity), own: json.dumps(data)})
    whole = EVENT | {page: entity, own: data}
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([whole]), parquet)
    texts = {"e.csv": flat.getvalue(), "e.jsonl": json.dumps(whole), "e.parquet": parquet.getvalue()}
    (first, *others) = [planned(tmp_path, name, text)[0] for name, text in texts.items()]
    (event,) = first
    assert others == [first, first]
    assert event["event"] == "order_line"
    told = {name: event["properties"][name] for name in ("line_no", "gift", "$pageview_id")}
    assert told == {"line_no": 2, "gift": True, "$pageview_id": "p-1"}
    assert not [name for name in event["properties"] if name.startswith(("~", "contexts_", "unstruct_"))]


def test_copies_that_were_sent_again_share_their_uuid(tmp_path):
    """At another time of the collector; with another fingerprint it is another event."""
    again = {"collector_tstamp": "2024-04-03 09:00:09.000", "derived_tstamp": "2024-04-03 09:00:02.100"}
    rows = [EVENT, EVENT | again, EVENT | {"event_fingerprint": "f-2"}]
    events, _ = planned(tmp_path, "e.jsonl", "\n".join(map(json.dumps, rows)))
    one, copy, other = [event["uuid"] for event in events if event["event"] == "order_line"]
    assert one == copy != other


def test_quotes_and_backslashes_are_data_in_the_enriched_tsv(tmp_path):
    """Tabs alone divide; a row with another number of cells is rejected, and the rows around it are not."""
    title = 'a "quoted" \\t title'
    lines = ["\t".join((EVENT | {"page_title": title}).get(name, "") for name in ENRICHED)] * 3
    lines[1] = "\t".join(lines[1].split("\t")[:129])
    events, said = planned(tmp_path, "part-1.tsv", "\n".join(lines) + "\n")
    assert [event["properties"]["title"] for event in events if event["event"] == "order_line"] == [title] * 2
    assert "part-1.tsv:2: rejected: ragged_row" in said


def test_inspect_names_files_without_a_header(tmp_path):
    """By the number of their cells, also where their first row is torn."""
    line = "\t".join(EVENT.get(name, "") for name in ENRICHED)
    (tmp_path / "part-1.tsv").write_text("\t".join(line.split("\t")[:129]) + f"\n{line}\n{line}\n")
    said = migrate("inspect", tmp_path / "part-1.tsv").stdout
    assert "Snowplow, events: 1 file" in said
    assert "separated by tab, as raw writes it" in said


@pytest.mark.skipif(not REAL.exists(), reason="the real rows are not here")
def test_real_rows():
    """All of them become events, but heartbeats and the two that are torn; copies are told as such."""
    web = migrate("preview", "snowplow", REAL / "snowplow_web_events.csv", "--limit", "200")
    events = [json.loads(line) for line in web.stdout.splitlines()]
    own = [event for event in events if event["event"] not in {"$set", "$identify"}]
    assert web.stderr.splitlines()[-1] == "8 of the first 160 rows make no event: 8 filtered"
    assert Counter(event["event"] for event in own) == {
        "$pageview": 50,
        "cmp_visible": 33,
        "consent_preferences": 32,
        "snplow_cookies": 16,
        "link_click": 10,
        "authentication: login": 6,
        "data_structures_workflow": 4,
        "object_click": 1,
    }
    assert len({event["uuid"] for event in own}) == 149
    torn = migrate("preview", "snowplow", REAL / "enriched_events_131col.tsv", "--limit", "200")
    assert torn.stderr.splitlines()[-1] == "2 of the first 50 rows make no event: 2 rejected"
