"""Several exports of one company feed one project: what they say of a shared device meets in one place."""

import json
import shutil
from fcntl import LOCK_EX, flock

import pytest
from sealing import flipped, migrate, summary

from migrate.sandbox.server import Sandbox

pytestmark = pytest.mark.crash


def calls(path, *told):
    """A file of Segment's calls: kind, user, anonymous id, hour of the day."""
    rows = [
        {
            "type": kind,
            "event": "E",
            "messageId": f"{path.stem}-{n}",
            "userId": user,
            "anonymousId": anonymous,
            "timestamp": f"2024-04-03T{hour:02d}:00:00Z",
        }
        for n, (kind, user, anonymous, hour) in enumerate(told)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def devices(path, *told):
    """A file of Amplitude's events: user, device, Amplitude's own number of the person, hour of the day."""
    rows = [
        {
            "event_type": "E",
            "user_id": user,
            "device_id": device,
            "amplitude_id": number,
            "$insert_id": f"{path.stem}-{n}",
            "event_time": f"2024-04-03 {hour:02d}:30:00.000000",
        }
        for n, (user, device, number, hour) in enumerate(told)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def merges(sandbox):
    """Which ids were made whose, in the order in which it was told."""
    found = [event for event in sandbox.events() if event["event"] == "$identify"]
    return [(event["properties"]["$anon_distinct_id"], event["distinct_id"]) for event in found]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("home", ["people", "a"])
def test_what_two_exports_say_of_a_shared_device_meets(tmp_path, shared, home):
    """The kiosk is alice's, who was seen first; without one place the other export says that it is bob's.

    The place is a folder of its own, or the workdir of the first.
    """
    first = calls(
        tmp_path / "one" / "1.jsonl", ("track", None, "kiosk", 1), ("identify", "alice", "kiosk", 2)
    )
    second = calls(tmp_path / "two" / "1.jsonl", ("track", None, "kiosk", 3), ("identify", "bob", "kiosk", 4))
    named = ["--people", tmp_path / home] if shared else []
    with Sandbox() as sandbox:
        words = ["--host", sandbox.url, "--json"]
        own = named if home == "people" else []
        done = migrate("run", "segment", first, "--workdir", tmp_path / "a", *words, *own)
        assert done.returncode == 0, done.stderr
        done = migrate("run", "segment", second, "--workdir", tmp_path / "b", *words, *named)
        assert done.returncode == 0, done.stderr
        assert merges(sandbox) == [("kiosk", "alice"), *([] if shared else [("kiosk", "bob")])]
        if shared:
            assert summary(done)["identity"]["conflicts"] == 1
        # Each of the two goes on, whoever was last.
        for name, folder, more in (("a", "one", own), ("b", "two", named), ("a", "one", own)):
            calls(
                tmp_path / folder / f"{name}{len(sandbox.events())}.jsonl", ("track", "carl", f"c{folder}", 5)
            )
            done = migrate("run", "segment", tmp_path / folder, "--workdir", tmp_path / name, *words, *more)
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("user", ["u1", "u2"])
def test_a_device_goes_to_whom_it_was_seen_with_first_though_that_export_needs_no_merge(tmp_path, user):
    """Amplitude's device has no events of its own there; Segment's has, and Segment saw it with somebody later."""
    first = devices(tmp_path / "one" / "1.json", (user, "d1", 1, 1))
    second = calls(tmp_path / "two" / "1.jsonl", ("track", "u2", "d1", 2), ("track", None, "d1", 3))
    with Sandbox() as sandbox:
        for platform, source in (("amplitude", first), ("segment", second)):
            words = ["--workdir", tmp_path / platform, "--people", tmp_path / "people", "--host", sandbox.url]
            done = migrate("run", platform, source, *words)
            assert done.returncode == 0, done.stderr
        assert merges(sandbox) == [("d1", user)]


def test_numbers_of_two_exports_are_not_of_one_person(tmp_path):
    """Amplitude's number 7 of one project is another person than number 7 of the other."""
    one = devices(tmp_path / "one" / "1.json", ("ann", "d1", 7, 1), (None, "d1", 7, 2))
    two = devices(tmp_path / "two" / "1.json", ("ben", "d2", 7, 1), (None, "d2", 7, 2), (None, "d3", 7, 3))
    for name, source in (("a", one), ("b", two)):
        words = ["plan", "amplitude", source, "--workdir", tmp_path / name, "--people", tmp_path / "people"]
        assert migrate(*words).returncode == 0
    with Sandbox() as sandbox:
        for name in "ab":
            assert migrate("apply", tmp_path / name, "--host", sandbox.url).returncode == 0
        whose = {(event["distinct_id"], event["timestamp"][11:13]) for event in sandbox.events()}
        assert whose == {("ann", "01"), ("ann", "02"), ("ben", "01"), ("ben", "02"), ("ben", "03")}


def mapped(path, **rows):
    """Mixpanel's table of whose ids are whose."""
    path.parent.mkdir(exist_ok=True)
    lines = (
        json.dumps({"distinct_id": old, "resolved_distinct_id": new}) + "\n" for old, new in rows.items()
    )
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize("late", [False, True])
def test_an_id_that_one_export_has_resolved_is_its_persons_in_the_other(tmp_path, late):
    """Events are planned under the person; where they were planned before that was known, a merge is."""
    ids = mapped(tmp_path / "one" / "mappings.jsonl", anna1="anna")
    track = calls(tmp_path / "two" / "1.jsonl", ("track", None, "anna1", 1), ("identify", "anna", "web", 2))
    first = ["mixpanel", ids, "--workdir", tmp_path / "a"]
    second = ["segment", track, "--workdir", tmp_path / "b"]
    with Sandbox() as sandbox:
        words = ["--people", tmp_path / "people", "--host", sandbox.url]
        for command in [second, first] if late else [first, second]:
            done = migrate("run", *command, *words)
            assert done.returncode == 0, done.stderr
        ids = [event["distinct_id"] for event in sandbox.events() if event["event"] == "E"]
        assert ids == ["anna1" if late else "anna"]
        assert merges(sandbox) == [("web", "anna"), *([("anna1", "anna")] if late else [])]


def test_a_second_planner_at_the_same_time_is_refused(tmp_path):
    """5, and nothing is planned; the next one goes on."""
    source, people = calls(tmp_path / "in" / "1.jsonl", ("track", "u", "a", 1)), tmp_path / "people"
    words = ["plan", "segment", source, "--workdir", tmp_path / "w", "--people", people]
    people.mkdir()
    with (people / "people.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        done = migrate(*words)
        assert done.returncode == 5
        assert f"{people / 'people.sqlite'}: another migrate process plans with these people" in done.stderr
    assert migrate(*words).returncode == 0


@pytest.fixture
def pair(tmp_path):
    """Two workdirs that share who is who, each planned once."""
    for name, user in (("a", "alice"), ("b", "bob")):
        source = calls(tmp_path / name / "1.jsonl", ("identify", user, "kiosk", 2))
        words = [
            "segment",
            source.parent,
            "--workdir",
            tmp_path / f"w{name}",
            "--people",
            tmp_path / "people",
        ]
        assert migrate("plan", *words).returncode == 0
    return tmp_path


def again(folder, name, *people):
    """Plan one more file of one of the two."""
    calls(folder / name / f"{len(list((folder / name).iterdir())) + 1}.jsonl", ("track", "carl", "c", 7))
    named = people or ("--people", folder / "people")
    return migrate("plan", "segment", folder / name, "--workdir", folder / f"w{name}", *named)


def test_a_workdir_keeps_to_its_people(pair):
    """Neither its own nor another's; moved as a whole they are the same; what is said names the way."""
    done = again(pair, "a", "--skip-unknown")
    assert done.returncode == 5
    assert f"planned with who is who in {pair / 'people'}; give --people {pair / 'people'}" in done.stderr
    assert again(pair, "a", "--people", pair / "other").returncode == 5
    (pair / "people").rename(pair / "moved")
    assert again(pair, "a", "--people", pair / "moved").returncode == 0
    own = ["plan", "segment", pair / "a", "--workdir", pair / "own"]
    assert migrate(*own).returncode == 0
    calls(pair / "a" / "9.jsonl", ("track", "carl", "c", 7))
    done = migrate(*own, "--people", pair / "moved")
    assert done.returncode == 5
    assert "planned with who is who in a file of its own; leave it out" in done.stderr


@pytest.mark.parametrize("how", ["lost", "older", "flipped"])
def test_shared_people_that_are_not_what_they_were_are_refused(pair, how):
    """By the workdir that was last, and where they are older than it knows by any."""
    path = pair / "people" / "people.sqlite"
    kept = path.read_bytes()
    assert again(pair, "a").returncode == 0
    assert again(pair, "b").returncode == 0
    match how:
        case "lost":
            path.unlink()
        case "older":
            path.write_bytes(kept)
        case "flipped":
            flipped(path, path.stat().st_size // 2 + 77)
    for name in "ba":
        done = again(pair, name)
        if (how, name) == ("flipped", "a") and done.returncode == 0:
            continue  # the other one has used it since: only what SQLite sees of a change is seen
        assert done.returncode == 5, done.stderr
        assert "not the file that belongs to this checkpoint" in done.stderr


def test_a_killed_planner_does_not_stop_the_other(pair):
    """Its own goes on when it is called again, and says no merge twice."""
    calls(pair / "a" / "2.jsonl", ("identify", "dora", "tablet", 8))
    words = ["plan", "segment", pair / "a", "--workdir", pair / "wa", "--people", pair / "people"]
    assert migrate(*words, killed_at="workdir.checkpoint.Checkpoint.note_planned").returncode == 9
    calls(pair / "b" / "2.jsonl", ("identify", "emil", "tablet", 9))
    words_b = ["plan", "segment", pair / "b", "--workdir", pair / "wb", "--people", pair / "people"]
    assert migrate(*words_b).returncode == 0
    assert migrate(*words).returncode == 0
    with Sandbox() as sandbox:
        for name in "ab":
            assert migrate("apply", pair / f"w{name}", "--host", sandbox.url).returncode == 0
        assert sorted(merges(sandbox)) == [("kiosk", "alice"), ("tablet", "dora")]


def test_a_dry_run_leaves_shared_people_as_they_are(pair):
    """It knows what they know, and tells them nothing."""
    path = pair / "people" / "people.sqlite"
    before = path.read_bytes()
    source = calls(pair / "c" / "1.jsonl", ("identify", "carl", "kiosk", 9))
    done = migrate("run", "segment", source, "--dry-run", "--people", pair / "people", "--json")
    assert done.returncode == 0, done.stderr
    assert summary(done)["identity"]["merges"] == 1  # the kiosk is alice's
    assert path.read_bytes() == before
    assert migrate("run", "segment", source, "--dry-run", "--people", pair / "none").returncode == 0
    assert not (pair / "none").exists()


def test_people_beside_exports_are_no_export(tmp_path):
    """They may lie in the very folder that is read."""
    source = calls(tmp_path / "in" / "1.jsonl", ("identify", "alice", "kiosk", 2)).parent
    words = ["segment", source, "--workdir", tmp_path / "w", "--people", source / "people", "--json"]
    for _ in range(2):
        done = migrate("plan", *words)
        assert (done.returncode, summary(done)["rows"]["read"]) == (0, 1), done.stderr
    assert summary(done)["skipped_files"] == {"workdir": 2}


@pytest.mark.parametrize(
    "trial", [["--host", "sandbox"], ["--limit", "1", "--host", "http://127.0.0.1:1", "--yes"]]
)
def test_a_trial_does_not_use_up_the_merges_of_a_project(pair, trial):
    """They are planned once for ever; a trial with shared people is wrong usage, and changes nothing."""
    before = (pair / "people" / "people.sqlite").read_bytes()
    words = ["run", "segment", pair / "a", "--workdir", pair / "trial", "--people", pair / "people", *trial]
    done = migrate(*words)
    assert done.returncode == 2
    assert "--people: a trial would use up the merges of the project" in done.stderr
    assert (pair / "people" / "people.sqlite").read_bytes() == before


def test_people_one_step_ahead_of_their_workdir_are_refused(pair):
    """A workdir that is put back from last night's copy would lose the merges that it does not know of."""
    shutil.copytree(pair / "wa", pair / "kept")
    calls(pair / "a" / "2.jsonl", ("track", None, "tablet", 8), ("identify", "dora", "tablet", 9))
    words = ["plan", "segment", pair / "a", "--workdir", pair / "wa", "--people", pair / "people"]
    assert migrate(*words).returncode == 0
    shutil.rmtree(pair / "wa")
    (pair / "kept").rename(pair / "wa")
    done = migrate(*words)
    assert done.returncode == 5
    assert "found a newer one" in done.stderr


def test_a_workdir_in_the_place_of_one_that_is_gone_is_refused(pair):
    """Whether what the one before had planned was sent cannot be known: its merges would be lost in silence."""
    shutil.rmtree(pair / "wa")
    words = ["plan", "segment", pair / "a", "--people", pair / "people", "--workdir"]
    done = migrate(*words, pair / "wa")
    assert done.returncode == 5
    assert f"a workdir that lay at {pair / 'wa'} has planned with these people" in done.stderr
    assert migrate(*words, pair / "other").returncode == 0


def test_a_folder_of_people_that_is_gone_is_not_made_again(pair):
    """It may only have been moved."""
    (pair / "people").rename(pair / "moved")
    assert again(pair, "a").returncode == 5
    assert not (pair / "people").exists()
