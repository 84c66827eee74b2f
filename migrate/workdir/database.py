"""The checkpoint's SQLite file: its tables, how it is made and opened; the facts and counts that all of it shares."""

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from migrate.errors import Refused
from migrate.transactions import transaction
from migrate.workdir.formats import ADDED, FORMAT
from migrate.workdir.hold import MEND, unwritable

FILE: Final = "checkpoint.sqlite"
APPLICATION_ID: Final = 0x504D4947  # "PMIG", so that a foreign SQLite file is recognised
_DAYS: Final = "days"
Database = sqlite3.Connection
_PATIENCE: Final = 30.0
_HASTE: Final = 0.5
"""Seconds that a change waits for those of others."""
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, size INTEGER NOT NULL,
    digest TEXT NOT NULL, numbers TEXT, lead INTEGER, since TEXT, until TEXT, rows BLOB, home INTEGER
);
CREATE INDEX inputs_unplanned ON inputs (id) WHERE numbers IS NULL;
CREATE INDEX inputs_lead ON inputs (lead); CREATE INDEX inputs_home ON inputs (home);
CREATE TABLE parts (
    path TEXT PRIMARY KEY, input INTEGER NOT NULL REFERENCES inputs, day TEXT NOT NULL, events INTEGER NOT NULL,
    bytes INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, leads INTEGER NOT NULL,
    anew INTEGER NOT NULL, increment INTEGER NOT NULL, size INTEGER NOT NULL, sums BLOB NOT NULL, round INTEGER,
    fate TEXT NOT NULL DEFAULT '', is_stripped INTEGER NOT NULL DEFAULT 0, names BLOB
);
CREATE TABLE spans (
    path TEXT PRIMARY KEY, input INTEGER NOT NULL REFERENCES inputs, anew INTEGER NOT NULL, increment INTEGER NOT NULL,
    was INTEGER NOT NULL, days TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, size INTEGER NOT NULL,
    sums BLOB NOT NULL, done TEXT NOT NULL
);
CREATE TABLE cleaned (
    day TEXT PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, names BLOB
) WITHOUT ROWID;
CREATE INDEX parts_day ON parts (day, round); CREATE INDEX parts_input ON parts (input);
CREATE TABLE rounds (
    day TEXT NOT NULL, round INTEGER NOT NULL, accepted INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    ended TEXT, settled BLOB, duplicates BLOB, PRIMARY KEY (day, round)
) WITHOUT ROWID;
CREATE TABLE seals (path TEXT PRIMARY KEY, size INTEGER NOT NULL, sums BLOB NOT NULL);
CREATE TABLE names (name TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rejects (
    input INTEGER NOT NULL, row INTEGER NOT NULL, reason TEXT NOT NULL, held INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, digest INTEGER, PRIMARY KEY (input, row, reason)
) WITHOUT ROWID;
CREATE TABLE held (input INTEGER PRIMARY KEY, size INTEGER NOT NULL, sums BLOB NOT NULL, lines INTEGER NOT NULL);
CREATE TABLE parked (
    id INTEGER PRIMARY KEY AUTOINCREMENT, day TEXT NOT NULL, later INTEGER NOT NULL, timestamp TEXT NOT NULL,
    uuid TEXT NOT NULL, status INTEGER NOT NULL, message TEXT NOT NULL, payload TEXT NOT NULL, sum INTEGER NOT NULL,
    dismissed INTEGER NOT NULL DEFAULT 0, event TEXT
); CREATE INDEX parked_uuid ON parked (uuid);
CREATE TABLE queue (
    day TEXT NOT NULL, later INTEGER NOT NULL, timestamp TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (day, later, timestamp, id)
) WITHOUT ROWID; CREATE UNIQUE INDEX queue_id ON queue (id);
CREATE TABLE outdated (
    day TEXT NOT NULL, uuid TEXT NOT NULL, event TEXT NOT NULL, round INTEGER NOT NULL, PRIMARY KEY (day, uuid, event)
) WITHOUT ROWID;
CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE history (id INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE looks (id INTEGER PRIMARY KEY, look BLOB NOT NULL);
CREATE TABLE sendings (begun INTEGER PRIMARY KEY, slot TEXT NOT NULL);
CREATE TABLE verified (day TEXT PRIMARY KEY, there INTEGER NOT NULL, asked TEXT NOT NULL) WITHOUT ROWID;
"""
_SOUND: Final[set[tuple[int, int, int, int]]] = set()
"""Files as this process has found them whole: what is as it was is not gone through once more."""
TOTALS: Final = "totals"
"""The fact that holds the numbers of all inputs together; it goes with any change of an input."""
_OF_CONNECTION: Final = (
    """
    CREATE TEMP VIEW extents AS SELECT day, events, bytes, first, last FROM parts
        UNION ALL SELECT day, events, bytes, first, last FROM cleaned
        UNION ALL SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]'), first, last
            FROM spans, json_each(days) WHERE key > done
    """,
    "CREATE TEMP TRIGGER set_ AFTER UPDATE OF name, numbers ON inputs BEGIN DELETE FROM meta WHERE key = 'totals'; END",
    "CREATE TEMP TRIGGER gone AFTER DELETE ON inputs BEGIN DELETE FROM meta WHERE key = 'totals'; END",
)
"""`history` is kept by `history.py`, `rejects` and `held` by `rejects.py` (and `alike.py`), `parked` and `queue` by
`parked.py`, `outdated` by `outdated.py`, `counts` by all of these, `looks` by `looks.py` (and `rows` of inputs),
`names` of parts and days by `daynames.py`, `spans` by `spans.py`, `sendings` by `sendings.py`, `verified` by
`verified.py`, `rounds` by `rounds.py`."""


def connect(workdir: Path, *, create: bool = False) -> Database:
    """Return the open file of a workdir.

    Raises Refused when there is none (unless `create`), or when the file is torn or is not ours; Stopped where the
    disk refuses.
    """
    path = workdir / FILE
    check_begun(workdir)
    if not create and not path.exists():
        raise _none(path)
    try:
        # Never read-only: a killed process may have left a journal that has to be rolled back first.
        db = _open(path, "rwc" if create else "rw", _PATIENCE)
        try:
            _prepare(db, path, create=create)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        raise unwritable(path, str(error)) from error
    except sqlite3.Error as error:
        raise Refused(f"{path}: cannot be used as a checkpoint, {error}; {MEND}") from error
    return db


def again(workdir: Path) -> Database:
    """Return the file of a workdir that is open already, opened once more; nothing waits long for it."""
    return _open(workdir / FILE, "rw", _HASTE)


def _open(path: Path, mode: str, seconds: float) -> Database:
    """Return an open file, in which a change waits so long for those of others."""
    # One thread at a time, which need not always be the same: apply notes beside its event loop.
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=seconds,
        check_same_thread=False,
    )


def _prepare(db: Database, path: Path, *, create: bool) -> None:
    """Make a checkpoint of a file that is empty, if that is asked for, and make sure that it is one."""
    db.execute("PRAGMA synchronous = FULL")
    if _is_empty(db):
        if _has_plan(path.parent):
            raise _lost(path)
        if not create:
            raise _none(path)
        _create(db)
    _verify(db, path)
    for statement in _OF_CONNECTION:
        db.execute(statement)


def check_begun(workdir: Path) -> None:
    """Raise Refused where a plan lies without its checkpoint: begun anew it would forget what was sent."""
    if _has_plan(workdir) and not (workdir / FILE).exists():
        raise _lost(workdir / FILE)


def has_nothing(workdir: Path) -> bool:
    """Return whether neither a checkpoint nor a plan is there, nor anything in the place of the workdir."""
    path = workdir / FILE
    is_empty = not path.exists() or (path.is_file() and not path.stat().st_size)
    return is_empty and not _has_plan(workdir) and (workdir.is_dir() or not os.path.lexists(workdir))


def _has_plan(workdir: Path) -> bool:
    return (workdir / _DAYS).exists()


def _lost(path: Path) -> Refused:
    return Refused(
        f"{path}: no checkpoint, found a folder '{_DAYS}' beside it, a plan without its checkpoint or a folder of "
        f"something else; put {FILE} back, or use another --workdir"
    )


def _none(path: Path) -> Refused:
    return Refused(f"{path}: no checkpoint, so nothing is planned there; plan first with 'migrate plan'")


def _is_empty(db: Database) -> bool:
    """Return whether a file holds nothing, once SQLite has rolled back what a killed process left half done in it.

    Its size does not say so: before that it may have pages of a checkpoint whose making was never committed.
    """
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    return bool(pages == 0)


def _create(db: sqlite3.Connection) -> None:
    """Make an empty checkpoint, all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    note_facts(db, {"requests": 0, "retries": 0, "bytes_sent": 0, "seconds": 0.0})
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("COMMIT")


def _verify(db: Database, path: Path) -> None:
    """Raise Refused unless the file is a whole checkpoint of this format."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION_ID and version in ADDED:
        with transaction(db):
            for earlier in range(version, FORMAT):
                for statement in ADDED[earlier].split(";"):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {FORMAT}")
        version = FORMAT
    if application != APPLICATION_ID:
        raise Refused(
            f"{path}: not a migrate checkpoint, found a file of something else; use another --workdir"
        )
    if version != FORMAT:
        age, way = (
            ("an older", "plan again in a new --workdir") if version < FORMAT else ("a newer", "use that one")
        )
        raise Refused(
            f"{path}: made by {age} version of migrate, found checkpoint format {version} where this one reads "
            f"{FORMAT}; {way}"
        )
    status = path.stat()
    if (known := (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)) in _SOUND:
        return
    (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise Refused(f"{path}: the checkpoint is damaged, found '{state}'; {MEND}")
    _SOUND.add(known)


def add_count(db: Database, name: str, n: int = 1) -> None:
    """Add to what is counted for ever under a name."""
    db.execute("INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", (name, n))


def fact(db: Database, key: str, otherwise: str) -> str:
    """Return a fact of the workdir as JSON, `otherwise` where it is not noted."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return otherwise if row is None else str(row[0])


def note_facts(db: Database, facts: Mapping[str, Any]) -> None:
    """Write facts within the transaction that is open."""
    db.executemany(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        ((key, json.dumps(value)) for key, value in facts.items()),
    )
