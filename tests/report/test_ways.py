"""The commands to go on with, as they can be pasted."""

import json
import shlex
import zipfile
from pathlib import Path

from commands import migrate, rows
from samples import SAMPLES

from migrate.inspecting import inspect
from migrate.report.ways import ways
from migrate.workdir.typed import Command, Option

PLAIN = "id,user,ts,action\n1,u1,2024-03-01T10:00:00,view\n2,u2,2024-03-01T10:00:00,view\n"


def told(*paths, options=()):
    """The commands for these inputs, and what each is for."""
    inputs = [str(path) for path in paths]
    typed = Command("inspect", None, inputs, options, str(Path.cwd()))
    return [tuple(way) for way in ways(inspect(inputs), typed)]


def test_a_platform_s_files_are_tried_without_sending(tmp_path):
    """With the options that say how they are read, and it works."""
    source = rows(tmp_path / "a b.jsonl")
    (way,) = told(source, options=[Option("--encoding", "utf-8"), Option("--json")])
    assert way == (f"migrate run posthog '{source}' --encoding utf-8 --dry-run", "")
    assert migrate(*shlex.split(way[0])[1:]).returncode == 0


def test_a_zone_is_asked_for_where_only_the_user_knows_it():
    """By a word in its place."""
    source = SAMPLES / "heap" / "all_events.csv"
    assert told(source) == [
        (
            f"migrate run heap {source} --source-timezone ZONE --dry-run",
            "ZONE is the zone of the project, such as Europe/Berlin",
        )
    ]


def test_of_two_platforms_both_are_named():
    """The likelier first."""
    source = SAMPLES / "segment" / "warehouse" / "aliases.csv"
    (first, second) = told(source)
    assert first == (f"migrate run segment {source} --dry-run", "")
    assert second == (f"migrate run rudderstack {source} --dry-run", "if it is of that platform")


def test_files_of_others_are_passed_over(tmp_path):
    """What no platform has is described, and named by itself."""
    rows(tmp_path / "a.jsonl")
    (tmp_path / "b.csv").write_text(PLAIN)
    (platform, spec, table) = told(tmp_path)
    assert platform == (f"migrate run posthog {tmp_path} --skip-unknown --dry-run", "")
    command, why = spec
    assert command == f"migrate spec {tmp_path} --output spec.toml"
    assert why.startswith("to write a first spec, to be looked over, of ")
    assert why.endswith(f" {tmp_path}/b.csv and its like alone: name these as INPUT")
    assert table == (
        f"migrate run table {tmp_path} --spec spec.toml --dry-run",
        "once spec.toml says which column is which (docs/spec.md)",
    )
    assert migrate(*shlex.split(platform[0])[1:]).returncode == 0


def test_a_table_of_no_platform_is_described_and_tried(tmp_path, monkeypatch):
    """The commands work as they stand, one after the other."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text(PLAIN)
    for command, _ in told("b.csv"):
        done = migrate(*shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
    assert "2 mapped" in done.stderr


def test_what_is_refused_or_no_export_has_no_command(tmp_path):
    """Nor is there one for nothing."""
    line = {
        "distinct_id": "a",
        "properties.$browser": "b",
        "event": "c",
        "timestamp": "2024-01-01",
        "person": "",
    }
    line |= {"id": "1", "elements_chain": ""}
    (tmp_path / "ui.csv").write_text(",".join(line) + "\n" + ",".join(line.values()) + "\n")
    (kind,) = inspect([str(tmp_path)]).kinds
    assert (kind.order[0].table.name, told(tmp_path)) == ("ui_csv", [])
    (tmp_path / "ui.csv").write_text("<html>")
    assert told(tmp_path) == []
    assert json.dumps(told(tmp_path)) == "[]"


def test_what_lies_in_an_archive_is_to_be_unpacked_first(tmp_path):
    """Where not all in it is alike: a file in it is no INPUT by itself."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a/x.csv", PLAIN)
        archive.writestr("b/y.csv", "p,q\n1,2\n")
    (spec, _) = told(tmp_path / "z.zip")
    name = f"{tmp_path}/z.zip!a/x.csv"
    assert spec[1].endswith(f"of {name} and its like alone: unpack what they lie in, and name these as INPUT")


def test_of_a_file_that_cannot_be_read_no_spec_is_to_be_written(tmp_path):
    """'migrate spec' would end with the same reason; beside another file it is of that one."""
    torn, plain = tmp_path / "a.csv", tmp_path / "b.csv"
    torn.write_bytes(PLAIN.encode() + "3,Zoë,2024-03-01T10:00:00,view\n".encode("latin-1") * 20)
    assert told(torn) == []
    assert migrate("spec", torn).returncode == 2
    plain.write_text("event,user_id,at\na,u,2024-01-01T00:00:00Z\n")
    (spec, _) = told(torn, plain)
    assert f", of {plain} and its like alone" in spec[1]
    assert 'event = "event"' in migrate(*shlex.split(spec[0])[1:-1], "-", cwd=tmp_path).stdout
