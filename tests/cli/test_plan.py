"""What is planned into a workdir, what is refused there, and what is planned again."""

import gzip
import json
import os

import polars as pl
import pytest
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox
from migrate.workdir.checkpoint import Checkpoint


def test_rejected_rows_make_the_exit_code_3_and_are_in_a_file(tmp_path):
    """A row that cannot become an event is kept with its place, reason and content."""
    source = rows(tmp_path / "in" / "a.jsonl", 3)
    source.write_text(source.read_text() + '{"event":"e","distinct_id":"u","timestamp":"soon"}\nnot json\n')
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--json")
    assert done.returncode == 3
    assert summary(done)["rows"]["rejected"] == {"malformed_json": 1, "bad_timestamp": 1}
    lines = [json.loads(line) for line in (tmp_path / "w" / "rejects.jsonl").read_text().splitlines()]
    assert [(line["file"], line["row"], line["reason"]) for line in lines] == [
        (str(source), 4, "bad_timestamp"),
        (str(source), 5, "malformed_json"),
    ]
    assert lines[0]["source"]["timestamp"] == "soon"
    assert lines[1]["value"] == "not json"
    assert lines[1]["why"] == "character 1: expecting value, found 'n'"


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
    pytest.param(["--identity", "none"], "--identity: this workdir was planned with", id="identity"),
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


def test_a_source_that_changed_since_it_was_planned_is_set_aside_where_that_is_asked(tmp_path):
    """Other bytes under the name of a planned file: exit code 5, with the name."""
    source = rows(tmp_path / "in" / "a.jsonl")
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    rows(source, start=7)
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--on-changed", "set-aside")
    assert done.returncode == 5
    assert f"error: {source}: set aside: changed since it was planned" in done.stderr


def test_a_file_that_only_was_touched_is_not_refused(tmp_path):
    """The bytes count, not the clock."""
    source = rows(tmp_path / "in" / "a.jsonl")
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    os.utime(source, (1, 1))
    done = migrate("plan", "posthog", source, "--workdir", tmp_path / "w", "--json")
    assert (done.returncode, summary(done)["set_aside"]) == (0, {}), done.stderr
    assert summary(done)["events"]["planned"] == summary(done)["rows"]["read"] == 3


def test_limit_plans_the_first_rows_only(tmp_path):
    """A trial takes the first rows of all files together."""
    for n in range(3):
        rows(tmp_path / "in" / f"{n}.jsonl", 10, start=10 * n)
    done = migrate("plan", "posthog", tmp_path / "in", "--limit", "15", "--workdir", tmp_path / "w", "--json")
    assert summary(done)["rows"]["read"] == 15
    payloads = [
        text
        for path in (tmp_path / "w").glob("days/*/*.parquet")
        for text in pl.read_parquet(path)["payload"]
    ]
    assert sorted(json.loads(text)["properties"]["n"] for text in payloads) == list(range(15))


def test_since_and_until_bound_the_events(tmp_path):
    """Rows outside are left out and counted by name."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    bounds = ["--since", "2024-04-03T12:00:02Z", "--until", "2024-04-03T12:00:08Z"]
    done = migrate("plan", "posthog", source, *bounds, "--workdir", tmp_path / "w", "--json")
    assert summary(done)["rows"]["filtered"] == {"after_until": 2, "before_since": 2}
    assert summary(done)["events"]["planned"] == 6


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


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_schedule_never_begins_a_workdir(tmp_path, command):
    """With --existing: a path that is wrong, or a disk that is not there, would else begin all anew, in silence."""
    source = rows(tmp_path / "in" / "a.jsonl")
    words = ["posthog", source, "--workdir", "w"]
    target = [] if command == "plan" else ["--host", "http://127.0.0.1:9", "--api-key", KEY, "--yes"]
    refused = migrate(command, *words, "--existing", "--json", *target, cwd=tmp_path)
    assert (refused.returncode, summary(refused)["run"]["exit_code"]) == (5, 5)
    assert "w: nothing is planned there, and --existing begins no new workdir" in refused.stderr
    assert not (tmp_path / "w").exists()
    assert migrate("plan", *words, cwd=tmp_path).returncode == 0
    rows(tmp_path / "in" / "b.jsonl", start=5)
    words[1] = tmp_path / "in"
    assert migrate("plan", *words, "--existing", cwd=tmp_path).returncode == 0


def test_a_plan_without_its_checkpoint_is_left_as_it_is(tmp_path):
    """Nothing is made beside it, and what is to be done is said."""
    source = rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "w" / "days").mkdir(parents=True)
    for words in (["plan", "posthog", source, "--workdir", tmp_path / "w"], ["apply", tmp_path / "w"]):
        done = migrate(*words, "--host", "sandbox") if words[0] == "apply" else migrate(*words)
        assert done.returncode == 5
        assert "put checkpoint.sqlite back, or use another --workdir" in done.stderr
        assert [one.name for one in (tmp_path / "w").iterdir()] == ["days"]
