"""A workdir goes on under another version where it may, and says so; where it may not, it says how."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
import versions
from click.testing import CliRunner
from samples import PLATFORMS, some

import mappings.segment
from migrate import platforms
from migrate.cli.commands import cli
from migrate.errors import Refused
from migrate.sandbox.server import Sandbox
from migrate.workdir.checkpoint import Checkpoint

pytestmark = pytest.mark.law

KEPT = json.loads(versions.KEPT.read_text())


@pytest.mark.parametrize("name", PLATFORMS)
def test_versions_move_with_what_rows_become(name):
    """Neither moves without the other: whoever changes what a row becomes says so to the workdirs that are there."""
    assert versions.complaint(name, KEPT[name]) is None


@pytest.mark.parametrize("kind", versions.KINDS)
def test_one_moves_without_the_other(monkeypatch, kind):
    """What the test above says of either."""
    other = {"version": KEPT["posthog"][kind]["version"], "digest": "0"}
    assert f"raise {kind}_version in mappings/posthog.py" in versions.complaint(
        "posthog", KEPT["posthog"] | {kind: other}
    )
    now = versions.versions("posthog")
    monkeypatch.setattr(versions, "versions", lambda _: now | {kind: 9})
    assert f"{kind}_version is another, and no row" in versions.complaint("posthog", KEPT["posthog"])
    assert "keep it with" in versions.complaint("posthog", KEPT["posthog"] | {kind: other})


def test_who_a_row_is_of_is_identity_and_what_it_says_is_payload():
    """A property moves the one, an id or a merge the other."""
    event = {"event": "$identify", "distinct_id": "u", "timestamp": "t", "uuid": "i"}
    texts = [
        json.dumps(event | {"properties": bag})
        for bag in (
            {"$anon_distinct_id": "a"},
            {"$anon_distinct_id": "a", "x": 1},
            {"$anon_distinct_id": "b"},
        )
    ]
    plain, more, other = map(versions.of_payload, texts)
    assert (plain[0], plain[1] == more[1]) == (more[0], False)
    assert plain[0] != other[0]


def test_thousands_of_rows_are_made_of_a_sample():
    """The same ones each time."""
    for name in some(PLATFORMS, 4):
        tables = [rows for _, _, rows in versions.made(name)]
        assert sum(map(len, tables)) >= versions.ROWS * 9 // 10
    assert tables == [rows for _, _, rows in versions.made(name)]


# Workdirs of other versions


def night(folder, day, *users):
    """A file of calls of one day."""
    folder.mkdir(exist_ok=True)
    calls = [
        {
            "type": "track",
            "event": "E",
            "messageId": f"{day}-{user}",
            "userId": user,
            "anonymousId": f"anonymous-{user}",
            "timestamp": f"2024-04-{day:02d}T10:00:00Z",
        }
        for user in users
    ]
    (folder / f"{day:02d}.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))


def migrate(*words):
    """What the command comes to: its summary, or what it refuses with."""
    done = CliRunner().invoke(cli, [*map(str, words), "--json"])
    if isinstance(done.exception, Refused):
        return str(done.exception)
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def another(monkeypatch):
    """Make Segment's mapping one of another version."""

    def made(**changes):
        found = replace(mappings.segment.MAPPING, **changes)
        monkeypatch.setattr(mappings.segment, "MAPPING", found)
        assert platforms.mapping("segment") is found

    return made


def test_another_payload_version_goes_on_and_is_noted(tmp_path, another):
    """What is planned stays what it is; the report says that two made it."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    night(source, 1, "u")
    assert migrate("plan", "segment", source, "--workdir", workdir)["notes"] == []
    another(payload_version=3)
    assert migrate("plan", "segment", source, "--workdir", workdir)["notes"] == []
    night(source, 2, "u")
    (note,) = migrate("plan", "segment", source, "--workdir", workdir)["notes"]
    assert "payload versions 2, 3" in note
    assert migrate("status", workdir)["notes"] == [note]
    assert json.loads((workdir / "report.json").read_text())["notes"] == [note]


def test_another_identity_version_plans_nothing_new_and_shows_the_road(tmp_path, another):
    """What is planned can be sent all the same, by `run` and `apply`, and the workdir stays as it is."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    night(source, 1, "u")
    night(source, 2, "u")
    before = migrate("plan", "segment", source, "--workdir", workdir)
    another(identity_version=3)
    night(source, 3, "v")
    refused = migrate("plan", "segment", source, "--workdir", workdir)
    for said in (
        "identity version 2 of the segment mapping",
        "with version 3",
        "migrate 0.1.0",
        "people.sqlite",
    ):
        assert said in refused
    assert "and --since 2024-04-03, the day after the last" in refused
    assert migrate("status", workdir)["events"] == before["events"]
    (source / "03.jsonl").unlink()
    assert migrate("plan", "segment", source, "--workdir", workdir)["events"] == before["events"]
    sent = migrate("run", "segment", source, "--workdir", workdir, "--host", "sandbox")
    assert sent["events"]["accepted"] == before["events"]["planned"]
    night(source, 3, "v")
    assert "and --since 2024-04-03, the day after the last" in migrate(
        "plan", "segment", source, "--workdir", workdir
    )


def test_a_plan_that_is_not_whole_is_not_finished_by_another_identity_version(tmp_path, another):
    """Half of it would be of one version, half of the other."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    night(source, 1, "u")
    migrate("plan", "segment", source, "--workdir", workdir)
    with Checkpoint.open(workdir) as checkpoint:
        checkpoint.note(planning=True)  # as a killed process leaves it, before persons are told of
    another(identity_version=3)
    assert "finish with migrate 0.1.0" in migrate("plan", "segment", source, "--workdir", workdir)


def test_a_workdir_that_refuses_stays_as_it_is(tmp_path):
    """It is as whole as before: what is next is still to send; only its history has a line more."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    night(source, 1, "u")
    migrate("plan", "segment", source, "--workdir", workdir)
    before = known(workdir)
    assert "--group-type" in migrate("plan", "segment", source, "--workdir", workdir, "--group-type", "other")
    assert known(workdir) == before


def known(workdir):
    """What a checkpoint knows, but for its history."""
    with closing(sqlite3.connect(workdir / "checkpoint.sqlite")) as db:
        return [line for line in db.iterdump() if not line.startswith('INSERT INTO "history"')]


def test_the_road_of_another_identity_version(tmp_path, another):
    """A new workdir with the people's file of the old one: no merge is sent twice, late rows are counted."""
    source, old, new = tmp_path / "in", tmp_path / "old", tmp_path / "new"
    night(source, 1, "u", "v")
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--api-key", "phc_x", "--yes"]
        migrate("run", "segment", source, "--workdir", old, *host)
        another(identity_version=3)
        night(source, 2, "u", "w")
        assert "--since 2024-04-02" in migrate("run", "segment", source, "--workdir", old, *host)
        new.mkdir()
        shutil.copy(old / "people.sqlite", new)
        done = migrate("run", "segment", source, "--workdir", new, "--since", "2024-04-02", *host)
        names = [event["event"] for event in sandbox.events()]
    assert done["rows"]["filtered"] == {"before_since": 2}
    assert "was taken over" in done["notes"][0]
    assert sorted(names) == ["$identify"] * 3 + ["E"] * 4


def test_people_that_are_taken_over_have_told_nothing_where_nothing_was_sent(tmp_path):
    """Without a day from which on it goes, all is told again; what was seen of ids stays known."""
    source, old, new = tmp_path / "in", tmp_path / "old", tmp_path / "new"
    night(source, 1, "u", "v")
    migrate("plan", "segment", source, "--workdir", old)
    (source / "01.jsonl").unlink()
    night(source, 2, "u")
    new.mkdir()
    shutil.copy(old / "people.sqlite", new)
    planned = migrate("plan", "segment", source, "--workdir", new)
    assert planned["identity"]["merges"] == 2
    with Sandbox() as sandbox:
        migrate("apply", new, "--host", sandbox.url, "--api-key", "phc_x")
        found = sorted((event["event"], event["distinct_id"]) for event in sandbox.events())
    assert found == [("$identify", "u"), ("$identify", "v"), ("E", "u")]


@pytest.mark.parametrize("found", [b"", b"nothing of ours", b"SQLite format 3\0"])
def test_what_is_no_peoples_file_is_refused(tmp_path, found):
    """With its name and a way out; an empty one is none."""
    source, new = tmp_path / "in", tmp_path / "new"
    night(source, 1, "u")
    new.mkdir()
    (new / "people.sqlite").write_bytes(found)
    done = migrate("plan", "segment", source, "--workdir", new)
    if not found:
        assert done["events"]["planned"] == 2
        return
    assert "people.given.sqlite: cannot be used" in done
    (new / "people.given.sqlite").unlink()
    assert migrate("plan", "segment", source, "--workdir", new)["notes"] == []
