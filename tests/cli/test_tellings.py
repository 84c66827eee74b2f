"""Who cannot be told is told of: in a word or two, and the command ends as it would have."""

from pathlib import Path

import pytest
from commands import migrate, rows

STAYS = "was not told how this ended, found '{why}'; the exit code stays 0\n"


def none(folder):
    """A folder that is not there."""
    return folder / "none" / "m.prom", "No such file or directory"


def folder(folder):
    """A folder in the place of the file."""
    return folder, "it is no file, and none is written in its place"


def device(_):
    """A device."""
    return Path("/dev/full"), "it is no file, and none is written in its place"


def export(folder):
    """A file of another's."""
    return folder / "in" / "a.jsonl", (
        "it is there and holds no metrics of migrate's; name another, it would be replaced"
    )


def beneath(folder):
    """A file in the place of the folder."""
    return folder / "in" / "a.jsonl" / "m.prom", "Not a directory"


def long(folder):
    """A name that no disk takes."""
    return folder / ("m" * 300), "File name too long"


@pytest.mark.parametrize("trouble", [none, folder, device, export, beneath, long])
def test_metrics_that_cannot_be_written_are_a_warning(tmp_path, trouble):
    """Once, also with --quiet; nothing else is changed."""
    source = rows(tmp_path / "in" / "a.jsonl")
    before = source.read_bytes()
    path, why = trouble(tmp_path)
    words = ["plan", "posthog", source, "--workdir", tmp_path / "w", "--quiet", "--metrics-file", path]
    done = migrate(*words)
    assert (done.returncode, done.stderr) == (0, f"warning: --metrics-file: {path} {STAYS.format(why=why)}")
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "w"]
