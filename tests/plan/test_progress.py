"""Progress says how much of all there is to do is done, after every step."""

from pathlib import Path

from migrate.inputs.source import Source
from migrate.plan.jobs import Job
from migrate.plan.progress import Counting, Progress


def job(size):
    """A job of a file of this size."""
    return Job(source=Source("a", size, Path("a")), header=None, table=None)


def test_every_step_is_said():
    """Rows as they are read, files and their bytes as they are done."""
    said = []
    counting = Counting([job(10), job(30)], said.append, "looking over")
    counting.note_rows(5)
    counting.note_file(10)
    counting.note_rows(2)
    counting.note_file(30)
    assert said == [
        Progress("looking over", 0, 40, 0, 2, 0),
        Progress("looking over", 0, 40, 0, 2, 5),
        Progress("looking over", 10, 40, 1, 2, 5),
        Progress("looking over", 10, 40, 1, 2, 7),
        Progress("looking over", 40, 40, 2, 2, 7),
    ]
    assert counting.done_bytes == counting.total_bytes == 40


def test_what_is_read_of_a_file_counts_before_it_is_done():
    """A file by itself would else be nothing until it is all."""
    said = []
    counting = Counting([job(10), job(30)], said.append)
    counting.note_rows(5, "b", 20)
    counting.note_rows(1, "a", 4)
    counting.note_file(10, "a")
    counting.note_file(30, "b")
    assert [one.done_bytes for one in said] == [0, 20, 24, 30, 40]
    assert counting.done_bytes == 40


def test_a_trial_is_as_far_as_its_rows_go():
    """Whatever is in the files beside them."""
    said = []
    counting = Counting([job(10), job(30)], said.append, limit=8)
    counting.note_rows(2, "a", 1)
    counting.note_rows(8, "a", 5)
    assert [one.done_bytes for one in said] == [0, 10, 40]
