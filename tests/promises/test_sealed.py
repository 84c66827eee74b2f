"""Nothing leaves that was not planned whole and unharmed."""

import json
import os
import random
import shutil
from zipfile import ZipFile

import forked
import polars as pl
import pytest
from samples import some
from sealing import KILL, STOP, exports, flipped, migrate, scattered, summary

from migrate.sandbox.server import Sandbox
from migrate.workdir import samples, seals
from migrate.workdir.checkpoint import Checkpoint

pytestmark = pytest.mark.crash

PLACES = [
    pytest.param("plan.planner.Planner._commit", 1, id="one file planned"),
    pytest.param("plan.planner.Planner.todo", 0, id="nothing planned"),
    pytest.param("plan.planner.Planner.plan_derived", 0, id="merges not planned"),
    pytest.param("plan.census.tell", 0, id="all planned but persons"),
]


@pytest.mark.parametrize(("place", "after"), PLACES)
def test_a_plan_killed_half_way_is_not_sent(tmp_path, place, after):
    """`apply`, and `run` of other files, refuse it and say how far it is and what finishes it; then all goes."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--yes"]
        words = ["plan", "segment", source, "--workdir", workdir]
        assert migrate(*words, killed_at=place, after=after).returncode == 9
        refused = migrate("apply", workdir, *host)
        assert refused.returncode == 5
        assert f"finish it with: migrate plan segment {source} --workdir {workdir}" in refused.stderr
        shown = migrate("status", workdir, "--json")
        assert not summary(shown)["whole"]
        assert f"next     migrate plan segment {source} --workdir {workdir}" in shown.stderr
        assert migrate("resend", workdir, *host).returncode == 5
        assert sandbox.events() == []
        finished = migrate(*words, "--json")
        assert finished.returncode == 0
        assert summary(finished)["whole"]
        sent = migrate("apply", workdir, *host, "--json")
        assert (sent.returncode, summary(sent)["events"]["pending"]) == (0, 0)
        assert len(sandbox.events()) == summary(finished)["events"]["planned"]


@pytest.mark.parametrize(
    ("place", "after"),
    [
        pytest.param("plan.planner.Planner._commit", 1, id="between two files"),
        pytest.param("workdir.samples.keep", 0, id="before the first rows are kept"),
        pytest.param("workdir.checkpoint.Checkpoint.note_planned", 0, id="before their file is noted"),
    ],
)
def test_the_first_rows_are_those_of_the_first_file_though_planning_is_killed(tmp_path, place, after):
    """Whoever goes on, and whatever is planned anew: the next night's take their place."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir]

    def first():
        return [row["place"] for row in samples.kept(workdir, 1)]

    assert migrate(*words, killed_at=place, after=after).returncode == 9
    if after:
        with Checkpoint.open(workdir) as checkpoint:
            assert checkpoint.inputs()[first()[0].removesuffix(":1")].planned
    assert migrate(*words).returncode == 0
    assert first() == [f"{source}/00.jsonl:1"]
    assert migrate(*words, "--again", source / "03.jsonl").returncode == 0
    assert first() == [f"{source}/00.jsonl:1"]
    exports(source, files=1, start=8)
    assert migrate(*words).returncode == 0
    assert first() == [f"{source}/08.jsonl:1"]


def test_files_of_an_unfinished_plan_are_not_forgotten_by_a_plan_of_others(tmp_path):
    """A later command that comes to its end does not make whole what another one began."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir]
    assert migrate(*words, killed_at="plan.planner.Planner._commit", after=1).returncode == 9
    exports(tmp_path / "in", files=1, start=8)
    other = migrate("plan", "segment", source / "08.jsonl", "--workdir", workdir, "--json")
    assert (other.returncode, summary(other)["whole"]) == (5, False)
    refused = migrate("apply", workdir, "--host", "sandbox")
    assert "files are planned" in refused.stderr
    assert f"finish it with: migrate plan segment {source} --workdir" in refused.stderr
    assert migrate(*words).returncode == 0
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 0


def test_partial_sends_what_there_is_and_says_so_for_ever(tmp_path):
    """Exit code 5 until the plan is whole; what was sent is not sent again."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir]
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--yes", "--json"]
        assert migrate(*words, killed_at="plan.planner.Planner._commit", after=1).returncode == 9
        sent = migrate("apply", workdir, *host, "--partial")
        assert (sent.returncode, summary(sent)["events"]["pending"]) == (5, 0)
        assert 0 < summary(sent)["events"]["accepted"] == len(sandbox.events())
        assert migrate("apply", workdir, *host).returncode == 5
        whole = migrate("run", *words[1:], *host)
        assert whole.returncode == 0, whole.stderr
        (note,) = summary(whole)["notes"]
        assert "--partial" in note
        events = [(event["uuid"], event["event"]) for event in sandbox.events()]
        assert len(events) == len(set(events)) == summary(whole)["events"]["accepted"]


PARTED = [
    pytest.param("workdir.parting.add_part", 20, id="days are being noted"),
    pytest.param("workdir.depot.Depot.remove", 0, id="all days are noted"),
]


@pytest.mark.parametrize(("place", "after"), PARTED)
def test_a_plan_killed_while_days_are_put_together_goes_on(tmp_path, place, after):
    """What there is can be sent, or it is put together by the same command; each event is sent once."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    scattered(source)
    words = ["plan", "segment", source, "--workdir", workdir]
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url, "--yes", "--json"]
        assert migrate(*words, killed_at=place, after=after).returncode == 9
        assert migrate("apply", workdir, *host).returncode == 5
        shown = summary(migrate("status", workdir, "--json"))["events"]
        if after:
            sent = summary(migrate("apply", workdir, *host, "--partial"))["events"]
            assert (sent["pending"], sent["accepted"]) == (0, shown["planned"])
        whole = migrate("run", *words[1:], *host)
        assert (whole.returncode, summary(whole)["events"]["accepted"]) == (0, shown["planned"])
        assert len(sandbox.events("raw")) == len(sandbox.events()) == shown["planned"] == 120
    assert [*workdir.glob("spans/*")] == []


def test_a_trial_is_whole(tmp_path):
    """`--limit` plans no more than that, and so it was meant."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    trial = migrate(
        "run", "segment", source, "--workdir", workdir, "--limit", 5, "--host", "sandbox", "--json"
    )
    assert (trial.returncode, summary(trial)["whole"]) == (0, True)
    assert summary(migrate("status", workdir, "--json"))["state"] == "trial_finished"


@pytest.fixture
def plan(tmp_path):
    """A plan of several days, with merges and persons, whole; small enough to be planned in a second."""
    source, workdir = exports(tmp_path / "in", files=3), tmp_path / "w"
    done = migrate("plan", "segment", source, "--workdir", workdir, "--json")
    assert done.returncode == 0, done.stderr
    return workdir, summary(done)["events"]["planned"]


def applied(workdir, sandbox):
    """What sending comes to, with the tuples that arrived."""
    done = migrate("apply", workdir, "--host", sandbox.url, "--yes")
    return done, {(event["uuid"], event["event"], event["distinct_id"]) for event in sandbox.events()}


def expected(workdir):
    """The tuples that a plan holds, by day."""
    frames = {
        day.name: pl.concat([pl.read_parquet(path) for path in sorted(day.iterdir())])
        for day in sorted((workdir / "days").iterdir())
    }
    return {day: set(frame.select("uuid", "event", "distinct_id").rows()) for day, frame in frames.items()}


FLIPS = int(os.environ.get("SEAL_FLIPS", "6"))


def test_no_flipped_bit_arrives(tmp_path, plan):
    """Whichever bit of whichever file of the plan: nothing of it leaves, and nothing of a later day.

    The long form: SEAL_FLIPS=500 pytest tests/promises/test_sealed.py -k flipped
    """
    workdir, _ = plan
    dice = random.Random(7)
    by_day = expected(workdir)
    files = sorted((workdir / "days").glob("*/*.parquet"))
    for number in range(FLIPS):
        path = files[int(dice.random() * len(files))]
        rough = tmp_path / f"rough-{number}"
        shutil.copytree(workdir, rough)
        harmed = rough / path.relative_to(workdir)
        flipped(harmed, int(dice.random() * harmed.stat().st_size), int(dice.random() * 8))
        with Sandbox() as sandbox:
            done, arrived = applied(rough, sandbox)
        day = path.parent.name
        assert done.returncode == 5, (number, done.stderr)
        assert str(harmed) in done.stderr
        assert f"nothing of this day ({day})" in done.stderr
        unharmed = (pl.read_parquet(one) for one in (workdir / "days" / day).iterdir() if one != path)
        beside = (set(frame.select("uuid", "event", "distinct_id").rows()) for frame in unharmed)
        before = set().union(*(some for one, some in by_day.items() if one < day), *beside)
        assert arrived <= before
        shutil.rmtree(rough)


HARM = {
    "lost": lambda path, _: path.unlink(),
    "shorter": lambda path, _: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path, _: path.write_bytes(b""),
    "another day's": lambda path, other: shutil.copy(other, path),
    "longer": lambda path, _: path.write_bytes(path.read_bytes() + b"\0"),
    "a folder": lambda path, _: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("how", some(HARM, 4))
def test_a_file_that_is_lost_or_another_stops_all_before_anything_is_sent(plan, how):
    """Also one of the last day: of a plan that is not all there nothing leaves."""
    workdir, _ = plan
    first, *_ = sorted((workdir / "days").glob("*/00000001-*.parquet"))
    (last,) = (workdir / "days" / "2024-04-03").glob("00000003-*.parquet")
    HARM[how](last, first)
    with Sandbox() as sandbox:
        done, arrived = applied(workdir, sandbox)
    assert (done.returncode, arrived) == (5, set())
    assert str(last) in done.stderr
    assert "in/02.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stale_file_of_the_same_size_is_noticed(tmp_path, plan):
    """As a backup puts it back: one of another plan, byte by byte as long."""
    workdir, _ = plan
    (last,) = (workdir / "days" / "2024-04-03").glob("00000003-*.parquet")
    data = last.read_bytes()
    other = tmp_path / "other"
    text = (tmp_path / "in" / "02.jsonl").read_text().replace("u1", "u9")
    (tmp_path / "in" / "02.jsonl").write_text(text)
    assert migrate("plan", "segment", tmp_path / "in", "--workdir", other).returncode == 0
    stale = (other / last.relative_to(workdir)).read_bytes()
    last.write_bytes(stale[: len(data)].ljust(len(data), b"\0"))
    with Sandbox() as sandbox:
        done, arrived = applied(workdir, sandbox)
    assert done.returncode == 5
    assert "u9" not in {person for _, _, person in arrived}


def test_an_harmed_part_that_was_sent_is_noticed_where_duplicates_are_sought(tmp_path, plan):
    """Later rows of its day would else be sent though they were there."""
    workdir, _ = plan
    with Sandbox() as sandbox:
        assert applied(workdir, sandbox)[0].returncode == 0
        before = len(sandbox.events())
        exports(tmp_path / "in", files=1, rows=50, start=5)
        more = (tmp_path / "in" / "05.jsonl").read_text().replace("2024-04-06", "2024-04-02")
        (tmp_path / "in" / "05.jsonl").write_text(more)
        assert migrate("plan", "segment", tmp_path / "in", "--workdir", workdir).returncode == 0
        path = min((workdir / "days" / "2024-04-02").iterdir())
        flipped(path, path.stat().st_size // 2)
        done, _ = applied(workdir, sandbox)
        assert done.returncode == 5
        assert str(path) in done.stderr
        assert len(sandbox.events()) == before


@pytest.mark.parametrize("how", ["lost", "shorter", "flipped"])
def test_states_that_are_harmed_are_not_told(tmp_path, how):
    """A killed plan has them on disk; what they tell of persons is not left out in silence either."""
    source, workdir = exports(tmp_path / "in", files=3), tmp_path / "w"
    users = "id,email,received_at\nu1,one@example.com,2024-04-03 12:00:00\n"
    (source / "users.csv").write_text(users)
    words = ["plan", "segment", source, "--workdir", workdir]
    assert migrate(*words, killed_at="plan.census.tell").returncode == 9
    path = min((workdir / "states").iterdir())
    if how == "flipped":
        flipped(path, path.stat().st_size // 2)
    else:
        HARM[how](path, None)
    done = migrate(*words)
    assert done.returncode == 5
    assert str(path) in done.stderr
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 5


def test_what_is_given_out_is_what_was_sealed(tmp_path):
    """Whatever is read, in whichever order; a changed block is given to no one, the others are."""
    dice = random.Random(3)
    data = bytes(int(dice.random() * 256) for _ in range(3 * seals.BLOCK + 17))
    path = tmp_path / "file"
    path.write_bytes(data)
    kept = seals.Kept.of(path)
    with kept.opened() as file:
        for _ in range(300):
            start, size = int(dice.random() * len(data)), int(dice.random() * 2 * seals.BLOCK)
            file.seek(start)
            assert file.read(size) == data[start : start + size]
            assert file.tell() == min(len(data), start + size)
        file.seek(-8, os.SEEK_END)
        assert file.read() == data[-8:]
        flipped(path, seals.BLOCK + 5)
        file.seek(0)
        assert file.read(10) == data[:10]
        file.seek(2 * seals.BLOCK)
        assert file.read(10) == data[2 * seals.BLOCK :][:10]
        file.seek(2 * seals.BLOCK - 1)
        with pytest.raises(seals.Harmed, match="other bytes between 65,536 and 131,072"):
            file.read(2)


def people(workdir):
    """The file that knows who is who."""
    return workdir / "people.sqlite"


def older(workdir, tmp_path):
    """Put back the people's file of the first night after the second."""
    shutil.copy(people(workdir), tmp_path / "before.sqlite")
    exports(tmp_path / "in", files=1, start=5)
    assert migrate("plan", "segment", tmp_path / "in", "--workdir", workdir).returncode == 0
    shutil.copy(tmp_path / "before.sqlite", people(workdir))


def another(workdir, tmp_path):
    """Put the file of another workdir there."""
    assert migrate("plan", "segment", tmp_path / "in", "--workdir", tmp_path / "other").returncode == 0
    shutil.copy(people(tmp_path / "other"), people(workdir))


WRONG = {
    "missing": lambda workdir, _: people(workdir).unlink(),
    "older": older,
    "another": another,
    "emptied": lambda workdir, _: people(workdir).write_bytes(b""),
    "a changed bit": lambda workdir, _: flipped(people(workdir), people(workdir).stat().st_size // 2),
    "a changed bit in its head": lambda workdir, _: flipped(people(workdir), 40),
    "no database": lambda workdir, _: people(workdir).write_bytes(b"x" * 9_000),
}


@pytest.mark.parametrize(
    ("how", "was_killed"),
    some([*((how, False) for how in WRONG), ("missing", True), ("no database", True), ("another", True)], 6),
)
def test_a_plan_goes_on_with_its_own_people_only(tmp_path, plan, how, was_killed):
    """Else two people who are known could be merged; it says what to do and leaves all as it is."""
    workdir, _ = plan
    if was_killed:
        exports(tmp_path / "in", files=1, start=7)
        words = ["plan", "segment", tmp_path / "in", "--workdir", workdir]
        assert migrate(*words, killed_at="plan.planner.Planner.plan").returncode == 9
    WRONG[how](workdir, tmp_path)
    found = people(workdir).read_bytes() if people(workdir).exists() else None
    exports(tmp_path / "in", files=1, start=8)
    for _ in range(2):
        done = migrate("plan", "segment", tmp_path / "in", "--workdir", workdir)
        assert done.returncode == 5, done.stderr
        assert "Traceback" not in done.stderr
        assert f"{people(workdir)}: not the file that belongs to this checkpoint" in done.stderr
        assert (people(workdir).read_bytes() if people(workdir).exists() else None) == found


BETWEEN = [
    pytest.param("workdir.checkpoint.Checkpoint.note_told", 0, id="told and not noted"),
    pytest.param("people.store.People.step", 0, id="merges planned and no step"),
    pytest.param("people.store.People.step", 1, id="persons planned and no step"),
    pytest.param("people.store.People.which", 1, id="a step and not noted"),
    pytest.param("workdir.checkpoint.Checkpoint.seal_people", 1, id="all but the seal"),
]


@pytest.mark.parametrize(("place", "after"), some(BETWEEN, 3))
def test_a_kill_between_two_commits_is_rolled_forward(tmp_path, place, after):
    """The same events as without one, each once; and the next night goes on."""
    source, calm, rough = exports(tmp_path / "in", files=3), tmp_path / "calm", tmp_path / "rough"
    users = "id,email,received_at\nu1,one@example.com,2024-04-03 12:00:00\n"
    (source / "users.csv").write_text(users)
    assert migrate("plan", "segment", source, "--workdir", calm).returncode == 0
    words = ["plan", "segment", source, "--workdir", rough, "--json"]
    assert migrate(*words, killed_at=place, after=after).returncode == 9
    done = migrate(*words)
    assert (done.returncode, summary(done)["whole"]) == (0, True), done.stderr
    assert {*arriving(rough)} == {*arriving(calm)}
    exports(source, files=1, start=9)
    assert migrate(*words).returncode == 0


STEP_MADE = "plan.census.step_made"
"""Called when a step of people is made, and the checkpoint does not know of it yet: of who is who, of what is told."""
ENDS = {
    "who is who": [("kill", 0)] * 3,
    "what is told": [("kill", 1), ("kill", 0), ("kill", 0)],
    "mixed": [("kill", 0), ("stop", 0)] * 2 + [("kill", 0)],
}


@pytest.mark.parametrize(
    ("ends", "nights"), some([*((ends, 0) for ends in ENDS.values()), (ENDS["mixed"], 2)], 2)
)
def test_any_number_of_ends_between_two_commits_is_rolled_forward(tmp_path, ends, nights):
    """The same events as without any, each once; and still no other people's file will do."""
    source, calm, rough = exports(tmp_path / "in", files=2, rows=8), tmp_path / "calm", tmp_path / "rough"
    (source / "users.csv").write_text("id,email,received_at\nu1,one@example.com,2024-04-03 12:00:00\n")
    calmly, roughly = (["plan", "segment", source, "--workdir", one, "--json"] for one in (calm, rough))
    wrong = [b""]
    for night in range(nights):
        exports(source, files=1, rows=8, start=5 + night)
        assert [migrate(*words).returncode for words in (calmly, roughly)] == [0, 0]
        wrong += [people(one).read_bytes() for one in (calm, rough)][: 2 - night]
    exports(source, files=1, rows=8, start=8)
    (source / "users-8.csv").write_text("id,email,received_at\nu2,two@example.com,2024-04-09 12:00:00\n")
    assert migrate(*calmly).returncode == 0
    for end, after in ends:
        # Ctrl-C before anything is changed, so that the file is closed in good order where the kill has left it.
        place, how = (STEP_MADE, KILL) if end == "kill" else ("people.store.People.keep_planned", STOP)
        ended = migrate(*roughly, killed_at=place, after=after, how=how)
        assert ended.returncode == (9 if end == "kill" else 130), (end, after, ended.stderr)
    found = people(rough).read_bytes()
    for data in wrong:
        people(rough).write_bytes(data)
        refused = migrate(*roughly)
        assert refused.returncode == 5
        assert "not the file that belongs to this checkpoint" in refused.stderr
    people(rough).write_bytes(found)
    done = migrate(*roughly)
    assert (done.returncode, summary(done)["whole"]) == (0, True), done.stderr
    assert {*arriving(rough)} == {*arriving(calm)}
    exports(source, files=1, rows=8, start=9)
    assert migrate(*roughly).returncode == 0


def arriving(workdir):
    """What arrives of a plan."""
    with Sandbox() as sandbox:
        done, arrived = applied(workdir, sandbox)
        assert done.returncode == 0, done.stderr
        assert len(sandbox.events()) == len(arrived)
    return arrived


@pytest.mark.parametrize("place", some([0, 20, 100, 4_096, 8_192, 12_288], 4))
def test_a_damaged_checkpoint_is_a_sentence(plan, place):
    """Wherever it is damaged, and whatever is asked of it."""
    workdir, _ = plan
    path = workdir / "checkpoint.sqlite"
    data = bytearray(path.read_bytes())
    data[place : place + 600] = b"\xff" * len(data[place : place + 600])
    path.write_bytes(data)
    for words in (["status", workdir], ["apply", workdir, "--host", "sandbox"]):
        done = migrate(*words)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == 5, done.stderr


def aside(done):
    """Which sources a command says are set aside."""
    return {name.rpartition("/")[2] for name in summary(done)["set_aside"]}


def test_a_source_that_changed_is_set_aside_and_the_others_go(tmp_path, plan):
    """Exit code 5 once; `status` keeps saying it; the next night is 0 until it changes again."""
    workdir, planned = plan
    source = tmp_path / "in"
    words = ["run", "segment", source, "--workdir", workdir, "--yes", "--json", "--on-changed", "set-aside"]
    with Sandbox() as sandbox:
        host = ["--host", sandbox.url]
        path = source / "01.jsonl"
        path.write_text(path.read_text().replace("u1", "u9"))
        exports(source, files=1, start=4)
        first = migrate(*words, *host)
        assert (first.returncode, aside(first), summary(first)["whole"]) == (5, {"01.jsonl"}, True), (
            first.stderr
        )
        assert f"error: {path}: set aside: changed since it was planned" in first.stderr
        assert summary(first)["events"]["pending"] == 0
        assert summary(first)["events"]["accepted"] > planned
        second = migrate(*words, *host)
        assert (second.returncode, aside(second)) == (0, {"01.jsonl"})
        assert f"aside    not planned: {path}: changed since" in migrate("status", workdir).stderr
        path.write_text(path.read_text().replace("u9", "u8"))
        assert migrate(*words, *host).returncode == 5
        assert not {"u8", "u9"} & {event["distinct_id"] for event in sandbox.events()}


VANISHING = """
import os, sys
from pathlib import Path
import migrate.plan.planner
kept, gone = migrate.plan.planner.Planner.plan, sys.argv[-1].split(",")
def plan(*given):
    for name in gone:
        Path(name).unlink()
    return kept(*given)
migrate.plan.planner.Planner.plan = plan
sys.argv = ["migrate", *sys.argv[1:-1]]
from migrate.cli.main import main
main()
"""
"""The command, under which some files vanish before they are planned."""


@pytest.mark.parametrize("rows", [40, 1])
def test_a_source_that_vanishes_before_it_is_planned_is_set_aside(tmp_path, rows):
    """The others are planned and sent, also those that would have been planned together with it."""
    source, workdir = exports(tmp_path / "in", files=4, rows=rows), tmp_path / "w"
    gone = ",".join(str(source / name) for name in ("01.jsonl", "02.jsonl"))
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    done = forked.python(VANISHING, *words, gone)
    assert (done.returncode, aside(done), summary(done)["whole"]) == (5, {"01.jsonl", "02.jsonl"}, True)
    assert summary(done)["rows"]["read"] == 2 * rows
    again = migrate(*words)
    assert (again.returncode, aside(again)) == (0, {"01.jsonl", "02.jsonl"}), again.stderr
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 0
    exports(source, files=4, rows=rows)
    back = migrate(*words)
    assert (back.returncode, aside(back), summary(back)["rows"]["read"]) == (0, set(), 4 * rows)


def test_what_a_killed_plan_missed_and_is_gone_is_set_aside(tmp_path):
    """It can never be planned; what is there is finished and sent."""
    source, workdir = exports(tmp_path / "in"), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert migrate(*words, killed_at="plan.planner.Planner.plan").returncode == 9
    (source / "03.jsonl").unlink()
    done = migrate(*words)
    assert (done.returncode, aside(done), summary(done)["whole"]) == (5, {"03.jsonl"}, True)
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 0


def test_a_source_that_vanished_after_it_was_planned_is_no_matter(tmp_path, plan):
    """Folders are rotated."""
    workdir, planned = plan
    (tmp_path / "in" / "00.jsonl").unlink()
    exports(tmp_path / "in", files=1, start=6)
    done = migrate("plan", "segment", tmp_path / "in", "--workdir", workdir, "--json")
    assert (done.returncode, aside(done)) == (0, set())
    assert summary(done)["events"]["planned"] > planned


@pytest.mark.parametrize(
    ("how", "rows"), some([("lost", 40), ("empty", 40), ("flipped", 40), ("a folder", 40), ("lost", 1)], 3)
)
def test_a_harmed_part_is_put_back_by_its_source(tmp_path, how, rows):
    """Sending goes on where it was: what was sent is not sent again, nothing is missing, the numbers are the same.

    Small files are planned together, and again together.
    """
    source, workdir = exports(tmp_path / "in", files=3, rows=rows), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    before = migrate(*words)
    path = max((workdir / "days" / "2024-04-03").glob("0000000[1-3]-*.parquet"))
    data = path.read_bytes()
    with Sandbox() as sandbox:
        if how == "flipped":
            flipped(path, path.stat().st_size // 2)
        else:
            HARM[how](path, None)
        done, arrived = applied(workdir, sandbox)
        assert done.returncode == 5
        assert (len(arrived) > 0) == (how == "flipped")
        again = migrate(*words, "--again", source / "02.jsonl")
        assert again.returncode == 0, again.stderr
        assert path.read_bytes() == data
        same = ("rows", "events", "whole")
        if how != "flipped":
            assert {key: summary(again)[key] for key in same} == {key: summary(before)[key] for key in same}
        done, _ = applied(workdir, sandbox)
        assert done.returncode == 0, done.stderr
        events = [(event["uuid"], event["event"]) for event in sandbox.events()]
        assert len(events) == len(set(events)) == summary(before)["events"]["planned"]
    shown = migrate("status", workdir, "--json")
    assert summary(shown)["balanced"]
    assert summary(shown)["events"]["pending"] == 0
    assert migrate(*words).returncode == 0


def test_a_changed_source_planned_anew_takes_the_place_of_what_was_not_sent(tmp_path, plan):
    """Of what was not sent yet; it is set aside no more."""
    workdir, planned = plan
    source = tmp_path / "in"
    path = source / "01.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]).replace('"E"', '"F"', 3))
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert aside(migrate(*words, "--on-changed", "set-aside")) == {"01.jsonl"}
    again = migrate(*words, "--again", path)
    assert (again.returncode, aside(again)) == (0, set()), again.stderr
    rows = summary(again)["rows"]
    assert (rows["read"], rows["mapped"]) == (119, 119)
    arrived = arriving(workdir)
    assert sum(event == "F" for _, event, _ in arrived) == 2  # the first is an identify call
    assert len(arrived) == planned - 1


def test_a_changed_source_planned_anew_adds_to_what_was_sent(tmp_path, plan):
    """What was sent stays; the same rows are duplicates, others are new events."""
    workdir, _ = plan
    source = tmp_path / "in"
    path = source / "01.jsonl"
    with Sandbox() as sandbox:
        assert applied(workdir, sandbox)[0].returncode == 0
        before = len(sandbox.events())
        text = path.read_text()
        path.write_text(text + text.splitlines(keepends=True)[5].replace('"1-5"', '"1-99"'))
        words = ["run", "segment", source, "--workdir", workdir, "--host", sandbox.url, "--yes", "--json"]
        done = migrate(*words, "--again", path)
        assert done.returncode == 0, done.stderr
        assert len(sandbox.events()) == before + 1
        assert summary(done)["events"]["duplicate"] >= 39
        assert summary(done)["balanced"]
        assert migrate(*words).returncode == 0


def test_what_is_to_be_planned_anew_must_be_there(tmp_path, plan):
    """Among the inputs; and the workdir stays as it is."""
    workdir, _ = plan
    before = (workdir / "checkpoint.sqlite").read_bytes()
    for path in (tmp_path / "elsewhere.jsonl", tmp_path / "in" / "07.jsonl"):
        done = migrate("plan", "segment", tmp_path / "in", "--workdir", workdir, "--again", path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert f"--again: {path} is not among the inputs" in done.stderr
    (tmp_path / "in" / "01.jsonl").unlink()
    done = migrate(
        "plan", "segment", tmp_path / "in", "--workdir", workdir, "--again", tmp_path / "in" / "01.jsonl"
    )
    assert done.returncode == 2
    assert (workdir / "checkpoint.sqlite").read_bytes() == before


def test_a_kill_while_a_source_is_planned_anew_loses_nothing(tmp_path, plan):
    """The next command goes on with it."""
    workdir, planned = plan
    source = tmp_path / "in"
    path = max((workdir / "days" / "2024-04-03").glob("00000003-*.parquet"))
    path.unlink()
    words = ["plan", "segment", source, "--workdir", workdir]
    again = [*words, "--again", source / "02.jsonl"]
    assert migrate(*again, killed_at="plan.planner.Planner._commit").returncode == 9
    assert migrate("apply", workdir, "--host", "sandbox").returncode == 5
    assert migrate(*words).returncode == 0
    assert len(arriving(workdir)) == planned


@pytest.mark.parametrize("depth", some(["w", "a/b/w", "."], 2))
def test_a_workdir_inside_of_an_input_is_passed_over(tmp_path, depth):
    """At any depth: the second night reads no plan as rows."""
    source = exports(tmp_path / "in", files=2)
    workdir = source / depth / "segment.workdir"
    workdir.parent.mkdir(parents=True, exist_ok=True)
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    first = migrate(*words)
    exports(source, files=1, start=5)
    second = migrate(*words)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert summary(second)["skipped_files"] == {"workdir": 1}
    assert summary(second)["rows"]["read"] == 120
    other = migrate("plan", "segment", source, "--workdir", tmp_path / "other", "--json")
    assert (other.returncode, summary(other)["rows"]["read"]) == (0, 120)
    alone = migrate("plan", "segment", workdir, "--workdir", tmp_path / "alone")
    assert (alone.returncode, "nothing in it to read" in alone.stderr) == (2, True)


def test_a_changed_source_that_comes_to_the_same_events_is_planned(tmp_path, plan):
    """What it came to is what is planned; the file as it is now is known from then on."""
    workdir, planned = plan
    source = tmp_path / "in"
    path = source / "01.jsonl"
    path.write_text(path.read_text() + "\n")
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert aside(migrate(*words, "--on-changed", "set-aside")) == {"01.jsonl"}
    again = migrate(*words, "--again", path)
    assert (again.returncode, aside(again), summary(again)["events"]["planned"]) == (0, set(), planned)
    later = migrate(*words)
    assert (later.returncode, aside(later), summary(later)["rows"]["read"]) == (0, set(), 120)


@pytest.mark.parametrize("how", ["written", "moved"])
def test_a_changed_source_that_is_put_back_is_set_aside_no_more(tmp_path, plan, how):
    """As its message says; whether it is the file itself or a copy."""
    workdir, _ = plan
    source = tmp_path / "in"
    path, kept = source / "01.jsonl", tmp_path / "kept.jsonl"
    path.rename(kept)
    path.write_text(kept.read_text().replace("u1", "u9"))
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert aside(migrate(*words, "--on-changed", "set-aside")) == {"01.jsonl"}
    if how == "moved":
        kept.replace(path)
    else:
        path.write_bytes(kept.read_bytes())
    back = migrate(*words)
    assert (back.returncode, aside(back)) == (0, set())


def test_a_kill_before_what_is_planned_anew_is_settled(tmp_path, plan):
    """The same command again settles it first: the harmed file is put back."""
    workdir, planned = plan
    path = max((workdir / "days" / "2024-04-03").glob("00000003-*.parquet"))
    path.unlink()
    again = [
        "plan",
        "segment",
        tmp_path / "in",
        "--workdir",
        workdir,
        "--again",
        tmp_path / "in" / "02.jsonl",
    ]
    assert migrate(*again, killed_at="plan.again.settle").returncode == 9
    assert migrate(*again).returncode == 0
    assert len(arriving(workdir)) == planned


def test_a_harmed_file_says_what_mends_it(plan):
    """Its source, or, of what is told of people, that all is to be planned elsewhere."""
    workdir, _ = plan
    for name, way in (
        ("00000003", "in/02.jsonl: plan it anew, with --again /"),
        ("00000004", "into a new --workdir"),
    ):
        path = max((workdir / "days" / "2024-04-03").glob(f"{name}-*.parquet"))
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        assert way in migrate("apply", workdir, "--host", "sandbox").stderr
        path.write_bytes(data)


def moments(sandbox):
    """The uuids that arrived, each with those it is of."""
    found = {}
    for event in sandbox.events():
        found.setdefault((event["uuid"], event["event"]), set()).add(event["distinct_id"])
    return found


@pytest.mark.parametrize("is_changed", [False, True])
@pytest.mark.parametrize("is_lost", [False, True])
def test_rows_of_whom_more_is_known_are_not_sent_again(tmp_path, is_changed, is_lost):
    """What was sent under a device's id stays so, also when its source is planned anew, and its file was lost."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    source.mkdir()

    def rows(name, *some):
        lines = (
            {
                "event_type": "x",
                "app": 1,
                "amplitude_id": 11,
                "uuid": f"11111111-1111-4111-8111-{n:012}",
                **one,
            }
            for n, one in some
        )
        (source / name).write_text("".join(json.dumps(line) + "\n" for line in lines))

    device, user = {"device_id": "d1"}, {"device_id": "d1", "user_id": "u1"}
    day = {"event_time": "2024-04-01 00:00:00.000000"}
    first = [(1, device | day), (2, device | {"event_time": "2024-04-01 00:00:01.000000"})]
    rows("1.json", *first)
    with Sandbox() as sandbox:
        words = ["run", "amplitude", source, "--workdir", workdir, "--host", sandbox.url, "--yes", "--json"]
        assert migrate(*words).returncode == 0
        rows("2.json", (3, user | {"event_time": "2024-04-02 00:00:00.000000"}))
        assert migrate(*words).returncode == 0
        if is_changed:
            rows("1.json", *first, (4, device | {"event_time": "2024-04-01 00:00:02.000000"}))
        if is_lost:
            min((workdir / "days" / "2024-04-01").glob("00000001-*.parquet")).unlink()
        done = migrate(*words, "--again", source / "1.json")
        if is_lost and is_changed:
            assert done.returncode == 5  # what was sent of a source that has changed cannot be known any more
            return
        assert done.returncode == 0, done.stderr
        assert summary(done)["balanced"]
        found = moments(sandbox)
        assert all(len(owners) == 1 for owners in found.values())
        assert sum(event == "x" for _, event in found) == 3 + is_changed
        assert migrate(*words).returncode == 0


AGAIN_PLACES = [
    "workdir.renewal.restore",
    "workdir.renewal.forget_superseded",
    "plan.census.tell",
    "workdir.checkpoint.Checkpoint.note_told",
]


@pytest.mark.parametrize(
    ("place", "way"), some([*((place, "same") for place in AGAIN_PLACES), (AGAIN_PLACES[0], "plain")], 3)
)
def test_a_kill_near_the_end_of_what_is_planned_anew(tmp_path, place, way):
    """The same command, or one without `--again`, goes on; the numbers are those of one plan."""
    source, workdir = exports(tmp_path / "in", files=2, rows=8), tmp_path / "w"
    plain = ["plan", "segment", source, "--workdir", workdir, "--json"]
    before = migrate(*plain)
    (path,) = (workdir / "days" / "2024-04-01").glob("00000001-*.parquet")
    path.unlink()
    again = [*plain, "--again", source / "00.jsonl"]
    killed = migrate(*again, killed_at=place, after=0)
    assert killed.returncode in {9, 0}, killed.stderr
    for _ in range(2):
        done = migrate(*(again if way == "same" else plain))
        assert done.returncode == 0, done.stderr
    same = ("rows", "events", "whole", "balanced")
    assert {key: summary(done)[key] for key in same} == {key: summary(before)[key] for key in same}
    assert len(arriving(workdir)) == summary(before)["events"]["planned"]


def test_an_archive_is_planned_anew_as_often_as_it_changes(tmp_path):
    """All of its members, by its name."""
    source, workdir = tmp_path / "in", tmp_path / "w"
    exports(tmp_path / "plain", files=2, rows=6)
    source.mkdir()

    def pack(event):
        with ZipFile(source / "a.zip", "w") as archive:
            for path in sorted((tmp_path / "plain").iterdir()):
                archive.writestr(path.name, path.read_text().replace('"E"', f'"{event}"'))

    pack("E")
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert migrate(*words).returncode == 0
    for event in ("F", "G", "H"):
        pack(event)
        assert migrate(*words, "--on-changed", "set-aside").returncode == 5
        done = migrate(*words, "--again", source / "a.zip")
        assert (done.returncode, aside(done)) == (0, set()), done.stderr
        assert summary(done)["rows"]["read"] == 12
    assert {event for _, event, _ in arriving(workdir)} == {"H", "$set", "$identify"}


def test_harmed_states_are_told_by_their_source_planned_anew(tmp_path):
    """As the message says, which names it."""
    source, workdir = exports(tmp_path / "in", files=2, rows=8), tmp_path / "w"
    (source / "users.csv").write_text("id,email,received_at\nu1,one@example.com,2024-04-03 12:00:00\n")
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert migrate(*words, killed_at="plan.census.tell").returncode == 9
    for path in (workdir / "states").iterdir():
        path.unlink()
    refused = migrate(*words)
    name = refused.stderr.rpartition("--again ")[2].strip()
    assert refused.returncode == 5
    every = [option for path in sorted(source.iterdir()) for option in ("--again", path)]
    done = migrate(*words, *every)
    assert name in map(str, every)
    assert (done.returncode, summary(done)["whole"]) == (0, True), done.stderr
    assert ("$set", "u1") in {(event, person) for _, event, person in arriving(workdir)}


def test_a_file_whose_mate_is_gone_is_planned_anew_once_all_is_sent(tmp_path):
    """Small files are planned together; one that vanished after it was sent is no matter."""
    source, workdir = exports(tmp_path / "in", files=2, rows=1), tmp_path / "w"
    with Sandbox() as sandbox:
        words = ["run", "segment", source, "--workdir", workdir, "--host", sandbox.url, "--yes", "--json"]
        assert migrate("plan", *words[1:5]).returncode == 0
        (source / "01.jsonl").unlink()
        path = source / "00.jsonl"
        path.write_text(
            path.read_text() + path.read_text().replace('"0-0"', '"0-9"').replace("10:00", "10:30")
        )
        early = migrate("plan", *words[1:5], "--again", path)
        assert early.returncode == 2
        assert "then send it with 'migrate apply'" in early.stderr
        assert migrate("apply", workdir, *words[5:]).returncode == 0
        before = len(sandbox.events())
        done = migrate(*words, "--again", path)
        assert (done.returncode, aside(done)) == (0, set()), done.stderr
        assert len(sandbox.events()) > before
        assert all(len(owners) == 1 for owners in moments(sandbox).values())


WRONG_KINDS = ["rejects.jsonl", "report.json", "staging", "lock", "days/2024-04-01"]


@pytest.mark.parametrize("name", WRONG_KINDS)
def test_a_path_of_the_wrong_kind_is_a_sentence(tmp_path, name):
    """A folder for a file, or a file for a folder, in a workdir: no traceback, and a code that says so."""
    source, workdir = exports(tmp_path / "in", files=2, rows=3), tmp_path / "w"
    words = ["plan", "segment", source, "--workdir", workdir, "--json"]
    assert migrate(*words).returncode == 0
    path = workdir / name
    is_folder = path.is_dir() or name == "staging"
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    if is_folder:
        path.write_text("x")
    else:
        path.mkdir()
        (path / "x").write_text("x")
    exports(source, files=1, rows=3, start=5)
    done = migrate(*words, "--again", source / "00.jsonl")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in {4, 5}
    assert len(done.stdout.splitlines()) == 1
