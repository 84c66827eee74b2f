"""docs/schedules.md and the Dockerfile: a section for each scheduler, commands that can be typed, no root."""

import re
import shlex

import pytest
from markdown import ROOT, blocks, titles
from schedules import SCHEDULERS, printed

from migrate import VERSION
from migrate.cli.commands import cli
from migrate.cli.nights import IMAGE

PAGE = ROOT / "docs" / "schedules.md"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^.*?\bmigrate schedule (.*?)\)?(?: [>|] .*)?$", "".join(blocks(PAGE, "sh")), re.MULTILINE
)


def test_each_scheduler_has_its_section_and_its_command():
    """In the order in which the help lists them."""
    assert [title for title in titles(PAGE) if title in SCHEDULERS] == [*SCHEDULERS]
    formats = [words[words.index("--format") + 1] for words in map(shlex.split, COMMANDS)]
    assert formats[1:] == [*SCHEDULERS]


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_can_be_typed(tmp_path, words):
    """With a folder for what is written."""
    typed = [re.sub(r"^(~/|\.).*", str(tmp_path), word) for word in shlex.split(words)]
    cli.commands["schedule"].make_context("schedule", typed)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_page_says_where_the_key_goes(scheduler):
    """Where the unit takes it from."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {scheduler}\n")[1].split("\n## ")[0]
    (key,) = re.findall(r"The key: [^`]*`([^`]+)`", section)
    assert key in printed(scheduler)
    assert "phc_" not in printed(scheduler).replace("phc_…", "")


def test_image_is_called_as_the_units_call_it():
    """With the version."""
    assert f"docker build --tag {IMAGE} ." in PAGE.read_text(encoding="utf-8")
    assert f"posthog-migrate:{VERSION}" == IMAGE


def test_image_is_slim_fixed_and_not_roots():
    """Its user, its folder and its command are those that the CronJob knows."""
    lines = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    said = dict(lines)
    for base in (rest for word, rest in lines if word == "FROM"):
        assert re.fullmatch(r"python:3\.\d+-slim(?: AS build)?", base)
    assert said["USER"] == "10001"
    assert f"--uid {said['USER']} " in DOCKERFILE
    assert [word for word, _ in lines if word in {"USER", "RUN", "COPY", "ADD"}][-1] == "USER"
    assert said["ENTRYPOINT"] == '["migrate"]'
    unit = printed("kubernetes")
    assert f"runAsUser: {said['USER']}\n" in unit
    assert f"mountPath: {said['VOLUME']}\n" in unit
    assert said["VOLUME"] == said["WORKDIR"] == "/data"
