"""The Plausible mapping, behaviour by behaviour."""

import json

import pytest
from commands import migrate

from mappings._plausible_meta import together
from mappings.plausible import MAPPING


@pytest.mark.parametrize(
    ("keys", "values", "found"),
    [
        ("['a','b']", "['1','true']", {"a": "1", "b": "true"}),
        ("['a', 'b']", "['x\\'y', 'c''d']", {"a": "x'y", "b": "c'd"}),
        (r"['a']", r"['1\t\\n\n']", {"a": "1\t\\n\n"}),
        ("['a,b']", "['],[']", {"a,b": "],["}),
        ('["a","b"]', '["1","\\u00fc"]', {"a": "1", "b": "ü"}),
        ("['a','a']", "['1','2']", {"a": "1"}),
        ("['a']", "['1','2']", {"plausible_meta_key": "['a']", "plausible_meta_value": "['1','2']"}),
        ("['a'", "['1']", {"plausible_meta_key": "['a'", "plausible_meta_value": "['1']"}),
        ("['a',]", "['1']", {"plausible_meta_key": "['a',]", "plausible_meta_value": "['1']"}),
        ("['a']", None, {"plausible_meta_key": "['a']"}),
        ("[]", "[]", None),
        (None, None, None),
    ],
)
def test_keys_and_values_are_put_together_or_kept_as_they_are(keys, values, found):
    """As ClickHouse writes lists in a CSV, and as JSON has them; nothing is lost of those that cannot be read."""
    text = together(keys, values)
    assert (text and json.loads(text)) == found


DAILY = [
    "date visitors pageviews bounces visits visit_duration",
    (
        "date source referrer utm_source utm_medium utm_campaign utm_content utm_term pageviews visitors visits"
        " visit_duration bounces"
    ),
    "date source utm_medium utm_campaign utm_content utm_term visitors visits visit_duration bounces",
    (
        "date hostname page visits visitors pageviews total_scroll_depth total_scroll_depth_visits total_time_on_page"
        " total_time_on_page_visits"
    ),
    "date visitors pageviews exits time_on_page hostname page",
    "date entry_page visitors entrances visit_duration bounces pageviews",
    "date exit_page visitors visit_duration exits bounces pageviews",
    "date name link_url path visitors events",
    "date country region city visitors visits visit_duration bounces pageviews",
    "date device visitors visits visit_duration bounces pageviews",
    "date browser browser_version visitors visits visit_duration bounces pageviews",
    "visitors date operating_system operating_system_version visits visit_duration bounces",
]
DASHBOARD = [
    "name visitors bounce_rate visit_duration",
    "name visitors pageviews bounce_rate time_on_page scroll_depth",
    "name unique_conversions total_conversions conversion_rate",
    "property value visitors events percentage",
    "date visitors pageviews visits views_per_visit bounce_rate visit_duration",
]


@pytest.mark.parametrize("columns", [*DAILY, *DASHBOARD])
def test_sums_are_refused(columns):
    """All tables of a site's export, old and new, and the downloads of the dashboard, with what to export instead."""
    table = MAPPING.table_for(columns.split())
    assert table.name == ("site_export" if columns in DAILY else "dashboard")
    assert (
        "export the tables events_v2 and sessions_v2 of ClickHouse (FORMAT CSVWithNames) instead"
        in table.refusal
    )


def test_rows_that_are_alike_are_events_of_their_own(tmp_path):
    """And what a newer dump says beside it makes no other event of one."""
    head = "timestamp,name,site_id,user_id,session_id,hostname,pathname,meta.key,meta.value"
    row = "2024-04-03 10:00:00,pageview,1,5,6,a.de,/,[],[]"
    (tmp_path / "old.csv").write_text(f"{head}\n{row}\n{row}\n")
    (tmp_path / "new.csv").write_text(
        f"{head},scroll_depth,engagement_time,browser\n{row},255,0,Chrome\n{row},255,0,Chrome\n"
    )
    made = []
    for name in ("old.csv", "new.csv"):
        done = migrate("preview", "plausible", tmp_path / name)
        made.append([json.loads(line)["uuid"] for line in done.stdout.splitlines()])
    assert made[0] == made[1]
    assert len(set(made[0])) == 2
