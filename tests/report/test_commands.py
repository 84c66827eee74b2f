"""The commands that go on with a workdir work as they are shown, from wherever they are pasted."""

import os
import shlex

import pytest
from commands import rows
from hypothesis import example, given
from hypothesis import strategies as st
from workdirs import events, here, planned

from migrate.apply.age import usual
from migrate.cli.commands import cli
from migrate.cli.kinds import Duration
from migrate.report.commands import needs, to_target


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which two inputs are planned, one night after the other, with an option."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        rows(tmp_path / name / "x.jsonl", 2, start=ord(name), timestamp="2024-04-03 12:00:00")
        assert (
            here("plan", "posthog", name, "--workdir", "w", "--source-timezone", "Europe/Berlin").returncode
            == 0
        )
    return tmp_path


def paste(line):
    """Give a command as it is shown."""
    return here(*shlex.split(line)[1:])


def test_a_harmed_source_is_planned_anew_though_others_were_planned_last(folder):
    """The command names the source and the options it was planned with."""
    first, *_ = sorted((folder / "w" / "days").rglob("*.parquet"))
    first.unlink()
    os.chdir("/")
    found = here("status", folder / "w", "--json").summary
    assert found["state"] == "harmed"
    assert f"--again {folder}/a/x.jsonl" in found["next"]
    done = paste(f"{found['next']} --json")
    assert (done.returncode, done.summary["state"], done.summary["events"]["planned"]) == (0, "planned", 4)


def test_a_mended_copy_is_planned_with_the_options_of_the_plan(folder):
    """As `rejects` shows the commands: the first makes the copy, the second plans it."""
    rows(folder / "b" / "y.jsonl", 1, timestamp="soon")
    here("plan", "posthog", "b", "--workdir", "w", "--source-timezone", "Europe/Berlin")
    (folder / "away").mkdir()
    os.chdir(folder / "away")
    copying, planning = (line.strip() for line in here("rejects", "../w").stderr.splitlines()[3:5])
    assert copying == "cp ../w/rejects.jsonl mended.jsonl"
    text = (folder / "w" / "rejects.jsonl").read_text()
    (folder / "away" / "mended.jsonl").write_text(text.replace("soon", "2024-04-03 12:00:00"))
    done = paste(f"{planning} --json")
    assert done.returncode == 0, done.stderr
    assert (done.summary["open_rejects"], done.summary["mended_rejects"]) == ({}, 1)
    assert "mended   1 rejected row; none is rejected any more" in done.stderr


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A workdir in which an event is planned, for a target."""
    checkpoint = planned(tmp_path_factory.mktemp("w"), events(1))
    checkpoint.note(target="eu")
    yield checkpoint
    checkpoint.close()


DURATIONS = st.one_of(
    st.integers(0, 36_600).map("{}d".format),
    st.integers(0, 3_162_240_000).map(str),
    st.decimals(0, 878_400, places=7).map("{:f}h".format),
)


@example(text="400d")
@example(text="10000d")
@example(text="36600d")
@example(text="0.00001")
@example(text="1234567.5s")
@given(text=DURATIONS)
def test_an_age_that_is_shown_is_the_one_that_was_typed(held, text):
    """However long or short it is: all its digits, and no exponent, which nobody types."""
    held.note(min_age=Duration().convert(text, None, None))
    words = shlex.split(to_target(held, "apply"))[2:]
    with cli.commands["apply"].make_context("apply", words) as context:
        typed = context.params["min_age"]
    assert (usual("eu") if typed is None else typed) == held.facts()["min_age"]


NEEDS = [
    (
        "migrate apply w --host eu",
        {},
        ["the key is left out of the command: set POSTHOG_API_KEY to the project's key, it is not set here"],
    ),
    ("migrate apply w --host eu", {"MIGRATE_API_KEY": "phc_x"}, []),
    ("migrate resend w --host …", {"POSTHOG_API_KEY": "phc_x"}, ["… is us, eu or the URL of your PostHog"]),
    ("migrate apply w --host sandbox", {}, []),
    ("migrate rejects w", {"MIGRATE_LIMIT": "3"}, []),
    (
        "migrate plan x",
        {"MIGRATE_LIMIT": "3"},
        ["MIGRATE_LIMIT is set here, and makes a trial of it; unset it first"],
    ),
]


@pytest.mark.parametrize(("command", "environment", "said"), NEEDS)
def test_what_a_command_needs_beside_it_is_said(monkeypatch, command, environment, said):
    """As far as it is not there."""
    for name in ("MIGRATE_API_KEY", "POSTHOG_API_KEY", "MIGRATE_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert needs(command) == said


def test_a_workdir_whose_name_begins_with_a_dash_can_be_pasted(tmp_path, monkeypatch):
    """Else it is taken for an option."""
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "in" / "a.jsonl", 2)
    rows(tmp_path / "in" / "b.jsonl", 1, timestamp="soon")
    said = here("plan", "posthog", "in", "--workdir", "./-w").stderr.splitlines()
    (also,) = [line.rpartition(": ")[2] for line in said if line.startswith("also ")]
    assert paste(also).returncode == 3
    (way,) = [line.removeprefix("next     ") for line in said if line.startswith("next ")]
    assert paste(way.replace("…", "sandbox")).returncode in {0, 3}
