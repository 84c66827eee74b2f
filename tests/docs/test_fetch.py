"""docs/fetch.md: its commands run as they stand there, against servers that answer as the vendors do."""

import json
import re
import shlex
from datetime import datetime

import pytest
from commands import migrate, summary
from markdown import ROOT, blocks
from vendors import ACCOUNT, HOUR, KEYS, Amplitude, Mixpanel, amplitude_rows, mixpanel_rows

from migrate.cli.commands import cli
from migrate.cli.config import read_config
from migrate.cli.configured import keys_of

PAGE = ROOT / "docs" / "fetch.md"
FIRST = datetime(2024, 4, 2)  # noqa: DTZ001 - a vendor's own clock
MADE = [
    lambda: Amplitude({FIRST + n * HOUR: [*amplitude_rows(FIRST + n * HOUR, 2)] for n in range(5)}),
    lambda: Mixpanel({"2024-04-02": [*mixpanel_rows("2024-04-02", 10)]}),
]


@pytest.mark.parametrize("number", range(2))
def test_the_commands_run_in_their_order(tmp_path, number):
    """What is exported stands for what one has; it is as if it were a few days later."""
    variables = KEYS if number == 0 else ACCOUNT
    named = set()
    with MADE[number]() as vendor:
        env = {"MIGRATE_API_HOST": vendor.url, "MIGRATE_UNTIL": "2024-04-04"}
        for line in blocks(PAGE, "sh")[number].splitlines():
            words = shlex.split(line)
            if words[0] == "export":
                name = words[1].partition("=")[0]
                named.add(name)
                env[name] = variables[name]
                continue
            done = migrate(*words[1:], "--json", cwd=tmp_path, env=env)
            assert done.returncode == 0, done.stderr
            if words[1] == "fetch":
                assert summary(done)["fetch"]["next"] == blocks(PAGE, "sh")[number].splitlines()[-1]
    assert (summary(done)["rows"]["read"], named) == (10, {*variables})


def test_the_configuration_can_be_meant(tmp_path):
    """Its keys are keys."""
    (tmp_path / "m.toml").write_text(blocks(PAGE, "toml")[0])
    options = read_config(tmp_path / "m.toml", keys_of(cli.commands.values())).common.options
    assert (options["fetch"], options["region"]) == (True, "eu")


def test_every_key_of_the_object_is_named(tmp_path):
    """For programs."""
    with Amplitude({}) as vendor:
        words = ("fetch", "amplitude", "exports", "--since", "2024-04-01", "--until", "2024-04-02")
        done = migrate(*words, "--api-host", vendor.url, "--json", cwd=tmp_path, env=KEYS)
    told = json.loads(done.stdout.splitlines()[-1])["fetch"]
    assert {*told, *told["files"]} <= {*re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8"))}
