"""Night after night of a time that grows: what was left out arrives, whatever became of the files beside it."""

import json
from random import Random
from zipfile import ZipFile

import pytest
from commands import KEY, migrate, summary
from samples import some

from migrate.sandbox.server import Sandbox
from migrate.workdir.checkpoint import Checkpoint

FIRST, SECOND, THIRD = "2024-04-02", "2024-04-03", "2024-04-04"
"""The ends of three days."""


def row(number, day):
    """A row with an id of its own, of a day of April."""
    return {
        "event": "e",
        "distinct_id": f"u{number}",
        "uuid": f"0190d1a0-0000-7000-8000-{number:012}",
        "timestamp": f"2024-04-{day:02}T12:00:00Z",
        "properties": {"n": number},
    }


def of_person(number, day):
    """A row of Amplitude's, which tells of its person, too."""
    return {
        "uuid": f"0190d1a0-0000-4000-8000-{number:012}",
        "event_type": "e",
        "event_time": f"2024-04-{day:02} 12:00:00.000000",
        "user_id": f"u{number}",
        "device_id": f"d{number}",
        "amplitude_id": number,
        "event_properties": {"n": number},
        "user_properties": {"plan": "free"},
    }


OF_NOBODY = {key: value for key, value in row(9, 3).items() if key != "distinct_id"}
"""A row that is rejected."""


class Nights:
    """A folder of exports, and the command of every night."""

    def __init__(self, folder, sandbox):
        self.folder, self.sandbox, self.platform = folder, sandbox, "posthog"
        self.source, self.workdir = folder / "in", folder / "w"
        self.source.mkdir()

    def write(self, name, *rows):
        """Write a file as an export does, anew; its path."""
        path = self.source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        return path

    def run(self, *more, command="run", inputs=None, code=0):
        """Run a night; its summary. With `code` None a file may have to wait."""
        target = ["--host", self.sandbox.url] if command == "run" else []
        given = inputs or self.source
        words = [command, self.platform, given, "--workdir", self.workdir, *target, *more, "--json"]
        done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert done.returncode in ({0, 5} if code is None else {code}), done.stderr
        found = summary(done)
        assert found["balanced"]
        return found

    def until(self, end, *more, **how):
        """Run a night of all before this day."""
        return self.run("--until", end, *more, **how)

    def arrived(self):
        """The numbers of the rows that PostHog has, each as often as it has it."""
        found = self.sandbox.events("collapsed")
        return sorted(one["properties"]["n"] for one in found if one["event"] == "e")

    def told(self):
        """Of whom something was told, beside events."""
        return sorted({one["distinct_id"] for one in self.sandbox.events("raw") if one["event"] == "$set"})


@pytest.fixture
def nights(tmp_path):
    """Nights into a sandbox."""
    with Sandbox() as sandbox:
        yield Nights(tmp_path, sandbox)


def two(nights, row=row):
    """Two files that are planned together, each of a row of the first day and one of the second; their paths."""
    return (
        nights.write("a.jsonl", row(1, 1), row(2, 2)),
        nights.write("b.jsonl", row(3, 1), row(4, 2)),
    )


def aside(found):
    """The names of the files that are set aside."""
    return [name.rpartition("/")[2] for name in found["set_aside"]]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_was_left_out_arrives_though_a_file_planned_together_with_it_is_gone(nights, command):
    """What was planned of that one stands, sent or not; then there is nothing to do, till one grows."""
    _, gone = two(nights)
    nights.until(FIRST, command=command)
    gone.unlink()
    nights.until(SECOND)
    assert nights.arrived() == [1, 2, 3]
    assert nights.run()["run"]["events"]["planned"] == 0
    nights.write("a.jsonl", row(1, 1), row(2, 2), row(5, 2))
    assert aside(nights.run()) == []
    assert nights.arrived() == [1, 2, 3, 5]


def test_a_file_that_grew_while_rows_of_it_were_left_out_is_planned_anew(nights):
    """On the night that asks for them, though the one planned together with it is gone."""
    _, gone = two(nights)
    nights.until(FIRST)
    gone.unlink()
    nights.write("a.jsonl", row(1, 1), row(2, 2), row(5, 1))
    found = nights.run()
    assert (aside(found), nights.arrived()) == ([], [1, 2, 3, 5])


def test_each_night_another_of_those_that_were_planned_together_may_be_gone(nights):
    """Those that are left are planned together again, and one of them is gone when still more is asked for."""
    days = 1, 2, 3
    paths = [
        nights.write(f"{name}.jsonl", *(row(10 * n + day, day) for day in days))
        for n, name in enumerate("abcd")
    ]
    nights.until(FIRST)
    paths[0].unlink()
    nights.until(SECOND)
    assert nights.arrived() == [1, 11, 12, 21, 22, 31, 32]
    paths[2].unlink()
    nights.write("e.jsonl", row(41, 1), row(43, 3))
    nights.until(SECOND)
    nights.run()
    assert nights.arrived() == [1, 11, 12, 13, 21, 22, 31, 32, 33, 41, 43]
    assert nights.run()["run"]["events"]["planned"] == 0


def test_a_file_that_is_gone_and_comes_back_is_planned_of_what_was_left_out(nights):
    """Also if what was planned of it is still to be sent."""
    _, gone = two(nights)
    nights.until(FIRST, command="plan")
    away = gone.rename(nights.folder / "away")
    nights.until(SECOND, command="plan")
    away.rename(gone)
    found = nights.until(SECOND)
    assert nights.arrived() == [1, 2, 3, 4]
    assert found["events"]["accepted"] == 4


def test_what_is_held_of_one_that_is_gone_goes_when_it_is_old_enough(nights):
    """A part of it is held, of the day that the other is planned anew of, too."""
    _, gone = two(nights)
    held = "--min-age", "10000d"
    nights.until(FIRST, *held)
    gone.unlink()
    found = nights.until(SECOND, *held)
    assert (found["events"]["held"], nights.arrived()) == (3, [])
    nights.until(SECOND, "--min-age", "0")
    assert nights.arrived() == [1, 2, 3]


def test_what_was_left_out_arrives_though_the_inputs_of_tonight_leave_others_out(nights):
    """Each day is a folder, and its last hours are in the next; those before are there, but no inputs any more."""
    for day in (1, 2, 3):
        nights.write(f"2024-04-0{day}/t.jsonl", row(day * 10, day), row(day * 10 + 1, day + 1))
    inputs = str(nights.source / "{since:%Y-%m-%d}" / "*.jsonl")
    nights.run("--since", "2024-04-01", "--until", THIRD, inputs=inputs)
    assert nights.arrived() == [10, 11, 20, 21, 30]
    nights.write("2024-04-04/t.jsonl", row(40, 4), row(41, 5))
    nights.run("--since", "2024-04-04", "--until", "2024-04-05", "--lookback", "1", inputs=inputs)
    assert nights.arrived() == [10, 11, 20, 21, 30, 31, 40]


def test_members_of_an_archive_that_are_gone_take_no_others_with_them(nights):
    """An archive that is written anew, with fewer of them; what was planned of those stands."""
    path = nights.source / "a.zip"
    for number, names in ((1, "abc"), (2, "ac")):
        with ZipFile(path, "w") as archive:
            for name in names:
                rows = row(ord(name), 1), row(ord(name) + 100, 2)
                archive.writestr(f"{name}.jsonl", "".join(json.dumps(one) + "\n" for one in rows))
        nights.run(*(["--until", FIRST] if number == 1 else []))
    assert nights.arrived() == sorted([*map(ord, "abc"), *(ord(name) + 100 for name in "ac")])


def test_a_file_beside_which_only_rows_of_another_time_were_is_counted_by_itself(nights):
    """It grew by rows that are left out, and comes to the same events: they arrive when they are asked for."""
    nights.write("a.jsonl", row(1, 1))
    nights.write("b.jsonl", OF_NOBODY)
    nights.until("2024-04-05", code=3)
    nights.write("a.jsonl", row(1, 1), row(2, 6))
    found = nights.until("2024-04-05")
    assert (found["rows"]["filtered"], found["events"]["duplicate"]) == ({"after_until": 1}, 1)
    nights.run()
    assert nights.arrived() == [1, 2]


@pytest.mark.parametrize("way", ["set-aside", "skip"])
def test_a_changed_file_that_is_to_stay_is_not_planned_of_a_wider_time(nights, way):
    """What was left out of it would be planned of other content; it says so, or is passed over by name."""
    two(nights)
    nights.until(FIRST)
    nights.write("a.jsonl", row(1, 1), row(2, 2), row(5, 1))
    found = nights.run("--on-changed", way, code=5 if way == "set-aside" else 0)
    assert nights.arrived() == [1, 3, 4]
    assert aside(found) == (["a.jsonl"] if way == "set-aside" else [])
    nights.run()
    assert nights.arrived() == [1, 2, 3, 4, 5]


TELLING = "migrate.plan.census.tell"
"""Where persons are told of, when all files are planned."""
STEPS = [
    "migrate.planning.census.link",
    "migrate.plan.planner.Planner._commit",
    "migrate.plan.again._replace",
    TELLING,
]
"""Before a file is planned, before it is noted, before what was planned gives way, before persons are told of."""


def half(nights, monkeypatch, *more, step=TELLING):
    """Plan up to this step, and no further; return the files of states that wait."""
    assert kill(nights, monkeypatch, *more, step=step)
    with Checkpoint.open(nights.workdir) as checkpoint:
        assert not checkpoint.is_whole()
        return checkpoint.states()


def kill(nights, monkeypatch, *more, step):
    """Plan, and end before this step as a killed process does, which notes nothing; return whether it came so far."""

    def killed(*_, **__):
        raise SystemExit(137)

    with monkeypatch.context() as patched:
        patched.setattr(step, killed)
        done = migrate("plan", nights.platform, nights.source, "--workdir", nights.workdir, *more)
    assert done.returncode in {0, 5, 137}, done.stderr
    return done.returncode == 137


def test_what_has_to_wait_is_set_aside_by_name_and_goes_the_next_night(nights, monkeypatch):
    """Of a plan that was stopped before it told of persons no file goes alone, lest those of the others are lost."""
    nights.platform = "amplitude"
    path, gone = two(nights, of_person)
    assert half(nights, monkeypatch, "--until", FIRST)
    gone.unlink()
    found = nights.run(code=5)
    assert found["set_aside"] == {
        str(path): (
            "rows of it that --since or --until left out are asked for now, and it was planned together with "
            f"{gone}, which is not there, by a command that did not come to its end; run the same command again once "
            "this one has"
        )
    }
    assert (nights.arrived(), nights.told()) == ([1, 3], ["u1", "u3"])
    assert aside(nights.run()) == []
    assert (nights.arrived(), nights.told()) == ([1, 2, 3], ["u1", "u2", "u3"])


def test_a_changed_file_of_half_a_plan_beside_which_another_is_gone_is_set_aside(nights, monkeypatch):
    """Until the next night, too."""
    nights.platform = "amplitude"
    _, gone = two(nights, of_person)
    assert half(nights, monkeypatch)
    nights.write("a.jsonl", of_person(1, 1), of_person(2, 2), of_person(5, 2))
    gone.unlink()
    found = nights.run(code=5)
    assert (aside(found), nights.arrived()) == (["a.jsonl"], [1, 2, 3, 4])
    assert aside(nights.run()) == []
    assert (nights.arrived(), nights.told()) == ([1, 2, 3, 4, 5], [f"u{n}" for n in range(1, 6)])


def test_a_plan_that_was_stopped_later_holds_none_back(nights, monkeypatch):
    """What was told of persons is told: of what was planned before it each file goes by itself."""
    nights.platform = "amplitude"
    _, gone = two(nights, of_person)
    nights.until(FIRST)
    nights.write("c.jsonl", of_person(6, 1))
    assert half(nights, monkeypatch, "--until", FIRST)
    gone.unlink()
    assert aside(nights.run()) == []
    assert nights.arrived() == [1, 2, 3, 6]


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("step", some(STEPS, 2))
def test_a_night_that_was_killed_goes_on_where_it_was(nights, monkeypatch, step, command):
    """Wherever it is; also where less is asked for by the next, and then all."""
    nights.platform = "amplitude"
    _, gone = two(nights, of_person)
    nights.until(FIRST, command=command)
    gone.unlink()
    half(nights, monkeypatch, "--until", SECOND, step=step)
    nights.until(FIRST)
    nights.until(SECOND)
    assert (nights.arrived(), nights.told()) == ([1, 2, 3], ["u1", "u2", "u3"])


def test_what_rows_tell_of_persons_arrives_though_they_are_no_events(nights):
    """A row that another filter leaves out tells of its person; where that is of another time it is told then."""
    nights.platform = "amplitude"
    nights.write("a.jsonl", of_person(1, 1), of_person(2, 2) | {"event_type": "session_start"})
    assert nights.until(FIRST)["rows"]["filtered"] == {"session_events": 1}
    assert nights.told() == ["u1"]
    nights.run()
    assert (nights.arrived(), nights.told()) == ([1], ["u1", "u2"])
    assert nights.run()["run"]["events"]["planned"] == 0


NOTHING = {
    "rejected": (OF_NOBODY, 3),
    "filtered": (row(9, 1), 0),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_a_file_that_changed_is_planned_anew_though_no_event_is_planned_yet(nights, kind):
    """A workdir begins with a row that is rejected, or left out: it grows as any other."""
    first, code = NOTHING[kind]
    nights.write("a.jsonl", first)
    assert nights.run("--since", SECOND, code=code)["events"]["planned"] == 0
    nights.write("a.jsonl", first, row(1, 3))
    found = nights.run("--since", SECOND)
    assert (aside(found), found["replanned"], nights.arrived()) == ([], {"files": 1}, [1])


@pytest.mark.parametrize("is_there", [True, False])
def test_what_was_left_out_arrives_though_no_event_is_planned_yet(nights, is_there):
    """All of it was; also where the file beside it is gone."""
    _, other = two(nights)
    nights.run("--since", THIRD)
    if not is_there:
        other.unlink()
    nights.run("--since", THIRD)
    assert nights.arrived() == []
    nights.run("--since", FIRST)
    assert nights.arrived() == ([2, 4] if is_there else [2])
    nights.run()
    assert nights.arrived() == ([1, 2, 3, 4] if is_there else [1, 2])


def test_a_workdir_without_an_event_begins_anew_under_other_settings(nights):
    """With the time that is asked for then: of what was planned before nothing is left, nor which time it was of."""
    two(nights)
    nights.run("--since", THIRD)
    found = nights.run("--since", FIRST, "--import-id", "another")
    assert (found["rows"]["read"], nights.arrived()) == (4, [2, 4])


def test_what_changes_before_a_workdir_begins_anew_is_planned_as_it_is(nights):
    """It is no file that changed: it is new."""
    two(nights)
    nights.run("--since", SECOND)
    nights.write("a.jsonl", row(5, 2), row(6, 3))
    found = nights.run("--since", THIRD, "--import-id", "another")
    assert (found["rows"]["read"], found["replanned"], aside(found), nights.arrived()) == (4, {}, [], [])
    nights.run("--import-id", "another")
    assert nights.arrived() == [3, 4, 5, 6]


class Model:
    """What each file holds: the days of its rows, by their numbers; those that are away are no inputs."""

    def __init__(self, dice):
        self.dice, self.numbers = dice, iter(range(1, 999))
        self.files, self.away = {}, {}

    def evening(self):
        """Let some files come, grow, come back or go away; return the names of all that are others now."""
        names = self.dice.sample("abcdef", 1 if self.files else 5)
        for name in names:
            if name in self.files and self.dice.random() < 0.5:
                self.away[name] = self.files.pop(name)
            else:
                days = self.files[name] = self.away.pop(name, self.files.get(name, {}))
                days |= {next(self.numbers): self.dice.randint(1, 8) for _ in range(self.dice.randint(1, 4))}
        return names

    def asked(self, first, last):
        """The rows that are there, of these days."""
        return {n for days in self.files.values() for n, day in days.items() if first <= day <= last}


@pytest.mark.law
@pytest.mark.parametrize("seed", some(range(8), 3))
def test_whatever_time_a_night_asks_for_all_of_it_that_is_there_arrives(nights, monkeypatch, seed):
    """Each asks for more of files that come, grow and go; some only plan, hold what is young, or are killed."""
    dice = Random(seed)
    nights.platform, made = ("amplitude", of_person) if seed % 2 else ("posthog", row)
    model = Model(dice)
    for night in range(8):
        for name in model.evening():
            path = nights.source / f"{name}.jsonl"
            path.unlink(missing_ok=True)
            if name in model.files:
                nights.write(path.name, *(made(*one) for one in model.files[name].items()))
        wide = max(1, night - dice.randint(-1, 1))
        first, last = (1, wide) if seed % 4 < 2 else (9 - wide, 8)
        ends = "--since", f"2024-04-0{first}", "--until", f"2024-04-0{last + 1}"
        if dice.random() < 0.3:
            kill(nights, monkeypatch, *ends, step=dice.choice(STEPS))
        way = dice.choice([["plan"], ["run", "--min-age", "0"], ["run", "--min-age", "10000d"]])
        found = nights.run(*ends, *way[1:], command=way[0], code=None if night else 0)
        if way[-1] == "0" and not found["set_aside"]:
            assert model.asked(first, last) <= {*nights.arrived()}
    nights.run("--min-age", "0", code=None)
    nights.run("--min-age", "0")
    arrived = nights.arrived()
    assert model.asked(1, 8) <= {*arrived}
    assert len({*arrived}) == len(arrived)
