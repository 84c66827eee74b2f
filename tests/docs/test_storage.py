"""The commands of docs/storage.md run as they stand there, with the rights that it says are the least."""

import json
import shlex
from urllib.request import Request, urlopen

import pytest
from commands import KEY, migrate, summary
from markdown import ROOT, blocks
from samples import SAMPLES
from storage import Storage

from migrate.sandbox.server import Sandbox
from migrate.stores.buckets import opened

PAGE = ROOT / "docs" / "storage.md"


@pytest.fixture
def bucket(s3):
    """The bucket of the page, and of what its server checks the rights while the test runs."""
    bucket = Storage(s3.address, "acme-exports")
    bucket.fill(SAMPLES / "amplitude", "amplitude/")
    bucket.put("secret/a.json", b"{}\n")

    def check_after(count):
        url, kind = f"{s3.address}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        urlopen(Request(url, str(count).encode(), kind)).close()  # noqa: S310 - the tests' own

    bucket.check_after = check_after
    yield bucket
    check_after("inf")


def test_the_least_rights_of_the_page_are_enough_and_no_more(bucket, monkeypatch, tmp_path):
    """A server that checks signatures and policies lets its user list and read the prefix, and nothing else."""
    (policy,) = blocks(PAGE, "json")
    user = bucket.user_of(json.loads(policy))
    for name, value in user.items():
        monkeypatch.setenv(name, value)
    bucket.check_after(0)
    opened.cache_clear()
    words = ["plan", "amplitude", "--workdir", tmp_path / "w", "--json"]
    done = migrate(*words, "s3://acme-exports/amplitude/")
    assert done.returncode == 3, done.stderr
    assert summary(done)["events"]["planned"] == 20
    # The condition of the prefix is none that this server looks at: what it lists may not be read.
    for given, code in (("s3://acme-exports/secret/", 5), ("s3://acme-exports/secret/a.json", 2)):
        done = migrate(*words, given)
        assert done.returncode == code
        assert "may not be read with these credentials (403" in done.stderr


def test_the_commands_of_the_page_run(bucket, tmp_path):
    """Into a sandbox; that of days, in a year for which there is something."""
    bucket.fill(SAMPLES / "amplitude", "2024/")
    lines = [
        line for block in blocks(PAGE, "sh") for line in block.splitlines() if line.startswith("migrate")
    ]
    *runs, plan, apply = lines
    assert len(runs) == 3
    for number, line in enumerate(runs):
        words = shlex.split(line.replace("--host eu", "--host sandbox"))[1:]
        words[words.index("--workdir") + 1] = str(tmp_path / str(number))
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode == 3, done.stderr
    plans = Storage(bucket.address, "acme-plans")
    with Sandbox() as sandbox:
        for line, code in ((plan, 3), (apply, 0)):
            there = line.replace("acme ", f"{tmp_path}/acme ").replace("--host eu", f"--host {sandbox.url}")
            done = migrate(*shlex.split(there)[1:], env={"POSTHOG_API_KEY": KEY})
            assert done.returncode == code, done.stderr
        assert len(sandbox.events()) == 19  # one of the 20 is there twice
    assert {key.partition("/")[0] for key in map(str, plans.keys())} == {"migrate"}
