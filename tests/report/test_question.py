"""What is said before the first event, where only some projects and some plans are concerned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from workdirs import delivery, events, on_record, planned

from migrate.report import estimates, question
from migrate.report.numbers import NOTHING, Events, RowCounts, summary
from migrate.workdir.records import Numbers

NOON = datetime(2024, 4, 6, 12, tzinfo=UTC)


@pytest.fixture
def checkpoint(tmp_path):
    """Forty events of April 3rd to 5th; it is noon of the day after."""
    with planned(tmp_path, events(40, days=3, people=5)) as checkpoint:
        yield checkpoint


def said(checkpoint, url, numbers=None, **choices):
    """The lines by their first word."""
    numbers = numbers or summary(checkpoint, NOON)
    lines = question.lines(checkpoint, numbers, replace(delivery(url), **choices), NOON)
    return dict(line.text.split(None, 1) for line in lines if line.text)


def test_what_posthog_bills_is_said(checkpoint):
    """To PostHog Cloud alone, where younger events are not waited for."""
    by_day = checkpoint.by_day()
    young = by_day["2024-04-04"] + by_day["2024-04-05"]
    cloud = said(checkpoint, "https://eu.i.posthog.com", min_age=0.0)
    assert cloud["younger"] == (
        f"{young:,} than 48 h, which PostHog bills as live events; --min-age 48h waits for them"
    )
    assert "younger" not in said(checkpoint, "https://eu.i.posthog.com", min_age=172_800.0)
    assert "younger" not in said(checkpoint, "https://posthog.example.com", min_age=0.0)


def test_what_is_held_is_not_sent_now(checkpoint):
    """It is said beside what is."""
    checkpoint.note(min_age=86_400.0)
    held = summary(checkpoint, NOON).events.held
    assert 0 < held < 40
    assert said(checkpoint, "http://x")["events"] == (
        f"{40 - held} to send now, {held} held until they are old enough (2024-04-07T00:00+00:00 on)"
    )


def test_how_long_it_takes_is_told_by_the_slower_rate(checkpoint):
    """The limit, or what was reached before."""
    numbers = summary(checkpoint, NOON)
    before = replace(numbers, seconds=10.0, events=replace(numbers.events, accepted=40, pending=12))
    assert said(checkpoint, "http://x", before)["time"] == "about 0:00:03 at 4 events/s"
    assert said(checkpoint, "http://x", before, rate=3.0)["time"] == "about 0:00:04 at 3 events/s"
    assert said(checkpoint, "http://x", before, rate=6.0)["time"] == "about 0:00:03 at 4 events/s"
    assert said(checkpoint, "http://x", before, rate=0.5)["time"].endswith("at 0.5 events/s")


def test_the_most_frequent_reasons_are_named(checkpoint):
    """Four of them; the others are counted. Of a short key its length is shown."""
    reasons = {"a": 1_001, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}
    shown = said(checkpoint, "http://x", replace(summary(checkpoint), warnings=reasons), key="phc_short")
    assert shown["warning"] == "1,001 a, 6 f, 5 e, 4 d, and 2 more reasons"
    assert shown["project"] == "http://x, a key of 9 characters"
    del reasons["b"], reasons["c"]
    shown = said(checkpoint, "http://x", replace(summary(checkpoint), warnings=reasons))
    assert shown["warning"] == "1,001 a, 6 f, 5 e, 4 d"


@pytest.mark.parametrize(
    ("key", "end"),
    [("k" * 16, "a key of 16 characters"), ("k" * 13 + "abcd", "key …abcd"), ("k", "a key of 1 character")],
)
def test_of_a_key_its_end_is_shown(checkpoint, key, end):
    """Four letters, of one that is more than four times as long; else how long it is."""
    assert said(checkpoint, "http://x", key=key)["project"] == f"http://x, {end}"


@pytest.mark.parametrize(("days_later", "is_old"), [(362, False), (363, True)])
def test_events_older_than_a_year_are_said(checkpoint, days_later, is_old):
    """From the day on which a plan of PostHog's may not show them any more."""
    now = NOON + timedelta(days=days_later)
    lines = question.lines(checkpoint, summary(checkpoint, now), delivery("http://x"), now)
    assert any(line.text.startswith("older") for line in lines) == is_old


FULL = replace(
    NOTHING,
    rows=RowCounts(read=91_111, mapped=82_222, filtered={"a": 1_003, "b": 2_004}, rejected={"c": 5_882}),
    events=Events(planned=78_001, accepted=60_002, duplicate=9_003, parked=5_004, held=2_005, pending=1_987),
    first_timestamp="first",
    last_timestamp="last",
    held_until="noon",
    seconds=30.0,
    warnings={"w": 1_402, "x": 1_403, "ai_lane": 1_404, "heatmap_lane": 1_405},
    repairs={"r": 1_301, "s": 1_302},
    set_aside={f"f{n:04}": "why" for n in range(1_200)},
    identity={"people": 4_001, "merges": 4_003, "conflicts": 1_601},
    open_rejects={"c": 5_000},
)
SCREEN = """\

project  https://eu.i.posthog.com, key …WXYZ
events   1,987 to send now, 2,005 held until they are old enough (noon on)
span     first to last, 5 days with events
older    than 1 year: 9,876 events, than 2 years: 6,543, than 5 years: 3,210, than 7 years: 1,098; \
PostHog Cloud hides events older than the \
plan's window (free: 1 year)
younger  1,234 than 48 h, which PostHog bills as live events; --min-age 48h waits for them
ids      {ids} distinct (estimated)
people   4,001 known, 4,003 merges, 1,601 conflicts
people   --person-properties set: what the source knows of people overwrites newer values in a project that is in \
use; set_once and none do not
rows     91,111 read, 82,222 mapped, 3,007 filtered, 5,882 rejected
rejected rows: 5,000 c
warning  1,404 ai_lane: PostHog takes those $ai_ events that it lists by a lane of their own, not by that of history
warning  1,405 heatmap_lane: PostHog takes $$heatmap by a lane of its own; these become heatmaps, and no events
warning  1,403 x, 1,402 w
changed  values: 1,302 s, 1,301 r
aside    1,200 files, not planned: f0000, …
size     1.3 GB of payloads, about 5,556 requests
time     about 0:00:02 at 1,234 events/s
         accepted: acknowledged by PostHog's endpoint; not yet stored, and what it drops later it does not say
"""


def test_every_number_is_in_its_place(tmp_path):
    """As a person reads it who is about to say yes, to the last line."""
    ages = [2_600, 1_900, 800, 400, 1]
    counts = [1_098, 2_112, 3_333, 3_333, 1_234]
    dated = [
        events(300, people=1_500, start=300 * n).with_columns(pl.col("timestamp") + timedelta(days=3 - age))
        for n, age in enumerate(ages)
    ]
    sizes = [(count, 260_000_000) for count in counts]
    with on_record(tmp_path, pl.concat(dated), Numbers(), *sizes) as checkpoint:
        checkpoint.note(**{"--person-properties": "set"})
        choices = replace(
            delivery("https://eu.i.posthog.com"),
            key="phc_0123456789abcdefghijWXYZ",
            rate=1_234.4,
            max_batch_events=2,
            min_age=0.0,
        )
        shown = question.lines(checkpoint, FULL, choices, NOON)
        ids = f"{estimates.ids(checkpoint):,}"
        assert "".join(f"{line.text}\n" for line in shown) == SCREEN.format(ids=ids)


def test_many_days_are_read_easily(tmp_path):
    """As any other number."""
    with planned(tmp_path, events(1)) as checkpoint:
        (part,) = checkpoint.parts_of(1)
        checkpoint.register(["b.jsonl"])
        days = [f"{NOON.date() - timedelta(days=n)}" for n in range(1_200)]
        parts = [replace(part, path=f"days/{day}.parquet", day=day, input=2) for day in days]
        for one in parts:
            (tmp_path / one.path).hardlink_to(tmp_path / part.path)
        checkpoint.note_planned(checkpoint.inputs()["b.jsonl"], Numbers(), parts)
        assert said(checkpoint, "http://x")["span"].endswith(", 1,200 days with events")
