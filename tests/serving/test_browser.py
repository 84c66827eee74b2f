"""`migrate serve` in a real browser: what one types is tried at once, saved when one says so, and asks nobody else."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from browser import browser, looking
from contrast import faint

__all__ = ["browser"]  # a fixture

EVIL = "<img src=x onerror=document.title=1>"
LONG = "x" * 4_000
ROWS = (
    "what,who,when,note\n"
    "order,anna,2024-04-03T10:00:00Z,one\n"
    "visit,berta,2024-04-04T10:00:00Z,two\n"
    f"{EVIL},carla,2024-04-05T10:00:00Z,\u202e{LONG}\x1b[31m\n"
    "visit,,2024-04-06T10:00:00Z,nobody\n"
)
SPEC = 'event = "what"\ndistinct_id = "who"\ntimestamp = "when"\n'


@contextmanager
def served(*words, cwd):
    """The address of a page, as long as the block lasts."""
    command = [sys.executable, "-m", "migrate", "serve", *words]
    with subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            process.terminate()
            process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rows and how they are described."""
    place = tmp_path_factory.mktemp("served")
    (place / "rows.csv").write_text(ROWS)
    return place


@pytest.fixture
def spec(folder):
    """As it is before each test."""
    path = folder / "spec.toml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def address(folder):
    """Of one page for all tests of it."""
    (folder / "spec.toml").write_text(SPEC)
    with served("table", "rows.csv", "--spec", "spec.toml", cwd=folder) as found:
        yield found


@pytest.fixture
def looked(browser, address, spec):
    """The page, looked at; in the end it has asked nobody else, and its console is silent."""
    assert spec.read_text() == SPEC
    with looking(browser, address) as found:
        found.page.wait_for_selector("#rows .row")
        yield found
        origin = address.partition("?")[0]
        assert (found.beyond(origin), found.errors) == ([], [])


def write(page, text):
    """Replace all that stands in the editor, as one who types does."""
    page.focus("#text")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def until(page, what):
    """Wait until a sentence stands where a trial's result is told."""
    page.wait_for_function("what => document.getElementById('verdict').textContent.includes(what)", arg=what)


def holds(page, what):
    """Wait until the rows that are shown hold a text which those before them did not."""
    page.wait_for_function("what => document.getElementById('rows').textContent.includes(what)", arg=what)


def test_what_is_typed_is_tried_at_once_and_saved_when_it_is_said(looked, spec):
    """By the keyboard alone: a mistake is told with its line, and is gone with it."""
    page = looked.page
    until(page, "4 rows: 3 mapped, 1 left out")
    write(page, SPEC.replace("what", "wat"))
    until(page, "wat")
    assert page.get_attribute("#text", "aria-invalid") == "true"
    assert spec.read_text() == SPEC
    write(page, SPEC + '[constants]\ncolour = "blue"\n')
    until(page, "3 not as saved")
    assert "blue" in page.inner_text("#rows")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => document.getElementById('state').textContent === 'saved'")
    assert spec.read_text() == SPEC + '[constants]\ncolour = "blue"\n'
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "text"


def test_what_another_wrote_is_not_written_over(looked, spec):
    """The page says so, and either is taken, as one chooses."""
    page = looked.page
    theirs, mine = SPEC + "# theirs\n", SPEC + "# mine\n"
    spec.write_text(theirs)
    write(page, mine)
    page.keyboard.press("Control+s")
    page.wait_for_selector("#conflict:not([hidden])")
    assert spec.read_text() == theirs
    page.click("#take-theirs")
    assert page.input_value("#text") == theirs
    spec.write_text(SPEC)
    write(page, mine)
    page.keyboard.press("Control+s")
    page.wait_for_selector("#conflict:not([hidden])")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('state').textContent === 'saved'")
    assert spec.read_text() == mine


def test_rows_are_chosen_by_what_becomes_of_them(looked):
    """By outcome, with the arrows, and by event."""
    page = looked.page
    until(page, "4 rows")
    page.focus("#show-all")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.is_checked("#show-rejected")
    alone = "() => document.querySelectorAll('#rows .row').length === 1"
    page.wait_for_function(
        f"{alone} && document.getElementById('rows').textContent.includes('no_distinct_id')"
    )
    page.check("#show-all", force=True)
    holds(page, "anna")
    page.select_option("#event", "visit")
    page.wait_for_function("() => !document.getElementById('rows').textContent.includes('anna')")
    assert "berta" in page.inner_text("#rows")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 360])
def test_it_is_readable_whatever_a_row_holds(browser, address, spec, dark, width):
    """By contrast (WCAG AA) and without scrolling the page sideways; names are text, and nothing of them runs."""
    del spec
    with looking(browser, address, dark=dark, width=width) as looked:
        looked.page.wait_for_selector("#rows .row")
        until(looked.page, "4 rows")
        assert not looked.is_too_wide()
        assert faint(looked.page) == []
        assert EVIL in looked.page.inner_text("#rows")
        assert looked.page.query_selector("#rows img") is None
        assert not re.search("[\x1b\u202e]", looked.page.inner_text("body"))
        assert looked.is_dark() is dark
        assert looked.errors == []


def test_nobody_without_its_address_sees_it(browser, address):
    """Neither another page of this machine's, nor one that guesses."""
    with looking(browser, address.partition("?")[0]) as looked:
        assert "spec" not in looked.page.content()
        assert looked.page.query_selector("#rows") is None
        assert os.sep not in looked.page.inner_text("body")
