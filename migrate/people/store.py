"""The SQLite file beside the checkpoint that knows who is who: links, what they came to, what was told already."""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from migrate.people.guards import refusal, with_known
from migrate.people.lookup import Lookup
from migrate.people.schema import APPLICATION_ID, NOTED, TABLES, Note, complete
from migrate.transactions import transaction

BEFORE: Final = "(before)"
"""The input that made what was made in an earlier workdir."""
_SETTLE: Final = """
    INSERT INTO links SELECT a, b, kind, why, owner, time FROM temp.held WHERE true ORDER BY a, b, kind, why
    ON CONFLICT DO UPDATE SET time = min(coalesce(time, excluded.time), coalesce(excluded.time, time))
"""
"""Each link at its first time, whichever of the files that show it without a time is looked over first."""
_TIMED: Final = """
    DELETE FROM refused WHERE reason = 'no_time' AND EXISTS (
        SELECT 1 FROM links WHERE (links.a, links.b) = (refused.a, refused.b)
        AND kind IN ('linked', 'needed', 'same') AND time IS NOT NULL
    )
"""
"""What has a time in any row is not refused for having none in another, whoever looks which of them over."""


class People(Lookup):
    """What a project knows of people, used by one of its workdirs. Safe to use from several threads.

    Links between ids, what they came to and what was told are of the project; files that were looked over, their
    clocks and their own numbers for persons are of the workdir that reads them.
    """

    def __init__(self, path: Path | None = None, owner: str = "") -> None:
        """Open the file; None for one in memory, which a preview needs no longer than it runs.

        `owner`: the workdir, where the file is another's, too; "" is the one that it lies in.
        """
        db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30)
        super().__init__(db, path, owner, is_shared=False)
        self.held = 0
        """How many bytes of links are held until they are settled."""
        self._db.executescript(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = FILE;"
        )
        self._db.executescript(f"{TABLES}; PRAGMA application_id = {APPLICATION_ID};")
        complete(self._db)

    def stored(self) -> int:
        """Return how many bytes of the disk it takes."""
        return self.held if self._path is None else self._path.stat().st_size + self.held

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that hold together or not at all."""
        with self._lock, transaction(self._db) as db:
            yield db

    def which(self) -> tuple[str, int]:
        """Return the id of this file, and how many steps this workdir has made with it."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO self SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM self)", (secrets.token_hex(16),)
            )
            db.execute("INSERT OR IGNORE INTO generations VALUES (?, 0, NULL, NULL)", (self.owner,))
            sql = "SELECT id, generation FROM self, generations WHERE owner = ?"
            return db.execute(sql, (self.owner,)).fetchone()  # type: ignore[no-any-return]

    def use(self, workdir: str = "") -> int:
        """Note that the workdir at this place is about to change the file; return how often any has."""
        self.which()
        with self.transaction() as db:
            self.is_shared = self.has_others()
            db.execute("UPDATE generations SET workdir = ? WHERE owner = ?", (workdir, self.owner))
            return int(db.execute("UPDATE self SET uses = uses + 1 RETURNING uses").fetchone()[0])

    def step(self, number: int) -> None:
        """Count a step. It has this number however often it is made again, when the process is killed on the way."""
        with self._lock:
            self._db.execute("UPDATE generations SET generation = ? WHERE owner = ?", (number, self.owner))

    def note_last(self, last: int | None) -> None:
        """Note the last timestamp that this workdir has planned, in microseconds."""
        with self._lock:
            self._db.execute("UPDATE generations SET last = ? WHERE owner = ?", (last, self.owner))

    def last(self) -> int | None:
        """Return about the last timestamp that other workdirs have planned, in microseconds; None without any."""
        sql = """
            SELECT max(coalesce(last, (SELECT max(time) FROM links), 0)) FROM generations WHERE owner <> ?
        """
        with self._lock:
            return self._db.execute(sql, (self.owner,)).fetchone()[0]  # type: ignore[no-any-return]

    def has_others(self) -> bool:
        """Return whether other workdirs plan with it, too."""
        with self._lock:
            sql = "SELECT EXISTS (SELECT 1 FROM generations WHERE owner <> ?)"
            return bool(self._db.execute(sql, (self.owner,)).fetchone()[0])

    def is_of_another(self, workdir: str) -> bool:
        """Return whether another workdir that planned with it lay at this place."""
        sql = "SELECT EXISTS (SELECT 1 FROM generations WHERE workdir = ? AND owner <> ? AND generation > 0)"
        with self._lock:
            return bool(self._db.execute(sql, (workdir, self.owner)).fetchone()[0])

    def begin_again(self) -> None:
        """Forget what this workdir has told, of which nothing is planned."""
        with self.transaction() as db:
            for table in ("links", "gathered", "recovered", "clock", "merged", "touches", "generations"):
                db.execute(f"DELETE FROM {table} WHERE owner = ?", (self.owner,))  # noqa: S608 - the names are ours

    # Gathering

    def gathered(self) -> dict[str, str]:
        """Return the inputs whose links are here, with the stamps they had."""
        with self._lock:
            return dict(self._db.execute("SELECT input, stamp FROM gathered WHERE owner = ?", (self.owner,)))

    def add(self, frame: pl.DataFrame) -> None:
        """Add links (`schemas.LINK_SCHEMA`), each at its first time; those that PostHog would refuse are set aside."""
        self.hold(frame)
        self.settle()

    def hold(self, frame: pl.DataFrame) -> None:
        """Have links added by the next `settle`: one by one they would touch most of a large file again and again."""
        ids = [
            self._mine(name).str.replace_all("\x00", "\ufffd", literal=True).str.strip_chars(" ")
            for name in "ab"
        ]
        judged = with_known(frame.with_columns(ids)).with_columns(
            refusal().alias("refusal"), pl.col("time").dt.epoch("us")
        )
        good = judged.filter(pl.col("refusal").is_null())
        bad = judged.filter(pl.col("refusal").is_not_null() & (pl.col("kind") != "identified"))
        rows = good.select(pl.col("a").fill_null(""), "b", "kind", "why", pl.lit(self.owner), "time")
        with self.transaction() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS held (a, b, kind, why, owner, time)")
            db.executemany("INSERT INTO temp.held VALUES (?, ?, ?, ?, ?, ?)", rows.iter_rows())
            db.executemany(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?)", bad.select("refusal", "a", "b").iter_rows()
            )
            self.held += int(rows.estimated_size())

    def settle(self, whole: Iterable[tuple[Mapping[str, str], pl.DataFrame]] = ()) -> None:
        """Add what is held, and note the inputs that are gathered `whole` by it, see `note_gathered`."""
        with self.transaction() as db:
            if self.held:
                db.execute(_SETTLE)
                db.execute("DROP TABLE temp.held")
            db.execute(_TIMED)
            for stamps, clock in whole:
                self._note_gathered(db, stamps, clock)
        self.held = 0

    def recover(self, frame: pl.DataFrame) -> None:
        """Add what rows know of rows of other files (`links.RECOVERY_SCHEMA`)."""
        with self.transaction() as db:
            sql = "INSERT INTO recovered VALUES (?, ?, ?, ?)"
            db.executemany(
                f"{sql} ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                frame.sort("key", "name").select(pl.lit(self.owner), "key", "name", "value").iter_rows(),
            )

    def forget_gathered(self, names: Iterable[str]) -> None:
        """Have these inputs looked over again."""
        with self.transaction() as db:
            sql = "DELETE FROM gathered WHERE owner = ? AND input = ?"
            db.executemany(sql, ((self.owner, name) for name in names))

    def note_gathered(self, stamps: Mapping[str, str], clock: pl.DataFrame) -> None:
        """Note that inputs are gathered whole, each with its stamp, and their clock (month, offset, rows)."""
        with self.transaction() as db:
            self._note_gathered(db, stamps, clock)

    def _note_gathered(self, db: sqlite3.Connection, stamps: Mapping[str, str], clock: pl.DataFrame) -> None:
        owned = ((self.owner, *row) for row in stamps.items())
        db.executemany("INSERT OR REPLACE INTO gathered VALUES (?, ?, ?)", owned)
        db.executemany(
            "INSERT INTO clock VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
            ((self.owner, *row) for row in clock.iter_rows()),
        )

    def clock(self) -> list[tuple[str, int, int]]:
        """Return month, offset in seconds and rows that show it."""
        with self._lock:
            sql = "SELECT month, offset, rows FROM clock WHERE owner = ? ORDER BY month, rows DESC"
            return self._db.execute(sql, (self.owner,)).fetchall()

    # What it came to

    def has_resolved(self) -> bool:
        """Return whether the source has resolved any id or key, now or before."""
        sql = """
            SELECT EXISTS (SELECT 1 FROM persons) OR EXISTS (SELECT 1 FROM links WHERE kind = 'resolved')
        """
        with self._lock:
            return bool(self._db.execute(sql).fetchone()[0])

    def count_resolved(self) -> int:
        """Return how many ids and keys the source itself has resolved."""
        return self._count("persons")

    def count_merges(self) -> int:
        """Return how many merges are planned, over all runs."""
        return self._count("merged")

    def _count(self, table: str) -> int:
        with self._lock:
            return int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - ours

    def refusals(self) -> dict[str, int]:
        """Return how many links were refused, by reason."""
        with self._lock:
            return dict(
                self._db.execute("SELECT reason, count(*) FROM refused GROUP BY reason ORDER BY reason")
            )

    # What is planned already

    def keep_planned(self, inputs: Iterable[str]) -> None:
        """Forget merges and first touches of inputs that were never planned whole, as a killed process leaves them."""
        planned = (self.owner, json.dumps([BEFORE, *inputs]))
        is_of_none = "owner = ? AND input NOT IN (SELECT value FROM json_each(?))"
        with self.transaction() as db:
            for table in ("merged", "touches"):
                db.execute(f"DELETE FROM {table} WHERE {is_of_none}", planned)  # noqa: S608 - the names are ours

    def take_over(self, since: int | None) -> None:
        """Keep what was sent before `since` (microseconds), nothing of it without: all else is to be planned here.

        Links, and what they came to, are kept; what files say is gathered again from those that are there.
        """
        with self.transaction() as db:
            for table in ("merged", "told", "touches"):
                db.execute(f"DELETE FROM {table} WHERE ? IS NULL OR time >= ?", (since, since))  # noqa: S608 - ours
            for table in ("merged", "touches"):
                db.execute(f"UPDATE {table} SET input = ?, owner = ?", (BEFORE, self.owner))  # noqa: S608 - ours
            for table in ("gathered", "clock", "generations", "self"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def told(self, owners: Sequence[str]) -> list[Note]:
        """Return what is noted of these persons and groups."""
        sql = f"SELECT {NOTED} FROM told WHERE owner IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
        with self._lock:
            return [Note(*row) for row in self._db.execute(sql, (json.dumps(owners),))]

    def tell(self, notes: Iterable[Note]) -> None:
        """Note what is told of persons and groups, within the transaction that is open."""
        with self._lock:
            self._db.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?)", notes)
