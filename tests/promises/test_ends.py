"""Every command ends with a code that a scheduler can act on, and with a summary where one is asked for."""

import os
from datetime import datetime

import pytest
from nights import BAD, GOOD, lines
from sealing import exports, flipped, migrate, summary

from migrate.sandbox.server import Sandbox

KEYS = {"rows", "events", "requests", "retries", "bytes_sent", "started", "ended", "exit_code", "error"}
NIGHTS = int(os.environ.get("NIGHTS", "6"))


def test_an_older_reject_does_not_make_tonight_fail(tmp_path):
    """3 where there are new ones; `status` is 3 while any is open, and 0 once they are dismissed."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    lines(source / "1.jsonl", GOOD, BAD)
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--workdir", workdir, "--host", sandbox.url, "--yes", "--json"]
        codes = []
        for night in range(2, NIGHTS + 2):
            codes.append(migrate(*words).returncode)
            lines(source / f"{night}.jsonl", GOOD, *([BAD] if night == NIGHTS - 2 else []), start=10 * night)
        assert codes == [3, *[0] * (NIGHTS - 4), 3, *[0] * 2]
        shown = migrate("status", workdir, "--json")
        assert (shown.returncode, summary(shown)["open_rejects"]) == (3, {"bad_timestamp": 2})
        assert migrate("rejects", workdir).returncode == 3
        wrong = migrate("rejects", workdir, "--dismiss", "other")
        assert wrong.returncode == 2
        assert "nothing is open for this reason, found 'other'; these are: bad_timestamp" in wrong.stderr
        gone = migrate("rejects", workdir, "--dismiss", "bad_timestamp", "--json")
        assert (gone.returncode, summary(gone)["open_rejects"]) == (0, {})
        assert "nothing is open" in gone.stderr
        assert migrate("status", workdir).returncode == 0
        assert summary(migrate(*words))["rows"]["rejected"] == {"bad_timestamp": 2}


def test_what_is_rejected_and_set_aside_is_listed_by_reason(tmp_path):
    """With where the first of them are, and dismissed by reason."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    first, other = lines(source / "1.jsonl", GOOD, BAD), lines(source / "2.jsonl", GOOD)
    words = ["plan", "posthog", source, "--workdir", workdir, "--on-changed", "set-aside"]
    assert migrate(*words).returncode == 3
    lines(other, GOOD, GOOD, start=7)
    assert migrate(*words).returncode == 5
    shown = migrate("rejects", workdir)
    assert f"1 row: bad_timestamp  (at {first}:2)" in shown.stderr
    assert f"aside    changed: {other}: changed since it was planned" in shown.stderr
    assert migrate("rejects", workdir, "--dismiss", "changed").returncode == 3
    assert "\naside " not in migrate("rejects", workdir).stderr
    assert "\naside " not in migrate("status", workdir).stderr
    assert migrate(*words).returncode == 0


def ends(tmp_path):
    """Commands that end in each way, with the code they are to end with."""
    source, workdir = exports(tmp_path / "in", files=2), tmp_path / "w"
    words = ["segment", source, "--workdir", workdir]
    unknown = tmp_path / "x.bin"
    unknown.write_text("a,b\n1,2\n")
    yield ["plan", *words], 0
    yield ["status", workdir], 0
    yield ["run", *words, "--host", "sandbox", "--dry-run"], 0
    yield ["plan", "segment", unknown, "--workdir", tmp_path / "v"], 2
    yield ["plan", "nothing", source, "--workdir", workdir], 2
    yield ["plan", *words, "--no-such-option"], 2
    yield ["plan", *words, "--group-type", "other"], 5
    yield ["apply", tmp_path / "nowhere", "--host", "sandbox"], 5
    yield ["apply", workdir, "--host", "http://127.0.0.1:9", "--deadline", "1s", "--yes"], 4


def test_json_is_the_last_line_however_a_command_ends(tmp_path):
    """One object, of the same shape, with what this process did and why it ended."""
    for words, code in ends(tmp_path):
        done = migrate(*words, "--json")
        assert done.returncode == code, (words, done.stderr)
        assert len(done.stdout.splitlines()) == 1, words
        found = summary(done)
        assert {"rows", "events", "whole", "balanced", "workdir"} <= found.keys()
        run = found["run"]
        assert run.keys() == KEYS
        assert run["exit_code"] == code
        assert (run["error"] is None) == (code == 0)
        assert datetime.fromisoformat(run["started"]) <= datetime.fromisoformat(run["ended"])


def test_what_a_run_did_is_told_apart_from_what_was_there(tmp_path):
    """The root is the whole migration, `run` this process; requests that came to nothing count."""
    source, workdir = exports(tmp_path / "in", files=2, rows=10), tmp_path / "w"
    with Sandbox() as sandbox:
        words = ["run", "segment", source, "--workdir", workdir, "--host", sandbox.url, "--yes", "--json"]
        first = summary(migrate(*words))
        exports(source, files=1, rows=10, start=4)
        second = summary(migrate(*words))
        assert second["rows"]["read"] == 30
        assert second["run"]["rows"]["read"] == 10
        assert (
            second["events"]["accepted"] == first["events"]["accepted"] + second["run"]["events"]["accepted"]
        )
        assert (
            second["requests"]
            == first["requests"] + second["run"]["requests"]
            == sandbox.summary()["requests"]
        )
        exports(source, files=1, rows=10, start=6)
        sandbox.faults([{"fault": "status", "status": 503}])
        stopped = migrate(*words, "--deadline", "1s")
        assert stopped.returncode == 4
        found = summary(stopped)
        assert found["run"]["requests"] > 0
        assert found["requests"] == second["requests"] + found["run"]["requests"]
        assert found["run"]["error"] in stopped.stderr


def test_an_error_in_a_workdir_tells_what_was_done_until_then(tmp_path):
    """A harmed day: the days before it are sent, and are in the summary."""
    source, workdir = exports(tmp_path / "in", files=3, rows=10), tmp_path / "w"
    assert migrate("plan", "segment", source, "--workdir", workdir).returncode == 0
    path = max((workdir / "days" / "2024-04-03").iterdir())
    flipped(path, path.stat().st_size // 2)
    done = migrate("apply", workdir, "--host", "sandbox", "--json")
    assert done.returncode == 5
    assert summary(done)["run"]["events"]["accepted"] > 0
    assert str(path) in summary(done)["run"]["error"]


@pytest.mark.parametrize("after", ["rejects", "status"])
def test_a_workdir_that_is_none_is_said(tmp_path, after):
    """Whatever is asked of it."""
    done = migrate(after, tmp_path / "none")
    assert done.returncode == 5
    assert "plan first" in done.stderr
