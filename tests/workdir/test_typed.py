"""A command as it was typed is shown so that it works where it is pasted."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.cli.commands import cli
from migrate.cli.groups import GROUPS
from migrate.workdir.typed import OF_SENDING, Command, Option


@pytest.fixture
def command(tmp_path):
    """A command that was typed in a folder."""
    options = [Option("--spec", "my spec.toml", is_path=True), Option("--quiet"), Option("--limit", "5")]
    return Command("run", "table", ["in", "s3://bucket/x"], options, str(tmp_path))


def test_where_it_was_typed_it_is_shown_as_it_was(tmp_path, command):
    """But for the workdir, which is the one at hand, or none."""
    with chdir(tmp_path):
        typed = "migrate run table in s3://bucket/x --spec 'my spec.toml' --quiet --limit 5"
        assert command.shown(None) == typed
        assert command.shown(Path("elsewhere")) == f"{typed} --workdir elsewhere"


def test_elsewhere_paths_lead_to_where_they_led(tmp_path, command):
    """Inputs and options that are paths; what is no path stays as it is."""
    (tmp_path / "other").mkdir()
    with chdir(tmp_path / "other"):
        assert command.shown(None) == (
            f"migrate run table {tmp_path}/in s3://bucket/x --spec '{tmp_path}/my spec.toml' --quiet --limit 5"
        )
        assert command.of_inputs("b.csv").inputs == [f"{tmp_path}/other/b.csv"]


def test_it_is_a_fact_and_comes_back(command):
    """As JSON has it: tuples are lists by then."""
    assert Command.of(command.fact()) == command


def test_what_was_meant_for_once_is_left_out(tmp_path, command):
    """How much was to be said, and what was planned anew; the rest stays, in its order."""
    once = command.plus("--again", "a.csv").plus("--keep", "x").plus("--log-file", "log")
    once = replace(once, options=[*once.options, Option("--log-json")])
    with chdir(tmp_path):
        assert once.anew().shown(None) == (
            "migrate run table in s3://bucket/x --spec 'my spec.toml' --limit 5 --keep x"
        )
        assert (
            command.without("--limit", "--spec").shown(None) == "migrate run table in s3://bucket/x --quiet"
        )


def test_a_path_that_begins_with_a_dash_is_no_option():
    """Of inputs and of workdirs."""
    here = str(Path.cwd())
    assert Command("run", "table", ["-odd"], [], here).shown(None) == "migrate run table ./-odd"
    assert Command("apply", None, [], [], here).shown(Path("-w")) == "migrate apply ./-w"
    assert Command("spec", None, ["-odd"], [], here).shown(None) == "migrate spec ./-odd"
    assert Command("apply", None, ["in"], [], here).shown(Path("w")) == "migrate apply w"


def test_options_of_one_nights_sending_are_those_of_the_command_line():
    """All that say how to send, but for where to, with which key, and what decides what is sent."""
    (names,) = (one for title, one in GROUPS.items() if title == "Sending")
    options = {
        name
        for param in cli.commands["apply"].params
        if param.name in names
        for name in (*param.opts, *param.secondary_opts)
    }
    assert options - {"--min-age"} == set(OF_SENDING)
