"""How a workdir is, and what is open in it."""

import subprocess
import sys

from commands import migrate, rows, summary


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
