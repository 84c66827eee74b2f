"""What is heard while a command works: seldom where there is no terminal, never where it is to be quiet."""

import re

import pytest

from migrate.plan.progress import Progress
from migrate.report.numbers import Events, Summary
from migrate.report.sections import Line
from migrate.report.talk import Step, Talk
from migrate.workdir.records import Settled


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Stderr is a pipe, whatever the tests run in."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_a_step_says_done_rate_and_what_is_left():
    """The time that is left is of the bytes, the rate of the rows."""
    step = Step("planning", 3_000, "rows", part=250, whole=1_000, beside="2/7 files")
    assert step.text(20) == "planning: 3,000 rows · 150/s · 2/7 files · 0:01:00 left"
    assert Step("sending", 5, "events", 0, 8, total=8).text(0) == "sending: 5/8 events · 5,000/s · ? left"


def test_planning_is_told_every_few_seconds(capsys):
    """A phase may have its own name; what comes too soon after another is not told."""
    seconds = iter([0, 0, 4, 10, 12, 16])
    talk = Talk(clock=lambda: next(seconds))
    with talk.planning() as on_progress:
        for rows, phase in ((1, ""), (2, ""), (3_000, "looking"), (4, ""), (6_400, "")):
            on_progress(
                Progress(phase=phase, done_bytes=1, total_bytes=3, done_files=5, total_files=6, rows=rows)
            )
    assert capsys.readouterr().err == (
        "looking: 3,000 rows · 300/s · 5/6 files · 0:00:20 left\n"
        "planning: 6,400 rows · 400/s · 5/6 files · 0:00:32 left\n"
    )


def test_sending_goes_on_from_what_was_settled_before(capsys):
    """What is held is none of it."""
    seconds = iter([0, 0, 10])
    events = Events(planned=1_100, accepted=300, held=100, pending=700)
    with Talk(clock=lambda: next(seconds)).applying(Summary(events=events)) as on_settled:
        on_settled(Settled())
        on_settled(Settled(accepted=150, duplicate=30, parked=20))
    assert capsys.readouterr().err == "sending: 500/1,000 events · 50/s · 0:00:10 left\n"


def test_who_wants_quiet_hears_warnings_alone(capsys):
    """Neither screens nor progress; a screen is not even made."""
    talk = Talk(quiet=True, clock=lambda: 0)
    talk.show(pytest.fail("shown") for _ in range(1))
    with talk.applying(Summary()) as on_settled:
        on_settled(Settled(accepted=1))
    talk.warn("careful\x1b")
    assert capsys.readouterr().err == "warning: careful\\x1b\n"


def test_a_terminal_has_one_live_line_and_colours(capsys, monkeypatch):
    """What stands out does; what looks like markup stays text."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    talk = Talk(clock=lambda: 0)
    talk.show([Line("[red]careful[/red]", "yellow"), Line("all")])
    with talk.applying(Summary()) as on_settled:
        on_settled(Settled(accepted=77))
    shown = capsys.readouterr().err
    assert "\x1b[33m[red]careful[/red]\x1b[0m\nall\n" in shown
    assert re.search(r"sending: 77 events", shown)
