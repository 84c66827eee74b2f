"""The shell completes what may be typed, quickly and quietly; the documents say how it is set up."""

import re
import subprocess
import sys

import pytest
from commands import migrate
from markdown import ROOT
from samples import PLATFORMS

SHELLS = {
    "bash": lambda typed: {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)},
    "zsh": lambda typed: {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)},
    "fish": lambda typed: {"COMP_WORDS": typed, "COMP_CWORD": typed.split(" ")[-1]},
}


def completed(shell, typed):
    """What a shell is told of what is typed so far."""
    done = migrate(env={"_MIGRATE_COMPLETE": f"{shell}_complete", **SHELLS[shell](typed)})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("migrate p", ["plan", "platforms", "preview"]),
        ("migrate run M", ["matomo", "mixpanel", "mparticle"]),
        ("migrate preview ", PLATFORMS),
        ("migrate run ga4 in --max-b", ["--max-batch-bytes", "--max-batch-events"]),
        ("migrate run ga4 in --host e", ["eu"]),
        ("migrate run ga4 in --identity ", ["link", "none"]),
    ],
)
def test_words_are_completed(typed, words):
    """Commands, platforms in any case, options and their choices."""
    assert completed("bash", typed).split() == [f"plain,{word}" for word in words]
    assert [line for line in completed("zsh", typed).split("\n") if line in words] == words
    assert re.findall(r"^plain,([^\t\n]+)", completed("fish", typed), re.MULTILINE) == words


def test_files_are_left_to_the_shell():
    """Inputs are files, workdirs folders."""
    assert completed("bash", "migrate run ga4 ").split() == ["file,"]
    assert completed("bash", "migrate status ").split() == ["dir,"]


@pytest.mark.parametrize("shell", SHELLS)
def test_documented_is_what_sets_it_up(shell):
    """The script that the document has evaluated is the shell's."""
    page = (ROOT / "docs" / "completion.md").read_text(encoding="utf-8")
    assert f"_MIGRATE_COMPLETE={shell}_source migrate" in page
    done = migrate(env={"_MIGRATE_COMPLETE": f"{shell}_source"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "_MIGRATE_COMPLETE" in done.stdout


def test_nothing_heavy_is_imported_for_it():
    """The list of platforms needs none of their mappings."""
    code = (
        "import sys; from migrate.cli.commands import cli; from migrate import platforms; platforms.names(); "
    )
    code += "print([name for name in ('polars', 'pyarrow', 'aiohttp', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
