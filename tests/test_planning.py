"""One command's planning: the workdir is bound, planned to its end, and found as it was by the one that goes on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.errors import Refused
from migrate.people.schema import PEOPLE_FILE
from migrate.planning import Planning
from migrate.session import Session
from migrate.settings import Settings
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.typed import Command

SETTINGS = Settings(platform="segment")
SEEN = {
    "type": "track",
    "event": "seen",
    "messageId": "1",
    "anonymousId": "a",
    "timestamp": "2024-04-03T10:00:00Z",
}
KNOWN = SEEN | {"type": "identify", "messageId": "2", "userId": "anna", "traits": {"plan": "pro"}}


class Workdir:
    """A workdir, and the folder of its inputs."""

    def __init__(self, folder):
        self.path, self.inputs = folder / "w", folder / "in"
        self.path.mkdir()
        self.inputs.mkdir()

    def write(self, name, *rows):
        """Write a file of these rows."""
        (self.inputs / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def plan(self, command="plan", *, stops=False, settings=SETTINGS, shared=None, again=()):
        """Plan what is there as a process of its own would; return what the workdir then is, and the session.

        One that `stops` is stopped when it knows the files and has planned none.
        """
        with Checkpoint.open(self.path, create=True) as checkpoint:
            session = Session(checkpoint)
            work = settings.work([str(self.inputs)])
            if stops:
                session.stop()
            names = [str(self.inputs / name) for name in again]
            Planning.of(session, work, shared).plan(command=Command(command, None, [], [], "/"), again=names)
            checkpoint.register(job.source.name for job in work.jobs)
            return *self.state(checkpoint), session

    def state(self, checkpoint):
        """What the checkpoint knows: planned files, events by name, whether all is planned, facts."""
        files = [
            Path(name).name for name, one in checkpoint.inputs().items() if one.planned and name[0] == "/"
        ]
        return files, dict(checkpoint.numbers().names), checkpoint.is_whole(), checkpoint.facts()

    def look(self):
        """The same, of a workdir that nobody plans in."""
        with Checkpoint.open(self.path) as checkpoint:
            return self.state(checkpoint)


def names_of(commands):
    """What commands are called."""
    return [one["name"] for one in commands]


@pytest.fixture
def workdir(tmp_path):
    """A workdir with two files to plan, of one person."""
    made = Workdir(tmp_path)
    made.write("a.jsonl", SEEN)
    made.write("b.jsonl", KNOWN)
    return made


ALL = {"seen": 1, "$identify": 1, "$set": 1}


def test_what_is_planned_is_planned_once(workdir):
    """Events, who is who, and what is told of persons; the same command again finds nothing to do."""
    files, names, is_whole, facts, _ = workdir.plan()
    assert (files, names, is_whole) == (["a.jsonl", "b.jsonl"], ALL, True)
    assert (facts["planning"], names_of(facts["unfinished"])) == (False, [])
    assert workdir.plan()[:3] == (files, names, True)


def test_a_command_that_is_stopped_is_remembered(workdir):
    """Until all of what it began is planned, by whichever command; each is named once, the last one at the end."""
    for command, left in (("one", ["one"]), ("two", ["one", "two"]), ("one", ["two", "one"])):
        _, _, is_whole, facts, _ = workdir.plan(command, stops=True)
        assert (is_whole, facts["planning"], names_of(facts["unfinished"])) == (False, True, left)
    _, names, is_whole, facts, _ = workdir.plan("three")
    assert (names, is_whole, facts["planning"], names_of(facts["unfinished"])) == (ALL, True, False, [])


def test_an_increment_that_is_resumed_is_the_same(workdir):
    """Judged by the moment it was begun; with a file that was not there then another begins."""
    first, resumed = (workdir.plan(stops=True)[3] for _ in range(2))
    assert (resumed["begun"], resumed["increment"]) == (first["begun"], 1)
    workdir.write("c.jsonl", SEEN | {"messageId": "3"})
    other = workdir.plan(stops=True)[3]
    assert (other["begun"] > first["begun"], other["increment"]) == (True, 2)
    last = workdir.plan()[3]
    assert (last["begun"], last["increment"]) == (None, 2)


def test_a_workdir_that_refuses_stays_as_it_is(workdir):
    """With other settings, though there is something new to plan."""
    before = workdir.plan()[:4]
    workdir.write("c.jsonl", SEEN | {"messageId": "3"})
    with pytest.raises(Refused, match="--limit: this workdir was planned with nothing, found 5"):
        workdir.plan(settings=replace(SETTINGS, limit=5))
    assert workdir.look() == before


def test_people_of_another_workdir_are_refused(workdir, tmp_path):
    """Who is who lies where it lay when the workdir was begun."""
    workdir.plan(shared=tmp_path / "people")
    assert (tmp_path / "people" / PEOPLE_FILE).exists()
    assert not (workdir.path / PEOPLE_FILE).exists()
    workdir.write("c.jsonl", SEEN | {"messageId": "3"})
    before = workdir.look()
    with pytest.raises(Refused):
        workdir.plan()
    assert workdir.look() == before
    assert workdir.plan(shared=tmp_path / "people")[:3] == (
        ["a.jsonl", "b.jsonl", "c.jsonl"],
        ALL | {"seen": 2},
        True,
    )


def test_what_is_passed_over_is_counted_and_named(workdir):
    """By reason, all of it; a screen shows the first of them."""
    for name in "vwxyz":
        workdir.write(f"{name}.jsonl")
    facts = workdir.plan()[3]
    assert facts["skipped"] == {"empty": 5}
    assert [Path(name).name for name in facts["skipped_names"]["empty"]] == [
        f"{name}.jsonl" for name in "vwxyz"
    ]


def test_a_file_that_has_changed_is_set_aside_until_it_is_planned_again(workdir):
    """The command that is the first to find it says so; the others are planned."""
    workdir.plan()
    workdir.write("a.jsonl", SEEN | {"event": "heard"})
    changed = str(workdir.inputs / "a.jsonl")
    assert workdir.plan()[4].set_aside == [changed]
    _, names, _, facts, session = workdir.plan()
    assert (names, [*facts["set_aside"]], session.set_aside) == (ALL, [changed], [])
    _, names, is_whole, facts, session = workdir.plan(again=["a.jsonl"])
    assert (facts["set_aside"], session.set_aside, is_whole) == ({}, [], True)
    assert names["heard"] == 1


def test_rows_that_are_rejected_are_there_for_people_when_it_ends(workdir):
    """However it ends: the file for people is made again where it is gone, and that is said."""
    workdir.write("c.jsonl", SEEN | {"timestamp": "soon"})
    workdir.plan()
    path = workdir.path / "rejects.jsonl"
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["reason"] == "bad_timestamp"
    path.unlink()
    assert workdir.plan(stops=True)[4].remarks == [f"{path}: was gone, and is made again of what is known"]
    assert path.read_text() == line + "\n"
