"""Events are traced to the file and the row they came from, and known again where they were sent before."""

import json

import polars as pl
from commands import KEY
from refused import POISON
from rejected import BAD, GOOD
from workdirs import events, here, planned

from migrate.sandbox.server import Sandbox
from migrate.workdir import origins
from migrate.workdir.checkpoint import Checkpoint


def days(frame):
    """The day and the uuid of each event, as the plan has them."""
    return [(time.date().isoformat(), uuid) for time, uuid in frame.select("timestamp", "uuid").iter_rows()]


def test_events_are_found_in_the_files_of_their_day(tmp_path):
    """Of files planned together each by its own number; an event that comes from no row has no place."""
    frame = events(40, days=3)
    with planned(tmp_path, frame) as checkpoint:
        asked = days(frame)
        found = origins.places(checkpoint, asked)
        assert found == {uuid: ("a.jsonl", row) for uuid, row in frame.select("uuid", "row").iter_rows()}
        assert origins.places(checkpoint, [(asked[0][0], "unknown"), ("1999-01-01", asked[1][1])]) == {}
    (tmp_path / "v").mkdir()
    with planned(tmp_path / "v", frame.with_columns(row=frame["row"] + (3 << 40))) as checkpoint:
        assert origins.places(checkpoint, asked) == found
        for path in checkpoint.part_paths():
            (tmp_path / "v" / path).unlink()
        assert origins.places(checkpoint, asked) == {}


def test_what_comes_from_no_row_has_no_place(tmp_path):
    """As merges, which all sources together say."""
    frame = events(3).with_columns(pl.lit("(identity 1)").alias("file"))
    with planned(tmp_path, frame) as checkpoint:
        assert origins.places(checkpoint, days(frame)) == {}


def test_parked_events_are_told_with_their_file_and_row(tmp_path):
    """In parked.jsonl and by `rejects`, with the number a row has in its own file; mended there, they are sent."""
    for name in "ab":
        rows = [
            {"event": "e", "distinct_id": name, "timestamp": GOOD, "properties": {"n": n, "poison": n == 2}}
            for n in range(1, 4)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Sandbox() as sandbox:
        sandbox.faults(POISON)
        target = ["--host", sandbox.url, "--api-key", KEY, "--yes", "--json"]
        files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
        assert here("run", "posthog", *files, "--workdir", tmp_path / "w", *target).returncode == 3
        copy = tmp_path / "w" / "parked.jsonl"
        lines = [json.loads(line) for line in copy.read_text().splitlines()]
        assert sorted((line["file"], line["row"]) for line in lines) == [(str(file), 2) for file in files]
        assert set(lines[0]) == {"uuid", "file", "row", "status", "message", "payload"}
        shown = here("rejects", tmp_path / "w").stderr
        assert any(f"  (at {one}:2, {other}:2)\n" in shown for one, other in (files, files[::-1]))
        copy.write_text(copy.read_text().replace("true", "false"))
        done = here("resend", tmp_path / "w", *target)
        assert (done.returncode, done.summary["events"]["parked"]) == (0, 0), done.stderr


def test_an_event_that_was_sent_otherwise_is_known(tmp_path):
    """By uuid and name, whoever it is of; one that was refused is none until its mended version went in its place."""
    row = {"event": "e", "distinct_id": "u", "timestamp": BAD, "properties": {"n": 1}}
    source = tmp_path / "a.jsonl"
    uuids = [f"018ea334-575a-7075-b5ac-c526e86729c{n}" for n in range(2)]
    bad, well = (json.dumps(row | {"uuid": uuid}) for uuid in uuids)
    source.write_text(bad.replace('"n": 1', '"poison": true') + f"\n{well}\n")
    with Sandbox() as sandbox:
        sandbox.faults(POISON)
        target = ["--workdir", tmp_path / "w", "--host", sandbox.url, "--api-key", KEY, "--yes"]
        assert here("run", "posthog", source, *target).returncode == 3
        text = (tmp_path / "w" / "rejects.jsonl").read_text().replace(BAD, GOOD)
        forms = {
            "refused": (text, []),
            "mended": (text.replace("true", "false"), []),
            "other": (text.replace("true", "null").replace('"n": 1', '"n": 2'), [1, 2]),
            "of another": (text.replace('"n": 1', '"n": 3').replace('"u"', '"v"'), [1, 2]),
        }
        for name, (form, lines) in forms.items():
            copy = tmp_path / f"{name}.jsonl"
            copy.write_text(form)
            for words in (["plan", "posthog", copy, *target[:2]], ["run", "posthog", copy, *target]):
                assert here(*words).returncode in {0, 3}
                with Checkpoint.open(tmp_path / "w") as checkpoint:
                    (known,) = (one for one in checkpoint.inputs() if one.startswith(str(copy)))
                    found = origins.sent_otherwise(checkpoint, [known])
                told = found[0], sorted(found[1])
                assert told == (len(lines), [(known, line) for line in lines]), (name, words[0])
        assert sorted(one["properties"].get("n", 0) for one in sandbox.events("raw")) == [0, 1]
