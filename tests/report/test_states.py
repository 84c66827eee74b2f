"""How a workdir is and what is next: made by real commands, told by what lies there, and the command works as shown."""

import gzip
import json
import os
import re
import shlex
import shutil
import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import KEY, migrate, rows, started, summary
from workdirs import events, here, planned

from migrate.report.numbers import NOTHING, Events
from migrate.report.states import State, states, with_states
from migrate.sandbox.server import Sandbox
from migrate.workdir import stops
from migrate.workdir.typed import Command

PAGE = Path(__file__).parent.parent.parent / "docs" / "mending.md"
HOUR_AWAY = "-".join(f"{datetime.now() + timedelta(hours=n):%H:%M}" for n in (2, 3))  # noqa: DTZ005 - as --window
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()
QUOTA = {"fault": "status", "status": 402, "body": "quota"}


class Stage:
    """A folder in which commands are given one after another, to a sandbox that can misbehave."""

    def __init__(self, folder, sandbox, monkeypatch):
        self.folder, self.sandbox = folder, sandbox
        monkeypatch.chdir(folder)
        for name in ("MIGRATE_HOST", "POSTHOG_HOST"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("POSTHOG_API_KEY", KEY)
        rows(folder / "in" / "a.jsonl", 5)

    @property
    def host(self):
        """Where the sandbox is, as an option."""
        return f"--host {self.sandbox.url}"

    def do(self, line):
        """Give a command, in this process."""
        return here(*shlex.split(line.replace("HOST", self.host)))

    def paste(self, line):
        """Give a command as it is shown, in a process of its own."""
        return migrate(*shlex.split(line)[1:], "--json")

    def status(self, workdir="w"):
        """What `status` says."""
        return here("status", workdir, "--json")


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A stage with a sandbox."""
    with Sandbox() as sandbox:
        yield Stage(tmp_path, sandbox, monkeypatch)


@contextmanager
def slow(stage, count=100):
    """A process that sends for a long time, and has begun."""
    rows(stage.folder / "in" / "a.jsonl", count)
    words = ["run", "posthog", "in", "--host", stage.sandbox.url, "--workdir", "w"]
    with started(*words, "--rate", "20", "--max-batch-events", "10") as process:
        while not stage.sandbox.summary()["requests"]:
            assert process.poll() is None
        yield process


def running(stage):
    """Another process sends, and is slow."""
    with slow(stage, 1_000) as process:
        yield f"process {process.pid} since 2"


def killed(stage):
    """The process that sent is killed."""
    with slow(stage):
        pass


def interrupted(stage):
    """The process that sent is asked to stop."""
    with slow(stage) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def harmed(stage):
    """A file of the plan is cut short."""
    stage.do("plan posthog in --workdir w")
    path = next((stage.folder / "w" / "days").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])


def half_planned(stage):
    """A plan is stopped by a person who has too many ids."""
    call = {"type": "identify", "userId": "u", "timestamp": "2024-04-03T12:00:00Z", "integrations": {}}
    calls = [json.dumps(call | {"messageId": n, "anonymousId": f"a{n}"}) for n in "123"]
    (stage.folder / "in" / "a.jsonl").write_text("\n".join(calls))
    stage.do("plan segment in --workdir w --max-cluster 2")


def sent_but_for(*faults, options="", then="run posthog in --workdir w HOST"):
    """Sending meets faults, which are over afterwards."""

    def made(stage):
        stage.sandbox.faults(list(faults))
        stage.do(f"{then} {options}")
        stage.sandbox.faults([])

    return made


def did(*lines):
    """Commands that come to their end."""

    def made(stage):
        for line in lines:
            stage.do(line)

    return made


def young(stage):
    """A day that is not old enough."""
    rows(stage.folder / "in" / "a.jsonl", 5, timestamp=YESTERDAY)
    stage.do("run posthog in --workdir w HOST --min-age 48h")


def rejected(stage):
    """A row of six has no time."""
    rows(stage.folder / "in" / "b.jsonl", 1, timestamp="soon")
    stage.do("run posthog in --workdir w HOST")


def changed(stage):
    """A file is another than when it was planned."""
    stage.do("run posthog in --workdir w HOST")
    rows(stage.folder / "in" / "a.jsonl", 6)
    stage.do("run posthog in --workdir w HOST --on-changed set-aside")


def parked(stage):
    """One event is refused."""
    rows(stage.folder / "in" / "b.jsonl", 1, properties={"poison": True})
    sent_but_for({"fault": "poison"})(stage)


def empty(stage):
    """A file without a row."""
    (stage.folder / "in" / "a.jsonl").write_text("")
    stage.do("plan posthog in --workdir w")


def cut_off(stage):
    """A file that ends early, the rest of it sent."""
    source = rows(stage.folder / "in" / "a.jsonl", 2_000)
    Path(f"{source}.gz").write_bytes(gzip.compress(source.read_bytes())[:-20])
    source.unlink()
    stage.do("run posthog in --workdir w HOST --rate 100000")


def torn(stage):
    """A file of which nothing is planned."""
    source = stage.folder / "in" / "a.jsonl"
    source.write_bytes(source.read_bytes() + bytes(4_096))
    stage.do("plan posthog in --workdir w")


def dismissed(stage):
    """One that is meant to be so."""
    torn(stage)
    stage.do("rejects w --dismiss nul_bytes")


RUN = "migrate run posthog in HOST"
SLOW = f"{RUN} --rate 20 --max-batch-events 10"


class Case(NamedTuple):
    """How a workdir came to its state; what `status` says and ends with; how the command ends that goes on."""

    make: Callable[["Stage"], object]
    state: State
    text: str
    next: str | None = None
    code: int = 0
    then: int = 0
    """Where it is not 0 the state stays, until a person has mended something or time has passed."""


STOPPED = State.SENDING_STOPPED
BAD_KEY = {"fault": "status", "status": 401, "body": "API key is not valid"}
CASES = {
    "nothing planned": Case(did(), State.NOTHING_PLANNED, "", code=5),
    "planned with nothing": Case(empty, State.PLANNED_NOTHING, "the inputs have no row"),
    "planned with nothing, dismissed": Case(
        dismissed, State.PLANNED_NOTHING, "have no row, but for what is set aside and dismissed"
    ),
    "set aside alone": Case(
        torn, State.SET_ASIDE, "1 file, not planned as now found", "migrate rejects w", code=3, then=3
    ),
    "planning stopped": Case(
        half_planned,
        State.PLANNING_STOPPED,
        "planning stopped, 0 of 1 file planned; refused on 2",
        "migrate plan segment in --max-cluster 2 --workdir w",
        code=5,
        then=5,
    ),
    "planned": Case(
        did("plan posthog in --workdir w"), State.PLANNED, "5 events to send", "migrate apply w --host …"
    ),
    "held": Case(young, State.HELD, "5 events too young", "migrate apply w HOST --min-age 172800"),
    "quota": Case(sent_but_for(QUOTA), STOPPED, "; quota on 2", f"{RUN} --workdir w"),
    "key": Case(sent_but_for(BAD_KEY), STOPPED, "; key on 2", f"{RUN} --workdir w"),
    "server": Case(
        sent_but_for({"fault": "status", "status": 404}), STOPPED, "; server on 2", f"{RUN} --workdir w"
    ),
    "deadline": Case(
        sent_but_for({"fault": "status", "status": 503, "retry_after": 9_000}),
        STOPPED,
        "; deadline on 2",
        f"{RUN} --workdir w",
    ),
    "window": Case(
        sent_but_for(options=f"--window {HOUR_AWAY}"),
        STOPPED,
        "; --window as asked on 2",
        f"{RUN} --window {HOUR_AWAY} --workdir w",
        then=6,
    ),
    "killed": Case(killed, STOPPED, "ended without a word", f"{SLOW} --workdir w"),
    "interrupted": Case(interrupted, STOPPED, "; interrupted on 2", f"{SLOW} --workdir w"),
    "all sent": Case(did("run posthog in --workdir w HOST"), State.ALL_SENT, "of 5 events none is pending"),
    "rejects open": Case(rejected, State.REJECTS_OPEN, "1 rejected row", "migrate rejects w", code=3, then=3),
    "a file that is cut off": Case(
        cut_off,
        State.REJECTS_OPEN,
        "1 file, neither mended nor dismissed, to be fetched again and planned anew",
        f"{RUN} --rate 100000 --again HERE/in/a.jsonl.gz --workdir w",
        code=3,
    ),
    "parked": Case(parked, State.PARKED, "1 event refused", "migrate resend w HOST", code=3),
    "set aside": Case(
        changed,
        State.SET_ASIDE,
        "1 file",
        f"{RUN} --on-changed set-aside --again HERE/in/a.jsonl --workdir w",
        code=3,
    ),
    "trial finished": Case(
        did("run posthog in --workdir w HOST --limit 2"),
        State.TRIAL_FINISHED,
        "the first 2 rows",
        f"{RUN} --workdir w-all",
    ),
    "harmed": Case(
        harmed,
        State.HARMED,
        "1 file of the plan not as written",
        "migrate plan posthog in --again HERE/in/a.jsonl --workdir w",
        code=5,
    ),
}
AFTER = {State.HARMED: State.PLANNED, State.HELD: State.HELD}
"""What follows where the command that goes on comes to its end and not all is sent."""


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_state_is_told_and_what_is_next(stage, case):
    """On the screen and in JSON, by `status`, whoever asks when; the command works where it is pasted."""
    case.make(stage)
    done = stage.status()
    shown = case.next and case.next.replace("HOST", stage.host).replace("HERE", str(stage.folder))
    assert (done.summary["state"], done.summary["next"], done.returncode) == (case.state, shown, case.code)
    if case.code != 5 or case.next:
        assert re.search(f"^state    .*{re.escape(case.text)}", done.stderr, re.MULTILINE), done.stderr
    assert ("\nnext     " in done.stderr) == (shown is not None)
    if shown and "…" not in shown:
        assert f"\nnext     {shown}\n" in done.stderr
        goes_on(stage, case)


def goes_on(stage, case):
    """Paste the command after the workdir was moved, from another folder; nothing is sent twice."""
    (stage.folder / "moved").mkdir()
    shutil.move(stage.folder / "w", stage.folder / "moved" / "other w")
    os.chdir(stage.folder / "moved")
    if (cut := stage.folder / "in" / "a.jsonl.gz").exists():
        rows(stage.folder / "a.jsonl", 2_000)
        cut.write_bytes(gzip.compress((stage.folder / "a.jsonl").read_bytes()))
    done = stage.paste(stage.status("other w").summary["next"])
    assert done.returncode == case.then, done.stderr
    after = stage.status("other w-all" if case.state is State.TRIAL_FINISHED else "other w").summary
    assert after["state"] == (case.state if case.then else AFTER.get(case.state, State.ALL_SENT))
    assert stage.sandbox.summary()["collapsed"]["events"] >= after["events"]["accepted"]


def test_another_process_is_named_while_it_works(stage):
    """And nothing is said to be next; what it has left in the lock when it ended is not believed."""
    for text in running(stage):
        done = stage.status()
        assert (done.summary["state"], done.summary["next"], done.returncode) == ("running", None, 0)
        assert f"state    running now in {text}" in done.stderr
        assert "\nnext " not in done.stderr
        refused = stage.do("apply w HOST")
        assert f"another migrate process is working in this workdir, found {text}" in refused.stderr
    stage.sandbox.faults([])
    assert stage.status().summary["state"] == State.SENDING_STOPPED


def test_all_that_holds_is_mentioned_the_first_decides(stage):
    """Rejects that are open, events that are held, a file that is set aside."""
    rejected(stage)
    rows(stage.folder / "in" / "a.jsonl", 6)
    rows(stage.folder / "in" / "c.jsonl", 1, start=7, timestamp=YESTERDAY)
    stage.do("plan posthog in --workdir w --on-changed set-aside")
    done = stage.status()
    assert (done.summary["state"], done.summary["also"]) == ("planned", ["rejects_open", "set_aside"])
    stage.do("apply w HOST --min-age 48h")
    done = stage.status()
    assert (done.summary["state"], done.summary["also"]) == ("rejects_open", ["set_aside", "held"])


def test_planning_anew_does_not_hide_that_sending_stopped(stage):
    """The reason stays until sending begins again."""
    sent_but_for(QUOTA)(stage)
    rows(stage.folder / "in" / "b.jsonl", 2, start=7)
    assert "next     migrate run posthog in" in stage.do("plan posthog in --workdir w").stderr
    assert stage.status().summary["stopped"]["why"] == "quota"
    stage.do("apply w HOST")
    assert (stage.status().summary["state"], stage.status().summary["stopped"]) == ("all_sent", None)


@pytest.mark.parametrize("reach", ["w", "./w", "../{name}/w", "{folder}/w", "link"])
def test_a_workdir_is_called_as_it_was_reached(stage, reach):
    """Relative, by a link, by another way: the command names it as `status` was asked for it."""
    stage.do("plan posthog in --workdir w")
    (stage.folder / "link").symlink_to("w")
    path = reach.format(name=stage.folder.name, folder=stage.folder)
    assert stage.status(path).summary["next"] == f"migrate apply {Path(path)} --host …"


def test_a_host_that_the_environment_names_is_named(stage, monkeypatch):
    """What the command needs and does not say is said beside it."""
    stage.do("plan posthog in --workdir w")
    assert "\n         … is us, eu or the URL of your PostHog\n" in stage.status().stderr
    monkeypatch.setenv("MIGRATE_HOST", stage.sandbox.url)
    monkeypatch.delenv("POSTHOG_API_KEY")
    done = stage.status()
    assert done.summary["next"] == f"migrate apply w {stage.host}"
    assert (
        "\n         the key is left out of the command: set POSTHOG_API_KEY to the project's key, it is not set here\n"
        in done.stderr
    )


def test_several_workdirs_are_shown_one_after_another(stage):
    """A JSON object a line for each, whatever is wrong with one; the exit code is the gravest."""
    stage.do("plan posthog in --workdir a")
    rejected(stage)
    done = here("status", "a", "gone", "w", "--json")
    found = [summary(type(done)(0, line, "")) for line in done.stdout.splitlines()]
    assert [(one["workdir"], one["state"], one["run"]["exit_code"]) for one in found] == [
        ("a", "planned", 0), ("gone", "nothing_planned", 5), ("w", "rejects_open", 3),
    ]  # fmt: skip
    assert done.returncode == 5
    assert "error: gone/checkpoint.sqlite: no checkpoint" in done.stderr


def test_a_harmed_plan_is_not_advised_to_be_sent(stage):
    """What else holds is said without a command."""
    harmed(stage)
    assert "\nalso     planned: 5 events to send\n" in stage.status().stderr


LOST = {
    "planned": did("plan posthog in --workdir w"),
    "all_sent": did("run posthog in --workdir w HOST"),
    "sending_stopped": sent_but_for({"fault": "status", "status": 503}, options="--deadline 1s"),
    "planning_stopped": half_planned,
}


@pytest.mark.parametrize("state", LOST)
def test_who_is_who_that_is_missing_is_said(stage, state):
    """Nothing more is planned without it; what is planned can be sent; no command is shown that is refused."""
    LOST[state](stage)
    assert stage.status().summary["state"] == state
    people = stage.folder / "w" / "people.sqlite"
    people.rename(stage.folder / "away")
    can_be_sent = state in {"planned", "sending_stopped"}
    host = "--host …" if state == "planned" else stage.host
    done = stage.status()
    assert done.summary["next"] == (f"migrate apply w {host}" if can_be_sent else None)
    assert (done.summary["state"], done.returncode, done.stderr.count("migrate apply")) == (
        "harmed",
        5,
        can_be_sent,
    )
    assert done.summary["also"] == [one for one in [state] if one != "all_sent"]
    assert (
        "\nstate    harmed: w/people.sqlite is missing, which knows who is who; nothing more is"
        in done.stderr
    )
    platform = "segment" if state == "planning_stopped" else "posthog"
    refused = stage.do(f"plan {platform} in --workdir w")
    assert (
        refused.returncode,
        "not the file that belongs to this checkpoint, missing" in refused.stderr,
    ) == (5, True)
    if can_be_sent:
        assert stage.do("apply w HOST").returncode == 0
    (stage.folder / "away").rename(people)
    assert stage.status().summary["state"] == ("all_sent" if can_be_sent else state)


TYPED = Command("run", "a", ["in"], [], "/")
NEXT = [
    pytest.param({}, {}, None, id="all-settled"),
    pytest.param({"pending": 1}, {}, "migrate apply {w} --host …", id="pending"),
    pytest.param({"parked": 1}, {}, "migrate resend {w} --host …", id="parked"),
    pytest.param({"held": 1}, {}, "migrate apply {w} --host …", id="held"),
    pytest.param({"pending": 1, "parked": 1}, {"target": "eu"}, "migrate apply {w} --host eu", id="first"),
    pytest.param({"parked": 1, "held": 1}, {"target": "eu"}, "migrate resend {w} --host eu", id="then"),
    pytest.param(
        {"held": 1},
        {"target": "http://x", "min_age": 90.5},
        "migrate apply {w} --host http://x --min-age 90.5",
        id="age",
    ),
    pytest.param(
        {"held": 1},
        {"target": "http://x", "min_age": 0.0},
        "migrate apply {w} --host http://x",
        id="usual-age",
    ),
    pytest.param(
        {"pending": 1},
        {"sending": True, "sent_by": TYPED.fact()},
        "migrate run a /in --workdir {w}",
        id="sending",
    ),
    pytest.param(
        {"held": 1}, {"sending": True, "sent_by": TYPED.fact()}, "migrate apply {w} --host …", id="sent"
    ),
    pytest.param(
        {"pending": 1}, {"sending": False, "sent_by": TYPED.fact()}, "migrate apply {w} --host …", id="ended"
    ),
]


@pytest.mark.parametrize(("counts", "facts", "command"), NEXT)
def test_the_next_command_goes_on_with_what_is_open(tmp_path, monkeypatch, counts, facts, command):
    """What was never sent, then what was refused, then what is too young; none where nothing is open."""
    for name in ("MIGRATE_HOST", "POSTHOG_HOST"):
        monkeypatch.delenv(name, raising=False)
    workdir = tmp_path / "my workdir"
    workdir.mkdir()
    with planned(workdir, events(1)) as checkpoint:
        checkpoint.note(**facts)
        numbers = replace(NOTHING, whole=True, events=Events(**counts))
        found = with_states(numbers, states(checkpoint, numbers))
        assert found.next == (command and command.format(w=f"'{workdir}'"))


def test_a_plan_that_is_not_whole_is_planned_on(tmp_path):
    """By the commands that did not come to their end, in their order; never by the one that sends."""
    numbers = replace(NOTHING, whole=False, events=Events(pending=1, parked=1))
    with planned(tmp_path, events(1)) as checkpoint:
        two = [TYPED.of_inputs("/b"), TYPED.of_inputs("/c")]
        checkpoint.note(sent_by=TYPED.fact(), sending=True, unfinished=[one.fact() for one in two])
        assert list(states(checkpoint, numbers)[0].next) == [
            f"migrate run a /b --workdir {tmp_path}",
            f"migrate run a /c --workdir {tmp_path}",
        ]


def test_the_page_has_every_state():
    """In the order in which they decide what is next."""
    table = PAGE.read_text(encoding="utf-8").partition("## How a workdir is")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(State)


def test_a_stop_that_could_not_be_noted_is_told_by_who_stopped(tmp_path):
    """By itself; later nobody knows of it."""
    with planned(tmp_path, events(3)) as checkpoint:
        checkpoint.note(**stops.begun("sending"))
        numbers = replace(NOTHING, whole=True, events=Events(planned=3, pending=3))
        stop = stops.Stop("disk", "2026-11-29T02:30:00+00:00")
        known, unknown = (states(checkpoint, numbers, stopped=one)[0] for one in (stop, None))
    assert (known.stop, known.text.rpartition("; ")[2]) == (stop, "disk on 2026-11-29 02:30 UTC")
    assert "without a word" in unknown.text


def test_of_what_is_set_aside_nothing_else_is_said(stage):
    """It may have rows: nobody knows."""
    torn(stage)
    assert summary(stage.status())["also"] == []
