"""Rejects of a source that is planned anew → which of them were rejected before, told by what their rows hold."""

import hashlib
from typing import Final

import msgspec

from migrate.workdir.database import Database
from migrate.workdir.records import Renewed
from migrate.workdir.standing import OF_FILE, Was

_PAIRS: Final = """
    CREATE TEMP TABLE IF NOT EXISTS alike (
        old INTEGER NOT NULL, new INTEGER NOT NULL, reason TEXT NOT NULL, goes_on INTEGER NOT NULL,
        PRIMARY KEY (old, new, reason)
    ) WITHOUT ROWID
"""
_BY_PLACE: Final = """
    INSERT INTO alike SELECT row, row, reason, :is_same FROM rejects AS old JOIN rejects AS new USING (row, reason)
    WHERE old.input = :before AND new.input = :now AND (:is_same OR old.digest IS NULL)
"""
_BY_CONTENT: Final = """
    WITH numbered AS (
        SELECT *, row_number() OVER (PARTITION BY input, reason, digest ORDER BY state <> :open, row) AS nth
        FROM rejects WHERE input IN (:before, :now) AND digest IS NOT NULL
    )
    INSERT INTO alike SELECT max(iif(input = :before, row, 0)), max(iif(input = :now, row, 0)), reason, 1
    FROM numbered GROUP BY reason, digest, nth HAVING count(*) = 2
"""
"""Of rows that are the same there is one for each; those that are open go before others."""
_STATES: Final = """
    UPDATE rejects SET state = iif(:is_same, old.state, (
        SELECT min(state) FROM rejects WHERE input = :before AND row = alike.old
    ))
    FROM alike CROSS JOIN rejects AS old
    WHERE goes_on AND old.input = :before AND old.row = alike.old AND old.reason = alike.reason
    AND rejects.input = :now AND rejects.row = alike.new AND rejects.reason = alike.reason
"""
"""A row that was rejected from a copy for another reason is not mended: it is open, or dismissed, as that is."""
_OF_COPIES: Final = """
    UPDATE OR IGNORE rejects SET input = :now
    WHERE input = :before AND state <> :mended AND held <> (SELECT lead FROM inputs WHERE id = :before)
    AND held IN (SELECT lead FROM inputs)
"""
"""Rows of a source that were mended in a copy, and are rejected from there for another reason."""


class Line(msgspec.Struct):
    """What tells a line of rejects.jsonl from others, and what the row holds."""

    file: str
    row: int | None
    reason: str
    value: msgspec.Raw = msgspec.Raw(b"")
    source: msgspec.Raw = msgspec.Raw(b"")

    def digest(self) -> int:
        """Return a number that stands for what is rejected, wherever in its file; for a file as a whole, where it ends.

        A file that is cut off further behind is another reject: what was dismissed of it is not what is lost by now.
        """
        place = str(self.row) if self.reason in OF_FILE else ""
        texts = (place.encode(), bytes(self.source) or bytes(self.value))
        made = hashlib.blake2b(b"\0".join(texts), digest_size=8).digest()
        return int.from_bytes(made, signed=True)


def go_on(db: Database, renewed: Renewed) -> int:
    """Give the rejects of a source that is planned anew the state they had before; return how many there were before.

    Where its bytes are the same a row is told by its number, else by what it holds. Rejects that were noted before
    there were digests are known by their numbers, and open again. What was rejected from a copy of rejects.jsonl for
    another reason goes along where the bytes are the same; else the row is rejected as its source has it.
    """
    its = {"before": renewed.before, "now": renewed.now, "is_same": renewed.is_same}
    db.execute(_PAIRS)
    db.execute("DELETE FROM alike")
    db.execute(_BY_PLACE, its)
    if not renewed.is_same:
        db.execute(_BY_CONTENT, its | {"open": Was.OPEN})
    (known,) = db.execute("SELECT count(*) FROM alike").fetchone()
    db.execute(_STATES, its)
    if renewed.is_same:
        db.execute(_OF_COPIES, its | {"mended": Was.MENDED})
    return int(known)
