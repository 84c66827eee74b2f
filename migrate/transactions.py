"""Statements to SQLite that hold together or not at all, for the checkpoint and for the people's file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block's statements in one transaction; if it raises, none of them has happened."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        if db.in_transaction:  # SQLite itself has rolled back where the disk is full
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
