"""How a workdir is, and what is open in it."""

import json
import subprocess
import sys

import sealing
from commands import KEY, migrate, rows, summary

from migrate.sandbox.server import Sandbox
from migrate.workdir.hold import hold


def test_status_says_what_is_pending_and_how_to_go_on(tmp_path):
    """After a plan the next command is the one that sends it."""
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", tmp_path / "w")
    shown = migrate("status", tmp_path / "w", "--json")
    assert summary(shown)["events"]["pending"] == 4
    assert f"next     migrate apply {tmp_path / 'w'} --host" in shown.stderr


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


def test_each_command_has_its_line_in_the_history(tmp_path):
    """What it planned and sent, how it ended; a killed one and one that was refused, too; not those that only look."""
    source, words = (
        rows(tmp_path / "in" / "a.jsonl", 4),
        ["posthog", tmp_path / "in", "--workdir", tmp_path / "w"],
    )
    with Sandbox() as sandbox:
        target = ["--host", sandbox.url, "--api-key", KEY]
        sealing.migrate("plan", *words, killed_at="plan.planner.Planner.todo")
        migrate("run", *words, *target)
        rows(source.with_name("b.jsonl"), 2, start=9)
        rows(source, 5)
        migrate("run", *words, *target, "--on-changed", "set-aside")
        assert migrate("run", *words, *target, "--identity", "none").returncode == 5
        migrate("apply", tmp_path / "w", *target)
        migrate("rejects", tmp_path / "w")
    shown = migrate("status", tmp_path / "w", "--history", "--json")
    done = [
        (one["command"], one["files"], one["planned"], one["accepted"], one["set_aside"], one["exit_code"])
        for one in summary(shown)["history"]
    ]
    assert done == [
        ("plan", 0, 0, 0, 0, None),
        ("run", 1, 4, 4, 0, 0),
        ("run", 1, 2, 2, 1, 5),
        ("run", 0, 0, 0, 1, 5),
        ("apply", 0, 0, 0, 1, 0),
    ]
    table = [line.split()[2:] for line in shown.stderr.splitlines()[1:6]]
    assert [line[-1] for line in table] == ["killed", "0", "5", "5", "0"]
    assert "history" not in summary(migrate("status", tmp_path / "w", "--json"))


def test_what_is_no_workdir_is_a_row_of_the_table(tmp_path, monkeypatch):
    """A file, a link to nothing, a plan without its checkpoint, one of something else: what is wrong is said."""
    monkeypatch.chdir(tmp_path)
    source = rows(tmp_path / "in" / "a.jsonl", 4)
    migrate("plan", "posthog", source, "--workdir", "w")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "lost" / "days").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "checkpoint.sqlite").write_text(
        "no database, and longer than its header of 100 bytes" * 9
    )
    (tmp_path / "empty").mkdir()
    names = ["w", "file", "link", "lost", "other", "empty", "gone"]
    done = migrate("status", *names, "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    unusable, nothing = ["unusable"] * 4, ["nothing_planned"] * 2
    assert [one["state"] for one in told] == ["planned", *unusable, *nothing]
    assert [one["run"]["exit_code"] for one in told] == [0, *[5] * 6]
    assert done.returncode == 5
    table = {line.split()[0]: line for line in done.stderr.splitlines()[1 : 1 + len(names)]}
    assert all("unusable" in table[name] for name in names[1:5])
    for said in (
        "file: not a workdir, found a file; give the folder that was named with --workdir",
        "link: not a workdir, found a link to nothing; give",
        "lost/checkpoint.sqlite: no checkpoint, found a folder 'days' beside it",
        "other/checkpoint.sqlite: cannot be used as a checkpoint",
    ):
        assert f"\nerror: {said}" in done.stderr


def test_a_link_to_nothing_is_no_workdir(tmp_path):
    """Who works there is told so before anything is made."""
    source, link = rows(tmp_path / "a.jsonl", 4), tmp_path / "w"
    link.symlink_to(tmp_path / "disk")
    for words in (["plan", "posthog", source, "--workdir", link], ["apply", link, "--host", "sandbox"]):
        done = migrate(*words)
        said = f"a link to nothing, found '{link}' to '{tmp_path / 'disk'}'; look whether the disk it leads to is there"
        assert (done.returncode, said in done.stderr) == (2, True)
    (tmp_path / "disk").mkdir()
    assert migrate("plan", "posthog", source, "--workdir", link).returncode == 0


def test_what_is_open_is_listed_while_another_process_works(tmp_path):
    """And nothing is written there; to dismiss something the workdir is needed."""
    source, workdir = rows(tmp_path / "in" / "a.jsonl", 4), tmp_path / "w"
    rows(tmp_path / "in" / "b.jsonl", 2, timestamp="soon")
    migrate("plan", "posthog", source.parent, "--workdir", workdir)
    (workdir / "rejects.jsonl").unlink()
    with hold(workdir):
        shown = migrate("rejects", workdir, "--json")
        assert (shown.returncode, summary(shown)["state"]) == (3, "running")
        assert "rejected 2 rows: bad_timestamp" in shown.stderr
        refused = migrate("rejects", workdir, "--dismiss", "bad_timestamp")
        assert (refused.returncode, "another migrate process" in refused.stderr) == (5, True)
        assert not (workdir / "rejects.jsonl").exists()


def test_a_file_that_is_dismissed_is_said_to_be(tmp_path):
    """Beside that nothing is open any more."""
    source, workdir = rows(tmp_path / "in" / "a.jsonl", 4), tmp_path / "w"
    words = ["plan", "posthog", source, "--workdir", workdir, "--on-changed", "set-aside"]
    migrate(*words)
    rows(source, 5)
    assert migrate(*words).returncode == 5
    done = migrate("rejects", workdir, "--dismiss", "changed")
    assert done.returncode == 0
    assert "closed   1 file set aside, dismissed, said no more of" in done.stderr


def test_what_posthog_refused_may_be_meant(tmp_path):
    """It stays parked, is open no more and is not sent again, until its payload is mended."""
    source, workdir = rows(tmp_path / "in" / "a.jsonl", 4), tmp_path / "w"
    rows(tmp_path / "in" / "b.jsonl", 2, start=7, properties={"poison": True})
    with Sandbox(faults=[{"fault": "poison"}]) as sandbox:
        target = ["--host", sandbox.url, "--api-key", KEY]
        run = ["run", "posthog", source.parent, "--workdir", workdir, *target, "--json"]
        assert migrate(*run).returncode == 3
        assert "or --dismiss parked, if they are not to be sent" in migrate("rejects", workdir).stderr
        done = migrate("rejects", workdir, "--dismiss", "parked", "--json")
        assert done.returncode == 0
        assert "closed   2 parked events, dismissed, said no more of" in done.stderr
        told = summary(migrate("status", workdir, "--json"))
        assert (told["state"], told["also"], told["dismissed_parked"]) == ("all_sent", [], 2)
        assert (told["events"]["parked"], told["balanced"], told["run"]["exit_code"]) == (2, True, 0)
        refused = migrate("rejects", workdir, "--dismiss", "parked")
        assert (refused.returncode, "nothing is open for this reason" in refused.stderr) == (2, True)
        before = sandbox.summary()["requests"]
        done = migrate("resend", workdir, *target)
        assert (done.returncode, sandbox.summary()["requests"]) == (0, before)
        assert "resent   nothing: no event was refused by PostHog" in done.stderr
        first, *others = (workdir / "parked.jsonl").read_text().splitlines(keepends=True)
        line = json.loads(first)
        line["payload"] = line["payload"].replace("poison", "poison!")
        (workdir / "parked.jsonl").write_text("".join([json.dumps(line) + "\n", *others]))
        done = migrate("resend", workdir, *target, "--json")
        told = summary(done)
        assert (done.returncode, told["events"]["accepted"], told["events"]["parked"]) == (0, 5, 1)
        assert (told["dismissed_parked"], told["state"]) == (1, "all_sent")
        assert "resent   1 event refused before: 1 accepted, none is refused any more" in done.stderr
