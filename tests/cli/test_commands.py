"""Every command: its help on the screen, with an example that can be typed."""

import json
import re
import shlex
import signal
import socket
import urllib.request

import click
import pytest
from click.testing import CliRunner
from commands import KEY, migrate, rows, started, summary
from samples import SAMPLES

from migrate.cli.commands import cli

COMMANDS = [pytest.param([], id="migrate"), *(pytest.param([name], id=name) for name in sorted(cli.commands))]


def help_of(words, width=100):
    """The help of a command, as a terminal of this width shows it."""
    shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="migrate", terminal_width=width)
    assert (shown.exit_code, shown.exception, shown.stderr) == (0, None, "")
    return shown.stdout


@pytest.mark.parametrize("width", [60, 100, 200])
@pytest.mark.parametrize("words", COMMANDS)
def test_help_is_for_people(words, width):
    """One sentence first, every option with a word on what it does, and nothing that only a program reads."""
    shown = help_of(words, width)
    usage, first = shown.split("\n\n")[:2]
    assert usage.startswith("Usage: " + " ".join(["migrate", *words]))
    assert first.strip().endswith(".")
    assert not re.search(r"\\[bn]|[\b\r\t]|Traceback|None|Sentinel| object at ", shown)
    command = cli.commands[words[0]] if words else cli
    assert all(one.help for one in command.params if isinstance(one, click.Option))


@pytest.mark.parametrize("words", COMMANDS)
def test_help_shows_an_example_that_can_be_typed(words):
    """On lines of their own, however narrow the terminal; click takes the words as they stand."""
    shown = help_of(words, width=40)
    examples = re.findall(r"^  (?:Example:)? +migrate (.*)$", shown, re.MULTILINE)
    assert any(shlex.split(example)[: len(words)] == [*words] for example in examples), shown
    for example in examples:
        name, *typed = shlex.split(example)
        cli.commands[name].make_context(name, typed)


def test_sandbox_command_listens_keeps_and_leaves_in_good_order(tmp_path):
    """A sandbox of its own keeps what arrives in its folder, also over a restart."""
    source = rows(tmp_path / "a.jsonl", 5)
    for expected in (5, 5):
        with started("sandbox", "--port", "0", "--data", tmp_path / "data") as process:
            url = process.stderr.readline().split()[-1]
            workdir = tmp_path / f"w{process.pid}"
            done = migrate("run", "posthog", source, "--host", url, "--workdir", workdir, "--api-key", KEY)
            assert done.returncode == 0, done.stderr
            with urllib.request.urlopen(f"{url}/_sandbox/summary") as answer:  # noqa: S310 - http on loopback
                assert json.load(answer)["collapsed"]["events"] == expected
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sandbox", "--faults", "bad.json"], "error: --faults: not JSON"),
        (["sandbox", "--port", "PORT"], "cannot listen at 127.0.0.1"),
        (["apply", "w", "--min-age", "999999d"], "at most a hundred years; found '999999d'"),
        (
            ["plan", "posthog", "a.jsonl", "--workdir", "w", "--until", "0001-01-01T00:00+05:00"],
            "a time of the years 1 to 9999",
        ),
    ],
    ids=["faults", "port", "age", "time"],
)
def test_what_cannot_be_is_a_sentence(tmp_path, words, said):
    """And no traceback."""
    (tmp_path / "bad.json").write_text("{")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [str(taken.getsockname()[1]) if word == "PORT" else word for word in words]
        done = migrate(*words, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("platform", ["amplitude", "ga4", "heap", "mixpanel", "segment"])
def test_a_bound_may_be_told_in_any_zone(tmp_path, platform):
    """The same moment is the same bound."""
    found = []
    for since in ("2024-04-03T10:00:00+02:00", "2024-04-03T08:00:00Z"):
        done = migrate(
            *("plan", platform, SAMPLES / platform, "--since", since, "--json"),
            "--workdir",
            tmp_path / since[-1],
        )
        assert done.returncode in {0, 3}, done.stderr
        found.append(summary(done)["rows"])
    assert found[0] == found[1]
