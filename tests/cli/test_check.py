"""`migrate check`, and the look before a run: what is seen, the verdict, the code; no event is sent, no key is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from captures import Capture
from commands import KEY, migrate
from nights import GOOD, lines
from posting import OK, post
from sealing import summary

from migrate.sandbox.server import Sandbox

PERSONAL = "phx_do_not_tell_anybody_either"
ENV = {"POSTHOG_PERSONAL_API_KEY": PERSONAL, "POSTHOG_API_KEY": KEY}
PROJECT = {"fault": "project", "id": 7, "name": "Acme", "api_token": KEY}


@pytest.fixture
def sandbox():
    """A project whose private API has a host of its own."""
    with Sandbox(app_port=0, faults=[PROJECT]) as running:
        yield running


def check(sandbox, *words, env=ENV, **choices):
    """Check the sandbox."""
    return migrate("check", *words, "--host", sandbox.url, "--app-host", sandbox.app_url, env=env, **choices)


def planned(folder, *words, days=400):
    """A workdir with an event of so many days ago."""
    time = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    source = folder / "in" / "1.jsonl"
    source.parent.mkdir(exist_ok=True)
    row = {
        "event": "e",
        "distinct_id": "u",
        "uuid": "0190d1a0-0000-7000-8000-000000000001",
        "timestamp": time,
    }
    source.write_text(json.dumps(row) + "\n")
    assert migrate("plan", "posthog", source, "--workdir", folder / "w", *words).returncode == 0
    return folder / "w"


def is_kept(folder, *keys):
    """Whether a key stands in any file."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return any(key.encode() in text for text in files for key in keys)


def test_a_target_with_nothing_against_it(sandbox):
    """Exit 0; without a personal key it is said what could not be seen, and with which scopes it could."""
    done = check(sandbox)
    assert (done.returncode, sandbox.events()) == (0, [])
    assert f"host     {sandbox.url} answers as PostHog does\n" in done.stderr
    assert "project  7 (Acme); its zone is UTC, days here are UTC's\n" in done.stderr
    assert done.stderr.endswith("verdict  nothing speaks against sending\n")
    alone = check(sandbox, "--json", env={"POSTHOG_API_KEY": KEY})
    assert alone.returncode == 0
    assert (
        "set POSTHOG_PERSONAL_API_KEY (phx_…, with the scopes project:read, query:read and group:read)"
        in alone.stderr
    )
    told = summary(alone)
    assert told["check"]["verdict"] == "nothing speaks against sending, of what could be seen"
    assert [one["weight"] for one in told["check"]["findings"]][-1] == "unseen"
    assert told["run"]["exit_code"] == 0
    assert PERSONAL not in done.stderr + done.stdout + alone.stdout


def test_a_plan_is_held_against_the_project(sandbox, tmp_path):
    """What it would lose speaks against sending: exit 5, each reason with what to do; quiet says these alone."""
    workdir = planned(tmp_path)
    done = check(sandbox, workdir)
    assert done.returncode == 0, done.stderr
    months = {"event_retention_months": 12, "events_retention_enforced": True}
    sandbox.faults([PROJECT | months | {"drop_events_older_than_seconds": 86_400}])
    done = check(sandbox, workdir, "--quiet", "--json")
    told = summary(done)
    assert (done.returncode, told["run"]["exit_code"], told["workdir"]) == (5, 5, str(workdir))
    assert told["events"]["planned"] == told["events"]["pending"] > 0 == told["run"]["events"]["planned"]
    first, second = done.stderr.splitlines()
    assert first.startswith("warning: 12 months: PostHog hides events before ")
    assert second.startswith("warning: the project drops events older than 1 day when they come")
    assert not is_kept(tmp_path, KEY, PERSONAL)


def test_newer_events_of_others_ask_for_a_word(sandbox, tmp_path):
    """What the plan knows of persons would overwrite what is newer; to have it so it is typed."""
    assert post(sandbox, {"api_key": KEY, "batch": [{"event": "live", "distinct_id": "u"}]}) == OK
    workdir = planned(tmp_path)
    done = check(sandbox, workdir)
    assert done.returncode == 5
    assert "the project has 1 event of other origin, newer than the plan's (" in done.stderr
    assert "or type --person-properties set to have it so" in done.stderr
    planned(tmp_path, "--person-properties", "set")
    assert check(sandbox, workdir).returncode == 0


def test_a_key_of_another_region_is_refused(sandbox):
    """PostHog takes any key, and says nothing: only whoever may see the projects knows."""
    done = check(sandbox, env=ENV | {"POSTHOG_API_KEY": "phc_of_another_region"})
    assert done.returncode == 5
    assert "error: --api-key: of no project that the personal API key sees at " in done.stderr
    assert "phc_of_another_region" not in done.stderr


WRONG = [
    pytest.param(
        ["--host", "http://127.0.0.1:1"], ENV, 4, "no answer, found connection refused", id="nobody"
    ),
    pytest.param(
        ["--host", "sandbox"], ENV, 2, "error: --host: the sandbox of a command ends with it", id="sandbox"
    ),
    pytest.param([], ENV, 2, "error: --host: missing; give us, eu or the URL of a PostHog", id="no host"),
    pytest.param(
        ["--host", "eu"],
        ENV | {"POSTHOG_PERSONAL_API_KEY": KEY},
        2,
        "error: --personal-api-key: is a project's key, which sends and cannot ask, found phc_…",
        id="the other key",
    ),
    pytest.param(["nowhere", "--host", "eu"], ENV, 5, "error: nowhere: no such workdir", id="no workdir"),
]


@pytest.mark.parametrize(("words", "env", "code", "said"), WRONG)
def test_what_cannot_be_checked_is_a_sentence(tmp_path, words, env, code, said):
    """With the exit code that says whose fault it is, also in JSON."""
    done = migrate("check", *words, "--json", env=env, cwd=tmp_path)
    assert (done.returncode, summary(done)["run"]["exit_code"]) == (code, code)
    assert said in done.stderr
    assert KEY not in done.stderr + done.stdout


def test_before_a_run_the_target_is_looked_at(sandbox, tmp_path):
    """A host that is no PostHog ends it before anything is planned, and so does the key of another project."""
    source, workdir = lines(tmp_path / "in" / "1.jsonl", GOOD).parent, tmp_path / "w"
    words = ["run", "posthog", source, "--workdir", workdir, "--yes", "--host"]
    done = migrate(*words, sandbox.app_url, env=ENV)
    assert done.returncode == 4
    assert (
        "found 404 '404: Not Found'; check --host: there is no capture endpoint at this address"
        in done.stderr
    )
    with Capture() as capture:
        target = [capture.url, "--app-host", sandbox.app_url]
        done = migrate(*words, *target, env=ENV | {"POSTHOG_API_KEY": "phc_of_another_region"})
        assert done.returncode == 5
        assert not workdir.exists()
        done = migrate(*words, *target, env=ENV)
        assert (done.returncode, len(capture.events)) == (0, 1)
        asked = len(sandbox.questions())
        again = migrate(*words, *target, env=ENV)
        assert (again.returncode, len(sandbox.questions())) == (
            0,
            asked,
        )  # once a workdir, as the question is
    assert not is_kept(tmp_path, KEY, PERSONAL)


def test_what_the_project_says_is_heard_before_the_first_event(sandbox, tmp_path):
    """What forbids sending ends it with 5; what asks for a word is said where --yes is it; silence is no reason."""
    workdir = planned(tmp_path)
    sandbox.faults([PROJECT | {"drop_events_older_than_seconds": 86_400}])
    with Capture() as capture:
        words = ["apply", workdir, "--yes", "--host", capture.url, "--app-host", sandbox.app_url]
        done = migrate(*words, env=ENV)
        assert done.returncode == 5
        assert "error: project 7: the project drops events older than 1 day when they come" in done.stderr
        hides = {"event_retention_months": 12, "events_retention_enforced": True}
        sandbox.faults([PROJECT | hides, {"fault": "time_out"}])
        migrate("plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "other")
        assert capture.events == []
        done = migrate(*words, env=ENV)
        assert (done.returncode, len(capture.events)) == (0, 1)
        assert "warning: history: 12 months: PostHog hides events before " in done.stderr
        sandbox.faults([{"fault": "ask_status", "status": 500}])
        words[1] = tmp_path / "other"
        done = migrate(*words, env=ENV)
        assert (done.returncode, len(capture.events)) == (0, 2)
        assert "note: the project cannot be asked, so its retention and groups are not known: " in done.stderr
