"""`migrate fetch`, and a run that fetches first, against servers that answer as the vendors do."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import storage
from commands import KEY, migrate, started, summary
from vendors import (
    ACCOUNT,
    CONFIG,
    HOUR,
    KEYS,
    SECRET,
    SECRETS,
    Amplitude,
    Mixpanel,
    amplitude_rows,
    mixpanel_rows,
)

from migrate.fetching import mixpanel
from migrate.report import fetched
from migrate.sandbox.server import Sandbox
from migrate.screen import amount

FIRST = datetime(2024, 4, 3, 5)  # noqa: DTZ001 - a vendor's own clock
SPAN = ("--since", "2024-04-02", "--until", "2024-04-05")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """A vendor that may be asked as often as one likes."""
    monkeypatch.setattr(mixpanel, "QUOTAS", ())


def fetch(vendor, folder, *words, env=None):
    """Fetch into `exports`, or where else it is said."""
    platform = type(vendor).__name__.lower()
    words = words if "/" in str(words[0]) else ("exports", *words)
    usual = KEYS if platform == "amplitude" else ACCOUNT
    return migrate("fetch", platform, *words, "--api-host", vendor.url, cwd=folder, env=env or usual)


def tells(done, *folders):
    """Whether any secret is in what a command said, or in any file."""
    files = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    said = [done.stdout.encode(), done.stderr.encode(), *files]
    return [secret for secret in SECRETS if any(secret.encode() in text for text in said)]


def test_amplitude_from_the_first_hour_to_the_plan(tmp_path):
    """By days; what is empty is said, what is there is not asked for again, and the command that is shown reads it."""
    with Amplitude(
        {FIRST + n * 9 * HOUR: [*amplitude_rows(FIRST + n * 9 * HOUR, 3 + n)] for n in range(3)}
    ) as vendor:
        done = fetch(vendor, tmp_path, *SPAN, "--json", "--log-file", tmp_path / "log")
        told = summary(done)["fetch"]
        assert done.stderr == (
            "fetched  1 new file and 0 that changed, 12 rows, "
            f"{amount(told['bytes'])} of Amplitude from 2024-04-02T00 until 2024-04-05T00\n"
            "         2 stretches of time of which there is nothing\n"
            "next     migrate run amplitude exports --dry-run\n"
        )
        assert (done.returncode, told["files"], told["empty"]) == (0, {"new": 1, "replaced": 0, "same": 0}, 2)
        assert "2024-04-03T00_2024-04-04T00: 12 rows" in (tmp_path / "log").read_text()
        again = fetch(vendor, tmp_path, "--until", "2024-04-05")
        assert (again.returncode, len(vendor.asked)) == (0, 3)
    assert tells(done, tmp_path) == []
    planned = migrate("run", "amplitude", "exports", "--dry-run", "--json", cwd=tmp_path)
    assert (planned.returncode, summary(planned)["rows"]["read"]) == (0, 12)


def test_mixpanel_into_a_bucket(tmp_path, s3):
    """As into a folder: whole objects, resumed by what is there, and the notes beside."""
    days = {f"2024-04-0{n}": [*mixpanel_rows(f"2024-04-0{n}", n * 20)] for n in (2, 4)}
    with Mixpanel(days, 500, "torn") as vendor:
        done = fetch(vendor, tmp_path, f"{s3.url}in/", *SPAN, env=SECRET)
        assert done.returncode == 0, done.stderr
        assert s3.keys() == ["in/.fetch.json", "in/2024-04-02.jsonl.gz", "in/2024-04-04.jsonl.gz"]
        asked = len(vendor.asked)
        again = fetch(vendor, tmp_path, f"{s3.url}in/", "--until", "2024-04-05", "--json", env=SECRET)
        assert (again.returncode, len(vendor.asked), summary(again)["fetch"]["wanted"]) == (0, asked, 0)
    assert json.loads(s3.get("in/.fetch.json"))["spans"]["2024-04-03"]["rows"] == 0
    assert tells(done, tmp_path) == []
    planned = migrate("run", "mixpanel", f"{s3.url}in/", "--dry-run", "--json", cwd=tmp_path)
    assert (planned.returncode, summary(planned)["rows"]["read"]) == (0, 120)


def test_what_ends_it_early_is_told(tmp_path):
    """With its exit code, in JSON too, and what is left; no secret is shown, even where a server says it back."""
    with Amplitude({FIRST: [*amplitude_rows(FIRST, 3)]}) as vendor:
        wrong = fetch(vendor, tmp_path, *SPAN, "--json", env=KEYS | {"AMPLITUDE_SECRET_KEY": SECRETS[2]})
        assert wrong.returncode == 4
        assert (
            f"error: {vendor.url}: the keys are not taken, found 403 'Invalid API Key'; check" in wrong.stderr
        )
        told = summary(wrong)
        assert (told["run"]["exit_code"], told["fetch"]["left"], "keys are not" in told["run"]["error"]) == (
            4,
            3,
            True,
        )
        assert wrong.stdout.count("\n") == 1
        assert tells(wrong, tmp_path) == []
    with Amplitude({}) as vendor:
        nothing = fetch(vendor, tmp_path, "./other", *SPAN, "--quiet")
        assert nothing.returncode == 0
        assert nothing.stderr.startswith(
            "warning: Amplitude has nothing from 2024-04-02T00 until 2024-04-05T00; check"
        )


def test_interrupted_it_goes_on(tmp_path, monkeypatch):
    """With 130; the same command brings the rest."""
    monkeypatch.setattr(mixpanel, "QUOTAS", (mixpanel.Quota(1, 3_600.0),))
    days = {f"2024-04-0{n}": [*mixpanel_rows(f"2024-04-0{n}", n)] for n in (2, 3, 4)}
    with Mixpanel(days) as vendor:
        monkeypatch.setattr(fetched.Fetching, "wait", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        done = fetch(vendor, tmp_path, *SPAN, "--json", "--concurrency", "1")
        assert (done.returncode, summary(done)["fetch"]["left"]) == (130, 2)
        assert "interrupted: what is whole stays, and the same command goes on\n" in done.stderr
        monkeypatch.undo()
        monkeypatch.setattr(mixpanel, "QUOTAS", ())
        done = fetch(vendor, tmp_path, "--until", "2024-04-05", "--lookback", "0", "--json")
        assert (done.returncode, summary(done)["fetch"]["files"]["new"]) == (0, 2)


HASTY = "from migrate.cli import fetch; fetch._LEFT = 0.1; from migrate.__main__ import main; main()"


def test_interrupted_it_does_not_wait_for_a_bucket_that_is_silent():
    """One interrupt is enough, whatever it waits for."""
    with socket.create_server(("127.0.0.1", 0)) as silent, Mixpanel({}) as vendor:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        words = ("fetch", "mixpanel", "s3://exports/mixpanel", *SPAN, "--api-host", vendor.url)
        env = os.environ | ACCOUNT | storage.KEYS | {"AWS_ENDPOINT_URL": endpoint}
        command = [sys.executable, "-c", HASTY, *words]
        with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
            taken = [silent.accept() for _ in range(2)]  # the first one only sees whether anybody is there
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        for connection, _ in taken:
            connection.close()
        assert (process.returncode, vendor.asked) == (130, [])
        assert said.splitlines()[-1] == "interrupted; run the same command again"


def test_killed_in_the_middle_nothing_half_is_there(tmp_path, monkeypatch):
    """What was whole stays; what had begun to come is gone when the same command goes on."""
    days = {f"2024-04-0{n}": [*mixpanel_rows(f"2024-04-0{n}", n * 100)] for n in (2, 3)}
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    exports = tmp_path / "exports"
    with Mixpanel(days, None, "hangs") as vendor:
        words = ("fetch", "mixpanel", exports, *SPAN, "--api-host", vendor.url, "--concurrency", "1")
        with started(*words) as process:
            assert vendor.hangs.wait(30)
            process.kill()
            process.wait()
        whole = {path.name for path in exports.iterdir() if path.suffix != ".part"}
        assert whole == {".fetch.json", ".fetch.lock", "2024-04-02.jsonl.gz"}
        done = migrate(*words)
        assert (done.returncode, [what for what, _ in vendor.asked[2:]]) == (0, ["2024-04-03", "2024-04-04"])
    assert not [path for path in exports.iterdir() if path.suffix == ".part"]


def test_a_run_fetches_first(tmp_path, monkeypatch):
    """Then plans and sends what is new; where fetching fails nothing is sent, and the next night goes on."""
    today = datetime.now(UTC).date()
    days = {str(today - timedelta(n)): [*mixpanel_rows(today - timedelta(n), n)] for n in (2, 3)}
    with Mixpanel(days, today=str(today)) as vendor, Sandbox(tmp_path / "posthog") as posthog:
        config = CONFIG.format(host=posthog.url, vendor=vendor.url)
        (tmp_path / "migrate.toml").write_text(config)
        env = ACCOUNT | {"POSTHOG_API_KEY": KEY}
        tried = migrate("run", "--dry-run", cwd=tmp_path, env=env)
        assert (tried.returncode, vendor.asked) == (2, [])
        done = migrate("run", "--json", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        told = summary(done)
        assert (told["rows"]["read"], told["fetch"]["files"]["new"], told["fetch"]["empty"]) == (5, 2, 1)
        assert "fetched  2 new files and 0 that changed, 5 rows" in done.stderr
        vendor.faults.append("page")
        days[str(today - timedelta(1))] = [*mixpanel_rows(today - timedelta(1), 1)]
        failed = migrate("run", "--json", cwd=tmp_path, env=env)
        assert (failed.returncode, summary(failed)["events"]["planned"]) == (4, 0)
        assert "the answer is not Mixpanel's, found 404 '<html>" in failed.stderr
        done = migrate("run", "--json", cwd=tmp_path, env=env)
        assert (done.returncode, summary(done)["rows"]["read"]) == (0, 6)
        assert summary(done)["fetch"]["files"] == {"new": 1, "replaced": 0, "same": 2}
        monkeypatch.setattr(mixpanel, "QUOTAS", (mixpanel.Quota(1, 3_600.0),))
        late = migrate("run", "--max-duration", "0.1s", "--json", cwd=tmp_path, env=env)
        told = summary(late)
        assert (late.returncode, told["run"]["exit_code"], told["fetch"]["left"] > 0) == (6, 6, True)
        shown = migrate("status", "mixpanel.workdir", "--history", "--json", cwd=tmp_path)
        nights = [(one["files"], one["accepted"], one["exit_code"]) for one in summary(shown)["history"]]
        assert nights == [(2, 5, 0), (0, 0, 4), (1, 1, 0), (0, 0, 6)]
        wrong = migrate("run", "--json", cwd=tmp_path, env={"POSTHOG_API_KEY": KEY})
        assert (wrong.returncode, "missing in the environment" in wrong.stderr) == (2, True)
    assert tells(done, tmp_path / "exports", tmp_path / "mixpanel.workdir") == []
