"""Every command: its help on the screen, with an example that can be typed."""

import json
import re
import shlex
import signal
import urllib.request

import click
import pytest
from click.testing import CliRunner
from commands import KEY, migrate, rows, started

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
