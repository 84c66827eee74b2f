"""What is asked of people while rows become events: whose an id is. The file that knows it is all it takes."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Self

import polars as pl

from migrate.kit import schemas


class Lookup:
    """A people's file, to look things up. Safe to use from several threads.

    A chunk asks for all of its ids at once, in the order of the file: 65,536 of 10 million take 0.2 s. Mapped into
    memory the file takes 14 % less, and counts as memory of each process; a mapped table of Arrow's takes more.
    """

    def __init__(self, db: sqlite3.Connection, path: Path | None, owner: str, *, is_shared: bool) -> None:
        """Look things up over a connection, for the workdir `owner`."""
        self._db = db
        self._path = path
        self._lock = threading.RLock()
        self.owner = owner
        self.is_shared = is_shared
        """Whether other workdirs plan with it, too."""

    @classmethod
    def opened(cls, path: Path, owner: str, *, is_shared: bool) -> "Lookup":
        """Open a file that another process holds; nothing can be written through this."""
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        return Lookup(db, path, owner, is_shared=is_shared)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path | None:
        """Where the file is; None for one in memory."""
        return None if self._path is None else self._path.parent

    def persons(self, keys: pl.Series) -> pl.Series:
        """Return the ids under which events of these keys are planned, null where the source has none."""
        mine = keys.to_frame("key").select(self._mine("key")).to_series()
        return self._looked_up(
            mine, "SELECT value, person FROM json_each(?) CROSS JOIN persons p ON p.key = value"
        )

    def identified(self, ids: pl.Series) -> pl.Series:
        """Return whose ids these are by a merge that is planned, null where there is none."""
        return self._looked_up(
            ids, "SELECT value, identified FROM json_each(?) CROSS JOIN merged ON anonymous = value"
        )

    def recovered(self, keys: pl.Series) -> pl.Series:
        """Return what other files know of these rows, a JSON object each, null where they know nothing."""
        sql = """
            SELECT key, json_group_object(name, value) FROM recovered
            WHERE key IN (SELECT value FROM json_each(?)) AND owner = ? GROUP BY key
        """
        return self._looked_up(keys, sql, self.owner)

    def _looked_up(self, keys: pl.Series, sql: str, *more: str) -> pl.Series:
        """Return the text for each key. Keys are asked for in the order in which the file has them."""
        wanted = keys.drop_nulls().unique().sort().to_list()
        with self._lock:
            found = self._db.execute(sql, (json.dumps(wanted), *more)).fetchall() if wanted else []
        if not found:
            return pl.repeat(None, keys.len(), dtype=pl.String, eager=True)
        texts = pl.DataFrame(found, {"key": pl.String, "text": pl.String}, orient="row")
        asked = keys.rename("key").to_frame()
        return asked.join(texts, on="key", how="left", maintain_order="left")["text"]

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
