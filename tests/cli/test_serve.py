"""`migrate serve` says where its page is, ends when it is interrupted, and says what it cannot do in a sentence."""

import asyncio
import json
import os
import signal
import socket
from urllib.request import Request, urlopen

import pytest
from commands import migrate, started
from samples import SAMPLES
from served import SPEC, table

from migrate.serving.fields import flat
from migrate.serving.rows import View

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_whatever_a_mapping_does(tmp_path, number):
    """The process in which one loops for ever ends with it, killed or not: what it holds open is closed."""
    table(tmp_path)
    mapping, pipe = tmp_path / "acme.py", tmp_path / "pipe"
    os.mkfifo(pipe)
    mapping.write_text(f"held = open({str(pipe)!r}, 'w')\nwhile True:\n    pass\n")
    with started("serve", mapping, tmp_path / "rows.csv") as process:
        address, _, token = process.stderr.readline().split()[-1].partition("/?t=")
        with socket.create_connection(address.removeprefix("http://").split(":")) as client:
            head = f"POST /api/try HTTP/1.1\r\nHost: {address.removeprefix('http://')}\r\nX-Migrate-Token: {token}\r\n"
            client.sendall(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
            with pipe.open() as held:  # once the mapping runs
                process.send_signal(number)
                assert held.read() == ""
        process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 0)


@pytest.mark.parametrize("platform", ["table", "heap"])
def test_a_configuration_holds_as_for_a_preview(tmp_path, monkeypatch, platform):
    """With what it says of options, as of labels, and its rules: the payloads are the same, to the byte."""
    table(tmp_path)
    labelled = SAMPLES / "heap" / "signed_up.csv"
    said = {
        "table": 'inputs = ["rows.csv"]\nspec = "spec.toml"\n',
        "heap": f'inputs = ["{labelled}"]\nlabels = "labels.json"\nperson_properties = "none"\n',
    }[platform]
    (tmp_path / "labels.json").write_text('{"signed_up": "Signed up!"}')
    (tmp_path / "migrate.toml").write_text(
        f'platform = "{platform}"\n{said}[rules]\ndrop = ["note"]\nhash = ["price"]\ntags = {{ of = "acme" }}\n'
        'hash_salt = { env = "SALT" }\nevent_names = { viewed = "seen" }\n'
    )
    salt = {"SALT": "salt of sixteen letters"}
    printed = migrate("preview", cwd=tmp_path, env=salt)
    assert '"of":"acme"' in printed.stdout
    assert ("Signed up!" if platform == "heap" else '"event":"seen"') in printed.stdout
    served = []
    monkeypatch.setattr("migrate.cli.serve.serve", lambda desk, **_: served.append(desk))
    assert migrate("serve", cwd=tmp_path, env=salt).returncode == 0
    (desk,) = served
    monkeypatch.chdir(tmp_path)
    try:
        answer = asyncio.run(desk.tried(SPEC if platform == "table" else None, View(count=1_000)))
    finally:
        desk.end()
    found = json.loads(answer)
    fields = [one for row in found["page"]["rows"] for one in row["payloads"]] + found["beside"]["payloads"]
    payloads = [flat(text) for text in printed.stdout.splitlines()]
    assert sorted([[*one[:2]] for one in each] for each in fields) == sorted(
        [[*one] for one in each.items()] for each in payloads
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (SHOP, "--spec: table needs one; name the TOML file to edit, which need not be there yet"),
        ([*SHOP, "--spec", "."], ".: cannot be read, found 'Is a directory'; look whose file it is"),
        (
            [*SHOP, "--spec", os.devnull],
            f"{os.devnull}: a pipe or a device, which cannot be edited; name a file",
        ),
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
