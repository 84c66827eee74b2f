"""Plan, then send: the same command again goes on, and nothing is begun on wrong usage."""

import pytest
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox


def test_run_sends_and_the_same_command_again_sends_nothing(tmp_path):
    """The summary is of the whole migration in the workdir, and a second run has nothing to do."""
    source = rows(tmp_path / "in" / "a.jsonl", 30)
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        first = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        again = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert sandbox.summary()["requests"] == 1
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert summary(first)["events"] == {
        "planned": 30,
        "accepted": 30,
        "duplicate": 0,
        "parked": 0,
        "held": 0,
        "pending": 0,
    }
    of_all = [
        {key: value for key, value in summary(one).items() if key not in {"run", "seconds"}}
        for one in (first, again)
    ]
    assert of_all[0] == of_all[1]
    assert [summary(one)["run"]["events"]["accepted"] for one in (first, again)] == [30, 0]
    assert summary(first)["rows"] == {"read": 30, "mapped": 30, "filtered": {}, "rejected": {}}
    assert summary(first)["first_timestamp"] == "2024-04-03T12:00:00.000000Z"


def test_new_files_are_added_by_the_next_run(tmp_path):
    """A nightly backfill is the same command on a growing folder."""
    rows(tmp_path / "in" / "1.jsonl", 5)
    with Sandbox() as sandbox:
        words = [
            "run",
            "posthog",
            tmp_path / "in",
            "--host",
            sandbox.url,
            "--workdir",
            tmp_path / "w",
            "--json",
        ]
        migrate(*words, "--api-key", KEY)
        rows(tmp_path / "in" / "2.jsonl", 8)
        again = migrate(*words, "--api-key", KEY)
        assert sandbox.summary()["raw"]["events"] == 8
    assert summary(again)["events"] == {
        "planned": 13,
        "accepted": 8,
        "duplicate": 5,
        "parked": 0,
        "held": 0,
        "pending": 0,
    }


REFUSALS = [
    pytest.param(
        ["nonesuch", "in"], 2, "PLATFORM: no such platform, found 'nonesuch'; choose one of", id="platform"
    ),
    pytest.param(["posthog", "missing.jsonl"], 2, "input missing.jsonl: no such file or folder", id="input"),
    pytest.param(["posthog", "in"], 2, "--host: missing; give us, eu", id="host"),
    pytest.param(["posthog", "in", "--host", "eu"], 2, "--api-key: missing; set POSTHOG_API_KEY", id="key"),
    pytest.param(
        ["posthog", "in", "--host", "eu", "--api-key", "phx_secret"], 2, "personal", id="personal-key"
    ),
    pytest.param(
        ["posthog", "in", "--source-timezone", "Mars"], 2, "not an IANA zone, found 'Mars'", id="zone"
    ),
    pytest.param(
        ["posthog", "in", "--keep", "nothing"], 2, "posthog has no such filter, found 'nothing'", id="keep"
    ),
    pytest.param(["table", "in"], 2, "--spec: table needs a TOML file", id="spec"),
    pytest.param(["posthog", "in", "--rate", "-1"], 2, "--rate", id="rate"),
    pytest.param(["posthog", "odd"], 2, "no table of PostHog", id="unknown-file"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSALS)
def test_wrong_usage_is_told_before_anything_is_done(tmp_path, words, code, message):
    """Exit code 2, a sentence that says what to do, and no workdir."""
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "x.csv").write_text("colour,size\nred,1\n")
    done = migrate("run", *words, cwd=tmp_path, env={"POSTHOG_API_KEY": "", "POSTHOG_HOST": ""})
    assert done.returncode == code
    assert message in done.stderr
    assert "phx_secret" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "odd"]


def test_the_key_is_in_no_file_and_no_message(tmp_path):
    """After a run that parks and fails, the key is nowhere."""
    source = rows(tmp_path / "in" / "a.jsonl", 50)
    faults = [
        {"fault": "poison", "event": "e", "times": 9},
        {"fault": "status", "status": 403, "body": f"who is {KEY}?", "after": 9},
    ]
    with Sandbox(tmp_path / "data", faults=faults) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        done = migrate(*words, "--api-key", KEY)
    assert done.returncode == 4
    assert KEY not in done.stdout + done.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 4
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
