"""What was told of how people first came, once for ever, and who has it of an id that was merged into theirs."""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from migrate.people.store import People

Note = tuple[str, int, str]
"""Of whom, when (microseconds) and, as the text of an object, how they first came."""


class Touches:
    """What was told of first touches. Use it within one transaction of the people's file.

    What is added is kept as planned by the input `name`, which is this night's alone: `People.keep_planned` forgets it
    where that was never planned.
    """

    def __init__(self, people: People, db: sqlite3.Connection, name: str) -> None:
        self._db, self._owner, self._name = db, people.owner, name
        self._has_heirs = False

    def known(self, ids: Sequence[str]) -> list[str]:
        """Return those of these ids of which it was told."""
        sql = "SELECT id FROM touches WHERE id IN (SELECT value FROM json_each(?))"
        return [name for (name,) in self._db.execute(sql, (json.dumps(ids),))]

    def inherited(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return what was told of ids that were merged into these, the first told first: whose it is, and the text."""
        if not self._has_heirs:
            self._find_heirs()
        sql = (
            "SELECT id, told FROM heirs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id, time, told"
        )
        return self._db.execute(sql, (json.dumps(ids),)).fetchall()

    def _find_heirs(self) -> None:
        """Find out, once, what was told before of all ids that were merged; nothing on the first night."""
        self._db.execute("DROP TABLE IF EXISTS temp.heirs")
        self._db.execute("CREATE TEMP TABLE heirs (id TEXT, time INTEGER, told TEXT)")
        if self._db.execute("SELECT 1 FROM touches LIMIT 1").fetchone():
            sql = """
                INSERT INTO heirs SELECT identified, touches.time, told FROM merged JOIN touches ON id = anonymous
                WHERE (touches.owner, touches.input) <> (?, ?)
            """
            self._db.execute(sql, (self._owner, self._name))
        self._db.execute("CREATE INDEX temp.heirs_id ON heirs (id)")
        self._has_heirs = True

    def add(self, notes: Iterable[Note]) -> None:
        """Note what is told."""
        owned = ((*note, self._owner, self._name) for note in notes)
        self._db.executemany("INSERT OR IGNORE INTO touches VALUES (?, ?, ?, ?, ?)", owned)
