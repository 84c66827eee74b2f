"""Adobe Analytics: deliveries of several days, lists and their escapes, revenue, filters, eVars, lookups, persons."""

import gzip
import json
import re

import pytest
from archives import tarred
from commands import migrate

from mappings._adobe_lists import columns, event_list, product_list

T = 1712135400
HIT = {
    "hitid_high": "35",
    "hitid_low": "1",
    "hit_time_gmt": str(T),
    "post_visid_high": "31",
    "post_visid_low": "62",
    "visit_num": "1",
    "visit_start_time_gmt": str(T),
    "post_page_event": "0",
    "post_page_url": "https://garten.example/",
    "exclude_hit": "0",
    "customer_perspective": "0",
    "hit_source": "1",
}


def hits(*rows):
    """Hits with ids of their own, the next a second after the one before, but for what they say."""
    told = {name: "" for row in rows for name in row}
    ids = ({"hitid_low": str(n), "hit_time_gmt": str(T + n)} for n in range(len(rows)))
    return [told | HIT | one | row for one, row in zip(ids, rows, strict=True)]


def tsv(rows):
    """Rows without a header, as they are: escapes are the test's own."""
    return "".join("\t".join(row.values()) + "\n" for row in rows).encode("latin-1")


def headers(rows):
    """The file that names the columns of rows."""
    return "\t".join(rows[0]).encode() + b"\n"


def delivered(folder, *rows, **lookups):
    """A folder of one day: hits, the names of their columns, and lookups."""
    folder.mkdir(exist_ok=True)
    made = hits(*rows)
    (folder / "hit_data.tsv").write_bytes(tsv(made))
    (folder / "column_headers.tsv").write_bytes(headers(made))
    for name, text in lookups.items():
        (folder / f"{name}.tsv").write_text(text, encoding="latin-1")
    return folder


def run(*paths, options=()):
    """What a preview prints, and what it says."""
    done = migrate("preview", "adobe", *paths, "--limit", "1000", "--until", "2024-06-01", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def told(*paths, options=()):
    """The events of hits."""
    return [one for one in run(*paths, options=options)[0] if one["event"] not in {"$identify", "$set"}]


def properties(*paths, options=()):
    """What each hit's event says."""
    return [one["properties"] for one in told(*paths, options=options)]


def test_days_in_parts_each_with_its_own_columns_and_lookups(tmp_path):
    """The archive beside the parts of a day names their columns and explains their numbers, and no other day's."""
    for day, seconds, browser in (("2024-04-03", 0, "Firefox 124"), ("2024-04-04", 86_400, "Safari 17.4")):
        rows = [
            row | {"hit_time_gmt": str(T + seconds + place), "hitid_low": f"{seconds}{place}"}
            for place, row in enumerate(hits(*[{"browser": "7", "post_evar1": day}] * 3))
        ]
        if seconds:  # other columns, in another order
            rows = [{"post_prop2": "neu", **dict(reversed(row.items()))} for row in rows]
        for part, some in (("01", rows[:2]), ("02", rows[2:])):
            (tmp_path / f"{part}-garten_{day}.tsv.gz").write_bytes(gzip.compress(tsv(some)))
        beside = {
            "column_headers.tsv": headers(rows),
            "browser.tsv": f"7\t{browser}\n".encode(),
            "country.tsv": b"1\tAustria\n",
        }
        (tmp_path / f"garten_{day}-lookup_data.tar.gz").write_bytes(tarred(beside))
        (tmp_path / f"garten_{day}.txt").write_text("Datafeed-Manifest-Version: 1.0\n Data-Files: 2\n")
    found = sorted(told(tmp_path), key=lambda one: one["timestamp"])
    said = [
        (one["timestamp"][:10], *map(one["properties"].get, ("evar1", "$browser", "prop2"))) for one in found
    ]
    assert said == [
        *[("2024-04-03", "2024-04-03", "Firefox", None)] * 3,
        *[("2024-04-04", "2024-04-04", "Safari", "neu")] * 3,
    ]


def test_one_file_a_day_is_an_archive_with_everything(tmp_path):
    """As Adobe delivers it; one that is given twice brings its hits once."""
    rows = hits({"browser": "7"})
    whole = {"hit_data.tsv": tsv(rows), "column_headers.tsv": headers(rows), "browser.tsv": b"7\tOpera 95\n"}
    for day in ("2024-04-03", "2024-04-04"):
        (tmp_path / f"garten_{day}.tar.gz").write_bytes(tarred(whole))
    first, again = told(tmp_path)
    assert (first["properties"]["$browser"], first["uuid"]) == ("Opera", again["uuid"])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("a\\\tb", "a\tb"),
        ("a\\\nb", "a\nb"),
        ("a\\\\b", "a\\b"),
        ('"a" b"', '"a" b"'),
        ("Maß Käse", "Maß Käse"),
        ("'a, b;c'", "'a, b;c'"),
        ("::empty::", None),
        ("::hash::0", None),
        ("", None),
    ],
)
def test_cells_are_as_they_were_sent(tmp_path, cell, said):
    """Escapes are taken away, quotes are data, and Adobe's words for nothing are none."""
    (found,) = properties(delivered(tmp_path / "d", {"post_evar1": cell, "post_evar2": "last"}))
    assert (found.get("evar1"), found["evar2"]) == (said, "last")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", {"ids": "1", "numbers": ["1"]}),
        ("200,200", {"ids": "200,200", "numbers": ["200", "200"]}),
        (
            "1,200=2.5,201:s-9,202=3:s:8",
            {
                "ids": "1,200,201,202",
                "numbers": ["1", "200", "201", "202"],
                "values": {"200": "2.5", "202": "3"},
                "serials": {"201": "s-9", "202": "s:8"},
            },
        ),
        (",,", None),
    ],
)
def test_a_list_of_events(text, found):
    """Ids, with an amount behind `=`, or a serial number behind `:`."""
    made = event_list(text)
    assert (made and json.loads(made)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            ";Cross Trainers;1;69.95,;Athletic Socks;10;29.99",
            {
                "products": [
                    {"product": "Cross Trainers", "quantity": 1, "price": 69.95},
                    {"product": "Athletic Socks", "quantity": 10, "price": 29.99},
                ],
                "revenue": 99.94,
            },
        ),
        (
            "Beet;A^,B^;C^^D;;;event1=2|event2=3;eVar3=x^=y",
            {
                "products": [
                    {
                        "category": "Beet",
                        "product": "A,B;C^D",
                        "events": {"event1": "2", "event2": "3"},
                        "evars": {"eVar3": "x=y"},
                    }
                ]
            },
        ),
        (";free;1;0", {"products": [{"product": "free", "quantity": 1, "price": 0}], "revenue": 0}),
        (";odd;nan;1e999", {"products": [{"product": "odd"}]}),
        (";;;,", None),
        (";last^", {"products": [{"product": "last^"}]}),
    ],
)
def test_a_list_of_products(text, found):
    """A price is that of its line; a caret stands before a divider that was sent."""
    made = product_list(text)
    assert (made and json.loads(made)) == found


def test_events_have_the_names_of_their_lookup(tmp_path):
    """Those it knows; ids stay beside them."""
    day = delivered(
        tmp_path / "d",
        {"post_event_list": "1,200=2,9999"},
        {"post_event_list": "9999"},
        event="1\tPurchase\n200\tPlan geöffnet\n",
    )
    first, second = properties(day)
    assert first["adobe_events"] == ["Purchase", "Plan geöffnet"]
    assert (first["adobe_event_ids"], first["adobe_event_values"]) == (["1", "200", "9999"], {"200": "2"})
    assert (second["adobe_event_ids"], "adobe_events" in second) == (["9999"], False)


def test_of_twins_the_one_after_processing_counts_alone(tmp_path):
    """What processing took out of a list does not come back; where it has left no list, the one before it counts."""
    bought = {"event_list": "1,200=9", "product_list": ";A;1;9", "post_evar1": "after", "evar1": "before"}
    day = delivered(
        tmp_path / "d",
        bought | {"post_event_list": "200", "post_product_list": ";B"},
        bought | {"post_event_list": "", "post_product_list": "", "post_evar1": ""},
    )
    first, second = properties(day)
    assert (first["adobe_event_ids"], first["products"], first["evar1"]) == (
        ["200"],
        [{"product": "B"}],
        "after",
    )
    assert {"adobe_event_values", "revenue"} & first.keys() == set()
    assert (second["revenue"], second["adobe_event_values"], second["evar1"]) == (9, {"200": "9"}, "before")


@pytest.mark.parametrize(
    ("row", "revenue"),
    [
        ({"post_event_list": "1", "duplicate_purchase": "0"}, 99.94),
        ({"post_event_list": "200,1", "duplicate_purchase": ""}, 99.94),
        ({"post_event_list": "1=3", "duplicate_purchase": "0"}, 99.94),
        ({"post_event_list": "1", "duplicate_purchase": "1"}, None),
        ({"post_event_list": "2,12,100", "duplicate_purchase": "0"}, None),
        ({"post_event_list": "", "duplicate_purchase": "0"}, None),
    ],
)
def test_revenue_is_of_purchases_that_count(tmp_path, row, revenue):
    """And not of products that were looked at, nor of a purchase that Adobe has seen before, which is marked."""
    list_ = {
        "post_product_list": ";Cross Trainers;1;69.95,;Athletic Socks;10;29.99",
        "post_purchaseid": "B-7",
    }
    (found,) = properties(delivered(tmp_path / "d", row | list_))
    assert found.get("revenue") == revenue
    assert found.get("adobe_duplicate_purchase") == (True if row["duplicate_purchase"] == "1" else None)
    assert len(found["products"]) == 2
    assert found["adobe_purchase_id"] == "B-7"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"exclude_hit": "1"}, "excluded"),
        ({"exclude_hit": "11"}, "excluded"),
        ({"customer_perspective": "1"}, "not_seen"),
        *(({"hit_source": one}, "summaries") for one in ("5", "7", "8", "9")),
        *(({"hit_source": one}, None) for one in ("1", "2", "3", "6", "")),
        ({"exclude_hit": "", "customer_perspective": ""}, None),
    ],
)
def test_what_reports_do_not_count_is_left_out_by_name(tmp_path, row, rule):
    """Each rule can be turned off; a feed without the column has nothing to leave out."""
    day = delivered(tmp_path / "d", row)
    found, said = run(day)
    assert len(found) == (0 if rule else 1)
    assert f"filtered: {rule}" in said or rule is None
    if rule:
        assert len(run(day, options=["--keep", rule])[0]) == 1


def test_labels_name_evars_and_move_no_id(tmp_path):
    """In a feed without hit ids, too; a name that another column has already is not taken."""
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"eVar1": "Campaign", "prop1": "channel", "evar9": "absent"}))
    row = {"post_evar1": "Mai", "post_prop1": "Blog", "channel": "laden", "hitid_high": "", "hitid_low": ""}
    day = delivered(tmp_path / "d", row)
    (plain,), (labelled,) = told(day), told(day, options=["--labels", labels])
    named = {key: labelled["properties"].get(key) for key in ("Campaign", "prop1", "channel", "evar1")}
    assert named == {"Campaign": "Mai", "prop1": "Blog", "channel": "laden", "evar1": None}
    assert plain["properties"]["evar1"] == "Mai"
    assert plain["uuid"] == labelled["uuid"]


def test_columns_that_two_names_would_share_keep_theirs():
    """Whatever order they stand in."""
    labels = {"evar1": "Name", "evar2": "Name"}
    assert json.loads(columns(labels, None, '{"evar1":"a","evar2":"b"}')) == {"Name": "a", "evar2": "b"}


def test_numbers_without_a_lookup_stay(tmp_path):
    """A lookup that is missing is said, and its numbers can be looked up later; what a feed lacks is not missed."""
    row = {"browser": "2154", "os": "0", "ref_type": "3", "mobile_id": "77"}
    found, said = run(
        delivered(tmp_path / "d", row, referrer_type="1\tInside Your Site\n3\tSearch Engines\n")
    )
    (known,) = [one["properties"] for one in found if one["event"] == "$pageview"]
    numbers = {name: value for name, value in known.items() if re.fullmatch("adobe_.*_id", name)}
    assert numbers == {"adobe_browser_id": "2154", "adobe_mobile_id": "77", "adobe_hit_id": "35:0"}
    assert known["adobe_referrer_type"] == "Search Engines"
    assert "browser is empty in all of its rows: no input called browser.tsv is in" in said
    assert "languages.tsv" not in said


def test_hits_without_the_names_of_their_columns_wait(tmp_path):
    """Nothing is guessed; what to do is said."""
    day = delivered(tmp_path / "d", {})
    (day / "column_headers.tsv").unlink()
    done = migrate("plan", "adobe", day, "--workdir", tmp_path / "w")
    assert done.returncode != 0
    assert "hit_data.tsv: set aside: " in done.stderr
    assert "column_headers.tsv" in done.stderr


def test_devices_are_told_where_adobe_delivers_their_lookup(tmp_path):
    """`mobile_attributes.tsv` has fifty columns, and a tab behind the last."""
    device = "\t".join(["77", "Apple", "iPad 4", "Tablet", "iOS 10", *["x"] * 45, ""])
    day = delivered(tmp_path / "d", {"mobile_id": "77"}, {"mobile_id": "0"}, mobile_attributes=f"{device}\n")
    names = ("$device_manufacturer", "$device_model", "$device_type", "$os", "adobe_mobile_id")
    assert [[one.get(name) for name in names] for one in properties(day)] == [
        ["Apple", "iPad 4", "Tablet", "iOS", None],
        [None] * 5,
    ]


def test_a_visitor_becomes_who_has_logged_in(tmp_path):
    """By the eVar that is named, in either spelling; a visitor without hits alone needs no merge."""
    alone = {"post_visid_low": "99", "post_evar5": "kim"}
    day = delivered(tmp_path / "d", {}, {"post_evar5": "mira"}, alone)
    for column in ("evar5", "post_evar5", "EVAR5"):
        found, _ = run(day, options=["--user-id", column])
        assert [one["distinct_id"] for one in found if one["event"] == "$pageview"] == [
            "31:62",
            "mira",
            "kim",
        ]
        merges = [one for one in found if one["event"] == "$identify"]
        assert [(one["distinct_id"], one["properties"]["$anon_distinct_id"]) for one in merges] == [
            ("mira", "31:62")
        ]


@pytest.mark.parametrize(
    ("row", "whose"),
    [
        ({}, "31:62"),
        ({"visid_high": "1", "visid_low": "2"}, "31:62"),
        ({"post_visid_high": "", "post_visid_low": "", "visid_high": "1", "visid_low": "2"}, "1:2"),
        ({"post_visid_high": "0", "post_visid_low": "0", "mcvisid": "00123"}, "00123"),
        ({"post_visid_high": "18446744073709551615"}, "18446744073709551615:62"),
    ],
)
def test_whose_a_hit_is(tmp_path, row, whose):
    """Numbers of twenty digits are kept in each digit, and zeros before them."""
    (found,) = told(delivered(tmp_path / "d", row))
    assert found["distinct_id"] == whose


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({}, "$pageview"),
        ({"post_page_url": "", "post_pagename": "Beete"}, "$screen"),
        ({"post_page_url": "", "post_pagename": ""}, "Hit"),
        ({"post_page_event": "100"}, "Custom Link"),
        ({"post_page_event": "101"}, "Download Link"),
        ({"post_page_event": "102"}, "Exit Link"),
        ({"post_page_event": "", "page_event": "12"}, "Exit Link"),
        ({"post_page_event": "53"}, "Media Stream Keep Alive"),
        ({"post_page_event": "123"}, "page_event 123"),
        ({"post_page_event": "0", "post_event_list": "1"}, "$pageview"),
    ],
)
def test_what_a_hit_is_called(tmp_path, row, name):
    """By its kind alone: a purchase is what its page view has told."""
    (found,) = told(delivered(tmp_path / "d", row))
    assert found["event"] == name


@pytest.mark.parametrize(
    ("row", "time"),
    [
        ({}, "2024-04-03T09:10:00"),
        ({"post_cust_hit_time_gmt": "0", "cust_hit_time_gmt": "0"}, "2024-04-03T09:10:00"),
        ({"post_cust_hit_time_gmt": str(T - 60)}, "2024-04-03T09:09:00"),
        ({"date_time": "2024-04-03 11:10:00"}, "2024-04-03T09:10:00"),
    ],
)
def test_when_it_happened(tmp_path, row, time):
    """On the device where it says so, else at the server; a hit before its visit's start is of no session."""
    (found,) = told(delivered(tmp_path / "d", row))
    assert found["timestamp"][:19] == time
    assert ("$session_id" in found["properties"]) == (time >= "2024-04-03T09:10:00")
