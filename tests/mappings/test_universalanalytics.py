"""The Universal Analytics mapping, behaviour by behaviour."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frames import made_of

from mappings._ua_hits import divided, hit

START = 1649059200
PAGE = {"pagePath": "/a?utm_source=news", "hostname": "www.birch.example"}


def hits(*given):
    """Hits, numbered, a second apart."""
    return [
        {"hitNumber": n, "time": 1000 * (n - 1), "type": "PAGE", "page": PAGE} | one
        for n, one in enumerate(given, 1)
    ]


def session(**more):
    """A session of somebody."""
    return {"fullVisitorId": "07", "visitId": START, "visitStartTime": START, "hits": hits({})} | more


def made(folder, *sessions):
    """What becomes of sessions, each a line."""
    path = folder / "ga_sessions_20220404.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in sessions))
    return [json.loads(payload) for payload in made_of("universalanalytics", path).payloads]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "$pageview"),
        ({"type": "APPVIEW", "appInfo": {"screenName": "Start"}}, "$screen"),
        ({"type": "EVENT", "eventInfo": {"eventCategory": "Cart", "eventAction": "Add"}}, "Cart: Add"),
        ({"type": "EVENT", "eventInfo": {"eventCategory": "(not set)", "eventAction": "Add"}}, "Add"),
        ({"type": "TRANSACTION"}, "purchase"),
        ({"type": "NEW"}, "NEW"),
    ],
)
def test_what_a_hit_is_called(tmp_path, given, name):
    """By its type; an event by category and action."""
    (event,) = made(tmp_path, session(hits=hits(given)))
    assert event["event"] == name


def test_hits_have_their_own_times(tmp_path):
    """Milliseconds after the session's start, in whatever order they stand."""
    first, second = hits({}, {"time": "1234"})
    times = [event["timestamp"] for event in made(tmp_path, session(hits=[second, first]))]
    assert times == ["2022-04-04T08:00:01.234000Z", "2022-04-04T08:00:00.000000Z"]


def test_a_session_across_midnight_is_one(tmp_path):
    """Its second record has another start; another visitor's session of the same second is another."""
    later = session(visitStartTime=START + 600)
    told = made(tmp_path, session(), later, session(fullVisitorId="8"))
    one, other, foreign = (event["properties"]["$session_id"] for event in told)
    assert one == other != foreign
    assert len({event["uuid"] for event in told}) == 3


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ("44790001", b"44.790001"),
        (9007199254740993, b"9007199254.740993"),
        ("-990000", b"-0.99"),
        ("20000000", b"20"),
        ("0", b"0"),
    ],
)
def test_money_is_divided_digit_by_digit(given, amount):
    """No float comes between; what is no number stays."""
    assert bytes(divided(given)) == amount
    assert divided("n/a") == "n/a"
    assert divided("NaN") == "NaN"


@pytest.mark.parametrize(
    ("told", "revenue", "currency"),
    [
        ({"transactionRevenue": "5000000"}, 5.0, None),
        ({"transactionRevenue": "5000000", "currencyCode": "EUR"}, 5.0, None),
        (
            {"transactionRevenue": "5000000", "currencyCode": "EUR", "localTransactionRevenue": 4500000},
            4.5,
            "EUR",
        ),
    ],
)
def test_revenue_has_the_currency_that_is_told_of_it(tmp_path, told, revenue, currency):
    """The view's own is not in the export."""
    (event,) = made(tmp_path, session(hits=hits({"transaction": told | {"transactionId": "T"}})))
    assert event["properties"]["revenue"] == revenue
    assert event["properties"].get("currency") == currency
    assert event["properties"]["ua_transaction_revenue"] == 5


def test_products_that_were_shown_were_not_bought():
    """Those of an action stand apart, with their money in units."""
    told = hit(
        json.dumps({"product": [{"productSKU": "a", "isImpression": True}, {"productPrice": "990000"}]})
    )
    assert told == '{"products":[{"product_price":0.99}],"ua_product_impressions":[{"product_sku":"a"}]}'


@pytest.mark.parametrize(
    ("source", "campaign"),
    [
        ({"source": "google", "medium": "cpc", "campaign": "spring"}, "spring"),
        ({"source": "google", "medium": "cpc", "campaign": "spring", "isTrueDirect": True}, None),
        ({"source": "google", "medium": "organic", "campaign": "(not set)"}, None),
    ],
)
def test_a_campaign_is_of_a_session_that_was_tagged_and_came_by_it(tmp_path, source, campaign):
    """Unless the page's own address says another."""
    plain = {"page": PAGE | {"pagePath": "/b"}}
    own, session_s = made(tmp_path, session(trafficSource=source, hits=hits({}, plain)))
    assert session_s["properties"].get("utm_campaign") == campaign
    assert own["properties"]["utm_source"] == "news"
    assert "utm_campaign" not in own["properties"]


def test_parquet_says_what_json_says(tmp_path):
    """Numbers that are text in one of them are the same."""
    given = session(hits=hits({"type": "EVENT", "eventInfo": {"eventAction": "a", "eventValue": 3}}, {}))
    (tmp_path / "parquet").mkdir()
    path = tmp_path / "parquet" / "ga_sessions_20220404.parquet"
    pq.write_table(pa.Table.from_pylist([given]), path)
    texts = json.loads(json.dumps(given), parse_int=str)
    assert [json.loads(one) for one in made_of("universalanalytics", path).payloads] == made(tmp_path, texts)
