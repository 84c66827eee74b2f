"""Nobody else's business: what is written is the owner's, what is shown is text, and a key is nowhere."""

import json
import os
import stat
import subprocess
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from sealing import exports, migrate

from migrate.sandbox.server import Sandbox
from migrate.screen import command_line, secret_in, shown

KEY = "phc_AbCdEfGh0123456789AbCdEfGh0123456789"
ODD = "\x1b[31mred\x07\r\x9b2J\u202eback"


def test_what_is_shown_is_text():
    """Escapes are seen and do nothing; tabs and line breaks, letters and signs stay."""
    assert shown("a\x1b[2Jb\x9bc\x7f\u202ed") == "a\\x1b[2Jb\\x9bc\\x7f\\u202ed"
    assert shown("Käufer\t😀\n") == "Käufer\t😀\n"
    assert shown(f"--api-key {KEY} phc_short") == "--api-key phc_*** phc_short"


def test_the_address_of_a_check_or_a_webhook_is_not_shown():
    """As far as services are known by it; what only looks like one is."""
    hidden = {
        "curl https://hc-ping.com/0c8e-a/start?rid=1 -m 5": "curl https://hc-ping.com/*** -m 5",
        "'https://hooks.slack.com/services/T0/B0/x'": "'https://hooks.slack.com/***'",
        "https://discord.com/api/webhooks/1/x": "https://discord.com/api/webhooks/***",
        "https://acme.webhook.office.com/webhookb2/x": "https://acme.webhook.office.com/***",
        "https://checks.acme.example:8000/ping/018ea3c1-0000-7000-8000-000000000001/4": (
            "https://checks.acme.example:8000/ping/***"
        ),
    }
    for text, told in hidden.items():
        assert shown(text) == told
        assert secret_in(text).what == "the address of a check or a webhook"
    for text in (
        "exports/ping/018ea3c1-0000-7000-8000-000000000001/a.json",
        "https://discord.com/a",
        "hc-ping.com",
    ):
        assert (shown(text), secret_in(text)) == (text, None)
    signed = "at https://h/a.gz?a=1&X-Amz-Signature=f gone"
    assert (shown(signed), secret_in(signed).what) == (
        "at https://h/a.gz?*** gone",
        "an address with a signature",
    )
    assert secret_in("https://h/a?design=1") is None
    assert shown("az:/c/a?sv=1&sig=f") == "az:/c/a?***"
    for text in ("s3://key:secret@b/x", "HTTPS://me:se/cr@et@b/x"):
        assert shown(f"at {text}") == f"at {text.partition('//')[0]}//***@b/x"
    for text in ("https://h:80/@x", "http://[::1]:80/x@y", "https://h/a:b@c"):
        assert shown(text) == text
    assert secret_in(KEY).what == "a key of PostHog's"


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_what_is_written_is_the_owners(tmp_path, umask):
    """Workdir, plan, rejects and report, whatever the machine's habit is."""
    source, workdir = exports(tmp_path / "in", files=2), tmp_path / "w"
    (source / "bad.jsonl").write_text(
        '{"type":"track","event":"E","userId":"u","messageId":"m","timestamp":"soon"}\n'
    )
    before = os.umask(umask)
    try:
        done = migrate("run", "segment", source, "--workdir", workdir, "--host", "sandbox")
    finally:
        os.umask(before)
    assert done.returncode == 3
    found = [workdir, *workdir.rglob("*")]
    assert {path.name for path in found} >= {
        "checkpoint.sqlite",
        "people.sqlite",
        "days",
        "rejects.jsonl",
        "report.json",
    }
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def everything(folder):
    """All bytes of a folder's files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "segment", KEY, "--workdir", "w"],
        ["plan", "segment", f"in/{KEY}", "--workdir", "w"],
        ["plan", KEY, "in", "--workdir", "w"],
        [
            "run",
            "segment",
            "in",
            "--workdir",
            "w",
            "--host",
            f"https://posthog.example.com/{KEY}",
            "--api-key",
            "phc_x",
        ],
        [
            "run",
            "segment",
            "in",
            "--workdir",
            "w",
            "--host",
            f"https://{KEY}@posthog.example.com",
            "--api-key",
            "phc_x",
        ],
        ["run", "segment", "in", "--workdir", "w", "--host", KEY, "--api-key", "phc_x"],
        ["apply", f"w/{KEY}", "--host", "sandbox"],
        ["plan", "segment", "in", "--workdir", "w", "--since", KEY],
        *(
            ["plan", "segment", "in", "--workdir", "w", name, KEY]
            for name in ("--import-id", "--people", "--null")
        ),
        ["plan", "segment", "in", "--workdir", KEY],
        ["plan", "segment", "in", "--workdir", "w", "--columns", f"a,{KEY}"],
        ["status", KEY],
        ["plan", "segment", "in", "--workdir", "w", f"--{KEY}"],
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_nowhere(tmp_path, monkeypatch, words):
    """Neither on a screen nor in a file."""
    exports(tmp_path / "in", files=1)
    monkeypatch.chdir(tmp_path)
    done = migrate(*words, "--json")
    assert done.returncode in {2, 5}, done.stderr
    assert KEY not in done.stdout + done.stderr
    assert KEY.encode() not in everything(tmp_path)


def test_a_key_that_is_given_is_in_no_file(tmp_path):
    """Nor in the command that a workdir keeps, however it is spelled."""
    source, workdir = exports(tmp_path / "in", files=1), tmp_path / "w"
    for way in (["--api-key", KEY], [f"--api-key={KEY}"]):
        words = [
            "run",
            "segment",
            source,
            "--workdir",
            workdir,
            "--host",
            "http://127.0.0.1:9",
            "--deadline",
            "1s",
        ]
        done = migrate(*words, *way, "--yes", "--json")
        assert done.returncode == 4, done.stderr
        assert KEY not in done.stdout + done.stderr
        assert KEY.encode() not in everything(workdir)


def test_text_from_a_source_cannot_speak_to_a_terminal(tmp_path):
    """Event names, ids of clusters, rejects, file names: in a dry run, a plan, its status and a preview."""
    source, workdir = tmp_path / f"in{ODD}", tmp_path / "w"
    source.mkdir()
    calls = [
        {"type": "track", "event": ODD, "messageId": f"m{n}", "userId": f"u{ODD}", "anonymousId": f"a{n}{ODD}",
         "timestamp": ODD if n == 3 else "2024-04-03T10:00:00Z"}
        for n in range(5)
    ]  # fmt: skip
    (source / f"a{ODD}.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    words = ["segment", source, "--workdir", workdir]
    ways = [
        ["run", *words, "--dry-run"],
        ["plan", *words],
        ["status", workdir],
        ["rejects", workdir],
        ["preview", *words[:2]],
    ]
    for way in ways:
        done = migrate(*way)
        assert done.returncode in {0, 3}, done.stderr
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stderr), way


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Origin": "http://127.0.0.1:1"}, 200),
        ({"Host": "evil.example.com"}, 403),
        ({"Host": "10.0.0.7"}, 403),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/_sandbox/events.jsonl", "/_sandbox/summary"])
def test_the_sandbox_answers_to_no_page(headers, status, path):
    """A page in a browser could else read what was tried, under a name that points here."""
    with Sandbox() as sandbox:
        url = urlsplit(sandbox.url)
        connection = HTTPConnection(url.hostname, url.port)
        connection.request("GET", path, headers=headers)
        assert connection.getresponse().status == status
        connection.close()


@pytest.mark.parametrize(
    "name", ["a b'c", "a\nb", "it's\\\t\x1b[2J", "\udcff\udcfe.csv", "a\u2028'\\x41", "$x`y`"]
)
def test_a_command_can_be_pasted_whatever_a_file_is_called(name):
    """On one line, and a shell takes it for the same bytes."""
    line = command_line(["printf", "%s", name])
    assert line.isprintable()
    bash = subprocess.run(["/bin/bash", "-c", line], capture_output=True, check=True)
    assert bash.stdout == os.fsencode(name)


def test_a_long_word_is_masked_in_no_time():
    """Each of its letters could begin an address; a line of a log may be as long as a row (a tenth of a second)."""
    assert shown("y" * 100_000 + "https://name:word@host/x") == "y" * 100_000 + "https://***@host/x"
