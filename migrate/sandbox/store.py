"""What the sandbox has stored: events and requests in one SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, Final, Literal

import msgspec

from migrate.sandbox.capture import Event

View = Literal["raw", "collapsed"]

FILE: Final = "sandbox.sqlite"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS requests (
  request INTEGER PRIMARY KEY, received_at TEXT NOT NULL, path TEXT NOT NULL, status TEXT NOT NULL,
  historical INTEGER NOT NULL, events INTEGER NOT NULL, stored INTEGER NOT NULL, bytes INTEGER NOT NULL,
  faults TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY, received_at TEXT NOT NULL, uuid TEXT NOT NULL, event TEXT NOT NULL,
  distinct_id TEXT NOT NULL, timestamp TEXT NOT NULL, day TEXT NOT NULL, properties TEXT NOT NULL,
  historical INTEGER NOT NULL, request INTEGER NOT NULL
) STRICT;
"""
_INSERT: Final = (
    "INSERT INTO events"
    " (received_at, uuid, event, distinct_id, timestamp, day, properties, historical, request)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# ClickHouse's sort key: a later row replaces an earlier one only if all four are equal.
_KEY: Final = "day, event, distinct_id, uuid"
_VIEWS: Final = {
    "raw": "events",
    "collapsed": f"(SELECT * FROM events WHERE seq IN (SELECT max(seq) FROM events GROUP BY {_KEY}))",  # noqa: S608
}
_COLUMNS: Final = "seq, uuid, event, distinct_id, timestamp, properties, received_at, historical, request"
_PAGE: Final = 1000


class Receipt(msgspec.Struct):
    """One request as it went: what came, what was stored of it, what the client was told."""

    request: int
    received_at: str
    path: str
    status: str = "cut"
    historical: bool = False
    events: int = 0
    stored: int = 0
    bytes: int = 0
    faults: str = ""


class Store:
    """The events and requests in `folder`; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._db = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; everything recorded is in it."""
        with self._lock:
            self._db.close()

    def last_request(self) -> int:
        """Return the highest request number recorded, 0 if there is none."""
        return int(self._rows("SELECT coalesce(max(request), 0) FROM requests")[0][0])

    def add(self, events: Sequence[Event], receipt: Receipt) -> None:
        """Store the events of one request, visible to every reader when this returns."""
        at, flag, number = receipt.received_at, int(receipt.historical), receipt.request
        rows = [
            (at, e.uuid, e.event, e.distinct_id, e.timestamp, e.timestamp[:10], e.properties, flag, number)
            for e in events
        ]
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.executemany(_INSERT, rows)
        receipt.stored += len(rows)

    def note(self, receipt: Receipt) -> None:
        """Record a request, or replace what was recorded of it."""
        values = msgspec.structs.astuple(receipt)
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def define(self, name: str, function: Callable[[str, str], str]) -> None:
        """Give queries a function of two texts."""
        with self._lock:
            self._db.create_function(name, 2, function, deterministic=True)

    def query(self, text: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query over `events`, with the named values in their places."""
        with self._lock:
            return self._db.execute(text, values or {}).fetchall()

    def reset(self) -> None:
        """Forget every event and every request."""
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM events")
            self._db.execute("DELETE FROM requests")

    def requests(self) -> list[dict[str, Any]]:
        """Return every request in order of arrival."""
        found = self._rows("SELECT * FROM requests ORDER BY request")
        return [
            dict(zip(Receipt.__struct_fields__, row, strict=True)) | {"historical": bool(row[4])}
            for row in found
        ]

    def lines(self, view: View, *, limit: int | None = None) -> Iterator[str]:
        """Yield the stored events as JSON lines, in order of arrival."""
        source = _VIEWS[view]
        query = f"SELECT {_COLUMNS} FROM {source} ORDER BY seq LIMIT ?"  # noqa: S608 - our own words
        with self._lock:
            cursor = self._db.execute(query, (-1 if limit is None else limit,))
        while True:
            with self._lock:
                page = cursor.fetchmany(_PAGE)
            if not page:
                return
            for row in page:
                yield _line(row)

    def summary(self) -> dict[str, Any]:
        """Return the counts of everything stored and received."""
        with self._lock:
            self._rows(f"CREATE TEMP TABLE collapsed AS SELECT {_KEY}, timestamp FROM {_VIEWS['collapsed']}")  # noqa: S608
            try:
                return self._summary()
            finally:
                self._rows("DROP TABLE temp.collapsed")

    def _summary(self) -> dict[str, Any]:
        totals = self._rows("SELECT count(*), total(historical), total(bytes) FROM requests")
        statuses = self._rows("SELECT status, count(*) FROM requests GROUP BY status ORDER BY status")
        return {
            "raw": self._counts("events"),
            "collapsed": self._counts("temp.collapsed"),
            "requests": totals[0][0],
            "requests_by_status": dict(statuses),
            "historical_requests": int(totals[0][1]),
            "bytes_received": int(totals[0][2]),
        }

    def _counts(self, source: str) -> dict[str, Any]:
        query = f"SELECT count(*), count(DISTINCT distinct_id), min(timestamp), max(timestamp) FROM {source}"  # noqa: S608
        events, persons, first, last = self._rows(query)[0]
        by = "SELECT {0}, count(*) FROM {1} GROUP BY {0} ORDER BY {0}"
        return {
            "events": events,
            "distinct_ids": persons,
            "first": first,
            "last": last,
            "by_event": dict(self._rows(by.format("event", source))),
            "by_day": dict(self._rows(by.format("day", source))),
        }

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query).fetchall()


def _line(row: tuple[Any, ...]) -> str:
    seq, uuid, event, distinct_id, timestamp, properties, received_at, historical, request = row
    head = {"seq": seq, "uuid": uuid, "event": event, "distinct_id": distinct_id, "timestamp": timestamp}
    tail = {"received_at": received_at, "historical": bool(historical), "request": request}
    encode = msgspec.json.encode
    return f'{encode(head)[:-1].decode()},"properties":{properties},{encode(tail)[1:].decode()}'
