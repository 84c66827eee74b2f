"""What a night plans of a folder: what is new, what changed, and what an earlier --since left out."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from commands import migrate, summary

from migrate.errors import UsageError
from migrate.settings import Settings
from migrate.todo import Wishes, find_todo

SETTINGS = Settings(platform="posthog")
THIRD = datetime(2024, 4, 3, tzinfo=UTC)


def write(path, *days, told=0):
    """A file of a row for each of these days of April."""
    path.parent.mkdir(exist_ok=True)
    rows = [
        {
            "event": "e",
            "distinct_id": "u",
            "uuid": f"0190d1a0-0000-7000-8000-{day:012}",
            "timestamp": f"2024-04-{day:02}T12:00:00Z",
            "properties": {"told": told},
        }
        for day in days
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Folder:
    """A folder of exports, planned night after night."""

    def __init__(self, path):
        self.source, self.workdir = path / "in", path / "w"

    def plan(self, *more, code=0):
        """Plan it; the summary."""
        done = migrate("plan", "posthog", self.source, "--workdir", self.workdir, *more, "--json")
        assert done.returncode == code, done.stderr
        return summary(done)

    def todo(self, **wishes):
        """The names of the files there are to plan, and of those to be planned anew."""
        todo = find_todo(SETTINGS, [str(self.source)], self.workdir, Wishes(**wishes))
        return [
            [name.rpartition("/")[2] for name in names]
            for names in (map(name_of, todo.work.jobs), todo.again)
        ]


def name_of(job):
    """The name of a job's file."""
    return job.source.name


@pytest.fixture
def folder(tmp_path):
    """A folder."""
    return Folder(tmp_path)


def days(found):
    """How many rows are planned and left out, and how many events there are."""
    return found["rows"]["mapped"], sum(found["rows"]["filtered"].values()), found["events"]["planned"]


def test_an_earlier_since_plans_what_was_left_out(folder):
    """A later one plans less of what is new, and leaves what is planned as it is."""
    write(folder.source / "a.jsonl", 1, 2, 3, 4)
    assert days(folder.plan("--since", "2024-04-03")) == (2, 2, 2)
    assert days(folder.plan("--since", "2024-04-04")) == (2, 2, 2)
    assert days(folder.plan("--since", "2024-04-02")) == (3, 1, 3)
    write(folder.source / "b.jsonl", 5, 6)
    assert days(folder.plan("--since", "2024-04-06")) == (4, 2, 4)
    assert days(folder.plan()) == (6, 0, 6)
    assert folder.todo() == [[], []]


def test_a_later_until_plans_what_was_left_out(folder):
    """What was sent already is a duplicate, as ever."""
    write(folder.source / "a.jsonl", 1, 2, 3, 4)
    assert days(folder.plan("--until", "2024-04-02")) == (1, 3, 1)
    done = migrate("apply", folder.workdir, "--host", "sandbox", "--yes")
    assert done.returncode == 0, done.stderr
    assert days(folder.plan("--until", "2024-04-04")) == (4, 4, 4)  # rows read again count again
    assert days(folder.plan("--until", "2024-04-01")) == (4, 4, 4)


def test_a_file_that_changed_loses_no_time_it_was_planned_of(folder):
    """Though it is planned anew by a night that asks for less."""
    write(folder.source / "a.jsonl", 1, 2, 3)
    folder.plan("--since", "2024-04-02")
    write(folder.source / "a.jsonl", 1, 2, 3, 4, told=1)
    found = folder.plan("--since", "2024-04-04")
    assert days(found) == (3, 1, 3)
    assert found["replanned"] == {"files": 1, "replaced": 2}


def test_what_is_to_be_planned_is_what_is_new_or_changed(folder):
    """Of small files that were planned together only the one that changed, but where the plan is not whole."""
    for name in "ab":
        write(folder.source / f"{name}.jsonl", ord(name) - 90)
    folder.plan()
    assert folder.todo() == [[], []]
    write(folder.source / "b.jsonl", 9)
    write(folder.source / "c.jsonl", 10)
    assert folder.todo() == [["b.jsonl", "c.jsonl"], ["b.jsonl"]]
    again = [folder.source / "b.jsonl"]
    assert folder.todo(again=again) == [["a.jsonl", "b.jsonl", "c.jsonl"], ["a.jsonl", "b.jsonl"]]
    assert folder.todo(on_changed="skip") == [["c.jsonl"], []]
    assert folder.todo(on_changed="set-aside") == [["b.jsonl", "c.jsonl"], []]
    with pytest.raises(UsageError, match=r"--again: .*/d\.jsonl is not among the inputs"):
        folder.todo(again=[folder.source / "d.jsonl"])


def test_what_was_left_out_is_to_be_planned_of_what_is_there(folder):
    """Files that were planned together go each by itself; of one that has changed it is told what becomes of it."""
    a, b, c = (write(folder.source / f"{name}.jsonl", 1, 2) for name in "abc")
    folder.plan("--since", "2024-04-02")
    assert folder.todo() == [["a.jsonl", "b.jsonl", "c.jsonl"]] * 2
    b.unlink()
    assert folder.todo() == [["a.jsonl", "c.jsonl"]] * 2
    write(c, 1, 2, 3)
    assert folder.todo() == [["a.jsonl", "c.jsonl"]] * 2
    assert folder.todo(on_changed="set-aside") == [["a.jsonl", "c.jsonl"], ["a.jsonl"]]
    assert folder.todo(on_changed="skip") == [["a.jsonl"], ["a.jsonl"]]
    a.unlink()
    c.unlink()
    assert folder.todo() == [[], []]


def test_a_workdir_without_an_event_is_judged_as_any_other(folder):
    """Unless it begins anew, under other settings: then all is new."""
    write(folder.source / "a.jsonl", 1)
    b = write(folder.source / "b.jsonl", 2)
    folder.plan("--since", "2024-04-03")
    found = find_todo(replace(SETTINGS, since=THIRD), [str(folder.source)], folder.workdir, Wishes())
    assert (found.work.jobs, found.again) == ([], [])
    write(b, 2, 3)
    assert folder.todo() == [["a.jsonl", "b.jsonl"]] * 2
    other = replace(SETTINGS, import_id="another")
    found = find_todo(other, [str(folder.source)], folder.workdir, Wishes(again=[b]))
    assert ([name_of(job) for job in found.work.jobs], found.again) == (
        [str(folder.source / "a.jsonl"), str(b)],
        [],
    )
