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
from migrate.payload import checks

FILE: Final = "people.sqlite"
BEFORE: Final = "(before)"
"""The input that made what was made in an earlier workdir."""
MAX_ID: Final = checks.MAX_DISTINCT_ID_BYTES

_BATCH: Final = 10_000
_CACHE_KB: Final = 32_768
_GRAPH: Final = (
    "DROP TABLE IF EXISTS temp.edge",
    "DROP TABLE IF EXISTS temp.node",
    "CREATE TEMP TABLE edge AS {edges}",
    "CREATE TEMP TABLE node (id INTEGER PRIMARY KEY, name TEXT NOT NULL, known INTEGER NOT NULL)",
    """
    INSERT INTO node (name, known) SELECT name, max(known) FROM (
        SELECT a AS name, 0 AS known FROM edge UNION ALL SELECT b, 0 FROM edge UNION ALL SELECT name, 1 FROM ({known})
    ) GROUP BY name ORDER BY name
    """,
    "CREATE UNIQUE INDEX temp.node_name ON node (name)",
)
"""Numbered once all are there: indexes made of sorted names are several times faster than ones that grow."""
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
_MERGES: Final = """
    SELECT x.name AS a, y.name AS b, time FROM merge
    CROSS JOIN node x ON x.id = anonymous + 1 CROSS JOIN node y ON y.id = identified + 1
"""
APPLICATION_ID: Final = 0x504D4950
"""Of a people's file, "PMIP", so that one in a folder of exports is not taken for one of them."""
_SCHEMA: Final = """
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
CREATE TABLE IF NOT EXISTS told (owner TEXT PRIMARY KEY, time INTEGER, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS first_told (
    id TEXT PRIMARY KEY, time INTEGER NOT NULL, told TEXT NOT NULL, owner TEXT NOT NULL, input TEXT NOT NULL
) WITHOUT ROWID;
"""


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
        self._owner = owner
        self.is_shared = False
        """Whether other workdirs plan with it, too."""
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30
        )
        self._lock = threading.RLock()
        self._db.executescript(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = FILE;"
        )
        self._db.executescript(f"{_SCHEMA}; PRAGMA application_id = {APPLICATION_ID};")

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
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def which(self) -> tuple[str, int]:
        """Return which file this is, and how often this workdir has carried forward what it knows."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO self SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM self)", (secrets.token_hex(16),)
            )
            db.execute("INSERT OR IGNORE INTO generations VALUES (?, 0, NULL, NULL)", (self._owner,))
            sql = "SELECT id, generation FROM self, generations WHERE owner = ?"
            return db.execute(sql, (self._owner,)).fetchone()  # type: ignore[no-any-return]

    def use(self, workdir: str = "") -> int:
        """Count that it is about to be changed, by the workdir at this place; return how often it was."""
        self.which()
        with self.transaction() as db:
            self.is_shared = self.has_others()
            db.execute("UPDATE generations SET workdir = ? WHERE owner = ?", (workdir, self._owner))
            return int(db.execute("UPDATE self SET uses = uses + 1 RETURNING uses").fetchone()[0])

    def step(self) -> None:
        """Carry forward what it knows: the checkpoint notes it next, and is one step behind if it is killed before."""
        sql = "UPDATE generations SET generation = generation + 1 WHERE owner = ?"
        with self._lock:
            self._db.execute(sql, (self._owner,))

    def note_last(self, last: int | None) -> None:
        """Note the last timestamp that this workdir has planned, in microseconds."""
        with self._lock:
            self._db.execute("UPDATE generations SET last = ? WHERE owner = ?", (last, self._owner))

    def last(self) -> int | None:
        """Return about the last timestamp that other workdirs have planned, in microseconds; None without any."""
        sql = """
            SELECT max(coalesce(last, (SELECT max(time) FROM links), 0)) FROM generations WHERE owner <> ?
        """
        with self._lock:
            found: int | None = self._db.execute(sql, (self._owner,)).fetchone()[0]
        return found

    def has_others(self) -> bool:
        """Return whether other workdirs plan with it, too."""
        with self._lock:
            sql = "SELECT EXISTS (SELECT 1 FROM generations WHERE owner <> ?)"
            return bool(self._db.execute(sql, (self._owner,)).fetchone()[0])

    def is_of_another(self, workdir: str) -> bool:
        """Return whether another workdir that planned with it lay at this place."""
        sql = "SELECT EXISTS (SELECT 1 FROM generations WHERE workdir = ? AND owner <> ? AND generation > 0)"
        with self._lock:
            return bool(self._db.execute(sql, (workdir, self._owner)).fetchone()[0])

    def begin_again(self) -> None:
        """Forget what this workdir has told, of which nothing is planned."""
        with self.transaction() as db:
            for table in ("links", "gathered", "recovered", "clock", "merged", "generations"):
                db.execute(f"DELETE FROM {table} WHERE owner = ?", (self._owner,))  # noqa: S608 - the names are ours

    def _mine(self, column: str) -> pl.Expr:
        """Return a column in which keys that are no ids are this workdir's: another export may number alike."""
        name = pl.col(column)
        if not self._owner:
            return name
        is_key = name.str.starts_with(schemas.KEY)
        return (
            pl.when(is_key)
            .then(pl.concat_str(pl.lit(schemas.KEY + self._owner), column))
            .otherwise(name)
            .alias(column)
        )

    # Gathering

    def gathered(self) -> dict[str, str]:
        """Return the inputs whose links are here, with the stamps they had."""
        with self._lock:
            return dict(self._db.execute("SELECT input, stamp FROM gathered WHERE owner = ?", (self._owner,)))

    def add(self, frame: pl.DataFrame) -> None:
        """Add links (`LINK_SCHEMA`), each at the first time it is seen; those PostHog would not make are set aside."""
        ids = [
            self._mine(name).str.replace_all("\x00", "\ufffd", literal=True).str.strip_chars(" ")
            for name in "ab"
        ]
        judged = frame.with_columns(ids).with_columns(
            refusal().alias("refusal"), pl.col("time").dt.epoch("us")
        )
        good = judged.filter(pl.col("refusal").is_null()).sort("a", "b", nulls_last=False)
        bad = judged.filter(pl.col("refusal").is_not_null() & (pl.col("kind") != "identified"))
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = min(time, excluded.time)",
                good.select(
                    pl.col("a").fill_null(""), "b", "kind", "why", pl.lit(self._owner), "time"
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
                frame.sort("key", "name").select(pl.lit(self._owner), "key", "name", "value").iter_rows(),
            )

    def forget_gathered(self, names: Iterable[str]) -> None:
        """Have these inputs looked over again."""
        with self.transaction() as db:
            sql = "DELETE FROM gathered WHERE owner = ? AND input = ?"
            db.executemany(sql, ((self._owner, name) for name in names))

    def note_gathered(self, stamps: Mapping[str, str], clock: pl.DataFrame) -> None:
        """Note that inputs are gathered whole, each with its stamp, and their clock (month, offset, rows)."""
        with self.transaction() as db:
            owned = ((self._owner, *row) for row in stamps.items())
            db.executemany("INSERT OR REPLACE INTO gathered VALUES (?, ?, ?)", owned)
            db.executemany(
                "INSERT INTO clock VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
                ((self._owner, *row) for row in clock.iter_rows()),
            )

    def clock(self) -> list[tuple[str, int, int]]:
        """Return month, offset in seconds and rows that show it."""
        with self._lock:
            sql = "SELECT month, offset, rows FROM clock WHERE owner = ? ORDER BY month, rows DESC"
            return self._db.execute(sql, (self._owner,)).fetchall()

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
        return self._looked_up(keys, sql, self._owner)

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

    # Working out

    def remember(self) -> None:
        """Note which keys are resolved, before that is worked out anew."""
        with self._lock:
            self._db.execute("DROP TABLE IF EXISTS temp.before")
            self._db.execute("CREATE TEMP TABLE before (key TEXT PRIMARY KEY) WITHOUT ROWID")
            self._db.execute("INSERT INTO before SELECT key FROM persons")

    def catch_up(self, end: int | None) -> None:
        """Note the merges that what is resolved only now makes necessary, and the ids that stay their own.

        An id with events of its own stays while its key is resolved to nobody; when it is, in a later run, it has to
        be merged. So has, in later runs, every id newly resolved: its events may have been planned under itself.
        """
        with self.transaction() as db:
            if end is not None:
                db.execute(_LATE_KEYS, (end,))
                db.execute(_LATE_IDS, (end, f"{schemas.KEY}*"))
            db.execute(_STAYED)

    @contextmanager
    def graph(self, edges: str, known: str) -> "Iterator[Graph]":
        """Give the ids of these edges (a query of a, b, time), numbered in their own order.

        `known` is a query of the names among them that are of people who are known.
        """
        with self._lock:
            self._db.execute("BEGIN")
            try:
                for statement in _GRAPH:
                    self._db.execute(statement.format(edges=edges, known=known))
                yield Graph(self._db, self._owner)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def one(self, sql: str) -> int:
        """Return the only number a query answers."""
        with self._lock:
            return int(self._db.execute(sql).fetchone()[0])

    def refusals(self) -> dict[str, int]:
        """Return how many links were refused, by reason."""
        with self._lock:
            return dict(
                self._db.execute("SELECT reason, count(*) FROM refused GROUP BY reason ORDER BY reason")
            )

    # What is planned already

    def keep_planned(self, inputs: Iterable[str]) -> None:
        """Forget merges and first touches of inputs that were never planned whole, as a killed process leaves them."""
        planned = json.dumps([BEFORE, *inputs])
        with self.transaction() as db:
            for table in ("merged", "first_told"):
                sql = f"DELETE FROM {table} WHERE owner = ? AND input NOT IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
                db.execute(sql, (self._owner, planned))

    def take_over(self, since: int | None) -> None:
        """Keep what was sent before `since` (microseconds), nothing of it without: all else is to be planned here.

        Links, and what they came to, are kept; what files say is gathered again from those that are there.
        """
        with self.transaction() as db:
            for table in ("merged", "told", "first_told"):
                db.execute(f"DELETE FROM {table} WHERE ? IS NULL OR time >= ?", (since, since))  # noqa: S608 - ours
            for table in ("merged", "first_told"):
                db.execute(f"UPDATE {table} SET input = ?, owner = ?", (BEFORE, self._owner))  # noqa: S608 - ours
            for table in ("gathered", "clock", "generations", "self"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def told(self, owners: Sequence[str]) -> list[tuple[str, int, str]]:
        """Return what was last told of these persons and groups: whose, when, and a digest of it."""
        sql = "SELECT owner, time, digest FROM told WHERE owner IN (SELECT value FROM json_each(?))"
        with self._lock:
            return self._db.execute(sql, (json.dumps(owners),)).fetchall()

    def tell(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Note what is told of persons and groups, within the transaction that is open: owner, time, digest."""
        with self._lock:
            self._db.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", rows)

    def first_touches(self, name: str) -> "FirstTouches":
        """Return what was told of how people first came, within the transaction that is open.

        What is added is kept as planned by the input `name`.
        """
        return FirstTouches(self._db, self._owner, name)


class Graph:
    """Ids of a set of edges as numbers from 0, within one transaction."""

    def __init__(self, db: sqlite3.Connection, owner: str = "") -> None:
        self._db, self._owner = db, owner
        self.size = int(db.execute("SELECT count(*) FROM node").fetchone()[0])

    def edges(self) -> Iterator[tuple[int, int, int]]:
        """Yield the edges in the order of their time, then of their ids."""
        sql = """
            SELECT x.id - 1, y.id - 1, time FROM edge
            CROSS JOIN node x ON x.name = edge.a CROSS JOIN node y ON y.name = edge.b ORDER BY time, x.id, y.id
        """
        return iter(self._db.execute(sql))

    def known(self) -> Iterator[int]:
        """Yield the nodes of people who are known."""
        return (node for (node,) in self._db.execute("SELECT id - 1 FROM node WHERE known"))

    def among(self, names: str) -> Iterator[int]:
        """Yield the nodes of these names (a query of name)."""
        sql = f"SELECT id - 1 FROM node JOIN ({names}) USING (name)"  # noqa: S608 - the queries are ours
        return (node for (node,) in self._db.execute(sql))

    def ids(self) -> Iterator[int]:
        """Yield the nodes that are ids, and not keys of the source."""
        return (
            node
            for (node,) in self._db.execute(
                "SELECT id - 1 FROM node WHERE name NOT GLOB ?", (f"{schemas.KEY}*",)
            )
        )

    def names(self, nodes: Iterable[int]) -> list[str]:
        """Return the ids of a few nodes."""
        sql = "SELECT name FROM node WHERE id = ?"
        return [self._db.execute(sql, (node + 1,)).fetchone()[0] for node in nodes]

    def resolve(self, answers: Iterable[tuple[int, int]]) -> None:
        """Keep which node stands for which, as what `People.persons` answers."""
        self._db.execute("DELETE FROM persons")
        self._db.executemany(
            "INSERT INTO persons SELECT x.name, y.name FROM node x, node y WHERE x.id = ? + 1 AND y.id = ? + 1",
            answers,
        )

    def keep(self, merges: Iterable[tuple[int, int, int]], name: str) -> None:
        """Keep new merges (anonymous, identified, time) as made by the input of this name."""
        self._db.execute("DROP TABLE IF EXISTS temp.merge")
        self._db.execute("CREATE TEMP TABLE merge (anonymous INTEGER, identified INTEGER, time INTEGER)")
        self._db.executemany("INSERT INTO merge VALUES (?, ?, ?)", merges)
        sql = f"INSERT INTO merged SELECT a, b, time, ?, ? FROM ({_MERGES})"  # noqa: S608 - ours
        self._db.execute(sql, (self._owner, name))

    def merges(self) -> Iterator[list[tuple[str, str, int]]]:
        """Yield what `keep` was given, by time, some at a time."""
        rows = self._db.execute(f"{_MERGES} ORDER BY time, x.id")
        while some := rows.fetchmany(_BATCH):
            yield some


class FirstTouches:
    """What was told of how people first came, and what persons have of it by their merges."""

    def __init__(self, db: sqlite3.Connection, owner: str, name: str) -> None:
        self._db, self._owner, self._name = db, owner, name
        db.execute("DROP TABLE IF EXISTS temp.heirs")
        db.execute("CREATE TEMP TABLE heirs (id TEXT, time INTEGER, told TEXT)")
        if db.execute("SELECT 1 FROM first_told LIMIT 1").fetchone():
            sql = "SELECT identified, first_told.time, told FROM merged JOIN first_told ON id = anonymous"
            db.execute(f"INSERT INTO heirs {sql}")
        db.execute("CREATE INDEX temp.heirs_id ON heirs (id)")

    def told(self, ids: Sequence[str]) -> list[str]:
        """Return those of these ids of which it was told."""
        sql = "SELECT id FROM first_told WHERE id IN (SELECT value FROM json_each(?))"
        return [name for (name,) in self._db.execute(sql, (json.dumps(ids),))]

    def inherited(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return what was told of ids that were merged into these, the first told first: whose it is, and the text."""
        sql = (
            "SELECT id, told FROM heirs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id, time, told"
        )
        return self._db.execute(sql, (json.dumps(ids),)).fetchall()

    def add(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Note what is told: of whom, when (microseconds), and the text."""
        owned = ((*row, self._owner, self._name) for row in rows)
        self._db.executemany("INSERT OR IGNORE INTO first_told VALUES (?, ?, ?, ?, ?)", owned)


def refusal() -> pl.Expr:
    """Return why a link cannot be made, null where it can: a frame of `LINK_SCHEMA`."""
    between = pl.col("kind").is_in(["linked", "needed", "same"])
    ids = [pl.when(~pl.col(name).str.starts_with(schemas.KEY)).then(pl.col(name)) for name in "ab"]
    return pl.coalesce(
        pl.when(pl.col("kind") == "refused").then(pl.col("why")),
        pl.when(pl.any_horizontal(checks.junk(one).fill_null(False) for one in ids)).then(
            pl.lit("illegal_id")
        ),
        pl.when(pl.any_horizontal((one.str.strip_chars() == "").fill_null(False) for one in ids)).then(
            pl.lit("illegal_id")
        ),
        pl.when(pl.any_horizontal((one.str.len_bytes() > MAX_ID).fill_null(False) for one in ids)).then(
            pl.lit("too_long")
        ),
        pl.when(between & (pl.col("a") == pl.col("b"))).then(pl.lit("self_link")),
        pl.when(between & pl.col("time").is_null()).then(pl.lit("no_time")),
    )
