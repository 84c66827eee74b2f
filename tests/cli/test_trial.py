"""A trial leaves nothing behind, and sends for good only what is the same when all of it is sent."""

import json

import pytest
from captures import Capture
from commands import KEY, migrate, rows, summary
from samples import FEW, SAMPLES, spec

from migrate.sandbox.server import Sandbox
from migrate.throwaway import TRIAL

TELLING = {"$set", "$identify", "$create_alias", "$merge_dangerously", "$groupidentify"}


def tried(*words, cwd, **env):
    """Run a trial with temporary files in a folder of its own, which must be empty afterwards."""
    temporary = cwd / "tmp"
    temporary.mkdir(exist_ok=True)
    done = migrate("run", *words, "--json", cwd=cwd, env={"TMPDIR": str(temporary), **env})
    assert list(temporary.iterdir()) == [], done.stderr
    return done


def same(event):
    """What PostHog tells events apart by."""
    return tuple(event[name] for name in ("uuid", "event", "distinct_id", "timestamp"))


@pytest.mark.law
@pytest.mark.parametrize("platform", FEW)
def test_a_trial_sends_for_good_what_all_of_it_sends_again(tmp_path, platform):
    """The same events, under the same uuids and the ids that all rows tell; and nothing that changes people."""
    words = [platform, str(SAMPLES / platform), "--yes", "--api-key", KEY]
    words += ["--spec", str(spec(platform))] if spec(platform) else []
    with Capture() as capture:
        first = tried(*words, "--host", capture.url, "--limit", "9", cwd=tmp_path)
        some = list(capture.events)
        whole = migrate("run", *words, "--host", capture.url, cwd=tmp_path)
    assert (first.returncode in {0, 3}, whole.returncode in {0, 3}) == (True, True), (
        first.stderr + whole.stderr
    )
    assert some
    assert {same(event) for event in some} <= {same(event) for event in capture.events[len(some) :]}
    assert not TELLING & {event["event"] for event in some}
    assert not [event for event in some if {"$set", "$set_once", "$unset"} & set(event["properties"])]
    ids = {event["properties"]["$import_job_id"] for event in capture.events}
    assert ids == {summary(first)["import_id"]}


def test_events_that_change_people_are_left_out_of_a_trial_by_name(tmp_path):
    """Those that the source itself has, too."""
    source = tmp_path / "a.jsonl"
    names = [*sorted(TELLING), "Paid"]
    lines = [
        {"event": name, "distinct_id": "u", "timestamp": f"2024-04-03T12:00:0{n}Z", "properties": {"n": n}}
        for n, name in enumerate(names)
    ]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Capture() as capture:
        words = ["posthog", str(source), "--host", capture.url, "--limit", "9", "--yes", "--api-key", KEY]
        done = tried(*words, cwd=tmp_path)
    assert [event["event"] for event in capture.events] == ["Paid"]
    assert summary(done)["rows"]["filtered"] == {"not_in_a_trial": 5}


def test_the_sandbox_first_and_the_real_target_second_just_works(tmp_path):
    """Also a trial of the first rows between them; each of the three commands is the next but for its target."""
    source = rows(tmp_path / "in" / "a.jsonl", 30)
    with Capture() as capture:
        for more in (["sandbox"], [capture.url, "--limit", "4"], [capture.url]):
            done = tried("posthog", str(source), "--yes", "--api-key", KEY, "--host", *more, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert (summary(done)["workdir"] is None) == (more != [capture.url])
        assert len(capture.events) == 34
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "posthog.workdir", "tmp"]


def test_a_workdir_that_is_named_stays(tmp_path):
    """Typed, or as a variable."""
    source = rows(tmp_path / "in" / "a.jsonl")
    words = ["posthog", str(source), "--host", "sandbox"]
    assert summary(tried(*words, "--workdir", "w", cwd=tmp_path))["workdir"] == "w"
    assert summary(tried(*words, cwd=tmp_path, MIGRATE_WORKDIR="v"))["workdir"] == "v"
    assert {"v", "w"} <= {path.name for path in tmp_path.iterdir()}


def test_what_a_killed_trial_leaves_goes_with_the_next(tmp_path):
    """Whatever is temporary next removes it."""
    temporary = tmp_path / "tmp"
    folder = temporary / f"{TRIAL}dead"
    folder.mkdir(parents=True)
    (folder / "throwaway").write_bytes(b"a folder of migrate's that is removed when its process has ended\n")
    (folder / "checkpoint.sqlite").write_text("what people did")
    source = rows(tmp_path / "in" / "a.jsonl")
    assert tried("posthog", str(source), "--host", "sandbox", cwd=tmp_path).returncode == 0


def test_a_trial_that_fails_says_how_it_is_begun_again(tmp_path):
    """No command leads into the folder that is gone."""
    source = rows(tmp_path / "in" / "a.jsonl", 30)
    with Sandbox(faults=[{"fault": "status", "status": 401}]) as sandbox:
        words = ["posthog", str(source), "--host", sandbox.url, "--limit", "5", "--api-key", KEY]
        done = tried(*words, cwd=tmp_path)
    assert done.returncode == 4
    said = done.stderr.splitlines()
    assert f"again    migrate run posthog {source} --host {sandbox.url} --limit 5 --json" in said
    assert f"next     migrate run posthog {source} --host {sandbox.url}" in said
    assert TRIAL not in done.stderr.replace(summary(done)["run"]["error"], "")
    assert summary(done)["workdir"] is None


@pytest.mark.parametrize(
    ("words", "env", "following"),
    [
        (["--host", "sandbox"], {}, "migrate run posthog in --host …"),
        (["--host=Sandbox", "--limit=2"], {}, "migrate run posthog in --host …"),
        (
            [],
            {"MIGRATE_HOST": "sandbox", "MIGRATE_LIMIT": "2"},
            "MIGRATE_LIMIT= migrate run posthog in --host …",
        ),
    ],
)
def test_the_next_command_is_the_real_one(tmp_path, words, env, following):
    """However the trial was asked for."""
    rows(tmp_path / "in" / "a.jsonl")
    done = migrate("run", "posthog", "in", *words, cwd=tmp_path, env=env)
    assert f"next     {following}\n" in done.stderr


def test_a_trial_that_was_planned_for_a_sandbox_is_not_sent_for_good(tmp_path):
    """It tells of people whom its first rows do not know."""
    source = rows(tmp_path / "in" / "a.jsonl")
    words = ["posthog", str(source), "--limit", "2", "--workdir", "w", "--max-duration", "0.000001s"]
    assert tried(*words, "--host", "sandbox", cwd=tmp_path).returncode == 6
    assert migrate("run", *words[:-2], "--host", "sandbox", cwd=tmp_path).returncode == 0
    with Capture() as capture:
        done = migrate("apply", "w", "--host", capture.url, "--api-key", KEY, "--yes", cwd=tmp_path)
        assert capture.events == []
    assert done.returncode == 5
    assert "error: --host: this workdir holds a trial for a sandbox, which tells of people" in done.stderr


def test_a_plan_has_the_workdir_of_a_run(tmp_path):
    """Of all rows; that of the first ones alone is to be named, and is one that may be sent for good."""
    source = rows(tmp_path / "in" / "a.jsonl", 7)
    done = migrate("plan", "posthog", source, "--limit", "2", cwd=tmp_path)
    assert (done.returncode, "--workdir: missing; name one for the first rows" in done.stderr) == (2, True)
    assert migrate("plan", "posthog", source, cwd=tmp_path).returncode == 0
    assert migrate("plan", "posthog", source, "--limit", "2", "--workdir", "t", cwd=tmp_path).returncode == 0
    with Capture() as capture:
        for workdir, count in (("t", 2), ("posthog.workdir", 7)):
            done = migrate("apply", workdir, "--host", capture.url, "--api-key", KEY, "--yes", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert len(capture.events) == count
            capture.events.clear()


def test_a_dry_run_of_first_rows_shows_what_would_be_sent():
    """To a PostHog nothing that changes people; where no host is named, all that is planned of them."""
    words = ["run", "segment", SAMPLES / "segment", "--dry-run", "--limit", "9", "--json"]
    told = summary(migrate(*words))
    untold = migrate(*words, "--host", "eu")
    assert summary(untold)["rows"]["filtered"]["not_in_a_trial"]
    assert "without merges, $set, $set_once and $groupidentify" in untold.stderr
    assert told["identity"]["merges"]
    assert summary(untold)["identity"] is None
    assert summary(untold)["import_id"] == told["import_id"]


def test_a_local_sandbox_is_said_once(tmp_path):
    """Before it is sent; nobody is asked, and people are sent. A typed key is left out of what is next, as is said."""
    source = rows(tmp_path / "a.jsonl")
    keys = {"POSTHOG_API_KEY": "", "MIGRATE_API_KEY": ""}
    with Sandbox() as sandbox:
        words = ["posthog", source, "--host", sandbox.url, "--limit", "1", "--api-key", KEY]
        done = tried(*words, cwd=tmp_path, **keys)
    said = "this is a sandbox of migrate's: not asked, people included"
    lines = done.stderr.splitlines()
    assert [line for line in lines if said in line] == [said]
    assert lines[-1].strip() == (
        "the key is left out of the command: set POSTHOG_API_KEY to the project's key, it is not set here"
    )


def test_a_throw_away_workdir_is_not_said_to_remember_an_answer(tmp_path):
    """It goes when the command ends; another one does."""
    source = rows(tmp_path / "a.jsonl")
    words = ["posthog", source, "--host", "http://127.0.0.1:9", "--limit", "1", "--api-key", KEY]
    done = tried(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("look at 'migrate run … --dry-run' first, then give it\n")


@pytest.mark.parametrize(("limit", "others"), [(10, [{}]), (14, [])])
def test_a_state_that_a_trial_tells_a_sandbox_of_is_the_same_event_in_all_of_it(tmp_path, limit, others):
    """Another state of a group, or none yet, is another event; the same one at the same time is the same event."""

    def states(events):
        """What is told of groups, and when -> what tells the event apart."""
        return {
            (json.dumps(event["properties"], sort_keys=True), event["timestamp"]): same(event)
            for event in events
            if event["event"] == "$groupidentify"
        }

    words = ["amplitude", str(SAMPLES / "amplitude"), "--api-key", KEY]
    with Sandbox() as sandbox:
        tried(*words, "--host", sandbox.url, "--limit", str(limit), cwd=tmp_path)
        some = states(sandbox.events())
        sandbox.reset()
        assert migrate("run", *words, "--host", sandbox.url, cwd=tmp_path).returncode == 3
        whole = states(sandbox.events())
    shared = some.keys() & whole.keys()
    assert shared
    assert {state: some[state] for state in shared} == {state: whole[state] for state in shared}
    assert [json.loads(told)["$group_set"] for told, _ in some.keys() - whole.keys()] == others
