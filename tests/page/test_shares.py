"""How much of the events has a property, month by month."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from samples import settings
from webpage import Page

from migrate.page import gathered
from migrate.page.render import page
from migrate.page.shares import gather
from migrate.page.times import Bins
from migrate.planning import Planning
from migrate.rules.declared import read
from migrate.session import Session
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.looks import Look, Property

BINS = Bins.of("2024-01", "2024-06")
MONTHS = BINS.labels


def look(*filled, sampled=100):
    """What was seen of one property."""
    one = Property(Counter(dict(zip(MONTHS, filled, strict=True))))
    return Look(sampled=Counter(dict.fromkeys(MONTHS, sampled)), properties={"p": one})


@pytest.mark.parametrize(
    ("filled", "lost"),
    [
        pytest.param((90, 80, 90, 85, 1, 0), "2024-05", id="lost"),
        pytest.param((90, 80, 90, 85, 40, 40), "", id="half of it"),
        pytest.param((0, 0, 0, 90, 90, 90), "", id="came"),
        pytest.param((90, 0, 90, 0, 90, 90), "", id="came back"),
        pytest.param((2, 2, 2, 0, 0, 0), "", id="rare"),
        pytest.param((8, 8, 8, 0, 0, 0), "2024-04", id="few, for long"),
        pytest.param((90, 80, 0, 0, 0, 0), "", id="not long there"),
    ],
)
def test_a_property_is_lost_that_was_there_for_long(filled, lost):
    """And is hardly there any more, to the end."""
    (one,) = gather(look(*filled), BINS).all
    assert one.lost == lost
    assert one.shares == [part / 100 for part in filled]
    assert one.by_year(BINS) == [("2024", sum(one.shares) / 6)]


def test_few_events_say_nothing():
    """Neither do none."""
    (one,) = gather(look(9, 8, 9, 9, 9, 0, sampled=10), BINS).all
    assert one.lost == ""
    assert not gather(None, BINS).is_known
    assert gather(Look(), BINS).all == []


def test_what_a_mapping_makes_of_columns_is_told(tmp_path):
    """Under the name that it has in PostHog, with the columns that it comes from."""
    row = {"event_type": "x", "event_time": "2024-04-03 12:00:00", "city": "Bonn", "country": "Germany"}
    source = tmp_path / "a.jsonl"
    source.write_text("".join(f"{json.dumps(row | {'user_id': f'u{n}'})}\n" for n in range(250)))
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        Planning.of(Session(checkpoint), settings("amplitude").work([str(source)]), None).plan()
        found = gathered.gather(checkpoint)
    named = {one.name: one for one in found.properties.all}
    assert (named["$geoip_city_name"].renamed, named["$geoip_city_name"].made) == (["city"], [])
    assert (named["$geoip_country_code"].renamed, named["$geoip_country_code"].made) == ([], ["country"])
    told = [row.text for row in Page(page(found)).all("tr")]
    assert any("$geoip_city_name" in text and "renamed from city" in text for text in told)
    assert any("$geoip_country_code" in text and "made of country" in text for text in told)


def test_what_became_of_a_name_is_told(tmp_path):
    """From a source's name to the page: by the table, by a rule of one's own, and what a table drops."""
    rules = read({"rename": {"plan": "tier"}}, "f")
    source = tmp_path / "ga.jsonl"
    row = {
        "event": "x",
        "distinct_id": "u",
        "timestamp": "2024-04-03",
        "properties": {"plan": "pro", "token": "t"},
    }
    source.write_text(json.dumps(row) + "\n")
    work = replace(settings("posthog"), rules=rules).work([str(source)])
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        Planning.of(Session(checkpoint), work, None).plan()
        found = gathered.gather(checkpoint)
    assert [(one.name, one.renamed) for one in found.properties.all] == [("tier", ["plan"])]
    assert found.properties.dropped == ["token"]
    shown = Page(page(found))
    assert any("renamed from plan" in row.text for row in shown.all("tr"))
    assert any("Dropped by name, where a row has one: token." in one.text for one in shown.all("p"))
