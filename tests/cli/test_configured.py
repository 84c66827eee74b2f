"""A configuration file speaks where nothing is typed; its jobs run one after another."""

import json

import pytest
from commands import KEY, migrate, rows, summary

from migrate.cli import plan
from migrate.sandbox.server import Sandbox

NOTE = "note: migrate.toml lies here and is read; what is typed wins"


def written(folder, text, name="migrate.toml"):
    """Write a file."""
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


ONE = """
platform = "posthog"
inputs = ["in"]
source_timezone = "+01:00"
api_key = { env = "A_KEY" }
host = "sandbox"
"""


def test_what_is_typed_wins_over_the_environment_and_that_over_the_file(tmp_path):
    """The command line, MIGRATE_…, the file; POSTHOG_… where the file says nothing."""
    rows(tmp_path / "in" / "a.jsonl")
    written(
        tmp_path,
        'platform = "posthog"\ninputs = ["in"]\nimport_id = "file"\nhost = "https://file..host"',
    )

    def imported(*words, **env):
        done = migrate(
            "plan",
            "--json",
            "--workdir",
            tmp_path / str(len(env) + len(words)),
            *words,
            cwd=tmp_path,
            env=env,
        )
        assert NOTE in done.stderr
        return summary(done)["import_id"]

    assert imported() == "file"
    assert imported(MIGRATE_IMPORT_ID="variable") == "variable"
    assert imported("--import-id", "typed", MIGRATE_IMPORT_ID="variable") == "typed"
    asked = migrate(
        "run",
        "--yes",
        cwd=tmp_path,
        env={"MIGRATE_HOST": "https://variable..host", "POSTHOG_API_KEY": KEY},
    )
    assert "variable..host" in asked.stderr
    asked = migrate("run", "--yes", cwd=tmp_path, env={"POSTHOG_API_KEY": KEY})
    assert "file..host" in asked.stderr


def test_a_file_is_read_where_it_is_named_or_lies(tmp_path):
    """By -c, by MIGRATE_CONFIG, or as migrate.toml; that it is, is said where nobody named it."""
    (tmp_path / "far").mkdir()
    rows(tmp_path / "far" / "in" / "a.jsonl")
    path = written(tmp_path / "far", ONE, "m.toml")
    for words, env in (
        (["-c", path], {}),
        (["--config", "far/m.toml"], {}),
        ([], {"MIGRATE_CONFIG": str(path)}),
    ):
        done = migrate("preview", *words, cwd=tmp_path, env=env)
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)
        assert "note:" not in done.stderr
    written(tmp_path / "far", ONE)
    done = migrate("preview", cwd=tmp_path / "far")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, NOTE)
    quiet = migrate("plan", "--quiet", cwd=tmp_path / "far")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert (tmp_path / "far" / "posthog.workdir").is_dir()
    assert migrate("--help", cwd=tmp_path / "far").returncode == 0
    written(tmp_path / "far", "[")
    assert migrate("run", "--help", cwd=tmp_path / "far").returncode == 0
    assert migrate("platforms", cwd=tmp_path / "far").returncode == 0
    done = migrate("run", "--json", cwd=tmp_path / "far")
    assert (done.returncode, summary(done)["run"]["exit_code"]) == (2, 2)


def test_the_workdir_lies_beside_the_file(tmp_path):
    """A command from elsewhere finds the same one; status, show and rejects, too."""
    (tmp_path / "far").mkdir()
    rows(tmp_path / "far" / "in" / "a.jsonl")
    path = written(tmp_path / "far", ONE, "m.toml")
    assert migrate("plan", "-c", path, cwd=tmp_path).returncode == 0
    for command in ("status", "show", "rejects"):
        done = migrate(command, "-c", path, "--json", cwd=tmp_path)
        assert summary(done)["workdir"].endswith("far/posthog.workdir"), command
        typed = migrate(command, tmp_path / "far" / "posthog.workdir", "-c", path, "--json", cwd=tmp_path)
        assert summary(typed)["events"] == summary(done)["events"]


def test_what_is_wrong_with_a_value_is_said_with_its_key(tmp_path):
    """By the file, and only where the value comes from it."""
    rows(tmp_path / "in" / "a.jsonl")
    path = written(tmp_path, ONE + 'deadline = "soon"', "m.toml")
    done = migrate("run", "-c", path, env={"A_KEY": KEY}, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: {path}: deadline: a number of seconds, or one with s, m, h or d; found 'soon'\n",
    )
    done = migrate("run", "-c", path, "--deadline", "later", env={"A_KEY": KEY}, cwd=tmp_path)
    assert "error: --deadline: a number of seconds" in done.stderr
    done = migrate("run", "-c", path, "--deadline", "1m", "--host", "us", cwd=tmp_path)
    assert (
        done.stderr == f"error: {path}: api_key: the variable A_KEY is not set; set it, or name another one\n"
    )


def test_a_trial_is_none_of_the_file_s_workdir_and_people(tmp_path):
    """It goes; what is real stays as it is."""
    rows(tmp_path / "in" / "a.jsonl")
    written(tmp_path, ONE + 'workdir = "real"\npeople = "p"')
    done = migrate("run", cwd=tmp_path, env={"A_KEY": KEY})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "real").exists()
    done = migrate("plan", "--limit", "2", cwd=tmp_path, env={"A_KEY": KEY})
    assert (done.returncode, "--workdir: missing" in done.stderr) == (2, True)


SENT = """
platform = "posthog"
host = "127.0.0.1:9"
deadline = 0
api_key = { env = "A_KEY" }
[job.one]
inputs = "a"
[job.two]
inputs = "b"
"""


def test_the_command_that_goes_on_names_the_file_and_the_job(tmp_path):
    """Also where it lay there and nobody named it; the key is not in it."""
    for name in ("a", "b"):
        rows(tmp_path / name / "a.jsonl")
    written(
        tmp_path,
        SENT,
    )
    done = migrate("run", "--job", "two", "--json", "--yes", cwd=tmp_path, env={"A_KEY": KEY})
    assert done.returncode == 4, done.stderr
    assert (
        summary(done)["next"]
        == "migrate run posthog b --json --yes --config migrate.toml --job two --workdir two.workdir"
    )
    assert KEY not in done.stdout + done.stderr
    elsewhere = migrate("status", tmp_path / "two.workdir", "--json", "-c", "/dev/null")
    assert summary(elsewhere)["next"] == (
        f"migrate run posthog {tmp_path}/b --json --yes --config {tmp_path}/migrate.toml --job two --workdir "
        f"{tmp_path}/two.workdir"
    )


def test_a_file_says_how_errors_are_told(tmp_path):
    """In JSON, as it was asked for there."""
    rows(tmp_path / "in" / "a.jsonl")
    written(tmp_path, ONE + "json = true")
    done = migrate("run", "--source-timezone", "Nowhere/At_All", cwd=tmp_path)
    assert (done.returncode, summary(done)["run"]["exit_code"]) == (2, 2)
    done = migrate("run", "--no-such-option", cwd=tmp_path)
    assert done.returncode == 2


JOBS = """
platform = "posthog"
api_key = { env = "A_KEY" }
[job.one]
inputs = "a"
[job.two]
inputs = "b"
[job.three]
inputs = "c"
"""


@pytest.fixture
def three(tmp_path):
    """Three jobs of some rows."""
    for number, name in enumerate("abc"):
        rows(tmp_path / name / "a.jsonl", number + 1)
    written(tmp_path, JOBS)
    return tmp_path


def told(done):
    """The workdirs and the exit codes of all that is told in JSON."""
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [((one["workdir"] or "").rpartition("/")[2], one["run"]["exit_code"]) for one in found]


def test_jobs_run_one_after_another(three):
    """Each in its workdir, with people that they share; one JSON object each, or those that are named."""
    with Sandbox() as sandbox:
        done = migrate("run", "--json", "--host", sandbox.url, cwd=three, env={"A_KEY": KEY})
        assert told(done) == [("one.workdir", 0), ("two.workdir", 0), ("three.workdir", 0)], done.stderr
        assert done.returncode == 0
        assert [line for line in done.stderr.splitlines() if line.startswith("job ")] == [
            "job one",
            "job two",
            "job three",
        ]
    assert (three / "migrate.people" / "people.sqlite").exists()
    done = migrate("status", "--json", cwd=three)
    assert told(done) == [("one.workdir", 0), ("two.workdir", 0), ("three.workdir", 0)]
    done = migrate("status", "--json", "--job", "two", cwd=three)
    assert told(done) == [("two.workdir", 0)]
    done = migrate("plan", "--json", "--job", "three", "--job", "one", cwd=three)
    assert told(done) == [("one.workdir", 0), ("three.workdir", 0)]


def test_a_job_that_stops_or_is_refused_does_not_keep_the_others_from_running(three):
    """The gravest of their codes is that of the command; nor does one whose input is not there (2)."""
    with (three / "a" / "a.jsonl").open("a") as file:
        file.write('{"event": \n')
    done = migrate("run", "--json", "--host", "sandbox", cwd=three, env={"A_KEY": KEY})
    assert [code for _, code in told(done)] == [3, 0, 0]
    assert done.returncode == 3
    (three / "b" / "a.jsonl").unlink()
    done = migrate(
        "run", "--json", "--host", "127.0.0.1:9", "--deadline", "0", "--yes", cwd=three, env={"A_KEY": KEY}
    )
    assert [code for _, code in told(done)] == [4, 2, 4]
    assert done.returncode == 2
    (three / "three.workdir").rename(three / "away")
    done = migrate("plan", "--json", "--existing", "--job", "one", "--job", "three", cwd=three)
    assert [code for _, code in told(done)] == [3, 5]
    assert done.returncode == 5


def test_all_jobs_are_read_before_the_first_runs(three):
    """What is wrong with the last keeps all from running."""
    written(three, JOBS + 'encoding = ""\n')
    done = migrate("plan", "--json", cwd=three)
    assert done.returncode == 2
    assert "migrate.toml: [job.three] encoding: nothing is said, found ''" in done.stderr
    assert not (three / "one.workdir").exists()


def test_a_word_that_is_typed_is_of_no_job(three):
    """What stands above the jobs holds; a workdir that is a job's is that job's; one that is typed is for one."""
    done = migrate("plan", "posthog", "a", "--json", cwd=three)
    assert told(done) == [("posthog.workdir", 0)]
    assert migrate("plan", "--job", "one", cwd=three).returncode == 0
    assert told(migrate("status", "one.workdir", "--json", cwd=three)) == [("one.workdir", 0)]
    assert told(migrate("show", "one.workdir", "--json", cwd=three)) == [("one.workdir", 0)]
    for words, env in ((["--workdir", "w"], {}), ([], {"MIGRATE_WORKDIR": "w"})):
        done = migrate("plan", *words, cwd=three, env=env)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (
            2,
            "error: --workdir: migrate.toml has 3 jobs, each with its own, found 'w'; name one with --job",
        )


def test_rules_hold_from_the_file_to_the_plan(tmp_path):
    """Counted, shown by preview, and pinned: without the file nothing new is planned."""
    source = rows(tmp_path / "in" / "a.jsonl", 3, properties={"email": "ada@example.com", "n": 1})
    written(tmp_path, ONE + '[rules]\ndrop = ["email"]\nnever_import = ["u1"]')
    shown = migrate("preview", cwd=tmp_path)
    assert [json.loads(line)["distinct_id"] for line in shown.stdout.splitlines()] == ["u0", "u2"]
    assert "ada@" not in shown.stdout
    assert "changed  2 values, rule:drop: left out" in shown.stderr.splitlines()
    assert f"{source}:2: filtered: rule:never_import" in shown.stderr.splitlines()
    done = migrate("plan", "--json", cwd=tmp_path)
    assert summary(done)["rows"]["filtered"] == {"rule:never_import": 1}
    assert summary(done)["repairs"] == {"rule:drop": 2}
    rows(tmp_path / "in" / "b.jsonl", 3)
    without = [
        "plan",
        "posthog",
        "in",
        "--workdir",
        "posthog.workdir",
        "--source-timezone",
        "+01:00",
        "-c",
        "/dev/null",
    ]
    assert migrate(*without, cwd=tmp_path).returncode == 5


def test_interrupted_jobs_end_all(three, monkeypatch):
    """A Ctrl-C is meant for the command."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(plan, "plan_todo", interrupted)
    done = migrate("plan", "--json", cwd=three)
    assert (done.returncode, [code for _, code in told(done)]) == (130, [130])


OWN = """
platform = "posthog"
people = "who"
[job.app]
inputs = "app"
[job.app.rules]
drop = ["imei"]
[job.posthog]
inputs = "in"
[job.posthog.rules]
drop = ["email"]
"""


@pytest.fixture
def own(tmp_path):
    """Jobs with rules of their own; one is called as its platform is."""
    for name in ("app", "in"):
        rows(tmp_path / name / "a.jsonl", properties={"imei": "I", "email": "E"})
    (tmp_path / "link").symlink_to("app.workdir")
    written(tmp_path, OWN)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "env", "job", "dropped"),
    [
        (["posthog", "app", "--workdir", "app.workdir"], {}, "app", 3),
        (["posthog", "app", "--workdir", "in/../app.workdir"], {}, "app", 3),
        (["posthog", "app", "--workdir", "link"], {}, "app", 3),
        (["posthog", "app"], {"MIGRATE_WORKDIR": "app.workdir"}, "app", 3),
        (["--workdir", "app.workdir"], {}, "app", 3),
        (["posthog", "in"], {}, "posthog", 3),
        (["posthog", "app", "--workdir", "w"], {}, "", 0),
    ],
)
def test_the_job_whose_workdir_is_typed_is_meant(own, words, env, job, dropped):
    """By whatever path, also where it is the one that a platform gives: its rules hold, and that is said."""
    (own / "app.workdir").mkdir()
    done = migrate("plan", *words, "--json", cwd=own, env=env)
    assert done.returncode == 0, done.stderr
    assert summary(done)["repairs"].get("rule:drop", 0) == dropped
    assert (f"is the workdir of the job {job}, which is meant" in done.stderr) == bool(job)
    assert (own / "who").exists()


def test_a_second_job_changes_nothing_for_the_first(tmp_path):
    """It goes on with the people that it began with."""
    for name in "ab":
        rows(tmp_path / name / "a.jsonl")
    written(tmp_path, 'platform = "posthog"\n[job.one]\ninputs = "a"\n')
    assert migrate("plan", cwd=tmp_path).returncode == 0
    with (tmp_path / "migrate.toml").open("a") as file:
        file.write('[job.two]\ninputs = "b"\n')
    rows(tmp_path / "a" / "b.jsonl", start=5)
    done = migrate("plan", "--json", cwd=tmp_path)
    assert told(done) == [("one.workdir", 0), ("two.workdir", 0)], done.stderr


def test_what_is_next_names_the_file_and_the_job(three):
    """The host, too, where the file does not say it; from wherever it is looked at."""
    assert migrate("plan", "--job", "one", cwd=three).returncode == 0
    done = migrate("status", "one.workdir", "--json", cwd=three)
    assert summary(done)["next"] == "migrate apply one.workdir --config migrate.toml --job one --host …"
    written(three, 'host = "eu"\n' + JOBS)
    done = migrate("plan", "--job", "two", "--json", cwd=three)
    assert summary(done)["next"] == "migrate apply two.workdir --config migrate.toml --job two"
    done = migrate("status", three / "two.workdir", "--json", "-c", "/dev/null", cwd="/")
    assert summary(done)["next"] == (
        f"migrate apply {three}/two.workdir --config {three}/migrate.toml --job two"
    )


@pytest.mark.parametrize("command", ["run", "apply", "resend"])
def test_a_workdir_of_one_job_is_not_worked_in_as_another(tmp_path, command):
    """Its rules would not hold there."""
    rows(tmp_path / "in" / "a.jsonl")
    written(tmp_path, 'platform = "posthog"\n[job.web]\ninputs = ["in"]\n[job.app]\ninputs = ["in"]\n')
    assert migrate("plan", "--job", "web", cwd=tmp_path).returncode == 0
    words = ["--workdir", "./web.workdir"] if command == "run" else ["web.workdir"]
    said = "--job: ./web.workdir" if command == "run" else "--job: web.workdir"
    for more, env in ((["--job", "app"], {}), ([], {"MIGRATE_JOB": "app"})):
        done = migrate(command, *words, *more, cwd=tmp_path, env=env | {"POSTHOG_API_KEY": KEY})
        assert done.returncode == 2, done.stderr
        assert f"{said} is the workdir of the job web, found app; name one of them alone" in done.stderr
