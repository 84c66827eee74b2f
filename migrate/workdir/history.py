"""What each command did in a workdir, one line a command: for who looks back over the nights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from migrate.workdir.checkpoint import Checkpoint


@dataclass(frozen=True)
class Entry:
    """What one command did; times are UTC, as ISO 8601. One without an `exit_code` works still, or was killed."""

    begun: str
    command: str
    ended: str | None = None
    files: int = 0
    """Files that it planned."""
    planned: int = 0
    """Events, as the four below, that came to be so by this command."""
    accepted: int = 0
    duplicate: int = 0
    parked: int = 0
    rejected: int = 0
    """Rows."""
    held: int = 0
    """Events that were too young when it ended."""
    set_aside: int = 0
    """Sources that were set aside when it ended."""
    exit_code: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.ended is None:
            return None
        return (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.begun)).total_seconds()


class Keeper:
    """Keeps the line of one command: begun at once, so that a killed one has a line, too."""

    def __init__(self, checkpoint: Checkpoint, command: str, begun: datetime) -> None:
        self._checkpoint = checkpoint
        self._files = _planned_files(checkpoint)
        self._entry = Entry(begun.isoformat(timespec="seconds"), command)
        with checkpoint.change() as db:
            sql = "INSERT INTO history (line) VALUES (?)"
            self._id = db.execute(sql, (json.dumps(vars(self._entry)),)).lastrowid

    def end(self, ended: datetime, done: Mapping[str, int]) -> None:
        """Keep when it ended, and what was `done`: fields of an entry."""
        files = _planned_files(self._checkpoint) - self._files
        ends = {"ended": ended.isoformat(timespec="seconds"), "files": files}
        entry = Entry(**{**vars(self._entry), **ends, **done})
        with self._checkpoint.change() as db:
            db.execute("UPDATE history SET line = ? WHERE id = ?", (json.dumps(vars(entry)), self._id))


def entries(checkpoint: Checkpoint) -> list[Entry]:
    """Return what was done, the first command first."""
    found = checkpoint.query("SELECT line FROM history ORDER BY id")
    return [Entry(**json.loads(line)) for (line,) in found]


def _planned_files(checkpoint: Checkpoint) -> int:
    """Return how many files are planned; what comes from no file, and what was planned before anew, is none."""
    sql = "SELECT count(*) FROM inputs WHERE lead IS NOT NULL AND name NOT LIKE '(%'"
    (count,) = checkpoint.query(sql).fetchone()
    return int(count)
