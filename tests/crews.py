"""Plans by an executor, with workers that are killed on the way, and mappings that are not as they should be."""

import os
import signal
from contextlib import suppress

import polars as pl
from owned import MAPPING

from migrate.apply.merge import pieces
from migrate.own import Own
from migrate.people.file import PeopleFile
from migrate.plan.processes import Processes
from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir import looks, rounds, samples
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.records import Input

ROW = '{{"id":"{0}","what":"seen","who":"{0}","at":"2024-04-03T10:00:00Z"}}\n'
TOUCHED = MAPPING.replace('event=pl.col("what")', 'event=pl.col("what").map_elements(touched, pl.String)')
TOUCHED = TOUCHED.replace("\n\ndef to_events", "\n\n{}\n\n\ndef to_events", 1)
LINKED = MAPPING.replace("import events,", "import events, links,").replace(
    "to_events=to_events,", "to_events=to_events, to_links=told,"
)
LINKED = LINKED.replace(
    "\n\ndef to_events",
    '\n\n{}\n\n\ndef told(rows, _):\n    """Return who is known."""\n    return links.identified(rows, '
    'pl.col("what").map_elements(touched, pl.String))\n\n\ndef to_events',
    1,
)
"""What it looks at is looked over, and not planned."""
_IN_A_WORKER = """
import multiprocessing
import os
import signal
import sys
import threading
import time

IN_A_WORKER = type(sys.stderr).__name__ == "_Told" or multiprocessing.parent_process() is not None
"""
DIES = (
    _IN_A_WORKER
    + """

def touched(text):
    print(f"touched {text}")
    if text == "dies" and IN_A_WORKER:
        os._exit(7)
    return text
"""
)
DIES_ONCE = (
    _IN_A_WORKER
    + """

def touched(text):
    if text == "dies" and IN_A_WORKER and not os.path.exists({0!r}):
        os.mkdir({0!r})
        os.kill(os.getpid(), signal.SIGKILL)
    return text
"""
)
TAKES_LONG = (
    _IN_A_WORKER
    + """

def touched(text):
    while text == "long" and IN_A_WORKER and not os.path.exists({0!r}):
        time.sleep(0.05)
    return text
"""
)
RAISES = """
import sys
import threading


def touched(text):
    is_planned = type(sys.stderr).__name__ == "_Told" or threading.current_thread() is not threading.main_thread()
    return {"seen": text}[text] if is_planned else text
"""
WAITS = (
    _IN_A_WORKER
    + """

def touched(text):
    if IN_A_WORKER:
        os.write(os.open({!r}, os.O_WRONLY), b"x")  # open until the process ends
        threading.Event().wait()
    return text
"""
)


class Planned:
    """A plan by an executor; with `kills`, of those workers that are there when so many files were begun.

    With `parts` its files lie in that folder of a storage. It `stops` when a file is begun; `then` says what else is
    done when an event is told for the first time. With
    `kills_first`, those workers are killed that are there when the first file was looked over, too.
    """

    def __init__(  # noqa: PLR0913
        self,
        workdir,
        work,
        executor,
        *,
        kills=(),
        kills_first=False,
        stops=False,
        then=None,
        is_many=True,
        parts=None,
    ):
        self.workers, self.events, self.warnings, self._left = [], [], [], list(kills)
        self.order = []
        self._kills_first = kills_first
        self._begun, self._stops, self._then = 0, stops, then or {}
        self._is_many = isinstance(executor, Processes) and is_many
        workdir.mkdir(exist_ok=True)
        with Checkpoint.open(workdir, create=True) as checkpoint:
            self.session = Session(
                checkpoint, executor=lambda _: executor, on_log=self._hear, on_warning=self.warnings.append
            )
            self.session.tidy()
            Planning.of(self.session, work, None, parts).plan()
            self.numbers = checkpoint.numbers()
            self.aside = {name.rpartition("/")[2]: one.why for name, one in checkpoint.set_aside().items()}
            paths = sorted(checkpoint.part_paths())
            with checkpoint.depot.near(paths):
                self.parts = {path: pl.read_parquet(workdir / path).rows() for path in paths}
                self.payloads = {day: sent(workdir, checkpoint, day) for day in rounds.days(checkpoint)}
            self.inputs = checkpoint.inputs()
            self.look = looks.look(checkpoint)
            with PeopleFile(checkpoint, None).open() as people:
                self.people = told(people)
            self.looks = sorted(checkpoint.query("SELECT * FROM looks").fetchall(), key=str)
        rejects = workdir / "rejects.jsonl"
        self.rejects = rejects.read_text() if rejects.exists() else ""
        self.samples = samples.kept(workdir, 10**6)

    def _hear(self, record):
        self.events.append(record.event)
        if self._is_many:
            assert record.event != "note", record.text
        self._then.pop(record.event, lambda: None)()
        if record.event == "file_planned":
            self.order.append(record.fields["file"].rpartition("/")[2])
        if record.event == "worker_begun":
            self.workers.append(record.fields["worker"])
        if record.event == "file_looked_over" and self._kills_first:
            self._kills_first = False
            self._kill()
        if record.event == "file_begun":
            self._begun += 1
            if self._stops:
                self.session.stop()
            if self._begun in self._left:
                self._left.remove(self._begun)
                self._kill()

    def _kill(self):
        for number in self.workers:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


def told(people):
    """What people's file knows of links, and what they came to."""
    with people.transaction() as db:
        return {
            name: sorted(db.execute(f"SELECT * FROM {name}"), key=str)  # noqa: S608 - ours
            for name in ("links", "gathered", "clock", "recovered", "refused", "persons", "merged")
        }


def known(jobs):
    """What a checkpoint knows of jobs, by their names."""
    return {
        job.source.name: Input(n, job.source.name, "", 0, "", planned=False) for n, job in enumerate(jobs, 1)
    }


def sent(workdir, checkpoint, day):
    """The payloads of a day, in the order in which they are sent."""
    parts = [part for one in rounds.of_day(checkpoint, day) for part in one.parts]
    return [text for piece in pieces(workdir, parts, piece_bytes=10**6) for text in piece.frame["payload"]]


def alive(planned):
    """Which of its workers there still are."""
    found = []
    for number in planned.workers:
        with suppress(ProcessLookupError):
            os.kill(number, 0)
            found.append(number)
    return found


def own(folder, touched, *rows, text=TOUCHED):
    """A mapping of one's own that looks at each event's name, and what there is to plan with it, a row a file."""
    folder.mkdir(exist_ok=True)
    path = folder / "acme.py"
    path.write_text(text.replace("{}", touched, 1))
    (folder / "in").mkdir()
    for number, what in enumerate(rows):
        (folder / "in" / f"{number}.jsonl").write_text(ROW.format(number).replace("seen", what))
    return Settings(platform="acme", own=Own(path)).work([str(folder / "in")])
