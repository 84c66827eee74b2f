"""`migrate serve` says where its page is, ends when it is interrupted, and says what it cannot do in a sentence."""

import json
import signal
import socket
from urllib.request import Request, urlopen

import pytest
from commands import migrate, started
from served import SPEC, table

SHOP = ["serve", "table", "rows.csv"]


def test_it_says_where_and_ends_in_good_order(tmp_path):
    """The address has the token, and no other line; a spec that is not there yet is begun."""
    table(tmp_path)
    new = tmp_path / "new.toml"
    with started("serve", "table", tmp_path / "rows.csv", "--spec", new) as process:
        url, last = process.stderr.readline().split()[-1], process.stderr.readline()
        address, _, token = url.partition("/?t=")
        headers = {"X-Migrate-Token": token, "Content-Type": "application/json"}
        asked = Request(f"{address}/api/page", headers=headers)  # noqa: S310 - our own
        with urlopen(asked, timeout=60) as answer:  # noqa: S310
            told = json.load(answer)
        saved = Request(f"{address}/api/save", json.dumps({"text": SPEC}).encode(), headers)  # noqa: S310
        with urlopen(saved, timeout=60) as answer:  # noqa: S310
            assert json.load(answer)["text"] == new.read_text() == SPEC
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert told == {
        "platform": "table",
        "inputs": [str(tmp_path / "rows.csv")],
        "name": str(new),
        "limit": 1000,
        "kind": "spec",
        "text": "",
        "version": "",
    }
    assert last == "only this machine can open it, with this address; Ctrl-C ends\n"
    assert (process.returncode, out, said) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (SHOP, "--spec: table needs one; name the TOML file to edit, which need not be there yet"),
        ([*SHOP, "--spec", "no/spec.toml"], "--spec: no folder for it, found 'no'; make it, or name another"),
        (
            ["serve", "posthog", "rows.csv", "--spec", "s"],
            "--spec: posthog needs no spec, found s; leave it out",
        ),
        (["serve", "nobody", "rows.csv"], "PLATFORM: no such platform, found 'nobody'; choose one of "),
        (["serve", "./acme.py", "rows.csv"], "PLATFORM: no such file, found 'acme.py'; check the path"),
        (["serve", "posthog", "gone.csv"], "gone.csv"),
        (["serve", "posthog", "rows.csv", "--keep", "x"], "--keep: posthog has no such filter, found 'x'; "),
        ([*SHOP, "--spec", "spec.toml", "--port", "PORT"], "--port PORT: cannot listen at 127.0.0.1, "),
        (["serve", "-c", "jobs.toml"], "--job: a page is of one job, found several; name the one to try"),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path, words, said):
    """Before anything is served."""
    table(tmp_path)
    job = '[job.{}]\nplatform = "posthog"\ninputs = ["rows.csv"]\n'
    (tmp_path / "jobs.toml").write_text("".join(map(job.format, "ab")))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = migrate(*(word.replace("PORT", port) for word in words), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said.replace("PORT:", f"{port}:") in done.stderr
    assert "Traceback" not in done.stderr
