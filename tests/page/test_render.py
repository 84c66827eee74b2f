"""The page: well-formed whatever strangers called things, small whatever there is, and its numbers the checkpoint's."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from filled import FUTURE, GONE, HOLES, LARGE, LATE, LOST, REASON, REJECTED, VANISHED, Shape, made
from hatchling.builders.wheel import WheelBuilder
from house import ROOT
from hypothesis import given
from hypothesis import strategies as st
from webpage import Page

from migrate.page.gathered import gather
from migrate.page.names import Name, Names
from migrate.page.render import MOST, SECTIONS, page
from migrate.page.shares import Properties, Property
from migrate.page.times import Bins
from migrate.workdir.checkpoint import Checkpoint

ODD = [
    "<script>alert(1)</script>",
    "\u202eevil שלום",
    "\x1b[31mred\x07\r\n",
    "half \ud83d",
    "</style>&amp;\"'",
    "",
]
TEXT = st.text(max_size=80) | st.sampled_from([*ODD, *(one * 100 for one in ODD)])
COUNTS = st.integers(1, 10**12)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A workdir with five things planted in it, half of it sent."""
    workdir = tmp_path_factory.mktemp("planted")
    made(workdir).close()
    return workdir


@pytest.fixture(scope="module")
def found(planted):
    """What its page shows."""
    with Checkpoint.open(planted) as checkpoint:
        return gather(checkpoint)


def test_five_planted_things_stand_out(found):
    """Whoever reads the first lines has them, each with a link to where more is."""
    shown = Page(page(found))
    shown.check()
    lines = [one.text for one in shown.all("li", data_weight="against")]
    for planted in (
        f"{len(HOLES)} days without any event, where there should be some: {HOLES[0]} to {HOLES[-1]}",
        f"{LATE} events in the future, as seen on 2024-02-01: on {FUTURE}",
        f"one person with {LARGE} ids",
        f"{VANISHED} vanished",
        "12 events missing",
    ):
        assert [line for line in lines if planted in line], planted
    look = " ".join(one.text for one in shown.all("li", data_weight="look"))
    assert f"{REJECTED:,} rows rejected: {REASON}, such as exports/a.jsonl.gz:1" in look
    assert f"property {LOST} is hardly filled since 2023-07" in look
    (verdict,) = shown.all(data_verdict=None)
    assert (
        verdict.text
        == "The plan is whole, and a part of it is sent; 5 things speak against sending it, 4 more to look at."
    )
    assert [one.attributes["id"] for one in shown.all("section")] == [*SECTIONS]


def test_its_numbers_are_the_checkpoints(planted, found):
    """Those in the pictures, too: a calendar has a cell for each day, a cluster a dot for each id."""
    shown = Page(page(found))
    with Checkpoint.open(planted) as checkpoint:
        by_day, names = checkpoint.by_day(), checkpoint.numbers().names
        accepted = dict(checkpoint.query("SELECT substr(day, 1, 7), sum(accepted) FROM rounds GROUP BY 1"))
    events = vars(found.numbers.events)
    assert {name: shown.count(name) for name in events} == events
    assert (shown.count("rejected"), shown.count("mapped")) == (REJECTED, sum(by_day.values()))
    usual = {day: count for day, count in by_day.items() if day != FUTURE}
    years = Counter(day[:4] for day in usual)
    assert {
        one.attributes["data-year"]: int(one.attributes["data-days"]) for one in shown.all(data_year=None)
    } == years
    cells = sum(
        one.attributes["d"].count("M")
        for one in shown.all("path", data_level=None)
        if one.attributes["data-level"].isdigit()
    )
    assert cells == len(usual)
    (hole,) = list(shown.all("path", data_level="hole"))
    assert hole.attributes["d"].count("M") == len(HOLES)
    months = {
        one.attributes["data-month"]: one.text.split("\n")[0] for one in shown.all("tr", data_month=None)
    }
    assert months.keys() == {day[:7] for day in usual}
    assert all(f"{accepted.get(month, 0):,}" in text for month, text in months.items())
    cells = re.findall(r'<tr data-days="([\d-]+)">(.*?)</tr>', shown.source)
    told = {
        f"{month}-{place:02d}": cell
        for month, row in cells
        for place, cell in enumerate(re.findall(r"<td>(.*?)</td>", row), 1)
    }
    assert {day: int(cell.replace(",", "")) for day, cell in told.items() if cell[:1].isdigit()} == usual
    assert [day for day, cell in told.items() if cell == "○"] == HOLES
    counts = [int(one.attributes["data-count"]) for one in shown.all("td", data_count=None)]
    assert counts[: len(names)] == sorted(names.values(), reverse=True)
    became = re.findall(
        r'<td class="num" data-count="(\d+)">[\d,]+</td>((?:<td class="num">[\d,]+</td>)+)', shown.source
    )
    cells = [[int(one.replace(",", "")) for one in re.findall(r">([\d,]+)<", row)] for _, row in became]
    assert [sum(row) for row in cells] == [int(count) for count, _ in became] == counts[: len(names)]
    ends = [one.text for one in shown.all("th")]
    start = ends.index("planned", ends.index("event")) + 1
    assert ends[start : start + 4] == ["accepted", "duplicate", "parked", "waiting"]
    assert [sum(column) for column in zip(*cells, strict=True)] == [
        events[one] for one in ("accepted", "duplicate", "parked", "pending")
    ]
    sizes = [int(one.attributes["data-size"]) for one in shown.all("li", data_size=None)]
    dots = [
        one.attributes["d"].count("h0") for one in shown.all("path") if one.attributes.get("class") == "dots"
    ]
    assert sizes == dots == [LARGE, 7, 3, 2]
    assert [one.attributes["data-vanished"] for one in shown.all(data_vanished=None)] == [GONE]


def test_ids_are_whole_only_where_that_is_asked_for(planted, found):
    """On the page of a plan that is handed around nobody's address is."""
    assert "anna" not in page(found)
    with Checkpoint.open(planted) as checkpoint:
        assert "anna0@example.com" in page(gather(checkpoint, is_whole=True))


def test_the_same_workdir_is_the_same_page(planted, found, monkeypatch):
    """No clock is asked, and it does not matter where it is written from."""
    monkeypatch.chdir(planted.parent)
    with Checkpoint.open(planted) as checkpoint:
        assert page(gather(checkpoint)) == page(found)


def test_of_nothing_each_section_is_a_sentence(tmp_path):
    """None is missing, and none is empty."""
    with Checkpoint.open(tmp_path, create=True) as checkpoint:
        shown = Page(page(gather(checkpoint)))
    shown.check()
    assert [one.attributes["id"] for one in shown.all("section")] == [*SECTIONS]
    assert min(len(one.text.split()) for one in shown.all("section")) > 5
    assert "Nothing is planned; nothing was found that speaks against sending it." in shown.source


def test_whatever_things_are_called_it_is_a_page(found):
    """Any names, any counts: balanced, no script, the numbers those that there are."""
    bins = Bins.of("2023-01", "2023-04")
    months = st.lists(st.integers(0, 10**9), min_size=bins.count, max_size=bins.count)
    shares = st.lists(st.none() | st.floats(0, 1), min_size=bins.count, max_size=bins.count)

    @given(st.dictionaries(TEXT, COUNTS, max_size=8), st.lists(TEXT, max_size=5), months, shares)
    def law(names, texts, counts, parts):
        events = [Name(name, count, "2023-01-01", "2024-02-01", counts) for name, count in names.items()]
        properties = [Property(name, 1, 0.5, parts, {"text": 1}, texts[:3]) for name in names]
        (reason,) = found.reasons
        row = reason.first[0]
        odd = replace(
            found,
            numbers=replace(
                found.numbers,
                warnings=names,
                repairs=names,
                set_aside=dict.fromkeys(names, "why"),
                notes=texts,
            ),
            names=Names(events, bins, events[:2], events[2:4]),
            properties=Properties(properties, bins, 100, 0, is_known=True),
            kept=replace(found.kept, group_types=set(texts)),
            reasons=[replace(reason, name=one, first=[row._replace(value=one, source=one)]) for one in texts],
        )
        source = page(odd)
        shown = Page(source)
        shown.check()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
        told = [int(one.attributes["data-count"]) for one in shown.all("td", data_count=None)]
        assert told[: len(events)] == [one.events for one in events]

    law()


def test_ten_years_and_a_thousand_names_are_half_a_megabyte(tmp_path):
    """At the worst: every name of letters that are long as HTML, ten times more of all than is listed."""
    shape = Shape(date(2014, 1, 1), days=3_650, names=1, properties=0, sent=False)
    with made(tmp_path, shape) as checkpoint:
        found = gather(checkpoint)
    bins, worst = found.names.bins, "&😀" * 2_000
    months = [place * 7_919 % 9_999 for place in range(bins.count)]
    events = [
        Name(f"{place}{worst}", 10**9 + place, "2014-01-01", "2024-01-01", months) for place in range(1_000)
    ]
    shares = [place % 7 / 6 for place in range(bins.count)]
    properties = [
        Property(f"{place}{worst}", 1, 0.5, shares, {"text": 1}, [worst] * 3) for place in range(2_000)
    ]
    large = replace(
        found,
        names=Names(events, bins, events, events),
        properties=Properties(properties, bins, 100, 0, is_known=True),
    )
    source = page(large)
    Page(source).check()
    assert len(source.encode()) <= MOST
    assert source.count(">1,000,000,") >= 700
    worse = replace(large, reasons=found.reasons * 100, nights=[*found.nights] * 500)
    worse = replace(worse, names=replace(large.names, all=events * 3))
    assert len(page(worse).encode()) <= MOST


def test_the_wheel_holds_the_templates():
    """All that lies beside the code."""
    held = {one.distribution_path for one in WheelBuilder(str(ROOT)).recurse_included_files()}
    beside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "migrate/page/templates").rglob("*.*")}
    assert beside
    assert beside <= held
