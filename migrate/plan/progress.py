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
    counts: tuple[str, str] = ("row", "file")
    """What its rows and its files are, where they are something else."""

    @classmethod
    def begun(cls, phase: str) -> "Progress":
        """Return the progress of a phase of which nobody knows how far it is."""
        return cls(phase, 0, 0, 0, 0, 0)


class Counting:
    """Progress over files looked over or planned at the same time; of a trial, as far as its rows go."""

    def __init__(
        self,
        todo: Sequence[Job],
        on_progress: Callable[[Progress], None],
        phase: str = "planning",
        *,
        limit: int | None = None,
    ) -> None:
        self._limit = limit
        """How many rows are wanted, where that is not all."""
        self._lock = threading.Lock()
        self._on_progress = on_progress
        self._now = Progress(phase, 0, sum(job.source.size for job in todo), 0, len(todo), 0)
        self._done_bytes = 0
        self._read: dict[object, int] = {}
        """Of what is not done yet, how many bytes are read."""
        self._rows: dict[object, int] = {}
        """Of what is not done yet, how many rows are."""
        on_progress(self._now)

    @property
    def total_bytes(self) -> int:
        """How many bytes there are to read."""
        return self._now.total_bytes

    @property
    def done_bytes(self) -> int:
        """How many bytes are of files that are done."""
        return self._done_bytes

    def note_rows(self, count: int, work: object = None, read: int = 0) -> None:
        """Count rows that were read; `read` is how many bytes are by now of a piece of work that is not done."""
        with self._lock:
            self._read[work] = read
            self._rows[work] = self._rows.get(work, 0) + count
            self._tell(rows=count)

    def note_file(self, size: int, *works: object) -> None:
        """Count a file that is done, with its pieces of work."""
        with self._lock:
            for work in works or (None,):
                self._read.pop(work, None)
                self._rows.pop(work, None)
            self._done_bytes += size
            self._tell(files=1)

    def forget(self, work: object) -> None:
        """Take back what was counted of a piece of work that is done again from its beginning."""
        with self._lock:
            self._read.pop(work, None)
            self._tell(rows=-self._rows.pop(work, 0))

    def _tell(self, *, rows: int = 0, files: int = 0) -> None:
        rows += self._now.rows
        done = self._done_bytes + sum(self._read.values())
        if self._limit:
            done = int(self.total_bytes * min(1.0, rows / self._limit))
        self._now = replace(
            self._now,
            done_bytes=done,
            rows=rows,
            done_files=self._now.done_files + files,
        )
        self._on_progress(self._now)
