"""The checkpoint tells the truth or nothing."""

import re
import shutil
import sqlite3

import pytest
from older import AS_12
from workdirs import events, planned

from migrate.errors import Refused
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.history import entries
from migrate.workdir.records import Numbers


def test_a_workdir_without_a_checkpoint_is_refused(tmp_path):
    """Nothing is made up where nothing was planned."""
    with pytest.raises(
        Refused, match="no checkpoint, so nothing is planned there; plan first with 'migrate plan'"
    ):
        Checkpoint.open(tmp_path)


def test_what_is_noted_is_there_in_the_next_process(tmp_path):
    """Facts, inputs and numbers survive closing."""
    with planned(tmp_path, events(30, days=3)) as checkpoint:
        checkpoint.note(platform="amplitude", import_id="x")
    with Checkpoint.open(tmp_path) as checkpoint:
        assert checkpoint.facts()["platform"] == "amplitude"
        assert [known.name for known in checkpoint.inputs().values() if known.planned] == ["a.jsonl"]
        assert sum(checkpoint.by_day().values()) == checkpoint.extent()[0] == 30
        assert checkpoint.numbers().read == 30


@pytest.mark.parametrize("keep", [0, 100, 4_096, 9_000])
def test_a_truncated_checkpoint_is_refused(tmp_path, keep):
    """A file cut short is recognised, never half believed."""
    planned(tmp_path, events(30)).close()
    with (tmp_path / FILE).open("r+b") as file:
        file.truncate(keep)
    with pytest.raises(
        Refused, match="plan again: what was sent already collapses|put checkpoint.sqlite back"
    ):
        Checkpoint.open(tmp_path, create=True)


def test_a_torn_checkpoint_is_refused(tmp_path):
    """Bytes overwritten in the middle are recognised."""
    planned(tmp_path, events(30)).close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 4_096)
    with pytest.raises(Refused, match="plan again: what was sent already collapses"):
        Checkpoint.open(tmp_path)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_text("hello\n" * 2_000), id="text"),
        pytest.param(
            lambda path: sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close(), id="sqlite"
        ),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, make):
    """A file that is no checkpoint is left alone."""
    make(tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(Refused, match="cannot be used as a checkpoint|not a migrate checkpoint"):
        Checkpoint.open(tmp_path, create=True)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param(
            2,
            "made by an older version of migrate, found checkpoint format 2 where this one reads 16; "
            "plan again in a new --workdir",
            id="older",
        ),
        pytest.param(
            99,
            "made by a newer version of migrate, found checkpoint format 99 where this one reads 16; use that one",
            id="newer",
        ),
    ],
)
def test_a_checkpoint_of_another_format_is_refused(tmp_path, version, message):
    """A workdir that another version made is not guessed at."""
    planned(tmp_path, events(1)).close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    with pytest.raises(Refused, match=re.escape(message)):
        Checkpoint.open(tmp_path)


def test_numbers_survive_as_they_are():
    """What is kept of an input's numbers is what was counted."""
    numbers = Numbers(read=5, mapped=2, group_types={"b", "a"}, damaged=["x.gz"], examples={"r": ["x:1"]})
    numbers.filtered["session_events"] = 1
    numbers.rejected["no_timestamp"] = 2
    assert Numbers.from_json(numbers.to_json()) == numbers


def test_an_empty_checkpoint_file_of_a_killed_start_is_begun_anew(tmp_path):
    """A process killed while making its checkpoint leaves nothing that stands in the way."""
    (tmp_path / FILE).touch()
    Checkpoint.open(tmp_path, create=True).close()
    with Checkpoint.open(tmp_path) as checkpoint:
        assert checkpoint.inputs() == {}
    shutil.rmtree(tmp_path)


def test_a_checkpoint_of_the_format_before_goes_on(tmp_path):
    """It gets what it has not yet, of this format and of the one before."""
    checkpoint = planned(tmp_path, events(1))
    parts = checkpoint.parts_of(1)
    checkpoint.close()
    db = sqlite3.connect(tmp_path / FILE)
    db.executescript(AS_12)
    db.executescript(
        "DROP TABLE history; ALTER TABLE parts DROP COLUMN fate; ALTER TABLE inputs DROP COLUMN since;"
        "ALTER TABLE inputs DROP COLUMN until; ALTER TABLE parts DROP COLUMN is_stripped;"
        "ALTER TABLE rounds DROP COLUMN ended; DROP TABLE cleaned; DROP INDEX inputs_unplanned;"
        "DROP INDEX inputs_lead; DROP INDEX parts_input;"
        "ALTER TABLE parked DROP COLUMN dismissed; ALTER TABLE rejects DROP COLUMN digest;"
        "PRAGMA user_version = 7;"
        "INSERT INTO meta VALUES ('--since', '\"2024-04-03T00:00:00+00:00\"'), ('--until', 'null');"
    )
    db.close()
    for _ in range(2):
        with Checkpoint.open(tmp_path) as checkpoint:
            assert checkpoint.parts_of(1) == parts
            (window,) = (one.window.texts() for one in checkpoint.inputs().values())
            assert window == ("2024-04-03T00:00:00+00:00", None)
            assert entries(checkpoint, {}) == []
