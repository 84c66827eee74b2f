"""The tables of a project's people, and the name and mark of the file that holds them."""

from typing import Final

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
