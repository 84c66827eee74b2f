"""What was fetched, on a screen, in JSON, and while it goes on."""

from datetime import datetime

from vendors import ACCOUNT

from migrate.download import Download
from migrate.fetching.fetcher import Tally
from migrate.fetching.mixpanel import Mixpanel, login
from migrate.fetching.spans import Span
from migrate.report import fetched
from migrate.report.live import line


def made(**counts):
    """A download that has done so much."""
    one = Download(Mixpanel("https://a", login(ACCOUNT), "4711"), "exports")
    one.tally, one.next, one.has_files = Tally(**counts), "migrate run mixpanel exports --dry-run", True
    one.stretch = Span(datetime(2024, 4, 1), datetime(2024, 4, 30))  # noqa: DTZ001 - a vendor's own clock
    return one


def shown(one, *, is_alone=True):
    """The lines of a screen."""
    return [each.text for each in fetched.lines(one, is_alone=is_alone)]


def test_the_screen():
    """Every line of it; the command is not shown where something follows."""
    one = made(wanted=29, left=3, new=2, replaced=1, same=4, empty=19, rows=1_234, bytes=5_600)
    assert shown(one) == [
        "fetched  2 new files and 1 that changed, 1,234 rows, 5.6 kB of Mixpanel from 2024-04-01 until 2024-04-30",
        "         4 files asked for again, as they were",
        "         19 stretches of time of which there is nothing",
        "         3 still to be asked for",
        "next     migrate run mixpanel exports --dry-run",
    ]
    assert shown(one, is_alone=False) == shown(one)[:-1]
    assert fetched.document(one)["files"] == {"new": 2, "replaced": 1, "same": 4}


def test_nothing_is_said_in_two_ways():
    """That all is there, and that the vendor has nothing, which is a warning."""
    assert shown(made()) == [
        "fetched  nothing: all that Mixpanel has from 2024-04-01 until 2024-04-30 is in exports",
        "next     migrate run mixpanel exports --dry-run",
    ]
    one = made(wanted=29, empty=29)
    one.has_files = False
    assert fetched.is_nothing(one)
    assert shown(one)[-1] == (
        "warning  Mixpanel has nothing from 2024-04-01 until 2024-04-30; check --since, and whether the keys are those "
        "of the project that is meant"
    )


def test_the_line_says_how_far_it_is():
    """And why it waits, until something is done again."""
    phase = fetched.Fetching()
    phase.note(Tally(wanted=10, left=7, rows=1_000))
    phase.wait(59.6, "Mixpanel takes so many requests and no more")
    assert line(phase.parts(0), None) == (
        "fetching 3/10 files · 1,000 rows · waits 60 s: Mixpanel takes so many requests and no more"
    )
    phase.wait(0.3, "again")
    assert line(phase.parts(0), None) == "fetching 3/10 files · 1,000 rows"
