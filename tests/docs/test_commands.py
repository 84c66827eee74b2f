"""The commands of the README and of the platforms' pages run as they stand there, on the samples."""

import json
import re
import shlex
import shutil

import pages
import pytest
from commands import migrate, summary
from markdown import ROOT, blocks
from samples import FEW, SAMPLES, SEVERAL, some

from migrate.sandbox.server import Sandbox

pytestmark = pytest.mark.law

README = ROOT / "README.md"
SET_UP = ("python3 -m venv", "pipx ", "uv ", ".venv/bin/", ". .venv/bin/activate")
"""What lines begin with that set the machine up; `.ci/run` runs those of the quick start."""
KEYS = {"POSTHOG_API_KEY": "phc_docs", "POSTHOG_PERSONAL_API_KEY": "phx_docs"}
ALL_DONE = {0, 3}  # the samples hold rows that are rejected


def made(folder, platform):
    """Make the files that the documents invent, of the platform's sample."""
    sample = SAMPLES / platform
    shutil.make_archive(str(folder / "export"), "zip", sample)
    for name in ("export", "exports"):
        shutil.copytree(sample, folder / name)
    (folder / "names.json").write_text(json.dumps({"signed_up": "Signed Up"}))
    if platform == "table":
        for name in ("orders.csv", "spec.toml"):
            shutil.copy(sample / name, folder / name)
    return folder


def run(line, folder, host="sandbox"):
    """Run one line of a block; what goes to PostHog Cloud goes to a sandbox."""
    line = re.sub(r"\s*>>? \S+$", "", line).replace("--host eu", f"--host {host}")
    words = shlex.split(line, comments=True)
    match words:
        case ["migrate", *rest]:
            done = migrate(*rest, cwd=folder, env={"PYTHONPATH": str(ROOT), **KEYS})
            assert done.returncode in ALL_DONE, (line, done.stderr)
            return done
        case ["cp", source, target]:
            shutil.copy(folder / source, folder / target)
        case ["export", "POSTHOG_API_KEY=phc_…" | "POSTHOG_PERSONAL_API_KEY=phx_…"]:
            pass  # there is one
        case _:
            pytest.fail(f"what is to be done with this line? {line}")
    return None


def lines(path):
    """The lines of a document's shell blocks, but for those that set the machine up."""
    found = [line for block in blocks(path, "sh") for line in block.splitlines() if line.strip()]
    return [line for line in found if not line.startswith(SET_UP)]


@pytest.mark.parametrize("platform", some(SEVERAL, 6))
def test_commands_of_a_platform_run(platform, tmp_path):
    """Its two commands, and what else stands on its page; of pages that differ in little but the name, the first."""
    commands = lines(pages.PAGES / f"{platform}.md")
    assert len(commands) >= 2
    assert [line for line in commands if f" {platform} " not in line] == []
    folder = made(tmp_path, platform)
    for line in commands if platform in FEW else commands[:1]:
        run(line, folder)


def test_commands_of_the_readme_run_in_their_order(tmp_path):
    """From the first look to what is mended: all is sent, and open is only what nobody has mended or dismissed."""
    folder = made(tmp_path, "amplitude")
    with Sandbox() as sandbox:
        for line in lines(README):
            run(line, folder, sandbox.url)
    left = summary(migrate("status", "acme", "--json", cwd=folder, env={"PYTHONPATH": str(ROOT)}))
    assert (left["whole"], left["events"]["pending"], left["events"]["parked"]) == (True, 0, 0)
    assert "no_distinct_id" not in left["open_rejects"]
    assert (left["open_rejects"]["bad_timestamp"], sum(left["open_rejects"].values())) == (1, 2)


def test_readme_shows_what_the_quick_start_shows(tmp_path):
    """The lines in the README are on the screen, the exit code is the one it explains, and nothing stays behind."""
    (command,) = (line for line in blocks(README, "sh")[0].splitlines() if line.endswith("--host sandbox"))
    words = shlex.split(command.partition(".venv/bin/migrate ")[2])
    words[words.index("sample_data/amplitude")] = str(SAMPLES / "amplitude")
    done = migrate(*words, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 3
    (shown,) = (block for block in blocks(README, "") if "rows " in block)
    assert shown in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
