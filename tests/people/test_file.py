"""A workdir plans with the people's file that it began with, as it was left, or it does not plan."""

import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest
from sealing import flipped

from migrate.errors import Refused, UsageError
from migrate.people.file import GIVEN, PeopleFile, begin_step, step_made
from migrate.people.schema import PEOPLE_FILE, Note
from migrate.people.store import People
from migrate.workdir.checkpoint import Checkpoint

NOON = datetime(2024, 4, 3, 12, tzinfo=UTC)
MICROSECONDS = int(NOON.timestamp()) * 1_000_000


@pytest.fixture
def workdir(tmp_path):
    """What makes the people's file of a workdir of which nothing is planned."""
    with ExitStack() as stack:

        def made(name, shared=None):
            (tmp_path / name).mkdir()
            return PeopleFile(stack.enter_context(Checkpoint.open(tmp_path / name, create=True)), shared)

        yield made


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A file that was planned with once, and its bytes."""
    with Checkpoint.open(tmp_path_factory.mktemp("left"), create=True) as checkpoint:
        file = PeopleFile(checkpoint)
        file.begin(None, is_new=True)
        step(file, ("pu", 1, "digest"))
        yield file, file.path.read_bytes()


def step(file, *told):
    """Plan once with it: something is told, and both it and the checkpoint count a step."""
    with file.open() as people:
        number = begin_step(file.checkpoint)
        people.step(number)
        with people.transaction():
            people.tell([Note(*one) for one in told])
        file.checkpoint.note(**step_made(number))


def found(file, sql):
    """What a query of the file returns."""
    with closing(sqlite3.connect(file.path)) as db:
        return db.execute(sql).fetchall()


def change(file, sql):
    """Change the file, as nobody should."""
    with closing(sqlite3.connect(file.path, isolation_level=None)) as db:
        db.execute(sql)


HARMED = {
    "missing": (lambda file: file.path.unlink(), "missing"),
    "another": (
        lambda file: change(file, "UPDATE self SET id = 'x'"),
        "found one that another workdir began with",
    ),
    "older": (
        lambda file: change(file, "UPDATE generations SET generation = 0"),
        "found an older one, of step 0 where 1 was noted",
    ),
    "newer": (
        lambda file: change(file, "UPDATE generations SET generation = 2"),
        "found a newer one, of step 2 where 1 was noted",
    ),
    "changed": (lambda file: change(file, "DELETE FROM told"), "found other content than was left"),
    "no database": (
        lambda file: file.path.write_bytes(b"people" * 2_000),
        "damaged, found 'file is not a database'",
    ),
    "none of ours": (lambda file: change(file, "DROP TABLE self"), "damaged, found 'no such table: self'"),
    "a bit": (lambda file: flipped(file.path, -1), "found other content than was left"),
}


@pytest.mark.parametrize("harm", HARMED)
def test_another_file_than_the_one_that_was_left_is_refused(left, harm):
    """It says what is wrong with it, and what to do."""
    file, data = left
    file.path.write_bytes(data)
    file.check()
    harmed, why = HARMED[harm]
    harmed(file)
    with pytest.raises(Refused) as told:
        file.check()
    assert str(told.value) == (
        f"{file.path}: not the file that belongs to this checkpoint, {why}; it knows who is who, and without it "
        "people who are known could be merged, so nothing is planned; put the right file back, or plan all into "
        "another --workdir"
    )


def test_a_file_that_was_being_changed_may_be_one_step_ahead(workdir):
    """As a process leaves it that is killed between the two; never two steps, and never one behind."""
    file = workdir("w")
    file.begin(None, is_new=True)
    step(file)
    with file.open() as people:
        assert file.checkpoint.people_seal() is None
        begin_step(file.checkpoint)
        for steps, is_right in ((0, True), (1, True), (2, False)):
            people._db.execute(f"UPDATE generations SET generation = {1 + steps}")  # noqa: S608, SLF001 - a number
            if is_right:
                file.check()
            else:
                with pytest.raises(Refused, match="found a newer one, of step 3 where 1 was noted"):
                    file.check()
    assert file.checkpoint.people_seal() is not None


def test_a_shared_file_may_be_changed_by_its_other_workdirs(workdir, tmp_path):
    """Each has steps of its own; what changes it otherwise is still seen."""
    one, two = (workdir(name, tmp_path / "shared") for name in ("one", "two"))
    for file in (one, two):
        with file.hold():
            file.begin(None, is_new=True)
            step(file, (f"p{file.checkpoint.workdir.name}", 1, "digest"))
    one.check()
    two.check()
    assert found(one, "SELECT owner FROM told ORDER BY owner") == [("pone",), ("ptwo",)]
    change(one, "DELETE FROM told")
    with pytest.raises(Refused, match="found other content than was left"):
        two.check()


def test_two_do_not_plan_with_the_same_people_at_once(workdir, tmp_path):
    """The second is refused until the first ends."""
    one, two = (workdir(name, tmp_path / "shared") for name in ("one", "two"))
    with one.hold(), pytest.raises(Refused) as told, two.hold():
        pass
    assert str(told.value) == (
        f"{two.path}: another migrate process plans with these people; wait for it to end"
    )
    with two.hold():
        assert two.path.parent.is_dir()


def test_a_workdir_begins_with_the_people_of_an_earlier_one(workdir):
    """What was sent before `since` is known, and once more if it begins again; all else is to be planned here."""
    earlier = workdir("earlier")
    earlier.begin(None, is_new=True)
    step(earlier, ("pold", MICROSECONDS - 1, "digest"), ("pnew", MICROSECONDS, "digest"))
    assert earlier.checkpoint.facts()["people_taken_over"] is False
    file = workdir("w")
    file.path.write_bytes(earlier.path.read_bytes())
    for is_new in (True, False):
        file.begin(NOON, is_new=is_new)
        assert file.checkpoint.facts()["people_taken_over"] is True
        assert found(file, "SELECT owner FROM told") == [("pold",)]
        step(file, ("pmine", 1, "digest"))
    assert file.path.with_name(GIVEN).read_bytes() == earlier.path.read_bytes()


def test_a_file_that_was_put_there_and_is_none_of_ours_is_refused(workdir):
    """Nothing is begun with it, also the next time."""
    file = workdir("w")
    file.path.write_bytes(b"people" * 2_000)
    for is_new in (True, False):
        with pytest.raises(Refused) as told:
            file.begin(None, is_new=is_new)
        assert str(told.value) == (
            f"{file.path.with_name(GIVEN)}: cannot be used as the people.sqlite of an earlier workdir, found 'file is "
            "not a database'; copy it again, or remove it"
        )
        assert not file.path.exists()


def test_people_are_in_one_place(workdir, tmp_path):
    """A workdir that has a file of its own, or was planned with another place, is told so."""
    file = workdir("w", tmp_path / "shared")
    own = PeopleFile(file.checkpoint)
    own.path.touch()
    with pytest.raises(UsageError) as told:
        file.begin(None, is_new=True)
    assert (
        str(told.value)
        == f"--people: {tmp_path / 'shared'} is named, and {own.path} is there, too; remove one"
    )
    own.path.unlink()
    with file.hold():
        file.begin(None, is_new=True)
    file.checkpoint.note(platform="segment")
    file.check()
    with pytest.raises(Refused) as told:
        own.check()
    assert str(told.value) == (
        f"--people: this workdir was planned with who is who in {tmp_path / 'shared'}; give --people "
        f"{tmp_path / 'shared'}, or plan into another --workdir"
    )


def test_a_plan_that_does_not_stay_has_a_copy(workdir):
    """What is told in it is not told; and where there are no people yet the folder is empty."""
    file = workdir("w")
    assert [*file.copy().iterdir()] == []
    other = workdir("other")
    other.begin(None, is_new=True)
    step(other, ("pu", 1, "digest"))
    folder = other.copy()
    with People(folder / PEOPLE_FILE) as people, people.transaction():
        people.tell([Note("pv", 2, "digest")])
    assert found(other, "SELECT owner FROM told") == [("pu",)]
    other.check()
