"""A saved plan is shown as the dry run shows it, without its sources."""

import json
import shutil

from commands import migrate, rows, summary


def planned(folder):
    """A folder in which a plan was made of sources that are gone since."""
    rows(folder / "in" / "a.jsonl", 40)
    rows(folder / "in" / "b.jsonl", 2, start=50, event="last", timestamp="2024-04-09T12:00:00Z")
    said = migrate("plan", "posthog", "in", "--workdir", "w", cwd=folder).stderr
    dry = migrate("run", "posthog", "in", "--dry-run", cwd=folder).stderr
    shutil.rmtree(folder / "in")
    return said, dry


def test_show_is_what_plan_ended_with(tmp_path):
    """Line for line, though no source is there any more; the dry run has all of it but the workdir."""
    said, dry = planned(tmp_path)
    done = migrate("show", "w", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, said)
    ours = said.splitlines()
    ours = ours[: next(number for number, line in enumerate(ours) if line.startswith("workdir"))]
    theirs = [line for line in dry.splitlines() if line != "nothing was sent"]
    assert [line for line in theirs if "import_job_id" not in line] == [
        line for line in ours if "import_job_id" not in line
    ]


def test_holes_between_days_are_seen(tmp_path):
    """Days without events are counted where they are missing."""
    said, _ = planned(tmp_path)
    lines = [line.split() for line in said.splitlines()]
    first = next(number for number, words in enumerate(lines) if words[:1] == ["2024-04-03"])
    assert lines[first + 1] == ["…", "5", "days", "without", "events"]
    assert lines[first + 2][0] == "2024-04-09"


def test_totals_stand_last_and_rows_first(tmp_path):
    """Who scrolls nowhere sees the sums."""
    said, _ = planned(tmp_path)
    starts = [line.split()[0] for line in said.splitlines() if line[:1].isalpha()]
    wanted = ["row", "events", "ids", "size", "rows", "next"]
    places = [starts.index(word) for word in wanted]
    assert places == sorted(places)


def test_samples_says_how_many_rows_are_shown(tmp_path):
    """None, some, or more than are kept: then as many as are."""
    planned(tmp_path)
    for given, shown in (("0", 0), ("2", 2), ("full", 3), ("100", 20)):
        said = migrate("show", "w", "--samples", given, cwd=tmp_path).stderr
        assert [line for line in said.splitlines() if line.startswith("row ")] == [
            f"row {tmp_path}/in/a.jsonl:{n}" for n in range(1, shown + 1)
        ]
    wrong = migrate("show", "w", "--samples", "some", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "a number of rows, or full; found 'some'" in wrong.stderr


def test_show_speaks_json_and_holds_nothing(tmp_path):
    """The numbers of the plan; the exit code is that of status."""
    planned(tmp_path)
    done = migrate("show", "w", "--json", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert summary(done)["events"] | summary(done)["rows"] == {
        "planned": 42,
        "accepted": 0,
        "duplicate": 0,
        "parked": 0,
        "held": 0,
        "pending": 42,
        "read": 42,
        "mapped": 42,
        "filtered": {},
        "rejected": {},
    }


def test_a_plan_whose_files_are_gone_is_harmed(tmp_path):
    """It is said, and not as a traceback; what is there is shown."""
    planned(tmp_path)
    shutil.rmtree(tmp_path / "w" / "days" / "2024-04-09")
    done = migrate("show", "w", cwd=tmp_path)
    assert done.returncode == 5
    assert "state    harmed: 1 file of the plan not as written" in done.stderr
    assert "events by day" in done.stderr


def test_ids_of_people_are_shortened_but_for_who_asks(tmp_path):
    """On the screen, in the summary and in report.json; status leaves who is who to show."""
    path = tmp_path / "a.jsonl"
    calls = [
        {"type": "track", "event": "e", "messageId": f"m{n}", "timestamp": "2024-04-03T12:00:00Z"}
        | {"userId": "anna@example.com", "anonymousId": f"device-{n}"}
        for n in range(3)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in calls))
    migrate("plan", "segment", path, "--workdir", tmp_path / "w")
    for command in ("status", "show"):
        short = migrate(command, tmp_path / "w", "--samples", "0", "--json")
        full = migrate(command, tmp_path / "w", "--samples", "full", "--json")
        assert ("4 ids: an…, de…, de…, de…" in short.stderr) == (command == "show")
        assert ("4 ids: anna@example.com, device-0, device-1, device-2" in full.stderr) == (command == "show")
        assert "anna" not in short.stdout + short.stderr
        assert summary(short)["identity"]["largest"] == [{"size": 4, "ids": ["an…", "de…", "de…", "de…"]}]
        assert summary(full)["identity"]["largest"][0]["ids"][0] == "anna@example.com"
    assert "anna" not in (tmp_path / "w" / "report.json").read_text()


def test_rows_are_shown_of_the_first_file_that_has_any(tmp_path):
    """A file of nothing, or of rejects, is no reason to show none."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("event,distinct_id,timestamp\n")
    (tmp_path / "in" / "b.csv").write_text("event,distinct_id,timestamp\ne,u,soon\n")
    (tmp_path / "in" / "c.csv").write_text("event,distinct_id,timestamp\ne,u,2024-04-03T12:00:00Z\n")
    for command in ("plan", "run"):
        more = [] if command == "plan" else ["--dry-run"]
        shown = migrate(command, "posthog", "in", *more, cwd=tmp_path)
        assert shown.returncode == 3
        assert f"{tmp_path}/in/c.csv:1" in shown.stderr, shown.stderr
