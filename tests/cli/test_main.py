"""The way in: help answers at once, and an error of ours is a sentence and a code."""

import subprocess
import sys
import time
from importlib.util import find_spec

from commands import apart
from samples import SAMPLES

HELP = """
import sys
from migrate.cli.main import cli
for name in (None, *cli.commands):
    cli.main([*([name] if name else []), "--help"], standalone_mode=False)
print(sorted({"polars", "pyarrow", "aiohttp", "rich", "msgspec", "sqlite3"} & sys.modules.keys()))
"""
RUN = """
import sys
sys.argv = ["migrate", *sys.argv[1:]]
from migrate.__main__ import main
try:
    main()
finally:
    print("pandas" in sys.modules)
"""


def test_help_answers_at_once():
    """Heavy imports wait until they are needed, which is when a command is called."""
    began = time.perf_counter()
    assert apart("--help").returncode == 0
    shown = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - began < 10


def test_pandas_is_not_read_where_it_is_installed(tmp_path):
    """Some of Arrow's calls look for it, which takes longer than to plan and send a small export."""
    words = [
        "run",
        "segment",
        SAMPLES / "segment",
        "--workdir",
        tmp_path / "w",
        "--host",
        "sandbox",
        "--quiet",
    ]
    command = [sys.executable, "-c", RUN, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (3, ["False"])
    assert find_spec("pandas")


def test_a_platform_that_was_forgotten_is_said():
    """The first word is taken for it: what was found there, and what it should be."""
    done = apart("run", "export.zip")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "error: INPUT: missing; the first word is a platform, found 'export.zip', and what to read follows it: "
        "'migrate run PLATFORM INPUT...'; 'migrate platforms' lists them"
    )
