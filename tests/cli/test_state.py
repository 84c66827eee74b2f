"""How a workdir is, and what is open in it."""

import subprocess
import sys

import sealing
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox


def test_status_says_what_is_pending_and_how_to_go_on(tmp_path):
    """After a plan the next command is the one that sends it."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    shown = migrate("status", tmp_path / "w", "--json")
    assert summary(shown)["events"]["pending"] == 4
    assert f"next     migrate apply {tmp_path / 'w'} --host" in shown.stderr


def test_status_after_a_kill_rolls_back_what_was_half_written(tmp_path):
    """A journal left behind by a killed process is no obstacle."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    code = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1'); db.execute('BEGIN IMMEDIATE')\n"
        "db.executemany('INSERT INTO names VALUES (?, 1)', ((f'n{i}' * 50,) for i in range(5_000)))\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "w" / "checkpoint.sqlite")], check=False)
    assert (tmp_path / "w" / "checkpoint.sqlite-journal").stat().st_size
    shown = migrate("status", tmp_path / "w", "--json")
    assert shown.returncode == 0, shown.stderr
    assert summary(shown)["events"]["pending"] == 4


def test_each_command_has_its_line_in_the_history(tmp_path):
    """What it planned and sent, how it ended; a killed one and one that was refused, too; not those that only look."""
    source, words = (
        rows(tmp_path / "in" / "a.jsonl", 4),
        ["posthog", tmp_path / "in", "--workdir", tmp_path / "w"],
    )
    with Sandbox() as sandbox:
        target = ["--host", sandbox.url, "--api-key", KEY]
        sealing.migrate("plan", *words, killed_at="plan.planner.Planner.todo")
        migrate("run", *words, *target)
        rows(source.with_name("b.jsonl"), 2, start=9)
        rows(source, 5)
        migrate("run", *words, *target, "--on-changed", "set-aside")
        assert migrate("run", *words, *target, "--identity", "none").returncode == 5
        migrate("apply", tmp_path / "w", *target)
        migrate("rejects", tmp_path / "w")
    shown = migrate("status", tmp_path / "w", "--history", "--json")
    done = [
        (one["command"], one["files"], one["planned"], one["accepted"], one["set_aside"], one["exit_code"])
        for one in summary(shown)["history"]
    ]
    assert done == [
        ("plan", 0, 0, 0, 0, None),
        ("run", 1, 4, 4, 0, 0),
        ("run", 1, 2, 2, 1, 5),
        ("run", 0, 0, 0, 1, 5),
        ("apply", 0, 0, 0, 1, 0),
    ]
    table = [line.split()[2:] for line in shown.stderr.splitlines()[1:6]]
    assert [line[-1] for line in table] == ["killed", "0", "5", "5", "0"]
    assert "history" not in summary(migrate("status", tmp_path / "w", "--json"))
