"""What is printed is what was said."""

import re
import signal

import pytest
from commands import KEY, migrate, on_terminal, rows

from migrate.report.bars import bar
from migrate.report.samples import Sample
from migrate.report.sections import Line, labelled
from migrate.report.terminal import Terminal
from migrate.sandbox.server import Sandbox


def test_text_from_elsewhere_stays_text(capsys):
    """Ids may hold what a terminal's library takes for a picture, a colour or a link."""
    ids = ["user:100:x", "[bold]anna[/bold]", "[link=http://x]y[/link]", ":smiley:"]
    Terminal().print(map(Line, ids))
    assert capsys.readouterr().err.splitlines() == ids


def printed(capsys, monkeypatch, width):
    """A row beside what it becomes, as lines, on a screen of this width."""
    monkeypatch.setenv("COLUMNS", str(width))
    Terminal().print_samples([Sample("row a:1", ["name: 1", "long: " + "x" * 40], ["event: [bold]"])])
    return capsys.readouterr().err.splitlines()


def test_a_row_stands_beside_what_it_becomes(capsys, monkeypatch):
    """Each column folds its own lines; text stays text, and no blank is left at an end."""
    assert printed(capsys, monkeypatch, 80) == [
        "row a:1",
        "name: 1                                   event: [bold]",
        "long:",
        "x" * 40,
        "",
    ]


def test_where_there_is_no_room_it_stands_above(capsys, monkeypatch):
    """Forty columns are enough for anything."""
    assert printed(capsys, monkeypatch, 40) == [
        "row a:1",
        "name: 1",
        "long:",
        "x" * 40,
        "event: [bold]",
        "",
    ]


PASTED = re.compile(r"(?<!')\bmigrate (?:apply|rejects|show|plan) .*|\bcp .*")
"""What can be pasted from a line of these screens."""


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", ["status", "rejects", "show"])
def test_a_line_is_broken_between_words(tmp_path, columns, command):
    """And goes on below its text; what can be pasted is left to the terminal, and elsewhere a line is one line."""
    source = rows(tmp_path / "in.jsonl", 3)
    with source.open("a") as file:
        file.write('{"event": "e", "distinct_id": "u", "timestamp": "soon"}\n' * 2)
    workdir = tmp_path / "w"
    assert migrate("plan", "posthog", source, "--workdir", workdir).returncode == 3
    words = [command, workdir, *(["--samples", "0"] if command != "rejects" else [])]
    piped = [line.rstrip(" █") for line in migrate(*words).stderr.splitlines()]
    with on_terminal(*words, columns=columns) as screen:
        shown = [line.rstrip(" █") for line in screen.until("never shown") if line]
    assert " ".join(" ".join(shown).split()) == " ".join(" ".join(piped).split())
    for line in shown:
        assert len(line) < columns or " " not in line[9:] or PASTED.search(line), line
        assert line in piped or line[8] == " ", line
    for text in piped:
        for found in PASTED.findall(text):
            assert any(line.endswith(found) for line in shown), found


def test_what_can_be_pasted_is_whole(monkeypatch):
    """It goes on its own line where it does not fit beside the text, however long it is and whatever is in it."""
    command = "migrate rejects 'my own workdir'"
    line = labelled("also", "3 rows are rejected: ", command=command)
    assert fitted(monkeypatch, line, 40).splitlines() == [
        "also     3 rows are rejected:",
        f"         {command}",
    ]
    assert fitted(monkeypatch, labelled("next", "", command=command), 20) == f"next     {command}"


def test_a_bar_gives_way(monkeypatch):
    """In the same proportions; where there is no room for any, the words stay."""
    line = Line(f"  Paid {12:>12,} {bar(0.5)}", bar=0.5)
    assert [fitted(monkeypatch, line, width) for width in (36, 32, 26, 21)] == [
        line.text,
        f"  Paid           12 {'█' * 6}",
        f"  Paid           12 {'█' * 3}",
        f"  Paid           12 {'█'}",
    ]
    assert fitted(monkeypatch, line, 20).splitlines()[0] == "  Paid           12"


def test_a_letter_may_be_two_columns_wide(monkeypatch):
    """And a word that is longer than the screen stands alone, whole."""
    assert fitted(monkeypatch, labelled("note", "日本語 日本語 ab"), 21).splitlines() == [
        "note     日本語",
        "         日本語 ab",
    ]
    long = "x" * 30
    assert fitted(monkeypatch, labelled("note", f"a {long} b"), 21).splitlines() == [
        "note     a",
        f"         {long}",
        "         b",
    ]


def fitted(monkeypatch, line, width):
    """A line as it is on a terminal with room for so many letters."""
    monkeypatch.setattr(Terminal, "width", width)
    return Terminal().fitted(line)


@pytest.fixture
def busy(tmp_path):
    """A plan, and a PostHog that takes the first two requests and then is busy for a long time."""
    source = rows(tmp_path / "in" / "a.jsonl", 90)
    assert migrate("plan", "posthog", source, "--workdir", tmp_path / "w").returncode == 0
    with Sandbox(faults=[{"fault": "status", "status": 503, "after": 2, "retry_after": 500}]) as sandbox:
        words = ["apply", tmp_path / "w", "--host", sandbox.url, "--max-batch-events", "10"]
        yield [*words, "--concurrency", "1", "--api-key", KEY]


LINES = {
    40: r"^sending 20/90 · 503, next in \d+ s",
    150: r"sending 20/90 events · 503 from 127\.0\.0\.1:\d+, 1 try, next in \d+ s as its Retry-After asks",
}


@pytest.mark.parametrize("columns", LINES)
def test_a_terminal_has_one_line_that_counts_a_wait_down(busy, columns):
    """It is made anew while nothing happens, and never is longer than the terminal is wide."""
    with on_terminal(*busy, columns=columns) as screen:
        lines = [line for line in screen.until(r"next in \d+ s", times=2) if "sending" in line]
        assert max(map(len, lines)) < columns
        assert re.search(LINES[columns], lines[-1]), lines
        screen.process.send_signal(signal.SIGINT)
        screen.until("next     migrate apply")


def test_a_dumb_terminal_has_plain_lines(busy):
    """Nothing steers it; it is taken to be 80 columns wide."""
    with on_terminal(*busy, columns=150, env={"TERM": "dumb"}) as screen:
        lines = [line for line in screen.until(r"next in \d+ s.*\n") if "next in" in line]
        assert "\x1b" not in screen.shown
        assert re.match(r"sending 20/90 · 503, next in \d+ s · ", lines[0]), lines
        screen.process.send_signal(signal.SIGINT)
        screen.until("next     migrate apply")
