"""What is heard while a command works: seldom where there is no terminal, never where it is to be quiet."""

import pytest

from migrate.apply.delivery import Delivery
from migrate.plan.progress import Progress
from migrate.report.pace import Pace
from migrate.report.sections import Line
from migrate.report.talk import Talk
from migrate.workdir.records import Settled


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Stderr is a pipe, whatever the tests run in."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


DELIVERY = Delivery(url="https://eu.i.posthog.com", key="phc_x", target="https://eu.i.posthog.com")


def test_progress_is_told_again_and_again_where_there_is_no_live_line(capsys):
    """On plain lines, by one clock for all of the command, also while nothing happens."""
    talk = Talk(clock=lambda: 75.0, plain_seconds=0.0)
    talk._began = 10.0  # noqa: SLF001 - a command that has worked for a while
    heard = ""
    with talk.planning() as note:
        note(Progress("planning", 250, 1_000, 2, 7, 3_000))
        while heard.count("files\n") < 2:
            heard += capsys.readouterr().err
    assert set(heard.splitlines()) <= {
        "0:01:05 · beginning",
        "0:01:05 · planning 3,000 rows · 0 rows/s · time left not known · 2/7 files",
    }
    capsys.readouterr()
    heard = ""
    with talk.sending(1_000, before=30, delivery=DELIVERY, pace=Pace(100.0)):
        while heard.count("\n") < 2:
            heard += capsys.readouterr().err
    assert set(heard.splitlines()) == {
        "0:01:05 · sending 0/1,000 events · 0 events/s · 0:00:10 left · 30 before"
    }


def test_nothing_is_told_at_first(capsys):
    """A command that is quick tells no progress."""
    talk = Talk(clock=lambda: 0.0, plain_seconds=600.0)
    with talk.planning() as note:
        note(Progress("planning", 250, 1_000, 2, 7, 3_000))
    assert capsys.readouterr().err == ""


def test_who_wants_quiet_hears_warnings_alone(capsys):
    """Neither screens nor progress; a screen is not even made."""
    talk = Talk(quiet=True, plain_seconds=0.0)
    talk.show(pytest.fail("shown") for _ in range(1))
    with talk.sending(7, before=0, delivery=DELIVERY, pace=Pace()) as watch:
        watch.settle(Settled(accepted=1))
    talk.warn("careful\x1b")
    assert capsys.readouterr().err == "warning: careful\\x1b\n"


def test_a_screen_has_colours_where_they_are_wanted(capsys, monkeypatch):
    """What stands out does; what looks like markup stays text."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Talk().show([Line("[red]careful[/red]", "yellow"), Line("all")])
    assert capsys.readouterr().err == "\x1b[33m[red]careful[/red]\x1b[0m\nall\n"
