"""The SQLite file beside the checkpoint that knows who is who: links, what they came to, what was told already."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import polars as pl

from migrate.kit import schemas
from migrate.people.guards import refusal, with_known
from migrate.people.schema import APPLICATION_ID, NOTED, TABLES, Note, complete
from migrate.transactions import transaction

BEFORE: Final = "(before)"
"""The input that made what was made in an earlier workdir."""


class People:
    """What a project knows of people, used by one of its workdirs. Safe to use from several threads.

    Links between ids, what they came to and what was told are of the project; files that were looked over, their
    clocks and their own numbers for persons are of the workdir that reads them.
    """

    def __init__(self, path: Path | None = None, owner: str = "") -> None:
        """Open the file; None for one in memory, which a preview needs no longer than it runs.

        `owner`: the workdir, where the file is another's, too; "" is the one that it lies in.
        """
        self._path = path
        self.owner = owner
        self.is_shared = False
        """Whether other workdirs plan with it, too."""
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30
        )
        self._lock = threading.RLock()
        self._db.executescript(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = FILE;"
        )
        self._db.executescript(f"{TABLES}; PRAGMA application_id = {APPLICATION_ID};")
        complete(self._db)

    @classmethod
    def opened(cls, path: Path, owner: str, *, is_shared: bool) -> Self:
        """Open a file that another process holds, to look things up; nothing can be written through this."""
        people = cls.__new__(cls)
        people._path, people.owner, people.is_shared, people._lock = path, owner, is_shared, threading.RLock()  # noqa: SLF001
        people._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)  # noqa: SLF001
        return people

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def folder(self) -> Path | None:
        """Where the file is; None for one in memory."""
        return None if self._path is None else self._path.parent

    def stored(self) -> int:
        """Return how many bytes of the disk it takes."""
        return 0 if self._path is None else self._path.stat().st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def _mine(self, column: str) -> pl.Expr:
        """Return a column in which keys that are no ids are this workdir's: another export may number alike."""
        name = pl.col(column)
        if not self.owner:
            return name
        is_key = name.str.starts_with(schemas.KEY)
        return (
            pl.when(is_key)
            .then(pl.concat_str(pl.lit(schemas.KEY + self.owner), column))
            .otherwise(name)
            .alias(column)
        )

    # Gathering

    def gathered(self) -> dict[str, str]:
        """Return the inputs whose links are here, with the stamps they had."""
        with self._lock:
            return dict(self._db.execute("SELECT input, stamp FROM gathered WHERE owner = ?", (self.owner,)))

    def add(self, frame: pl.DataFrame) -> None:
        """Add links (`schemas.LINK_SCHEMA`), each at its first time; those that PostHog would refuse are set aside."""
        ids = [
            self._mine(name).str.replace_all("\x00", "\ufffd", literal=True).str.strip_chars(" ")
            for name in "ab"
        ]
        judged = with_known(frame.with_columns(ids)).with_columns(
            refusal().alias("refusal"), pl.col("time").dt.epoch("us")
        )
        good = judged.filter(pl.col("refusal").is_null()).sort("a", "b", nulls_last=False)
        bad = judged.filter(pl.col("refusal").is_not_null() & (pl.col("kind") != "identified"))
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = min(time, excluded.time)",
                good.select(
                    pl.col("a").fill_null(""), "b", "kind", "why", pl.lit(self.owner), "time"
                ).iter_rows(),
            )
            db.executemany(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?)", bad.select("refusal", "a", "b").iter_rows()
            )

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

    # Looking up

    def persons(self, keys: pl.Series) -> pl.Series:
        """Return the ids under which events of these keys are planned, null where the source has none."""
        mine = keys.to_frame("key").select(self._mine("key")).to_series()
        return self._looked_up(
            mine, "SELECT key, person FROM persons WHERE key IN (SELECT value FROM json_each(?))"
        )

    def identified(self, ids: pl.Series) -> pl.Series:
        """Return whose ids these are by a merge that is planned, null where there is none."""
        sql = "SELECT anonymous, identified FROM merged WHERE anonymous IN (SELECT value FROM json_each(?))"
        return self._looked_up(ids, sql)

    def recovered(self, keys: pl.Series) -> pl.Series:
        """Return what other files know of these rows, a JSON object each, null where they know nothing."""
        sql = """
            SELECT key, json_group_object(name, value) FROM recovered
            WHERE key IN (SELECT value FROM json_each(?)) AND owner = ? GROUP BY key
        """
        return self._looked_up(keys, sql, self.owner)

    def _looked_up(self, keys: pl.Series, sql: str, *more: str) -> pl.Series:
        """Return the text for each key."""
        wanted = keys.drop_nulls().unique().to_list()
        with self._lock:
            found = self._db.execute(sql, (json.dumps(wanted), *more)).fetchall() if wanted else []
        if not found:
            return pl.repeat(None, keys.len(), dtype=pl.String, eager=True)
        names, texts = zip(*found, strict=True)
        return keys.replace_strict(
            pl.Series(names, dtype=pl.String),
            pl.Series(texts, dtype=pl.String),
            default=None,
            return_dtype=pl.String,
        )

    # What it came to

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
