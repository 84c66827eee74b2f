"""The command is remembered as it can be typed again, from anywhere, for the workdir at hand."""

import shlex
from pathlib import Path

import click
import pytest
from commands import KEY
from hypothesis import given
from hypothesis import strategies as st

from migrate.cli.commands import cli
from migrate.cli.kinds import Duration
from migrate.cli.typed import typed_command

EXPORT = ["run", "posthog", "in/a.jsonl", "--host", "eu"]


def typed(*words):
    """The command that these words are."""
    name, *rest = words
    with cli.commands[name].make_context(name, rest):
        return typed_command()


TYPED = [
    pytest.param(["run", "posthog", "my file"], "migrate run posthog 'my file' --workdir w", id="quoted"),
    pytest.param(["apply", "x", "--api-key", KEY, "--host", "eu"], "migrate apply w --host eu", id="key"),
    pytest.param(["apply", f"--api-key={KEY}", "x"], "migrate apply w", id="key-in-one-word"),
    pytest.param(
        ["apply", "x", "--ping", "http://h/a", "--notify=http://h/b"], "migrate apply w", id="addresses"
    ),
    pytest.param(
        ["run", "--since=2024-01-01", "posthog", "a", "b", "--no-gzip", "--keep", "x", "--keep", "y"],
        "migrate run posthog a b --since 2024-01-01 --no-gzip --keep x --keep y --workdir w",
        id="several",
    ),
    pytest.param(["run", "posthog", "--", "-odd"], "migrate run posthog ./-odd --workdir w", id="dash"),
]


@pytest.mark.parametrize(("words", "command"), TYPED)
def test_the_command_is_remembered_without_the_key(words, command):
    """The workdir is the one at hand, whatever it was called when the command was typed."""
    assert typed(*words).shown(Path("w")) == command


def test_what_the_environment_gave_is_named(monkeypatch):
    """It may be another when the command is typed again; a key stays where it is."""
    given = {
        "HOST": "eu",
        "WORKDIR": "elsewhere",
        "NULL": "nil\nnone",
        "JSON": "1",
        "GZIP": "0",
        "API_KEY": KEY,
    }
    for name, text in given.items():
        monkeypatch.setenv(f"MIGRATE_{name}", text)
    shown = "migrate run posthog a --null nil --null none --host eu --no-gzip --json --workdir w"
    assert typed("run", "posthog", "a").shown(Path("w")) == shown


def test_paths_are_whole_where_the_shell_stands_elsewhere(tmp_path, monkeypatch):
    """Inputs and options that name files; a URL is one everywhere."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here" / "labels.json").write_text("{}")
    words = [
        "in/*.gz",
        "../x",
        "https://h/a",
        "--people",
        "p",
        "--labels",
        "labels.json",
        "--spec",
        "/s.toml",
    ]
    command = typed("run", "posthog", *words, "--again", "in/a")
    here = "migrate run posthog 'in/*.gz' ../x https://h/a --people p --labels labels.json --spec /s.toml --again in/a"
    assert command.shown(Path("w")) == f"{here} --workdir w"
    monkeypatch.chdir(tmp_path / "there")
    at = tmp_path / "here"
    assert command.shown(Path("../w")) == (
        f"migrate run posthog '{at}/in/*.gz' {at}/../x https://h/a --people {at}/p --labels {at}/labels.json "
        f"--spec /s.toml --again {at}/in/a --workdir ../w"
    )
    assert command.of_inputs("mended.jsonl").without("--people", "--labels", "--spec", "--again").shown(
        Path("w")
    ) == (f"migrate run posthog {tmp_path}/there/mended.jsonl --workdir w")


def numbers(kind):
    """Texts of what an option of a type takes."""
    if isinstance(kind, Duration):
        within = st.floats(max(kind.least, 1e-6), 1_000).map("{:.6f}".format)
        return st.builds("{}{}".format, within, st.sampled_from(["", "s", "m", "h", "d"]))
    if isinstance(kind, click.IntRange):
        return st.integers(kind.min, kind.max).map(str)
    return st.floats(kind.min, kind.max, exclude_min=kind.min_open, exclude_max=kind.max_open).map(str)


NUMBERS = [
    pytest.param(command, option.opts[0], option.name, option.type, id=f"{command} {option.opts[0]}")
    for command in ("run", "apply", "resend")
    for option in cli.commands[command].params
    if isinstance(option.type, Duration | click.IntRange | click.FloatRange)
]


@pytest.mark.parametrize(("command", "option", "name", "kind"), NUMBERS)
@given(data=st.data())
def test_a_number_that_is_shown_is_the_one_that_was_typed(command, option, name, kind, data):
    """Read again it is the same value, to the last digit."""
    words = [command, *(["posthog", "a"] if command == "run" else ["w"]), option, data.draw(numbers(kind))]
    again = shlex.split(typed(*words).shown(Path("w")))[1:]
    assert value(words, name) == value(again, name)


def value(words, name):
    """What an option is where these words are typed."""
    with cli.commands[words[0]].make_context(words[0], list(words[1:])) as context:
        return context.params[name]
