"""The tables of a project's people, what is noted of each, and the name and mark of the file that holds them."""

import sqlite3
from typing import Final, NamedTuple

from migrate.transactions import transaction

PEOPLE_FILE: Final = "people.sqlite"
APPLICATION_ID: Final = 0x504D4950
"""Of a people's file, "PMIP", so that one in a folder of exports is not taken for one of them."""
TABLES: Final = """
CREATE TABLE IF NOT EXISTS self (id TEXT NOT NULL, uses INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS generations (
    owner TEXT PRIMARY KEY, generation INTEGER NOT NULL, last INTEGER, workdir TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gathered (
    owner TEXT, input TEXT, stamp TEXT NOT NULL, PRIMARY KEY (owner, input)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    a TEXT NOT NULL, b TEXT NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL, owner TEXT NOT NULL, time INTEGER,
    PRIMARY KEY (a, b, kind, why, owner)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (reason TEXT, a TEXT, b TEXT, PRIMARY KEY (reason, a, b)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS persons (key TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recovered (
    owner TEXT, key TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (owner, key, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (
    owner TEXT, month TEXT, offset INTEGER, rows INTEGER, PRIMARY KEY (owner, month, offset)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merged (
    anonymous TEXT PRIMARY KEY, identified TEXT NOT NULL, time INTEGER NOT NULL, owner TEXT NOT NULL,
    input TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stayed (id TEXT, key TEXT, PRIMARY KEY (id, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late (a TEXT, b TEXT, time INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    owner TEXT PRIMARY KEY, time INTEGER, digest TEXT NOT NULL,
    newest INTEGER, own INTEGER, said TEXT, times INTEGER, names TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS touches (
    id TEXT PRIMARY KEY, time INTEGER NOT NULL, told TEXT NOT NULL, owner TEXT NOT NULL, input TEXT NOT NULL
) WITHOUT ROWID;
"""


class Note(NamedTuple):
    """What is noted of a person, a person's place, or a group. Times are in microseconds."""

    owner: str
    time: int | None = None
    """Of the event that told of it last."""
    digest: str = ""
    """Of what that event told; "" where none did."""
    newest: int | None = None
    """Of the newest state known of it, whichever of a person's ids said it, and whether it was told or not."""
    own: int | None = None
    """Of the newest state that it said itself: an id that was merged into a person's says something, too."""
    said: str | None = None
    """A digest of that state."""
    times: int = 0
    """How many nights it was told of."""
    names: str | None = None
    """Of a group: an object of the names that were ever told, each with the time of the newest state that has it."""


NOTED: Final = ", ".join(Note._fields)
"""The columns of a note."""


def complete(db: sqlite3.Connection) -> None:
    """Give a file of an earlier version the columns that it lacks."""
    known = {name for _, name, *_ in db.execute("PRAGMA table_info(told)")}
    if {*Note._fields} <= known:
        return
    with transaction(db):
        for name in ("newest INTEGER", "own INTEGER", "said TEXT", "times INTEGER", "names TEXT"):
            db.execute(f"ALTER TABLE told ADD COLUMN {name}")
        db.execute(
            "UPDATE told SET newest = time, own = time, said = digest, times = 1, names = json_object('', time)"
        )
