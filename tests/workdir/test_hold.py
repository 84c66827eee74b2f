import errno
import fcntl
import os
import subprocess
import sys

import pytest

from migrate.errors import Refused, UsageError
from migrate.workdir.hold import Holder, hold, holder, made, reserved


def test_a_workdir_is_held_by_one_process_and_released_by_its_death(tmp_path):
    """A second process is refused; when the first is killed, the next may enter."""
    code = (
        "import sys, pathlib; from migrate.workdir.hold import hold\n"
        "with hold(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(Refused, match=f"another migrate process .*, found process {other.pid} since 2"),
            hold(tmp_path),
        ):
            pass
        assert holder(tmp_path).pid == other.pid
        other.kill()
    with hold(tmp_path):
        pass


def test_a_workdir_that_was_just_made_can_be_unmade(tmp_path):
    """It is held until it is gone; one that was there stays."""
    with made(tmp_path / "a" / "w") as unmake:
        assert unmake()
        assert holder(tmp_path / "a" / "w").pid == os.getpid()
    assert not [*(tmp_path / "a").iterdir()]
    for _ in "ab":
        with made(tmp_path / "a" / "w"):
            pass
    with made(tmp_path / "a" / "w") as unmake:
        assert not unmake()
    assert (tmp_path / "a" / "w").exists()


def test_who_holds_a_workdir_is_asked_of_the_lock(tmp_path):
    """What a process that has ended wrote there is not believed; one that has not written yet has no name."""
    assert holder(tmp_path) is None
    (tmp_path / "lock").write_text("1 2024-04-03T12:00:00+00:00\n")
    assert holder(tmp_path) is None
    with hold(tmp_path):
        (tmp_path / "lock").write_text("")
        assert (holder(tmp_path), str(holder(tmp_path))) == (Holder(), "another process")
    assert holder(tmp_path) is None


def test_a_workdir_that_cannot_be_locked_is_refused(tmp_path, monkeypatch):
    """As on a network's file system without locks: before anything is done, and with what to do."""

    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UsageError) as raised, hold(tmp_path):
        pass
    assert str(raised.value) == (
        f"{tmp_path}: files cannot be locked where it lies (No locks available), and two commands at once would spoil "
        "it; name a folder on a disk of this machine"
    )
    assert holder(tmp_path) is None


def test_room_is_kept_until_it_is_given_back(tmp_path):
    """Where a disk has none, work goes on without it."""
    with reserved(tmp_path) as release:
        [kept] = tmp_path.iterdir()
        assert kept.stat().st_size == 65_536
        release()
        assert not kept.exists()
    with reserved(tmp_path):
        assert kept.exists()
    assert not kept.exists()
    with reserved(tmp_path / "gone") as release:
        release()
