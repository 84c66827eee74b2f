"""Nothing leaves that was not planned whole and unharmed."""

import json
import os
import subprocess
import sys

import pytest

from migrate.sandbox import Sandbox

KILLED = """
import os, sys
import migrate.{package} as {package}
kept = {module}.{name}
calls = []
def killed(*given, **more):
    calls.append(1)
    if len(calls) > {after}:
        os._exit(9)
    return kept(*given, **more)
{module}.{name} = killed
sys.argv = ["migrate", *sys.argv[1:]]
from migrate.cli import main
main()
"""
"""The command, killed when it calls something for the n-th time."""


def migrate(*words, killed_at=None, after=0):
    """Run the command line as its own process, perhaps one that is killed on the way."""
    start = ["-m", "migrate"]
    if killed_at is not None:
        module, name = killed_at
        package = module.partition(".")[0]
        start = ["-c", KILLED.format(package=package, module=module, name=name, after=after)]
    return subprocess.run(
        [sys.executable, *start, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"POSTHOG_API_KEY": "phc_sealed"},
    )


def summary(done):
    """The JSON that a command ends with."""
    return json.loads(done.stdout.splitlines()[-1])


def exports(folder, files=4, rows=40, start=0):
    """Files of calls of several days, too large to be planned together."""
    folder.mkdir(exist_ok=True)
    for number in range(start, start + files):
        calls = [
            {
                "type": "track" if row % 7 else "identify",
                "event": "E",
                "messageId": f"{number}-{row}",
                "userId": f"u{row % 5}",
                "anonymousId": f"a{row % 5}-{number}",
                "traits": {"n": row},
                "timestamp": f"2024-04-{number + 1:02d}T10:{row:02d}:00Z",
                "properties": {"pad": "x" * 20_000},
            }
            for row in range(rows)
        ]
        (folder / f"{number:02d}.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    return folder


PLACES = [
    pytest.param(("plan.Planner", "_commit"), 1, id="one file planned"),
    pytest.param(("plan.Planner", "todo"), 0, id="nothing planned"),
    pytest.param(("plan.Planner", "derived"), 0, id="merges not planned"),
    pytest.param(("census", "tell"), 0, id="all planned but persons"),
]


@pytest.mark.parametrize(("place", "after"), PLACES)
def test_a_plan_killed_half_way_is_not_sent(tmp_path, place, after):
    """`apply`, and `run` of other files, refuse it and say how far it is and what finishes it; then all goes."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--yes"]
        words = ["plan", "segment", source, "--workdir", workdir]
        assert migrate(*words, killed_at=place, after=after).returncode == 9
        refused = migrate("apply", workdir, *host)
        assert refused.returncode == 5
        assert f"finish it with: migrate plan segment {source} --workdir {workdir}" in refused.stderr
        shown = migrate("status", workdir, "--json")
        assert not summary(shown)["whole"]
        assert f"next     migrate plan segment {source} --workdir {workdir}" in shown.stderr
        assert migrate("resend", workdir, *host).returncode == 5
        assert sandbox.events() == []
        finished = migrate(*words, "--json")
        assert finished.returncode == 0
        assert summary(finished)["whole"]
        sent = migrate("apply", workdir, *host, "--json")
        assert (sent.returncode, summary(sent)["events"]["pending"]) == (0, 0)
        assert len(sandbox.events()) == summary(finished)["events"]["planned"]


def test_files_of_an_unfinished_plan_are_not_forgotten_by_a_plan_of_others(tmp_path):
    """A later command that comes to its end does not make whole what another one began."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir]
    assert migrate(*words, killed_at=("plan.Planner", "_commit"), after=1).returncode == 9
    exports(tmp_path / "in", files=1, start=8)
    other = migrate("plan", "segment", source / "08.jsonl", "--workdir", workdir, "--json")
    assert (other.returncode, summary(other)["whole"]) == (5, False)
    refused = migrate("apply", workdir, "--host", "sandbox")
    assert "files are planned" in refused.stderr
    assert f"finish it with: migrate plan segment {source} --workdir" in refused.stderr
    assert migrate(*words).returncode == 0
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 0


def test_partial_sends_what_there_is_and_says_so_for_ever(tmp_path):
    """Exit code 5 until the plan is whole; what was sent is not sent again."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir]
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--yes", "--json"]
        assert migrate(*words, killed_at=("plan.Planner", "_commit"), after=1).returncode == 9
        sent = migrate("apply", workdir, *host, "--partial")
        assert (sent.returncode, summary(sent)["events"]["pending"]) == (5, 0)
        assert 0 < summary(sent)["events"]["accepted"] == len(sandbox.events())
        assert migrate("apply", workdir, *host).returncode == 5
        whole = migrate("run", *words[1:], *host)
        assert whole.returncode == 0, whole.stderr
        (note,) = summary(whole)["notes"]
        assert "--partial" in note
        events = [(event["uuid"], event["event"]) for event in sandbox.events()]
        assert len(events) == len(set(events)) == summary(whole)["events"]["accepted"]


def test_a_trial_is_whole(tmp_path):
    """`--limit` plans no more than that, and so it was meant."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    trial = migrate(
        "run", "segment", source, "--workdir", workdir, "--limit", 5, "--host", "sandbox", "--json"
    )
    assert (trial.returncode, summary(trial)["whole"]) == (0, True)
    assert migrate("status", workdir, "--json").stderr.count("next") == 0
