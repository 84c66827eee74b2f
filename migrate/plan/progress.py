"""How far planning is: bytes, files and rows, counted over files planned at the same time."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from migrate.plan.jobs import Job


@dataclass(frozen=True)
class Progress:
    """How far planning is, in bytes and files of all it has to do."""

    phase: str
    done_bytes: int
    total_bytes: int
    done_files: int
    total_files: int
    rows: int


class Counting:
    """Progress over files looked over or planned at the same time."""

    def __init__(
        self, todo: Sequence[Job], on_progress: Callable[[Progress], None], phase: str = "planning"
    ) -> None:
        self._lock = threading.Lock()
        self._on_progress = on_progress
        self._now = Progress(phase, 0, sum(job.source.size for job in todo), 0, len(todo), 0)

    @property
    def total_bytes(self) -> int:
        """How many bytes there are to read."""
        return self._now.total_bytes

    @property
    def done_bytes(self) -> int:
        """How many bytes are of files that are done."""
        return self._now.done_bytes

    def note_rows(self, count: int) -> None:
        """Count rows that were read."""
        with self._lock:
            self._now = replace(self._now, rows=self._now.rows + count)
            self._on_progress(self._now)

    def note_file(self, size: int) -> None:
        """Count a file that is planned."""
        with self._lock:
            done = replace(
                self._now, done_files=self._now.done_files + 1, done_bytes=self._now.done_bytes + size
            )
            self._now = done
            self._on_progress(self._now)
