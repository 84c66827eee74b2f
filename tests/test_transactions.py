"""Statements that hold together or not at all."""

import sqlite3

import pytest

from migrate.transactions import transaction


def opened(path):
    """A database as ours are opened: SQLite begins nothing by itself."""
    return sqlite3.connect(path, isolation_level=None)


def test_all_statements_of_a_block_are_there_for_others(tmp_path):
    """They are seen once the block has ended, and none of them before."""
    mine, other = opened(tmp_path / "a"), opened(tmp_path / "a")
    mine.execute("CREATE TABLE t (n)")
    with transaction(mine) as db:
        db.execute("INSERT INTO t VALUES (1)")
        assert other.execute("SELECT n FROM t").fetchall() == []
        db.execute("INSERT INTO t VALUES (2)")
    assert other.execute("SELECT n FROM t").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_none_has_happened_where_the_block_raises(tmp_path, error):
    """An interrupt undoes them, too, and the next block begins afresh."""
    db = opened(tmp_path / "a")
    db.execute("CREATE TABLE t (n)")

    def insert_and_raise():
        with transaction(db):
            db.execute("INSERT INTO t VALUES (1)")
            raise error

    with pytest.raises(error):
        insert_and_raise()
    with transaction(db):
        db.execute("INSERT INTO t VALUES (2)")
    assert db.execute("SELECT n FROM t").fetchall() == [(2,)]
