"""ClickHouse itself, inside of a test: PostHog's own table of events, filled with what a sandbox has."""

import polars as pl
from chdb.session import Session
from imported import store

_TABLE = """
    CREATE TABLE e.events (
        team_id Int64, uuid UUID, event String, distinct_id String, timestamp DateTime64(6, 'UTC'), properties String,
        _timestamp DateTime
    ) ENGINE = ReplacingMergeTree(_timestamp) PARTITION BY toYYYYMM(timestamp)
    ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))
"""
"""As far as what tells events apart goes (posthog-ingestion.md §4)."""
_FIELDS = ["uuid", "event", "distinct_id", "timestamp", "properties"]
_FILL = """
    INSERT INTO e.events SELECT 1, toUUID(uuid), event, distinct_id, parseDateTime64BestEffort(timestamp, 6, 'UTC'),
    properties, now() FROM file('{}', Parquet) SETTINGS optimize_on_insert = 0
"""


class Engine:
    """The engine with what a sandbox has, nothing of it merged yet; a context manager."""

    def __init__(self, folder):
        self._folder = folder
        self._session = Session(str(folder / "chdb"))

    def __enter__(self):
        self._session.query("CREATE DATABASE e")
        self._session.query(_TABLE)
        self._session.query("SYSTEM STOP MERGES e.events")
        return self

    def __exit__(self, *_):
        self._session.close()

    def fill(self, sandbox):
        """Put there what the sandbox of a folder has."""
        with store(sandbox) as db:
            rows = db.execute(f"SELECT {', '.join(_FIELDS)} FROM events ORDER BY seq").fetchall()  # noqa: S608
        path = self._folder / "seen.parquet"
        pl.DataFrame(rows, schema=_FIELDS, orient="row").write_parquet(path)
        self._session.query(_FILL.format(path))

    def merge(self):
        """Make one of what the engine takes for the same event."""
        self._session.query("SYSTEM START MERGES e.events")
        self._session.query("OPTIMIZE TABLE e.events FINAL")

    def rows(self, query):
        """What the engine answers to one of our queries, in the words that PostHog makes of it."""
        words = query.replace("properties.$import_job_id", "JSONExtractString(properties, '$import_job_id')")
        told = str(self._session.query(words.replace("from events", "from e.events"), "TabSeparatedRaw"))
        return [line.split("\t") for line in told.splitlines()]
