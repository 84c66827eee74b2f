"""What is too young waits, in every sum; a command that is to stop early does, and goes on next time."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from captures import Capture
from sealing import migrate, summary

from migrate.sandbox.server import Sandbox


def export(path, *ages, name="e", **properties):
    """A file of an event for each of these ages in days, of uuids that tell the age, and so are the same each time."""
    now = datetime.now(UTC)
    rows = [
        {
            "event": name,
            "distinct_id": "u",
            "uuid": f"0190d1a0-0000-7000-8000-{age:012}",
            "timestamp": (now - timedelta(days=age)).date().isoformat() + "T12:00:00Z",
            "properties": properties,
        }
        for age in ages
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_days_that_are_not_wholly_older_are_held(tmp_path):
    """In every sum, with when they go; what is held is nothing to do, and goes when it is old enough or need not be."""
    source, workdir = export(tmp_path / "in" / "1.jsonl", 9, 8, 3, 2, 1).parent, tmp_path / "w"
    with Sandbox() as sandbox:
        target = ["--host", sandbox.url, "--json"]
        words = ["run", "posthog", source, "--workdir", workdir, *target]
        done = migrate(*words, "--min-age", "48h")
        found = summary(done)
        assert done.returncode == 0
        assert found["balanced"]
        # The day before the day before yesterday ended 48 hours ago, at the latest; the next one did not.
        events = {"planned": 5, "accepted": 3, "duplicate": 0, "parked": 0, "held": 2, "pending": 0}
        assert found["events"] == found["run"]["events"] == events
        young = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
        goes = (young + timedelta(days=3)).isoformat(timespec="minutes")
        assert found["held_until"] == goes
        assert f"2 events too young to be sent; the first may go from {goes} on" in done.stderr
        shown = migrate("status", workdir, "--json")
        assert shown.returncode == 0
        assert summary(shown)["events"] == events
        assert f"migrate apply {workdir} --host {sandbox.url}" in shown.stderr
        again = migrate("apply", workdir, *target, "--min-age", "48h")
        assert (again.returncode, summary(again)["requests"]) == (0, found["requests"])
        last = migrate("apply", workdir, *target, "--min-age", "0")
        assert last.returncode == 0
        assert summary(last)["events"] == events | {"accepted": 5, "held": 0}
        assert len(list(sandbox.events("raw"))) == 5


@pytest.mark.parametrize("again", [False, True])
def test_of_several_unsent_versions_the_last_one_is_sent(tmp_path, again):
    """What an export of a later night tells anew, while it is held, is what arrives."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    export(source / "9.jsonl", 9, 2, 1, told="first")
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--json"]
        assert migrate(*words, "--min-age", "48h").returncode == 0
        named = export(source / ("9.jsonl" if again else "1.jsonl"), 9, 2, told="last")
        done = migrate(*words, "--min-age", "0", *(["--again", named] if again else []))
        assert done.returncode == 0
        events = summary(done)["events"]
        arrived = {event["uuid"][-1]: event["properties"]["told"] for event in sandbox.events("raw")}
        if again:  # the source that told of yesterday has changed, and does not any more
            assert arrived == {"9": "first", "2": "last"}
            return
        assert arrived == {"9": "first", "2": "last", "1": "first"}
        assert (events["accepted"], events["duplicate"], events["pending"]) == (3, 2, 0)


def test_within_one_increment_the_first_version_is_sent(tmp_path):
    """As ever."""
    source = tmp_path / "in"
    export(source / "1.jsonl", 9, told="first")
    export(source / "2.jsonl", 9, told="last")
    with Sandbox() as sandbox:
        done = migrate("run", "posthog", source, "--workdir", tmp_path / "w", "--host", sandbox.url)
        assert done.returncode == 0
        assert [event["properties"]["told"] for event in sandbox.events("raw")] == ["first"]


def test_outside_of_its_hours_nothing_is_sent(tmp_path):
    """What is planned is planned; the command ends 6, says so, and goes on in its hours."""
    source, workdir = export(tmp_path / "in" / "1.jsonl", 9, 8).parent, tmp_path / "w"
    now = datetime.now()  # noqa: DTZ005 - hours of this machine's clock
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (3, 5))
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--json"]
        done = migrate(*words, "--window", f"{start}-{end}")
        assert done.returncode == summary(done)["run"]["exit_code"] == 6
        assert "stopped as --window asks; the same command goes on" in done.stderr
        assert summary(done)["events"]["pending"] == 2
        assert summary(done)["whole"]
        assert not list(sandbox.events("raw"))
        within = migrate(*words, "--window", f"{end}-{start}")
        assert within.returncode == 0
        assert len(list(sandbox.events("raw"))) == 2
        # With nothing left to do it does not matter what time it is.
        assert migrate(*words, "--window", f"{start}-{end}").returncode == 0


def test_after_its_time_a_command_stops_and_goes_on(tmp_path):
    """6, wherever it was; the next one ends it, and all arrives once."""
    source, workdir = export(tmp_path / "in" / "1.jsonl", *range(9, 60)).parent, tmp_path / "w"
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--json"]
        done = migrate(*words, "--rate", "8", "--max-duration", "2s")
        assert done.returncode == 6
        assert "stopped as --max-duration asks" in done.stderr
        assert summary(done)["events"]["pending"]
        assert migrate("status", workdir).returncode == 0
        assert migrate(*words).returncode == 0
        assert len(list(sandbox.events("raw"))) == len(list(sandbox.events())) == 51


def test_what_is_given_once_is_kept(tmp_path):
    """`--yes`, though all is held; an age that is not the usual one is in the command that goes on."""
    source, workdir = export(tmp_path / "in" / "1.jsonl", 1).parent, tmp_path / "w"
    with Capture() as capture:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", capture.url, "--min-age", "48h"]
        assert migrate(*words, "--yes").returncode == 0
        export(source / "2.jsonl", 9)
        assert migrate(*words).returncode == 0
        assert len(capture.events) == 1
        shown = migrate("status", workdir)
        assert f"migrate apply {workdir} --host {capture.url} --min-age 172800" in shown.stderr


def test_resend_leaves_what_is_held(tmp_path):
    """And does not end as if all were done where something is pending."""
    source, workdir = export(tmp_path / "in" / "1.jsonl", 9, poison=True).parent, tmp_path / "w"
    export(source / "2.jsonl", 8, 1)
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--json"]
        done = migrate(*words, "--min-age", "48h")
        assert (done.returncode, summary(done)["events"]["parked"]) == (3, 1)
        again = migrate("resend", workdir, "--host", sandbox.url, "--json")
        events = summary(again)["events"]
        assert (again.returncode, events["held"], events["pending"]) == (3, 1, 0)
        export(source / "3.jsonl", 20)
        assert migrate("plan", "posthog", source, "--workdir", workdir).returncode == 0
        last = migrate("resend", workdir, "--host", sandbox.url, "--json")
        assert (last.returncode, summary(last)["events"]["pending"]) == (4, 1)


@pytest.mark.parametrize("again", [False, True])
def test_a_version_that_comes_after_a_parked_one_is_sent(tmp_path, again):
    """A parked event is not sent: what is told anew of it goes, once, and nothing of the old one does."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    export(source / "1.jsonl", 9, 8, poison=True, told="first")
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--json"]
        assert summary(migrate(*words))["events"]["parked"] == 2
        named = export(source / ("1.jsonl" if again else "2.jsonl"), 9, told="last")
        done = migrate(*words, *(["--again", named] if again else []))
        events = summary(done)["events"]
        assert done.returncode == 0, done.stderr
        assert summary(done)["balanced"]
        assert (events["accepted"], events["duplicate"], events["parked"]) == (1, 1, 1)
        assert [event["properties"]["told"] for event in sandbox.events("raw")] == ["last"]
        # The same version once more is parked still, and is no news.
        export(source / "3.jsonl", 8, poison=True, told="first")
        later = migrate(*words)
        events = summary(later)["events"]
        assert (later.returncode, events["parked"], events["duplicate"]) == (0, 1, 2)
        (line,) = (workdir / "parked.jsonl").read_text().splitlines()
        assert json.loads(json.loads(line)["payload"])["properties"]["told"] == "first"
        assert len(list(sandbox.events("raw"))) == 1
