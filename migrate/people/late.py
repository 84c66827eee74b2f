"""Ids that are resolved only now, though their events may be planned already: they need a merge after all."""

from typing import Final

from migrate.kit import schemas
from migrate.people.store import People

_LATE_KEYS: Final = """
    INSERT OR IGNORE INTO late
    SELECT stayed.id, person, coalesce((SELECT min(time) FROM links WHERE a = stayed.key AND kind = 'resolved'), ?)
    FROM stayed JOIN persons ON persons.key = stayed.key
"""
_LATE_IDS: Final = """
    INSERT OR IGNORE INTO late
    SELECT key, person, coalesce((SELECT min(time) FROM links WHERE a = key AND kind = 'resolved'), ?)
    FROM persons WHERE key NOT IN (SELECT key FROM before) AND key NOT GLOB ?
"""
_STAYED: Final = """
    INSERT OR IGNORE INTO stayed SELECT a, b FROM links
    WHERE kind = 'own' AND b NOT IN (SELECT key FROM persons)
"""


def remember(people: People) -> None:
    """Note which keys are resolved, before that is worked out anew."""
    with people.transaction() as db:
        db.execute("DROP TABLE IF EXISTS temp.before")
        db.execute("CREATE TEMP TABLE before (key TEXT PRIMARY KEY) WITHOUT ROWID")
        db.execute("INSERT INTO before SELECT key FROM persons")


def catch_up(people: People, end: int | None) -> None:
    """Note the merges that what is resolved only now makes necessary, and the ids that stay their own.

    An id with events of its own stays while its key is resolved to nobody. When a later run resolves the key, the id
    has to be merged. So has, in later runs, every id newly resolved: its events may have been planned under itself.

    `end`: the last timestamp of what was planned before, in microseconds, None where nothing was.
    """
    with people.transaction() as db:
        if end is not None:
            db.execute(_LATE_KEYS, (end,))
            db.execute(_LATE_IDS, (end, f"{schemas.KEY}*"))
        db.execute(_STAYED)
