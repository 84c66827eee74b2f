"""What was acknowledged long ago takes no room, and its numbers stay; what comes again in time is still known."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from commands import KEY, migrate, summary
from nights import GOOD, lines
from workdirs import events, planned

from migrate.sandbox.server import Sandbox
from migrate.workdir import rounds
from migrate.workdir.cleaning import Cleaned, clean
from migrate.workdir.records import Settled

TODAY = datetime.now(UTC).date()


@pytest.fixture
def checkpoint(tmp_path):
    """Of two days the first is sent."""
    with planned(tmp_path, events(60, days=2)) as made:
        first = rounds.days(made)[0]
        (part,) = (round_ for round_ in rounds.of_day(made, first))
        rounds.settle(
            made,
            [rounds.Outcome(part, Settled(accepted=sum(one.events for one in part.parts)), is_last=True)],
        )
        yield made


def state(checkpoint):
    """What a summary is made of."""
    return (
        checkpoint.extent(),
        checkpoint.by_day(),
        rounds.unsettled(checkpoint, "2024"),
        rounds.outcome(checkpoint),
    )


def files(checkpoint):
    """The files of days, with how large their payloads are."""
    return {
        path.relative_to(checkpoint.workdir).as_posix(): pl.read_parquet(path)["payload"]
        .str.len_bytes()
        .sum()
        for path in sorted(checkpoint.workdir.rglob("*.parquet"))
    }


def test_payloads_go_when_they_are_old_enough(checkpoint):
    """Of what is acknowledged; what tells events apart stays, and what is not sent yet stays whole."""
    before, numbers = files(checkpoint), state(checkpoint)
    first, second = before
    keys = pl.read_parquet(checkpoint.workdir / first).drop("payload")
    assert clean(checkpoint, TODAY, keep=1, dedup=35) == Cleaned(0, 0, 0)
    found = clean(checkpoint, TODAY + timedelta(days=1), keep=1, dedup=35)
    stripped = first.replace(".parquet", "k.parquet")
    assert (found.stripped, found.removed, files(checkpoint)) == (1, 0, {stripped: 0, second: before[second]})
    assert found.freed > 0
    assert pl.read_parquet(checkpoint.workdir / stripped).drop("payload").equals(keys)
    assert state(checkpoint) == numbers
    assert clean(checkpoint, TODAY + timedelta(days=1), keep=1, dedup=35) == Cleaned(0, 0, 0)


def test_what_tells_events_apart_goes_later(checkpoint):
    """Then nothing is left of them but numbers; folders that are empty go, too."""
    numbers = state(checkpoint)
    (_, second) = files(checkpoint)
    clean(checkpoint, TODAY, keep=0, dedup=35)
    found = clean(checkpoint, TODAY + timedelta(days=35), keep=0, dedup=35)
    assert (found.stripped, found.removed) == (0, 1)
    assert [*files(checkpoint)] == [second]
    assert len(list((checkpoint.workdir / "days").iterdir())) == 1
    assert state(checkpoint) == numbers


def test_what_is_kept_longer_than_it_is_told_apart_is_kept_whole(checkpoint):
    """--keep-days of more days than --dedup-days."""
    before = files(checkpoint)
    assert clean(checkpoint, TODAY + timedelta(days=40), keep=50, dedup=35) == Cleaned(0, 0, 0)
    assert files(checkpoint) == before


@pytest.mark.parametrize("dedup", [35, 0])
def test_what_comes_again_is_known_as_long_as_that_is_asked_for(tmp_path, dedup):
    """Afterwards it is sent as the same event, which PostHog keeps once."""
    source = lines(tmp_path / "in" / "a.jsonl", GOOD, GOOD)
    with Sandbox() as sandbox:
        words = [
            "run",
            "posthog",
            source.parent,
            "--workdir",
            tmp_path / "w",
            "--host",
            sandbox.url,
            "--json",
        ]
        words += ["--keep-days", 0, "--dedup-days", dedup]
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == 0, done.stderr
        assert "cleaned: " in done.stderr
        lines(source, GOOD, GOOD, GOOD)
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == 0, done.stderr
        found = summary(done)
        is_known = dedup > 0
        assert found["balanced"]
        assert found["events"] == {
            "planned": 5,
            "accepted": 3 if is_known else 5,
            "duplicate": 2 if is_known else 0,
            "parked": 0,
            "held": 0,
            "pending": 0,
        }
        assert found["replanned"] == {"files": 1}
        assert len(list(sandbox.events("collapsed"))) == 3
        assert migrate("status", tmp_path / "w").returncode == 0
        assert migrate("show", tmp_path / "w").returncode == 0
