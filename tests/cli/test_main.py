"""The way in: help answers at once, and an error of ours is a sentence and a code."""

import subprocess
import sys
import time

from commands import apart

HELP = """
import sys
from migrate.cli.main import cli
for name in (None, *cli.commands):
    cli.main([*([name] if name else []), "--help"], standalone_mode=False)
print(sorted({"polars", "pyarrow", "aiohttp", "rich", "msgspec", "sqlite3"} & sys.modules.keys()))
"""


def test_help_answers_at_once():
    """Heavy imports wait until they are needed, which is when a command is called."""
    began = time.perf_counter()
    assert apart("--help").returncode == 0
    shown = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - began < 10


def test_a_platform_that_was_forgotten_is_said():
    """The first word is taken for it: what was found there, and what it should be."""
    done = apart("run", "export.zip")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: INPUT: missing; the first word is a platform, found 'export.zip', and what to read follows it: "
        "'migrate run PLATFORM INPUT...'; 'migrate platforms' lists them"
    )
