"""`migrate verify` and --verify: what is missing is named, the code says whether something is; no key is kept."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from commands import KEY, migrate, rows, summary
from imported import gone, store

from migrate import verification
from migrate.asking import api
from migrate.cli import notices
from migrate.sandbox.server import Sandbox
from migrate.verifying.patience import Patience
from migrate.workdir import verified
from migrate.workdir.checkpoint import Checkpoint

PERSONAL = "phx_do_not_tell_anybody_either"
ENV = {"POSTHOG_PERSONAL_API_KEY": PERSONAL, "POSTHOG_API_KEY": KEY}


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    """A PostHog whose private API has a host of its own."""
    monkeypatch.setattr(api, "A_SECOND", 10_000.0)
    monkeypatch.setattr(verification, "Patience", partial(Patience, glance=0.0))
    with Sandbox(tmp_path / "s", app_port=0) as running:
        yield running


def run(sandbox, folder, *words, env=ENV):
    """Run what lies in a folder into its workdir, and verify it."""
    target = ["--host", sandbox.url, "--app-host", sandbox.app_url, "--workdir", folder / "w"]
    return migrate("run", "posthog", folder / "in", *target, *words, env=env)


def verify(sandbox, folder, *words, env=ENV):
    """Verify the workdir."""
    return migrate("verify", folder / "w", "--app-host", sandbox.app_url, *words, env=env)


def kept_of(workdir):
    """What is kept of the last verification."""
    with Checkpoint.open(workdir) as checkpoint:
        return verified.last(checkpoint)


def age(workdir):
    """Have all been accepted two hours ago."""
    with closing(sqlite3.connect(workdir / "checkpoint.sqlite", isolation_level=None)) as db:
        before = datetime.now(UTC) - timedelta(hours=2)
        db.execute("UPDATE rounds SET ended = ?", (before.isoformat(timespec="seconds"),))


def test_a_run_verifies_what_it_sent(sandbox, tmp_path):
    """And a night what the night sent: what is missing of an earlier one is seen by `migrate verify` alone."""
    rows(tmp_path / "in" / "1.jsonl")
    done = run(sandbox, tmp_path, "--verify", "--json")
    assert (done.returncode, summary(done)["verify"]["planned"]) == (0, {"events": 3, "uuids": 3})
    assert "verdict  all that PostHog acknowledged is there\n" in done.stderr
    with store(tmp_path / "s") as db:
        db.execute(gone("distinct_id = 'u1'"))
    path = rows(tmp_path / "in" / "2.jsonl", start=10)
    path.write_text(path.read_text().replace("2024-04-03", "2024-05-06"))
    before = kept_of(tmp_path / "w")
    assert before.there == {"2024-04-03": 3}
    assert before.sentence == "all that PostHog acknowledged is there"
    done = run(sandbox, tmp_path, "--verify", "--json")
    assert (done.returncode, summary(done)["verify"]["days"]) == (0, 1)
    assert kept_of(tmp_path / "w").asked["2024-04-03"] == before.at  # it was not asked for again
    done = run(sandbox, tmp_path, "--verify", "--json")
    assert (done.returncode, "verify" in summary(done)) == (0, False)
    assert "compared nothing, as nothing was sent now; all that was ever sent: migrate verify " in done.stderr
    age(tmp_path / "w")
    done = verify(sandbox, tmp_path, "--json", "--wait", "0.1")
    told = summary(done)
    assert (done.returncode, told["run"]["exit_code"], told["verify"]["causes"]) == (3, 3, {"unexplained": 1})
    assert "differs  1 event unexplained, on 2024-04-03: missing, and nothing says why" in done.stderr
    assert (
        f"uuid {told['verify']['findings'][0]['examples'][0]['uuid']}, from {tmp_path}/in/1.jsonl:2"
        in done.stderr
    )
    kept = kept_of(tmp_path / "w")
    assert kept.there == {"2024-04-03": 2, "2024-05-06": 3}
    assert kept.sentence == "PostHog has not what it acknowledged: 1 unexplained"
    (finding,) = kept.findings
    assert (finding["cause"], finding["days"], finding["passes"]) == ("unexplained", ["2024-04-03"], False)
    assert finding["examples"] == told["verify"]["findings"][0]["examples"]
    quiet = verify(sandbox, tmp_path, "--quiet")
    assert quiet.stderr == f"warning: {tmp_path}/w: PostHog has not what it acknowledged: 1 unexplained\n"
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(key.encode() in text for text in files for key in (KEY, PERSONAL))
    assert not any(
        key in text for text in (done.stderr, done.stdout, quiet.stderr) for key in (KEY, PERSONAL)
    )


def test_a_run_that_finds_something_missing_ends_so(sandbox, tmp_path):
    """Not right after, but the next time, though nothing is sent then: with 3, and with 4 where it cannot be asked."""
    rows(tmp_path / "in" / "1.jsonl")
    sandbox.faults([{"fault": "lost", "distinct_id": "u2"}])
    done = run(sandbox, tmp_path, "--verify", "--json")
    assert (done.returncode, summary(done)["events"]["accepted"]) == (0, 3)
    assert summary(done)["verify"]["causes"] == {"not_there_yet": 1}
    assert "verdict  nothing is known to be wrong: some is not there yet, ask again later\n" in done.stderr
    age(tmp_path / "w")
    done = run(sandbox, tmp_path, "--verify", "--json")
    assert (done.returncode, summary(done)["events"]["accepted"]) == (3, 3)
    assert "in PostHog: 1 unexplained" in notices._lines(3, summary(done), "")  # noqa: SLF001 - a webhook's words
    assert json.loads((tmp_path / "w" / "report.json").read_text())["verify"]["causes"] == {"unexplained": 1}
    assert run(sandbox, tmp_path, "--verify").returncode == 0
    sandbox.faults([{"fault": "missing_scope", "scope": "query:read"}])
    done = verify(sandbox, tmp_path, "--json")
    assert (done.returncode, summary(done)["run"]["exit_code"]) == (4, 4)
    assert "found 403 'API key missing required scope 'query:read''" in done.stderr


def test_what_cannot_be_verified_is_a_sentence(sandbox, tmp_path):
    """With the exit code that says whose fault it is."""
    source = rows(tmp_path / "in" / "1.jsonl").parent
    assert run(sandbox, tmp_path).returncode == 0
    assert migrate("plan", "posthog", source, "--workdir", tmp_path / "planned").returncode == 0
    tried = ["--host", "sandbox", "--workdir", tmp_path / "tried"]
    assert migrate("run", "posthog", source, *tried).returncode == 0
    for workdir, env, code, said in (
        ("w", {}, 2, "error: --personal-api-key: missing, and without it nobody can ask what PostHog has"),
        ("planned", ENV, 5, "nothing was sent from here; send it first with 'migrate apply'"),
        ("tried", ENV, 5, "was sent to the sandbox of a command, which has gone with it"),
        ("nowhere", ENV, 5, "nowhere: no such workdir"),
    ):
        done = migrate("verify", workdir, cwd=tmp_path, env=env)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_without_a_key_a_run_that_is_to_verify_does_nothing(sandbox, tmp_path):
    """It is refused before anything is made; a trial in a sandbox needs none."""
    source = rows(tmp_path / "in" / "1.jsonl").parent
    done = run(sandbox, tmp_path, "--verify", env={"POSTHOG_API_KEY": KEY})
    assert (done.returncode, (tmp_path / "w").exists()) == (2, False)
    done = migrate("run", "posthog", source, "--host", "sandbox", "--verify")
    assert done.returncode == 0
    assert "compared 3 events of 1 day that PostHog has acknowledged: 3 are there\n" in done.stderr
