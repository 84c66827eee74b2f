"""The command line keeps its contract: names, exit codes, the JSON summary."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from commands import KEY, migrate, rows, started, summary

from migrate.sandbox.server import Sandbox
from migrate.workdir.checkpoint import Checkpoint

ROOT = Path(__file__).parents[2]


def test_help_answers_at_once():
    """Heavy imports wait until they are needed."""
    began = time.perf_counter()
    assert migrate("--help").returncode == 0
    heavy = {"polars", "pyarrow", "aiohttp", "rich"}
    code = f"import sys, migrate.cli.main; print(sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    "command", ["platforms", "preview", "run", "plan", "apply", "status", "resend", "rejects", "sandbox"]
)
def test_every_command_has_one_sentence_and_an_example(command):
    """The help of each command shows how to run it, on a line of its own, and nothing that only a program reads."""
    shown = migrate(command, "--help").stdout
    assert any(line.startswith(f"  Example:  migrate {command}") for line in shown.splitlines())
    assert "\\b" not in shown + migrate("--help").stdout
    assert "\n    migrate run amplitude sample_data/amplitude --host sandbox\n" in migrate("--help").stdout


def test_platforms_lists_every_mapping():
    """A mapping is listed because its file is there."""
    shown = migrate("platforms").stdout
    for name in ("amplitude", "posthog", "table"):
        assert re.search(rf"^{name} ", shown, re.MULTILINE)


def test_run_sends_and_the_same_command_again_sends_nothing(tmp_path):
    """The summary is of the whole migration in the workdir, and a second run has nothing to do."""
    source = rows(tmp_path / "in" / "a.jsonl", 30)
    with Sandbox() as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        first = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        again = migrate(*words, env={"POSTHOG_API_KEY": KEY})
        assert sandbox.summary()["requests"] == 1
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert summary(first)["events"] == {
        "planned": 30,
        "accepted": 30,
        "duplicate": 0,
        "parked": 0,
        "held": 0,
        "pending": 0,
    }
    of_all = [
        {key: value for key, value in summary(one).items() if key not in {"run", "seconds"}}
        for one in (first, again)
    ]
    assert of_all[0] == of_all[1]
    assert [summary(one)["run"]["events"]["accepted"] for one in (first, again)] == [30, 0]
    assert summary(first)["rows"] == {"read": 30, "mapped": 30, "filtered": {}, "rejected": {}}
    assert summary(first)["first_timestamp"] == "2024-04-03T12:00:00.000000Z"


def test_new_files_are_added_by_the_next_run(tmp_path):
    """A nightly backfill is the same command on a growing folder."""
    rows(tmp_path / "in" / "1.jsonl", 5)
    with Sandbox() as sandbox:
        words = [
            "run",
            "posthog",
            tmp_path / "in",
            "--host",
            sandbox.url,
            "--workdir",
            tmp_path / "w",
            "--json",
        ]
        migrate(*words, "--api-key", KEY)
        rows(tmp_path / "in" / "2.jsonl", 8)
        again = migrate(*words, "--api-key", KEY)
        assert sandbox.summary()["raw"]["events"] == 8
    assert summary(again)["events"] == {
        "planned": 13,
        "accepted": 8,
        "duplicate": 5,
        "parked": 0,
        "held": 0,
        "pending": 0,
    }


def test_rejected_rows_make_the_exit_code_3_and_are_in_a_file(tmp_path):
    """A row that cannot become an event is kept with its place, reason and content."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    source.write_text(source.read_text() + '{"event":"e","distinct_id":"u","timestamp":"soon"}\nnot json\n')
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--json")
    assert done.returncode == 3
    assert summary(done)["rows"]["rejected"] == {"malformed_json": 1, "bad_timestamp": 1}
    lines = [json.loads(line) for line in (tmp_path / "w" / "rejects.jsonl").read_text().splitlines()]
    assert [(line["file"], line["row"], line["reason"]) for line in lines] == [
        (str(source), 5, "malformed_json"),
        (str(source), 4, "bad_timestamp"),
    ]
    assert lines[0]["value"] == "not json"
    assert lines[0]["why"] == "character 1: expecting value, found 'n'"
    assert lines[1]["source"]["timestamp"] == "soon"


def test_a_truncated_file_keeps_its_rows_is_named_and_makes_the_exit_code_3(tmp_path):
    """Half a download is not passed off as a whole one."""
    plain = rows(tmp_path / "a.jsonl", 2_000).read_bytes()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(plain)[:-2_000])
    done = migrate("plan", "posthog", cut, "--workdir", tmp_path / "w", "--json")
    assert done.returncode == 3
    assert summary(done)["damaged_files"] == [str(cut)]
    assert summary(done)["rows"]["rejected"] == {"truncated_file": 1}
    assert 0 < summary(done)["rows"]["mapped"] < 2_000


def test_a_dry_run_shows_everything_sends_nothing_and_leaves_nothing(tmp_path):
    """The preview is on the screen; no workdir stays behind."""
    rows(tmp_path / "in" / "a.jsonl", 40)
    done = migrate("run", "posthog", tmp_path / "in", "--dry-run", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert summary(done)["events"]["planned"] == summary(done)["events"]["pending"] == 40
    for words in (
        "events by day",
        "2024-04-03",
        "events by event",
        "people",
        "nothing was sent",
        '→ {"event":"e"',
    ):
        assert words in done.stderr


def test_status_says_what_is_pending_and_how_to_go_on(tmp_path):
    """After a plan the next command is the one that sends it."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    shown = migrate("status", tmp_path / "w", "--json")
    assert summary(shown)["events"]["pending"] == 4
    assert f"next     migrate apply {tmp_path / 'w'} --host" in shown.stderr


REFUSALS = [
    pytest.param(
        ["nonesuch", "in"], 2, "PLATFORM: no such platform, found 'nonesuch'; choose one of", id="platform"
    ),
    pytest.param(["posthog", "missing.jsonl"], 2, "input missing.jsonl: no such file or folder", id="input"),
    pytest.param(["posthog", "in"], 2, "--host: missing; give us, eu", id="host"),
    pytest.param(["posthog", "in", "--host", "eu"], 2, "--api-key: missing; set POSTHOG_API_KEY", id="key"),
    pytest.param(
        ["posthog", "in", "--host", "eu", "--api-key", "phx_secret"], 2, "personal", id="personal-key"
    ),
    pytest.param(
        ["posthog", "in", "--source-timezone", "Mars"], 2, "not an IANA zone, found 'Mars'", id="zone"
    ),
    pytest.param(
        ["posthog", "in", "--keep", "nothing"], 2, "posthog has no such filter, found 'nothing'", id="keep"
    ),
    pytest.param(["table", "in"], 2, "--spec: table needs a TOML file", id="spec"),
    pytest.param(["posthog", "in", "--rate", "-1"], 2, "--rate", id="rate"),
    pytest.param(["posthog", "odd"], 2, "no table of PostHog", id="unknown-file"),
]


@pytest.mark.parametrize(("words", "code", "message"), REFUSALS)
def test_wrong_usage_is_told_before_anything_is_done(tmp_path, words, code, message):
    """Exit code 2, a sentence that says what to do, and no workdir."""
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "x.csv").write_text("colour,size\nred,1\n")
    done = migrate("run", *words, cwd=tmp_path, env={"POSTHOG_API_KEY": "", "POSTHOG_HOST": ""})
    assert done.returncode == code
    assert message in done.stderr
    assert "phx_secret" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "odd"]


def test_files_no_table_takes_are_passed_over_when_asked(tmp_path):
    """With --skip-unknown they are counted, not planned."""
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "in" / "x.csv").write_text("colour,size\nred,1\n")
    done = migrate(
        "plan", "posthog", tmp_path / "in", "--skip-unknown", "--workdir", tmp_path / "w", "--json"
    )
    assert done.returncode == 0
    assert summary(done)["skipped_files"] == {"unknown": 1}


CHANGES = [
    pytest.param(
        ["--person-properties", "none"],
        "--person-properties: this workdir was planned with set, found none",
        id="option",
    ),
    pytest.param(
        ["--since", "2024-01-01"], "--since: this workdir was planned with nothing, found", id="since"
    ),
]


@pytest.mark.parametrize(("more", "message"), CHANGES)
def test_a_workdir_planned_otherwise_is_refused(tmp_path, more, message):
    """Exit code 5 when an option that changes what is sent differs."""
    source = rows(tmp_path / "in" / "a.jsonl")
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", *more)
    assert done.returncode == 5
    assert message in done.stderr


def test_a_workdir_planned_with_another_spec_is_refused(tmp_path):
    """The spec is part of the mapping: once planned with one, a workdir takes no other."""
    spec, source = tmp_path / "spec.toml", tmp_path / "a.csv"
    spec.write_text('event = {constant = "e"}\ndistinct_id = "who"\ntimestamp = "at"\n')
    source.write_text("who,at,x\nada,2024-04-03T12:00:00Z,1\n")
    words = ["plan", "table", source, "--spec", spec, "--workdir", tmp_path / "w"]
    assert migrate(*words).returncode == 0
    spec.write_text(spec.read_text() + 'drop = ["x"]\n')
    done = migrate(*words)
    assert done.returncode == 5
    assert "--spec: this workdir was planned with a spec that says something else" in done.stderr


def test_status_after_a_kill_rolls_back_what_was_half_written(tmp_path):
    """A journal left behind by a killed process is no obstacle."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    code = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1'); db.execute('BEGIN IMMEDIATE')\n"
        "db.executemany('INSERT INTO names VALUES (?, 1)', ((f'n{i}' * 50,) for i in range(5_000)))\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "w" / "checkpoint.sqlite")], check=False)
    assert (tmp_path / "w" / "checkpoint.sqlite-journal").stat().st_size
    shown = migrate("status", tmp_path / "w", "--json")
    assert shown.returncode == 0, shown.stderr
    assert summary(shown)["events"]["pending"] == 4


def test_a_source_that_changed_since_it_was_planned_is_set_aside(tmp_path):
    """Other bytes under the name of a planned file: exit code 5, with the name."""
    source = rows(tmp_path / "in" / "a.jsonl")
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    rows(source, start=7)
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    assert done.returncode == 5
    assert f"error: {source}: set aside: changed since it was planned" in done.stderr


def test_a_file_that_only_was_touched_is_not_refused(tmp_path):
    """The bytes count, not the clock."""
    source = rows(tmp_path / "in" / "a.jsonl")
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    os.utime(source, (1, 1))
    assert migrate("plan", "posthog", source, "--workdir", tmp_path / "w").returncode == 0


def test_a_stopped_run_exits_4_and_says_how_to_go_on(tmp_path):
    """The reason, and the exact command."""
    source = rows(tmp_path / "in" / "a.jsonl")
    with Sandbox(
        faults=[{"fault": "status", "status": 401, "body": "API key is not valid: empty"}]
    ) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        done = migrate(*words, "--api-key", KEY)
        shown = migrate("status", tmp_path / "w")
    assert done.returncode == 4
    assert summary(done)["events"]["pending"] == 3
    assert "found 401 'API key is not valid: empty'; check --api-key" in done.stderr
    command = f"next     migrate run posthog {source} --host {sandbox.url} --workdir {tmp_path / 'w'} --json"
    assert command in done.stderr
    assert command in shown.stderr


def test_the_key_is_in_no_file_and_no_message(tmp_path):
    """After a run that parks and fails, the key is nowhere."""
    source = rows(tmp_path / "in" / "a.jsonl", 50)
    faults = [
        {"fault": "poison", "event": "e", "times": 9},
        {"fault": "status", "status": 403, "body": f"who is {KEY}?", "after": 9},
    ]
    with Sandbox(tmp_path / "data", faults=faults) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        done = migrate(*words, "--api-key", KEY)
    assert done.returncode == 4
    assert KEY not in done.stdout + done.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 4
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


def test_limit_plans_the_first_rows_only(tmp_path):
    """A trial takes the first rows of all files together."""
    for n in range(3):
        rows(tmp_path / "in" / f"{n}.jsonl", 10, start=10 * n)
    done = migrate("plan", "posthog", tmp_path / "in", "--limit", "15", "--workdir", tmp_path / "w", "--json")
    assert summary(done)["rows"]["read"] == 15


def test_since_and_until_bound_the_events(tmp_path):
    """Rows outside are left out and counted by name."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    bounds = ["--since", "2024-04-03T12:00:02Z", "--until", "2024-04-03T12:00:08Z"]
    done = migrate("plan", "posthog", source, *bounds, "--workdir", tmp_path / "w", "--json")
    assert summary(done)["rows"]["filtered"] == {"after_until": 2, "before_since": 2}
    assert summary(done)["events"]["planned"] == 6


def test_preview_prints_payloads_to_stdout_only(tmp_path):
    """One JSON object a line, as it would be sent."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    done = migrate("preview", "posthog", source, "--limit", "4")
    assert [json.loads(line)["properties"]["n"] for line in done.stdout.splitlines()] == [0, 1, 2, 3]


def odd_rows(path):
    """Write rows of every kind: events, unreadable ones, filtered ones, rejected ones."""
    sound = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {"n": 1}}
    lines = [
        sound,
        "not json",
        sound | {"event": "$snapshot"},
        sound | {"timestamp": "soon"},
        sound | {"properties": 5},
        sound | {"timestamp": "2020-01-01T00:00:00Z"},
        sound,
    ]
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    return path


def test_preview_says_of_every_row_why_it_makes_no_event(tmp_path):
    """On stderr, in the file's order and the words of the dry run; stdout has payloads alone."""
    source = odd_rows(tmp_path / "a.jsonl")
    done = migrate("preview", "posthog", source, "--since", "2024-01-01")
    assert [json.loads(line)["properties"]["n"] for line in done.stdout.splitlines()] == [1, 1]
    assert done.stderr.splitlines() == [
        f"{source}:2: rejected: malformed_json, found \"not json\", character 1: expecting value, found 'n'",
        f"{source}:3: filtered: replay_and_heatmap",
        f'{source}:4: rejected: bad_timestamp, found "soon"',
        f'{source}:5: rejected: bad_json, found "properties: 5"',
        f"{source}:6: filtered: before_since",
        "5 of the first 7 rows make no event",
    ]


@pytest.mark.parametrize(
    ("limit", "events", "left_out"), [(1, 1, 0), (2, 1, 1), (5, 1, 4), (6, 2, 4), (99, 2, 5)]
)
def test_first_rows_of_a_preview_are_those_that_cannot_be_read_too(tmp_path, limit, events, left_out):
    """`--limit` counts rows as the file has them, over all files, and no more than there are."""
    source = odd_rows(tmp_path / "1.jsonl")
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(lines[:5]))
    (tmp_path / "2.jsonl").write_text("".join([lines[6], lines[1]]))
    done = migrate("preview", "posthog", tmp_path, "--limit", limit)
    assert len(done.stdout.splitlines()) == events
    last = [f"{left_out} of the first {min(limit, 7)} rows make no event"] if left_out else []
    assert done.stderr.splitlines()[left_out:] == last
    assert done.stderr.count("/2.jsonl:2: rejected: malformed_json") == (limit > 6)


def test_a_dry_run_says_why_a_file_is_nothing(tmp_path):
    """The place is the file's, since there is no row, and the reason stands where the row's events would."""
    (tmp_path / "in.jsonl").write_text('{"nonsense\nmore\n')
    shown = migrate("run", "amplitude", "in.jsonl", "--dry-run", cwd=tmp_path).stderr
    assert f"1 rejected: no_record  (at {tmp_path / 'in.jsonl'})" in shown
    assert '→ no event: rejected: no_record, found "2 lines"' in shown


def test_preview_and_dry_run_say_the_same(tmp_path):
    """Of as many rows as there are, by rule and reason."""
    source = odd_rows(tmp_path / "a.jsonl")
    source.write_text(source.read_text() * 30)
    words = [source, "--since", "2024-01-01"]
    shown = migrate("preview", "posthog", *words, "--limit", "1000").stderr.splitlines()
    counted = Counter(re.search(r": ((?:filtered|rejected): \w+)", line)[1] for line in shown[:-1])
    rows = summary(migrate("run", "posthog", *words, "--dry-run", "--json"))["rows"]
    assert counted == {
        f"{kind}: {name}": count for kind in ("filtered", "rejected") for name, count in rows[kind].items()
    }
    assert shown[-1] == f"{rows['read'] - rows['mapped']} of the first {rows['read']} rows make no event"


def test_row_that_tells_of_a_group_is_not_said_to_make_nothing(tmp_path):
    """What it tells comes after the rows, put together with what others tell."""
    call = {"type": "group", "messageId": "m", "anonymousId": "a", "timestamp": "2024-04-03T12:00:00Z"}
    call |= {"groupId": "g", "traits": {"name": "Acme"}, "context": {}}
    (tmp_path / "a.jsonl").write_text(json.dumps(call) + "\n")
    done = migrate("preview", "segment", tmp_path / "a.jsonl")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["$groupidentify"]
    assert done.stderr == (
        f"{tmp_path / 'a.jsonl'}:1: mapped: tells of a person or a group, shown after the rows\n"
    )


def test_file_without_a_record_is_told(tmp_path):
    """It is one reject of the file as a whole; files that say that there is nothing are skipped."""
    folder = tmp_path / "in"
    rows(folder / "1.jsonl", 2)
    (folder / "2.json").write_text('{"event":\n"e"\n')
    (folder / "3.json").write_text("[]")
    done = migrate("plan", "posthog", folder, "--workdir", tmp_path / "w", "--json")
    assert done.returncode == 3
    assert summary(done)["rows"] == {"read": 3, "mapped": 2, "filtered": {}, "rejected": {"no_record": 1}}
    assert summary(done)["skipped_files"] == {"empty": 1}
    [line] = [json.loads(line) for line in (tmp_path / "w" / "rejects.jsonl").read_text().splitlines()]
    assert line == {"file": str(folder / "2.json"), "row": None, "reason": "no_record", "value": "2 lines"}
    shown = migrate("preview", "posthog", folder / "2.json")
    assert shown.stderr.splitlines()[0] == f'{folder / "2.json"}: rejected: no_record, found "2 lines"'


def test_environment_variables_stand_for_options(tmp_path):
    """MIGRATE_<NAME> is the option's value."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    done = migrate(
        "plan",
        "posthog",
        source,
        "--json",
        env={"MIGRATE_WORKDIR": str(tmp_path / "w"), "MIGRATE_LIMIT": "6"},
    )
    assert summary(done)["rows"]["read"] == 6


def test_an_interrupted_run_exits_130_and_goes_on(tmp_path):
    """SIGINT once: what is in flight is noted; the same command delivers the rest, nothing twice."""
    source = rows(tmp_path / "in" / "a.jsonl", 3_000)
    with Sandbox(faults=[{"fault": "latency", "seconds": 0.05}]) as sandbox:
        words = ["run", "posthog", source, "--host", sandbox.url, "--workdir", tmp_path / "w", "--json"]
        words += ["--rate", "500", "--api-key", KEY]
        with started(*words) as process:
            while not sandbox.summary()["requests"]:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted: finishing what is in flight" in err
        assert 0 < json.loads(out)["events"]["accepted"] < 3_000
        sent = sandbox.summary()["raw"]["events"]
        assert sent == json.loads(out)["events"]["accepted"]
        again = migrate(*words, "--rate", "100000")
        assert again.returncode == 0
        assert sandbox.summary()["raw"]["events"] == 3_000


def test_sandbox_command_listens_keeps_and_leaves_in_good_order(tmp_path):
    """A sandbox of its own keeps what arrives in its folder, also over a restart."""
    source = rows(tmp_path / "a.jsonl", 5)
    for expected in (5, 5):
        with started("sandbox", "--port", "0", "--data", tmp_path / "data") as process:
            url = process.stderr.readline().split()[-1]
            workdir = tmp_path / f"w{process.pid}"
            done = migrate("run", "posthog", source, "--host", url, "--workdir", workdir, "--api-key", KEY)
            assert done.returncode == 0, done.stderr
            with urllib.request.urlopen(f"{url}/_sandbox/summary") as answer:  # noqa: S310 - http on loopback
                assert json.load(answer)["collapsed"]["events"] == expected
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        assert process.returncode == 0


def test_rejected_rows_are_planned_again_after_a_fix(tmp_path):
    """Mended in rejects.jsonl and named as an input, they become the events they should have been, once."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    source.write_text(
        source.read_text() + '{"event":"late","distinct_id":"u9","timestamp":"soon","properties":{"n":9}}\n'
    )
    workdir = tmp_path / "w"
    with Sandbox() as sandbox:
        sending = ["--host", sandbox.url, "--workdir", workdir, "--json", "--api-key", KEY]
        assert migrate("run", "posthog", source, *sending).returncode == 3
        fixed = tmp_path / "fixed.jsonl"
        fixed.write_text((workdir / "rejects.jsonl").read_text().replace("soon", "2024-04-03T13:00:00Z"))
        done = migrate("run", "posthog", source, fixed, *sending)
        arrived = {event["event"]: event for event in sandbox.events("raw")}
        assert sandbox.summary()["raw"]["events"] == 4
    assert summary(done)["events"]["accepted"] == 4
    assert arrived["late"]["timestamp"] == "2024-04-03T13:00:00.000000Z"
    assert arrived["late"]["properties"]["n"] == 9


def test_profiles_alone_ask_for_the_time_of_the_export(tmp_path):
    """A workdir without a planned event is bound to nothing, so the answer works in the same one."""
    page = {"results": [{"$distinct_id": "anna", "$properties": {"$name": "Anna"}}]}
    (tmp_path / "engage.jsonl").write_text(json.dumps(page) + "\n")
    words = ["plan", "mixpanel", tmp_path / "engage.jsonl", "--workdir", tmp_path / "w", "--json"]
    asked = migrate(*words)
    assert asked.returncode == 2
    assert "--until" in asked.stderr
    answered = migrate(*words, "--until", "2024-05-01")
    assert answered.returncode == 0, answered.stderr
    numbers = summary(answered)
    assert (numbers["rows"]["mapped"], numbers["events"]["planned"]) == (1, 1)
    assert numbers["last_timestamp"] == "2024-05-01T00:00:00.000000Z"


def test_times_that_are_not_utc_are_asked_for(tmp_path):
    """The rows carry Mixpanel's UTC clock beside the project's; nothing is planned before a zone is given."""
    lines = []
    for day in range(1, 20):
        shown = 1_710_000_000 + day * 86_400
        clock = {"$mp_api_timestamp_ms": (shown + 25_200) * 1_000 + 700}
        lines.append(
            {"event": "e", "properties": {"time": shown, "distinct_id": "u", "$insert_id": str(day)} | clock}
        )
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ["plan", "mixpanel", tmp_path / "raw.jsonl", "--workdir", tmp_path / "w", "--json"]
    asked = migrate(*words)
    assert asked.returncode == 2
    assert "7 h behind UTC" in asked.stderr
    assert "America/Los_Angeles" in asked.stderr
    answered = migrate(*words, "--source-timezone", "America/Los_Angeles")
    assert answered.returncode == 0, answered.stderr
    assert summary(answered)["first_timestamp"] == "2024-03-10T23:00:00.000000Z"


def test_mended_rows_keep_their_tables(tmp_path):
    """Rows of several files stand in one rejects.jsonl; each is of the table it came from, and named by its file."""
    folder, workdir, fixed = tmp_path / "in", tmp_path / "w", tmp_path / "fixed.jsonl"
    folder.mkdir()
    for name, number in (("signed_up", 1), ("paid", 2)):
        (folder / f"{name}.csv").write_text(f"event_id,user_id,time,session_id\n{number},7,soon,9\n")
    assert migrate("plan", "heap", folder, "--workdir", workdir).returncode == 3
    fixed.write_text((workdir / "rejects.jsonl").read_text().replace("soon", "2024-04-03 12:00:00"))
    done = migrate("preview", "heap", fixed)
    assert sorted(json.loads(line)["event"] for line in done.stdout.splitlines()) == ["paid", "signed_up"]


def test_an_option_that_a_platform_does_not_heed_is_refused(tmp_path):
    """Nothing the user says is passed over in silence."""
    (tmp_path / "names.json").write_text("{}")
    for more in (
        ["--labels", tmp_path / "names.json"],
        ["--group-key", "a=b"],
        ["--uuid-compat", "posthog-worker"],
        ["--user-id", "member"],
    ):
        done = migrate("preview", "posthog", rows(tmp_path / "in" / "a.jsonl"), *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{more[0]}: posthog has no use for it" in done.stderr


def test_a_resumed_increment_judges_by_when_it_was_begun(tmp_path):
    """What was in the future then still is; the next increment is judged by its own beginning."""
    source = rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as checkpoint:
        checkpoint.register([str(source)])
        checkpoint.note(planning=True, begun="2001-01-01T00:00:00+00:00")
    words = ("plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json")
    resumed = summary(migrate(*words))["rows"]
    assert resumed["rejected"] == {"timestamp_in_future": resumed["read"]}
    rows(tmp_path / "in" / "b.jsonl")
    after = summary(migrate(*words))["rows"]
    assert (after["mapped"], after["rejected"]) == (resumed["read"], resumed["rejected"])


def test_an_increment_with_a_new_file_is_one_of_its_own(tmp_path):
    """One that was given up and goes on another day takes that day's events for what they are."""
    source = rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "w").mkdir()
    with Checkpoint.open(tmp_path / "w", create=True) as checkpoint:
        checkpoint.register([str(source)])
        checkpoint.note(planning=True, begun="2001-01-01T00:00:00+00:00")
    rows(tmp_path / "in" / "b.jsonl")
    done = summary(migrate("plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json"))
    assert (done["rows"]["mapped"], done["rows"]["rejected"]) == (6, {})
