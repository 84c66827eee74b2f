"""`migrate inspect`: a screen on stdout, or one JSON object; and what it ends with."""

import json
import time

import pytest
from commands import KEY, migrate, rows
from samples import SAMPLES


def test_the_screen_is_data(tmp_path):
    """It stands on stdout, so that it can be kept; nothing is on stderr."""
    rows(tmp_path / "a.jsonl")
    done = migrate("inspect", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 file in 1 kind\n\nPostHog, events: 1 file, ")
    assert done.stdout.endswith(f"next     migrate run posthog {tmp_path} --dry-run\n")


def test_json_is_one_object(tmp_path):
    """On one line, with the commands to go on with; read options go into them."""
    rows(tmp_path / "a.jsonl")
    done = migrate("inspect", tmp_path, "--json", "--encoding", "utf-8")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found["files"] == 1
    assert found["next"] == [
        {"command": f"migrate run posthog {tmp_path} --encoding utf-8 --dry-run", "why": ""}
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_no_such_input(tmp_path):
    """A wrong command, also for a program."""
    done = migrate("inspect", tmp_path / "none", "--json")
    assert (done.returncode, json.loads(done.stdout)["run"]["exit_code"]) == (2, 2)
    assert "error: " in done.stderr


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "<html>", "", "\0\0\0", "{"])
def test_it_ends_well_whatever_is_found(tmp_path, text):
    """That nothing is known of a file is an answer."""
    (tmp_path / "a.csv").write_text(text)
    done = migrate("inspect", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_the_screen_steers_a_terminal_or_tells_a_key(tmp_path):
    """In names, columns and values."""
    (tmp_path / "a\x1b[31m.csv").write_text(f"a\x1b[2J,{KEY},note\n1,2,\x1b]0;x\x07{KEY}\n")
    (tmp_path / "b.csv").write_text("x\n")
    done = migrate("inspect", tmp_path, "-v")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert KEY not in done.stdout


def test_a_header_can_be_said(tmp_path):
    """As in all commands that read."""
    (tmp_path / "a.txt").write_text("buy|u1|2024-03-01 10:00:00\nbuy|u2|2024-03-01 11:00:00\n")
    assert "its first line is a row and no header" in migrate("inspect", tmp_path).stdout
    done = migrate("inspect", tmp_path, "--columns", "event,uid,time")
    assert "time: time (ISO 8601, in every row, called like a time)" in done.stdout
    assert f"migrate run table {tmp_path} --columns event,uid,time --spec spec.toml --dry-run" in done.stdout


def test_thousands_of_files_take_seconds(tmp_path):
    """Of one kind: all columns, and the rows of three."""
    line = (SAMPLES / "posthog" / "capture.jsonl").read_text().splitlines()[0]
    for n in range(1_000):
        (tmp_path / f"{n}.jsonl").write_text(f"{line}\n")
    began = time.process_time()
    done = migrate("inspect", tmp_path)
    assert time.process_time() - began < 6
    assert "PostHog, events: 1,000 files" in done.stdout
    assert "at the columns of all files, and at the first 3 rows of 3 of them, of about 1,000" in done.stdout


@pytest.mark.parametrize("name", ["\udcff\udcfe.csv", "a\nb.csv"])
def test_a_file_may_be_called_anything(tmp_path, name):
    """Its name can be shown, and the command to go on with can be pasted."""
    (tmp_path / name).write_text("event,user_id,at\na,u,2024-01-01T00:00:00Z\n")
    word = {"\udcff\udcfe.csv": r"$'\xff\xfe.csv'", "a\nb.csv": r"$'a\x0ab.csv'"}[name]
    done = migrate("inspect", name, cwd=tmp_path)
    assert (done.returncode, f"next     migrate spec {word} --output spec.toml\n" in done.stdout) == (0, True)
    found = json.loads(migrate("inspect", name, "--json", cwd=tmp_path).stdout)
    assert found["kinds"][0]["files"] == [f"{tmp_path}/{found['inputs'][0]}"]
    assert found["next"][0]["command"] == f"migrate spec {word} --output spec.toml"
