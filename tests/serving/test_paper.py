"""A file is saved whole, if it is what was read, and no other is touched."""

import os
import stat
import subprocess
import sys

import pytest

from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.serving.paper import LARGEST, ChangedOnDisk, Paper


def test_it_is_saved_in_its_place(tmp_path):
    """With its mode and its mark; through a link to where that leads; nothing is left beside it."""
    real, link = tmp_path / "real.toml", tmp_path / "spec.toml"
    real.write_bytes("\ufeffa = 'é'\r\n".encode())
    real.chmod(0o640)
    link.symlink_to(real)
    paper = Paper(link)
    read = paper.read()
    assert read.text == "a = 'é'\r\n"
    saved = paper.save("b = 1\n", read.version)
    assert (real.read_bytes(), paper.read(), link.is_symlink()) == (b"\xef\xbb\xbfb = 1\n", saved, True)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["real.toml", "spec.toml"]


def test_a_kill_in_the_middle_leaves_what_was(tmp_path):
    """All that was written, and not yet in its place, is a hidden file, which is no input and no spec."""
    path = tmp_path / "spec.toml"
    path.write_text("a = 1\n")
    text = f"""
import os
from pathlib import Path
from migrate.serving.paper import Paper
os.fsync = lambda _: os.kill(os.getpid(), 9)
paper = Paper(Path({str(path)!r}))
paper.save("b = 2", paper.read().version)
"""
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == -9
    (aside,) = [one for one in tmp_path.iterdir() if one != path]
    assert (path.read_text(), aside.read_text()) == ("a = 1\n", "b = 2")
    assert sources([str(tmp_path)]).skipped == {"hidden": [str(aside)]}
    paper = Paper(path)
    assert paper.save("c = 3\n", paper.read().version).text == path.read_text() == "c = 3\n"


def test_what_was_changed_meanwhile_stays(tmp_path):
    """It is told, with what is there, and can be written over when that is known."""
    path = tmp_path / "spec.toml"
    path.write_text("a = 1\n")
    paper = Paper(path)
    read = paper.read()
    path.write_text("a = 2\n")
    with pytest.raises(
        ChangedOnDisk, match="changed on disk since it was read here; keep what is in"
    ) as found:
        paper.save("a = 3\n", read.version)
    assert (path.read_text(), found.value.now.text) == ("a = 2\n", "a = 2\n")
    paper.save("a = 3\n", found.value.now.version)
    assert path.read_text() == "a = 3\n"


def test_a_spec_may_begin_here(tmp_path):
    """What is not there is empty, and is written for its owner alone; what is there by then is not written over."""
    path = tmp_path / "new.toml"
    paper = Paper(path, is_new=True)
    read = paper.read()
    assert read.text == ""
    path.write_text("")
    with pytest.raises(ChangedOnDisk):
        paper.save("a = 1\n", read.version)
    path.unlink()
    paper.save("a = 1\n", read.version)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a = 1\n", 0o600)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = '\xff'", r"not UTF-8, found b'\\xff' at byte 5; save it as UTF-8"),
        (b" " * (LARGEST + 1), "longer than 1 MB, which no spec or mapping is; name another file"),
        (None, "no such file any more; put it back, or end this server"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, data, said):
    """And is not saved over."""
    path = tmp_path / "acme.py"
    if data is not None:
        path.write_bytes(data)
    for act in (Paper(path).read, lambda: Paper(path).save("x", "")):
        with pytest.raises(UsageError, match=said):
            act()


def test_what_cannot_be_written_is_a_sentence(tmp_path):
    """The folder has gone since; nothing is left of the attempt."""
    path = tmp_path / "gone" / "spec.toml"
    with pytest.raises(
        UsageError, match="cannot be written, found 'No such file or directory'; look at the disk"
    ):
        Paper(path, is_new=True).save("a = 1\n", "")
    assert [*tmp_path.iterdir()] == []


def test_a_pipe_is_never_waited_for_nor_replaced(tmp_path):
    """Nor is a device, to which a link may lead."""
    for path, make in (
        (tmp_path / "pipe", os.mkfifo),
        (tmp_path / "link", lambda one: one.symlink_to(os.devnull)),
    ):
        make(path)
        for act in (Paper(path).read, lambda path=path: Paper(path).save("x", "")):
            with pytest.raises(UsageError, match="a pipe or a device, which cannot be edited; name a file"):
                act()
        assert not path.is_file()


def test_what_is_read_only_stays(tmp_path):
    """Though its folder would let it be replaced."""
    path = tmp_path / "spec.toml"
    path.write_text("a = 1\n")
    path.chmod(0o444)
    paper = Paper(path)
    with pytest.raises(UsageError, match="cannot be written, found 'it is read-only'; look at the disk"):
        paper.save("a = 2\n", paper.read().version)
    assert (path.read_text(), [*tmp_path.iterdir()]) == ("a = 1\n", [path])
