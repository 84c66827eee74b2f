"""The checkpoint's file is made whole or not at all, and its facts and counts are there for the next process."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED, OBJECTS

from migrate.errors import Refused
from migrate.workdir.database import (
    APPLICATION_ID,
    FILE,
    add_count,
    connect,
    fact,
    note_facts,
)
from migrate.workdir.formats import FORMAT


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A new checkpoint's file, open."""
    made = connect(tmp_path_factory.mktemp("w"), create=True)
    yield made
    made.close()


def test_a_new_file_says_what_it_is_and_has_counted_nothing(tmp_path):
    """It is known by its marks; nothing was sent, and opening it again changes no byte."""
    connect(tmp_path, create=True).close()
    before = (tmp_path / FILE).read_bytes()
    made = connect(tmp_path, create=True)
    assert made.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert made.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    facts = dict(made.execute("SELECT key, value FROM meta"))
    assert facts == {"requests": "0", "retries": "0", "bytes_sent": "0", "seconds": "0.0"}
    made.close()
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("is_there", [False, True])
def test_none_is_made_unless_that_is_asked_for(tmp_path, is_there):
    """Where there is none, or an empty one, nothing is made."""
    if is_there:
        (tmp_path / FILE).touch()
    with pytest.raises(Refused) as raised:
        connect(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path / FILE}: no checkpoint, so nothing is planned there; plan first with 'migrate plan'"
    )
    assert (tmp_path / FILE).exists() is is_there


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_plan_without_its_checkpoint_is_not_begun_anew(tmp_path, is_there, create):
    """It would forget what was sent of its days. Nothing is made, and what is wrong is said."""
    if is_there:
        (tmp_path / FILE).touch()
    (tmp_path / "days").mkdir()
    with pytest.raises(Refused) as raised:
        connect(tmp_path, create=create)
    assert str(raised.value) == (
        f"{tmp_path / FILE}: no checkpoint, found a folder 'days' beside it, a plan without its checkpoint or a folder "
        "of something else; put checkpoint.sqlite back, or use another --workdir"
    )
    assert (tmp_path / FILE).exists() is is_there


def test_what_a_killed_process_left_half_done_is_rolled_back(tmp_path):
    """A journal beside the file takes back what was not committed; what was noted before stays."""
    for folder in "ab":
        (tmp_path / folder).mkdir()
    made = connect(tmp_path / "a", create=True)
    note_facts(made, {"target": "us"})
    made.execute("PRAGMA cache_size = 1")  # pages are written before the end
    made.execute("BEGIN IMMEDIATE")
    note_facts(made, {"target": "eu"} | {f"fact {n}": "x" * 1_000 for n in range(100)})
    for path in (tmp_path / "a").iterdir():
        (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    made.close()
    assert (tmp_path / "b" / f"{FILE}-journal").exists()
    again = connect(tmp_path / "b")
    assert fact(again, "target", "none") == '"us"'
    assert fact(again, "fact 0", "none") == "none"
    again.close()


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("size", [0, None])
def test_a_file_whose_making_was_cut_off_is_a_new_one(tmp_path, size, create):
    """A process killed before the first commit has left pages of a checkpoint that never was, and their journal."""
    for folder in "ab":
        (tmp_path / folder).mkdir()
    made = sqlite3.connect(tmp_path / "a" / FILE, isolation_level=None)
    made.execute("PRAGMA cache_size = 1")  # pages are written before the end
    made.execute("BEGIN IMMEDIATE")
    made.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    note_facts(made, {f"fact {n}": "x" * 1_000 for n in range(100)})
    for path in (tmp_path / "a").iterdir():
        data = path.read_bytes()
        (tmp_path / "b" / path.name).write_bytes(data[:size] if path.name == FILE else data)
    made.close()
    assert (tmp_path / "b" / f"{FILE}-journal").exists()
    if create:
        again = connect(tmp_path / "b", create=True)
        assert fact(again, "requests", "none") == "0"
        again.close()
    else:
        with pytest.raises(Refused, match="no checkpoint, so nothing is planned there"):
            connect(tmp_path / "b")


@given(st.lists(OBJECTS, max_size=3))
@COMPARED
def test_a_fact_is_what_it_was_noted_as_last(database, several):
    """Any JSON value, as long as its transaction is not taken back; what was never noted is what is given for it."""
    database.execute("BEGIN")
    last = {}
    for facts in several:
        note_facts(database, facts)
        last |= facts
    for key in ("a", "b", "c", "gone", "\\", '"é'):
        assert json.loads(fact(database, key, '"otherwise"')) == last.get(key, "otherwise")
    database.execute("ROLLBACK")
    assert fact(database, "a", "none") == "none"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2**40)), max_size=6))
@COMPARED
def test_counts_only_add_up(database, added):
    """Each name's is the sum of what was added under it."""
    database.execute("BEGIN")
    for name, n in added:
        add_count(database, name, n)
    add_count(database, "once")
    expected = {name: sum(n for one, n in added if one == name) for name, _ in added}
    assert dict(database.execute("SELECT name, n FROM counts")) == expected | {"once": 1}
    database.execute("ROLLBACK")
