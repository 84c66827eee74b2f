"""What lies among files and is no export is told by its name, or by the mark that we write into our own."""

import sqlite3

import pytest

from migrate.inputs.passed import is_of_people, is_workdir, why_passed
from migrate.people.store import People
from migrate.workdir.checkpoint import Checkpoint


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".DS_Store", "hidden"),
        ("__MACOSX", "hidden"),
        ("..", None),
        ("_SUCCESS", "marker"),
        ("_delta_log", "marker"),
        ("_committed_123", "marker"),
        ("manifest.json", "marker"),
        ("part-0.csv.crc", "marker"),
        ("manifest.csv", None),
        ("success.json", None),
    ],
)
def test_why_a_name_is_passed_over(name, reason):
    """None of what may be an export is."""
    assert why_passed(name) == reason


def test_a_workdir_is_told_by_its_checkpoint(tmp_path):
    """A database of another program of the same name makes no workdir."""
    for name in ("ours", "other"):
        (tmp_path / name).mkdir()
    Checkpoint.open(tmp_path / "ours", create=True).close()
    with sqlite3.connect(tmp_path / "other" / "checkpoint.sqlite") as db:
        db.execute("CREATE TABLE t (a)")
    assert is_workdir(tmp_path / "ours")
    assert not is_workdir(tmp_path / "other")
    assert not is_workdir(tmp_path / "none")


def test_a_people_file_is_told_by_its_mark_and_its_lock_by_the_file(tmp_path):
    """A lock that lies alone may be anybody's."""
    lock = tmp_path / "people.lock"
    lock.touch()
    assert not is_of_people(lock)
    People(tmp_path / "people.sqlite").close()
    assert is_of_people(lock)
    assert is_of_people(tmp_path / "people.sqlite")
    assert not is_of_people(tmp_path / "people.csv")
