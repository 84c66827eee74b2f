"""The report in a real browser: what is planted in an export is seen, and nothing is asked of anybody."""

import json
import re

import planted
import pytest
from browser import browser, looking
from commands import KEY, apart
from contrast import faint

from migrate.sandbox.server import Sandbox
from migrate.workdir import rounds
from migrate.workdir.checkpoint import Checkpoint

__all__ = ["browser"]  # a fixture

EVIL = [
    '<script>fetch("https://x.example")</script>',
    "\u202eabc",
    "x" * 4_000,
    "a\x1b[31mred",
    '"><img src=x onerror=1>',
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workdir with the export that has something planted, sent to a sandbox."""
    folder = tmp_path_factory.mktemp("planted")
    source = planted.write(folder / "in")
    with Sandbox() as posthog:
        env = {"POSTHOG_API_KEY": KEY}
        words = ("run", "amplitude", source, "--workdir", folder / "w", "--host", posthog.url, "--yes")
        done = apart(*words, env=env)
    assert done.returncode == 3, done.stderr
    return folder / "w"


@pytest.fixture(scope="module")
def page(browser, made):
    """Its report, looked at."""
    with looking(browser, (made / "report.html").as_uri()) as looked:
        yield looked


def counts(page, selector):
    """The numbers that stand under a selector, by what they count."""
    return page.eval_on_selector_all(
        selector, "all => Object.fromEntries(all.map(one => [one.dataset.of, Number(one.dataset.count)]))"
    )


def test_nothing_is_asked_of_anybody(page):
    """It is one file, and its console is silent."""
    assert (page.beyond("file:"), len(page.asked), page.errors) == ([], 1, [])
    assert page.page.query_selector("script") is None


def test_what_is_planted_is_said_first(page):
    """Each in a line, with the way to where more is told."""
    lines = page.page.eval_on_selector_all(".findings li", "all => all.map(one => one.textContent)")
    told = "\n".join(" ".join(line.split()) for line in lines)
    for what in (
        f"4 days without any event, where there should be some: {planted.MISSING[0]} to {planted.MISSING[1]}",
        f"one person with {planted.IDS + 1} ids",
        f"{planted.VANISHED} vanished: ",
        f"until {planted.UNTIL}",
        f"{planted.REJECTED} rows rejected: {planted.REASON}",
        f"{planted.AHEAD} events in the future, rejected: {planted.FUTURE}",
        planted.STOPPED,
    ):
        assert what in told
    assert "$identify vanished" not in told  # which is ours
    for link in page.page.query_selector_all(".findings a"):
        assert page.page.query_selector(link.get_attribute("href")) is not None


def test_the_numbers_in_the_pictures_are_those_of_the_checkpoint(page, made):
    """Of each day, year and name; what is drawn is as much as what is said."""
    with Checkpoint.open(made) as checkpoint:
        by_day, settled, names = checkpoint.by_day(), rounds.outcome(checkpoint), checkpoint.numbers().names
    shown = page.page.eval_on_selector_all(
        "svg.calendar",
        """all => all.map(one => [one.dataset.year, Number(one.dataset.events), Number(one.dataset.days),
        [...one.querySelectorAll('[data-level]')].filter(path => !isNaN(path.dataset.level))
            .reduce((sum, path) => sum + path.getAttribute('d').split('h0').length - 1, 0)])""",
    )
    years = {day[:4] for day in by_day}
    of = {year: [count for day, count in by_day.items() if day[:4] == year] for year in years}
    assert shown == [[year, sum(of[year]), len(of[year]), len(of[year])] for year in sorted(years)]
    days = page.page.eval_on_selector_all(
        "[data-days] td",
        "all => all.map(one => one.textContent.replaceAll(',', '')).filter(Number).map(Number)",
    )
    assert days == list(by_day.values())
    told = counts(page.page, "#verdict [data-of]")
    assert (told["planned"], told["accepted"]) == (sum(by_day.values()), settled.accepted)
    planned = page.page.eval_on_selector_all(
        "#names table.names tr",
        "all => all.slice(1).map(row => [row.cells[0].textContent.trim(), Number(row.cells[1].dataset.count)])",
    )
    assert dict(planned) == dict(names)
    assert (
        sum(
            map(int, page.page.eval_on_selector_all("[data-size]", "all => all.map(one => one.dataset.size)"))
        )
        > planted.IDS
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_it_is_readable(browser, made, dark, width):
    """By contrast (WCAG AA), and without scrolling the page sideways."""
    with looking(browser, (made / "report.html").as_uri(), dark=dark, width=width) as looked:
        assert not looked.is_too_wide()
        assert faint(looked.page) == []
        assert looked.is_dark() is dark


def test_the_keyboard_is_enough(page):
    """Each link, each table that scrolls and each fold is reached in order, and opens by a key."""
    looked = page.page
    looked.keyboard.press("Tab")
    assert looked.evaluate("document.activeElement.className") == "skip"
    looked.keyboard.press("Enter")
    assert looked.evaluate("location.hash") == "#verdict"
    wanted = looked.eval_on_selector_all(
        'a[href], summary, [tabindex="0"]', "all => all.filter(one => one.checkVisibility()).length"
    )
    looked.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    looked.goto(looked.url.partition("#")[0])
    reached = 0
    for _ in range(wanted + 5):
        looked.keyboard.press("Tab")
        if looked.evaluate("document.activeElement === document.body"):
            break
        reached += 1
        if looked.evaluate("document.activeElement.tagName") == "SUMMARY":
            before = looked.evaluate("document.activeElement.parentElement.open")
            looked.keyboard.press("Enter")
            assert looked.evaluate("document.activeElement.parentElement.open") is not before
            looked.keyboard.press("Enter")
    assert reached >= wanted


def test_a_printed_page_has_all_of_it(page):
    """What is folded is open on paper."""
    page.page.emulate_media(media="print")
    hidden = page.page.eval_on_selector_all(
        "details table", "all => all.filter(one => !one.checkVisibility()).length"
    )
    page.page.emulate_media(media="screen")
    assert hidden == 0


def test_names_are_text_whatever_they_are(browser, tmp_path):
    """Scripts, letters that turn around, 4,000 of them, escapes: nothing runs, nothing is out of its place."""
    rows = [
        f'{{"event":{json.dumps(name)},"distinct_id":{json.dumps(name[:150])},"timestamp":"2024-04-0{n + 1}",'
        f'"properties":{{{json.dumps(name)}:{json.dumps(name)}}}}}\n'
        for n, name in enumerate(EVIL)
    ]
    (tmp_path / "a.jsonl").write_text("".join(rows))
    assert apart("plan", "posthog", tmp_path / "a.jsonl", "--workdir", tmp_path / "w").returncode in {0, 3}
    with looking(browser, (tmp_path / "w" / "report.html").as_uri(), width=360) as looked:
        assert (looked.beyond("file:"), looked.errors, looked.is_too_wide()) == ([], [], False)
        assert looked.page.query_selector("script, img, iframe") is None
        assert "<script>" in looked.page.inner_text("body")
        assert not re.search("[\x1b\u202e]", looked.page.inner_text("body"))
