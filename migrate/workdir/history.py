"""What each command did in a workdir, one line a command: for who looks back over the nights."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from migrate.workdir.checkpoint import Checkpoint

_ADDED: Final = ("files", "planned", "accepted", "duplicate", "parked", "rejected")
"""What a command added to; of `_AT_END` there is as much as when it ended."""
_AT_END: Final = ("held", "set_aside")


@dataclass(frozen=True)
class Entry:
    """What one command did; times are UTC, as ISO 8601. One without an `exit_code` works still, or was killed.

    Numbers are None where an earlier version of ours has not kept what they are told by.
    """

    begun: str
    command: str
    ended: str | None = None
    files: int | None = None
    """Files that it planned."""
    planned: int | None = None
    """Events, as the four below, that came to be so by this command."""
    accepted: int | None = None
    duplicate: int | None = None
    parked: int | None = None
    rejected: int | None = None
    """Rows."""
    held: int | None = None
    """Events that were too young when it ended."""
    set_aside: int | None = None
    """Sources that were set aside when it ended."""
    exit_code: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.ended is None:
            return None
        return (datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.begun)).total_seconds()


class Keeper:
    """Keeps the line of one command: begun at once, so that a killed one has a line, too.

    `before` are the numbers of the workdir as the command found it: those of an entry but for `files`.
    """

    def __init__(
        self, checkpoint: Checkpoint, command: str, begun: datetime, before: Mapping[str, int]
    ) -> None:
        self._checkpoint = checkpoint
        at = begun.isoformat(timespec="seconds")
        self._line: dict[str, Any] = {"begun": at, "command": command, "before": _all(checkpoint, before)}
        with checkpoint.change() as db:
            sql = "INSERT INTO history (line) VALUES (?)"
            self._id = db.execute(sql, (json.dumps(self._line),)).lastrowid

    def end(
        self,
        ended: datetime,
        exit_code: int,
        now: Mapping[str, int] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Keep when and how it ended, with the numbers of the workdir by then, where they are known.

        `checkpoint`: another opening of the same one, where this one is in the middle of something.
        """
        checkpoint = checkpoint or self._checkpoint
        ends = {"ended": ended.isoformat(timespec="seconds"), "exit_code": exit_code}
        line = self._line | ends | ({} if now is None else {"after": _all(checkpoint, now)})
        with checkpoint.change() as db:
            db.execute("UPDATE history SET line = ? WHERE id = ?", (json.dumps(line), self._id))


def entries(checkpoint: Checkpoint, now: Mapping[str, int]) -> list[Entry]:
    """Return what was done, the first command first; `now` are the numbers of the workdir.

    What a killed command did is told by what the next one found, or by what there is now.
    """
    found: list[Entry] = []
    after = _all(checkpoint, now)
    for (text,) in checkpoint.query("SELECT line FROM history ORDER BY id DESC"):
        line = json.loads(text)
        before = line.pop("before", None)
        if before is not None:
            after = line.pop("after", after)
            line |= {name: after[name] - before[name] for name in _ADDED}
            line |= {name: after[name] for name in _AT_END}
            after = before
        elif line["ended"] is None:
            line = {"begun": line["begun"], "command": line["command"]}
        found.append(Entry(**line))
    return found[::-1]


def _all(checkpoint: Checkpoint, numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers with that of files planned; what comes from no file, or was planned anew since, is none."""
    sql = "SELECT count(*) FROM inputs WHERE lead IS NOT NULL AND name NOT LIKE '(%'"
    (files,) = checkpoint.query(sql).fetchone()
    return {**numbers, "files": int(files)}
