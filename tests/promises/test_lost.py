"""A sent file of the plan that is lost is no dead end: its source puts it back, or it is given up if that is asked."""

import json
import os

import pytest
from nights import DAYS, row
from sealing import flipped, migrate, summary

from migrate.sandbox.server import Sandbox

NOTE = (
    "note: lost: {} that were sent, of {}: what is planned of them is sent again, and PostHog keeps the same event "
    "once"
)
COST = (
    "sends again what is planned of its events: PostHog keeps the same event once, but one whose time or person has "
    "changed since then twice"
)


class Workdir:
    """A folder of exports, a workdir, and where it is sent."""

    def __init__(self, folder, sandbox, *more):
        self.source, self.path, self.sandbox, self.more = folder / "in", folder / "w", sandbox, more
        self.source.mkdir(parents=True)

    def write(self, name, *rows):
        """Write a file as an export does: anew."""
        (self.source / name).write_text("".join(json.dumps(one) + "\n" for one in rows))

    def plan(self, *more, code=0, **how):
        """Plan what is in the folder."""
        words = ["plan", "posthog", self.source, "--workdir", self.path, *self.more, *more, "--json"]
        return self.done(migrate(*words, **how), code)

    def apply(self, *more, code=0, **how):
        """Send what is pending."""
        return self.done(
            migrate("apply", self.path, "--host", self.sandbox.url, "--yes", *more, "--json", **how), code
        )

    def status(self, code=0):
        """How it is."""
        return self.done(migrate("status", self.path, "--json"), code)

    @staticmethod
    def done(done, code):
        """The summary of a command, what it said, and its last line."""
        assert done.returncode == code, done.stderr
        found = {} if code == 9 else summary(done)
        assert found.get("balanced", True)
        return found | {"said": done.stderr}

    def files(self, day):
        """The files of a day."""
        return sorted((self.path / "days" / day).iterdir())

    def kept(self):
        """What PostHog keeps: the last digits of a uuid → its value."""
        return {int(one["uuid"][-12:]): one["properties"]["v"] for one in self.sandbox.events("collapsed")}


@pytest.fixture
def grown(tmp_path):
    """Three days of ten events each are sent; the first file of the second day is lost, then a row a day is added."""
    with Sandbox() as sandbox:
        found = Workdir(tmp_path, sandbox)
        found.write("a.jsonl", *(row(n, n, day=n % 3) for n in range(30)))
        found.plan()
        found.apply()
        found.lost = found.files(DAYS[1])[0]
        found.lost.unlink()
        found.write("a.jsonl", *(row(n, n, day=n % 3) for n in range(33)))
        yield found


def outcome(found):
    """What became of the events, those of which there are some."""
    return {name: n for name, n in found["events"].items() if n}


def test_a_lost_file_of_a_source_that_has_grown_is_given_up_where_that_is_asked(grown):
    """Planning says what is not known, sending says the way and its cost; PostHog has what a fresh import has then."""
    planned = grown.plan()
    assert (
        f"note: planned anew: 1 file of what was sent before cannot be read, of {DAYS[1]}: which of their 10 events "
        "changed is not known"
    ) in planned["said"]
    assert planned["replanned"] == {"files": 1, "unknown": 10}
    way = f"migrate apply {grown.path} --host {grown.sandbox.url} --resend-lost"
    assert (planned["state"], planned["next"]) == ("harmed", way)
    refused = grown.apply(code=5)
    assert refused["run"]["error"] == (
        f"{grown.lost}: harmed since it was sent, found 'No such file or directory'; it is of {grown.source}/a.jsonl, "
        f"and tells which events of {DAYS[1]} are sent already; nothing of this day or a later one is sent any more: "
        f"'migrate apply {grown.path} --resend-lost' {COST}"
    )
    assert (refused["next"], grown.status(5)["next"]) == (way, way)
    sent = grown.apply("--resend-lost")
    assert NOTE.format("1 file with 10 events", DAYS[1]) in sent["said"]
    assert "lost     1 file of the plan, with 10 events that were sent: " in sent["said"]
    assert sent["lost"] == {"files": 1, "events": 10}
    assert outcome(sent) == {"planned": 63, "accepted": 43, "duplicate": 20}
    assert grown.kept() == {n: n for n in range(33)}
    assert outcome(grown.apply()) == outcome(sent)
    assert (grown.status()["state"], grown.status()["lost"]) == ("all_sent", sent["lost"])


def test_the_source_that_is_as_it_was_puts_it_back(tmp_path):
    """That is said first; where it is gone, and another file brings events of the day, they go all the same."""
    with Sandbox() as sandbox:
        one = Workdir(tmp_path, sandbox)
        one.write("a.jsonl", row(0), row(1, day=1))
        one.plan()
        one.apply()
        (lost,) = one.files(DAYS[0])
        lost.write_bytes(lost.read_bytes()[:-1])
        one.write("b.jsonl", row(2), row(0))
        planned, source = one.plan(), one.source / "a.jsonl"
        assert planned["next"] == (f"migrate plan posthog {one.source} --again {source} --workdir {one.path}")
        assert (
            f"plan it anew, with --again {source}; where that is not there, or not what it was, 'migrate apply"
            in (one.apply(code=5)["run"]["error"])
        )
        assert outcome(one.plan("--again", source)) == {"planned": 4, "accepted": 2, "pending": 2}
        assert outcome(one.apply()) == {"planned": 4, "accepted": 3, "duplicate": 1}
        (lost, _) = one.files(DAYS[0])
        lost.write_bytes(b"")
        one.write("c.jsonl", row(3), row(0))
        one.plan()
        source.write_bytes(source.read_bytes())
        os.utime(source, (1e9, 1e9))
        refused = one.apply("--resend-lost", code=5)
        assert (
            f"{source} is as it was planned; plan it anew, with --again {source}, which"
            in refused["run"]["error"]
        )
        assert refused["lost"] == {}
        kept = source.rename(tmp_path / "kept")
        assert one.status(5)["next"].endswith(" --resend-lost")
        assert outcome(one.apply("--resend-lost")) == {"planned": 6, "accepted": 4, "duplicate": 2}
        kept.rename(source)
        again = outcome(one.plan("--again", source))
        assert again == {"planned": 8, "accepted": 4, "duplicate": 2, "pending": 2}
        assert outcome(one.apply()) == {"planned": 8, "accepted": 4, "duplicate": 4}
        assert sorted(one.kept()) == [0, 1, 2, 3]


@pytest.mark.parametrize("changed", [False, True], ids=["as it was", "beside one that changed"])
def test_small_sources_put_their_files_back_however_many_are_named(tmp_path, changed):
    """Each is planned with those that it was planned with, so that it comes to the very files that it came to."""
    with Sandbox() as sandbox:
        one = Workdir(tmp_path, sandbox)
        for place, name in enumerate("ab"):
            one.write(f"{name}.jsonl", row(place, day=place), row(place + 2, day=place))
            one.plan()
            one.apply()
        one.write("c.jsonl", row(4), row(5, day=1))
        one.plan()
        for day in DAYS[:2]:
            one.files(day)[0].unlink()
        names = [one.source / f"{name}.jsonl" for name in "ab"]
        assert all(f" --again {name}" in one.status(5)["next"] for name in names)
        if changed:
            one.write("a.jsonl", row(0), row(2), row(6))
        found = one.plan(*(word for name in names for word in ("--again", name)))
        assert (found["state"], outcome(found)["planned"]) == (("harmed", 9) if changed else ("planned", 6))
        assert one.files(DAYS[1])[0].exists()
        found = one.apply("--resend-lost")
        assert found["lost"] == ({"files": 1, "events": 2} if changed else {})
        assert len(sandbox.events("raw")) == (9 if changed else 6)
        assert sorted(one.kept()) == [*range(7 if changed else 6)]


def test_a_source_does_not_put_back_what_it_was_planned_with_one_that_is_gone(tmp_path):
    """`next` is the way that works, at once."""
    with Sandbox() as sandbox:
        one = Workdir(tmp_path, sandbox)
        one.write("a.jsonl", row(0))
        one.write("b.jsonl", row(1))
        one.plan()
        one.apply()
        one.write("c.jsonl", row(2))
        one.plan()
        one.files(DAYS[0])[0].unlink()
        assert " --again " in one.status(5)["next"]
        (one.source / "b.jsonl").unlink()
        assert one.status(5)["next"].endswith(" --resend-lost")
        assert one.apply("--resend-lost")["state"] == "all_sent"


@pytest.fixture
def half(tmp_path):
    """Of two days of a source the first is half sent, and its file is lost; another source had been sent before."""
    with Sandbox() as sandbox:
        found = Workdir(tmp_path, sandbox)
        found.write("a.jsonl", *(row(n, n) for n in range(10)))
        found.plan()
        found.apply()
        found.write("b.jsonl", *(row(n, n, day=n > 49) for n in range(20, 55)))
        found.plan()
        sandbox.faults([{"fault": "status", "status": 401, "after": 2}])
        stopped = found.apply("--rate", "8", "--concurrency", "1", code=4)
        sandbox.faults([])
        found.settled = stopped["events"]["accepted"] - 10
        assert 0 < found.settled < 30
        found.files(DAYS[0])[-1].unlink()
        yield found


def test_a_day_that_is_half_sent_goes_on_where_its_file_is_lost_and_its_source_changed(half):
    """Its source planned anew and then the file given up, as `next` says: PostHog has all that the source has."""
    source = half.source / "b.jsonl"
    assert (
        half.status(5)["next"] == f"migrate plan posthog {half.source} --again {source} --workdir {half.path}"
    )
    half.write("b.jsonl", *(row(n, n, day=n > 49) for n in range(20, 56)))
    planned, way = (
        half.plan("--again", source),
        f"migrate apply {half.path} --host {half.sandbox.url} --resend-lost",
    )
    assert (planned["state"], planned["next"]) == ("harmed", way)
    assert f"'migrate apply {half.path} --resend-lost' {COST}; what was not" in half.apply(code=5)["said"]
    sent = half.apply("--resend-lost")
    unsent = 30 - half.settled
    assert sent["lost"] == {"files": 1, "events": half.settled, "unsent": unsent}
    assert (
        f"note: lost: {unsent} events more of these files, of days that were half sent, count as"
        in sent["said"]
    )
    assert f"; {unsent} events more of them went no more, but for those planned again" in sent["said"]
    total = 10 + half.settled + 36
    assert outcome(sent) == {"planned": total, "accepted": total}
    assert sorted(half.kept()) == [*range(10), *range(20, 56)]


def test_a_day_that_is_half_sent_goes_on_where_its_source_is_gone(half):
    """At once, as `next` says; back again it is planned anew, and nothing is missing."""
    kept = (half.source / "b.jsonl").rename(half.path / "kept")
    assert half.status(5)["next"].endswith(" --resend-lost")
    sent = half.apply("--resend-lost")
    assert outcome(sent) == {"planned": 15 + half.settled, "accepted": 15 + half.settled}
    assert half.status()["state"] == "all_sent"
    source = kept.rename(half.source / "b.jsonl")
    half.plan("--again", source)
    assert half.apply()["events"]["duplicate"] == 5
    assert sorted(half.kept()) == [*range(10), *range(20, 55)]


def test_a_day_that_is_half_sent_is_put_back_by_the_source_that_is_as_it_was(half):
    """It is refused to give its file up, and nothing is sent twice."""
    source = half.source / "b.jsonl"
    assert f"{source} is as it was planned; plan it anew" in half.apply("--resend-lost", code=5)["said"]
    half.plan("--again", source)
    assert half.apply()["events"] == half.status()["events"]
    assert len(half.sandbox.events("raw")) == len(half.kept()) == 45


@pytest.mark.crash
@pytest.mark.parametrize(
    ("place", "lost"),
    [
        pytest.param("workdir.rounds.begin_anew", {}, id="before it is noted"),
        pytest.param("workdir.depot.Depot.remove", {"files": 2, "events": 20}, id="once it is noted"),
        pytest.param("workdir.rounds.settle", {"files": 2, "events": 20}, id="while it is sent"),
    ],
)
def test_a_kill_costs_nothing(grown, place, lost):
    """Once it is noted no command needs the option any more; until then none goes on without it."""
    flipped(grown.files(DAYS[2])[0], 200)
    assert (
        f"2 files of what was sent before cannot be read, of {DAYS[1]}, {DAYS[2]}: which"
        in grown.plan()["said"]
    )
    grown.apply("--resend-lost", code=9, killed_at=place)
    status = grown.status(5 if not lost else 0)
    assert (status["lost"], status["next"].endswith(" --resend-lost")) == (lost, not lost)
    found = grown.apply(*([] if lost else ["--resend-lost"]))
    assert (found["lost"], found["events"]["pending"]) == ({"files": 2, "events": 20}, 0)
    assert grown.kept() == {n: n for n in range(33)}


def test_what_is_not_sent_and_harmed_is_refused_as_ever(grown):
    """Nothing is given up for it; once it is put back all goes, by `run`, too, which goes on without the option."""
    grown.plan()
    path = grown.files(DAYS[2])[-1]
    kept = path.rename(grown.path / "kept")
    found = grown.apply("--resend-lost", code=5)
    assert (
        f"{path}: harmed since it was planned, found 'No such file or directory'; nothing of" in found["said"]
    )
    assert found["lost"] == {}
    kept.rename(path)
    done = migrate("resend", grown.path, "--host", grown.sandbox.url, "--resend-lost")
    assert (done.returncode, "found with 'resend', which sends what is parked" in done.stderr) == (2, True)
    words = ["run", "posthog", grown.source, "--workdir", grown.path, "--host", grown.sandbox.url, "--json"]
    assert grown.done(migrate(*words), 5)["next"].endswith(" --resend-lost")
    assert grown.done(migrate(*words, "--resend-lost"), 0)["lost"] == {"files": 1, "events": 10}
    assert "--resend-lost" not in (grown.path / "report.json").read_text()
    assert "1 file of the plan, with 10 events that were sent" in (grown.path / "report.html").read_text()
    assert grown.kept() == {n: n for n in range(33)}


def test_cleaning_passes_over_what_is_lost(grown):
    """Its payloads are gone anyway; what else is old enough is cleaned."""
    found = grown.apply("--keep-days", "0")
    assert "cleaned: " in found["said"]
    assert "payloads of 2 files of the plan" in found["said"]
    assert "not cleaned: 1 file of what was sent, lost or harmed since" in found["said"]


def test_a_plan_in_a_storage_goes_on_as_well(s3, tmp_path):
    """A storage is asked by who sends: `status` says nothing of it before."""
    with Sandbox() as sandbox:
        far = Workdir(tmp_path, sandbox, "--parts", f"{s3.url}plans")
        far.write("a.jsonl", *(row(n, n, day=n % 3) for n in range(30)))
        far.plan()
        far.apply()
        (key,) = (key for key in s3.keys() if DAYS[1] in key)  # noqa: SIM118 - a method of a bucket
        s3.delete(key)
        far.write("a.jsonl", *(row(n, n, day=n % 3) for n in range(33)))
        assert f"cannot be read, of {DAYS[1]}: which of their 10 events changed" in far.plan()["said"]
        far.status()
        refused = far.apply(code=5)
        assert (
            f"{s3.url}{key}: harmed since it was sent, found 'No such file or directory'; it is of"
            in refused["said"]
        )
        found = far.apply("--resend-lost")
        assert (found["lost"], outcome(found)) == (
            {"files": 1, "events": 10},
            {"planned": 63, "accepted": 43, "duplicate": 20},
        )
        assert far.kept() == {n: n for n in range(33)}
