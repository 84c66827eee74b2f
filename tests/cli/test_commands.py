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

from migrate import VERSION
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
    """A sandbox of its own keeps what arrives in its folder, also over a restart; it has capture v1, or has not."""
    source = rows(tmp_path / "a.jsonl", 5)
    for more, protocol in (([], "v1"), (["--no-v1"], "v0")):
        with started("sandbox", "--port", "0", "--data", tmp_path / "data", *more) as process:
            url = process.stderr.readline().split()[-1]
            workdir = tmp_path / f"w{process.pid}"
            words = ["run", "posthog", source, "--host", url, "--workdir", workdir, "--api-key", KEY]
            done = migrate(*words, "--json")
            assert (done.returncode, summary(done)["protocol"]) == (0, protocol), done.stderr
            with urllib.request.urlopen(f"{url}/_sandbox/summary") as answer:  # noqa: S310 - http on loopback
                assert json.load(answer)["collapsed"]["events"] == 5
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sandbox", "--faults", "bad.json"], "error: --faults: not JSON"),
        (["sandbox", "--faults", "number.json"], "error: --faults: a list is needed, found 5; give"),
        (
            ["sandbox", "--faults", "other.json"],
            "error: --faults: rule 1: no fault 'other'; there are ",
        ),
        (
            ["sandbox", "--faults", "type.json"],
            "error: --faults: Expected `int`, got `str` - at `$[0].status`",
        ),
        (["sandbox", "--faults", "binary.json"], "error: --faults: not JSON, 'utf-8' codec can't decode"),
        (["sandbox", "--faults", "none.json"], "error: --faults: 'none.json': No such file"),
        (
            ["sandbox", "--data", "odd"],
            "error: --data: odd holds no sandbox, file is not a database; name another folder",
        ),
        (
            ["sandbox", "--data", "bad.json/in"],
            "error: --data: bad.json/in cannot be made, Not a directory; name",
        ),
        (["sandbox", "--port", "PORT"], "cannot listen at 127.0.0.1"),
        (["apply", "w", "--min-age", "999999d"], "at most a hundred years; found '999999d'"),
        (
            ["plan", "posthog", "a.jsonl", "--workdir", "w", "--until", "0001-01-01T00:00+05:00"],
            "a time of the years 1 to 9999",
        ),
    ],
    ids=["faults", "number", "other", "type", "binary", "none", "odd", "data", "port", "age", "time"],
)
def test_what_cannot_be_is_a_sentence(tmp_path, words, said):
    """And no traceback."""
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "sandbox.sqlite").write_text("no database, and long enough to be seen to be none" * 9)
    (tmp_path / "number.json").write_text("5")
    (tmp_path / "other.json").write_text('[{"fault": "other"}]')
    (tmp_path / "type.json").write_text('[{"fault": "status", "status": "high"}]')
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe[")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [str(taken.getsockname()[1]) if word == "PORT" else word for word in words]
        done = migrate(*words, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.law
@pytest.mark.parametrize("platform", ["amplitude", "segment"])
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


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_stands_in_a_group(words):
    """But for the help itself, which click calls as it was called first in this process."""
    last = help_of(words).split("\nOther options:\n")[-1] if words else ""
    assert last in {"", *(f"  {name}  Show this message and exit.\n" for name in ("-h, --help", "--help"))}


def test_what_is_typed_wins_over_our_variables_and_those_over_posthogs(tmp_path):
    """Each is shown by the host that a wrong one is named as."""
    source = rows(tmp_path / "a.jsonl")
    ours, theirs = {"MIGRATE_HOST": "ours"}, {"POSTHOG_HOST": "theirs"}
    for words, env, host in (
        (["--host", "typed"], ours | theirs, "typed"),
        ([], ours | theirs, "ours"),
        ([], theirs, "theirs"),
        ([], {"MIGRATE_HOST": ""} | theirs, "theirs"),
    ):
        done = migrate("run", "posthog", source, *words, cwd=tmp_path, env={"MIGRATE_HOST": ""} | env)
        assert f"neither us, eu nor an http or https URL, found '{host}'" in done.stderr


def test_the_version_is_told():
    """By its name and number."""
    done = migrate("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"migrate, version {VERSION}\n", "")


def test_names_of_platforms_are_taken_in_any_case(tmp_path):
    """The workdir is called as the platform is."""
    source = rows(tmp_path / "a.jsonl")
    assert migrate("plan", "PostHog", source, cwd=tmp_path).returncode == 0
    assert migrate("plan", "POSTHOG", source, cwd=tmp_path).returncode == 0
    assert (tmp_path / "posthog.workdir" / "checkpoint.sqlite").exists()


@pytest.mark.parametrize("until", ["2024-04-02", "2024-04-03T02:00:00+02:00"])
def test_a_span_without_a_moment_is_refused(tmp_path, until):
    """Both ends are named."""
    words = ["posthog", rows(tmp_path / "a.jsonl"), "--since", "2024-04-03", "--until", until]
    done = migrate("preview", *words)
    assert done.returncode == 2
    assert (
        "error: --since: not before --until, found 2024-04-03T00:00:00+00:00 and --until 2024-04-0"
        in done.stderr
    )


def test_what_is_passed_over_is_named(tmp_path):
    """The first few on the screen, all of it with -v, and in the JSON."""
    rows(tmp_path / "in" / "a.jsonl")
    for number in range(5):
        (tmp_path / "in" / f"{number}.csv").write_text("colour,size\nred,1\n")
    words = ["plan", "posthog", "in", "--workdir", "w", "--json"]
    for more in ([], ["-v"]):
        done = migrate(*words, *more, cwd=tmp_path)
        assert done.returncode == 2
        assert "2.csv and 2 more files (-v): no table of PostHog" in done.stderr
        assert [name[-5:] for name in summary(done)["unknown_files"]] == [f"{n}.csv" for n in range(5)]
        assert done.stderr.count("unknown: ") == 5 * len(more)
        done = migrate(*words, "--skip-unknown", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "2.csv, …)" in done.stderr
        assert len(summary(done)["skipped_names"]["unknown"]) == 5
        assert done.stderr.count(".csv: unknown") == 5 * len(more)


def test_a_workdir_of_another_platform_is_said_to_be_that(tmp_path):
    """Not a list of settings that are others."""
    for platform in ("segment", "mixpanel"):
        sample = SAMPLES / platform
        done = migrate("plan", platform, sample, "--workdir", "w", "--group-key", "a=b", cwd=tmp_path)
    assert done.returncode == 5
    assert (
        "error: w: a workdir of segment, found mixpanel; name segment, or plan into another --workdir"
        in done.stderr
    )


def test_the_list_of_commands_fits_a_terminal():
    """No sentence is cut off, and no example names a folder as a command is called."""
    shown = migrate("--help", env={"COLUMNS": "80"}).stdout
    assert "..." not in shown.partition("Commands:")[2]
    assert "migrate status acme" in migrate("status", "--help").stdout
