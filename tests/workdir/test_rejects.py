"""Rejects are open until they are mended or dismissed, and rejects.jsonl tells of them whatever is done to it."""

import gzip
import json
from itertools import product

import pytest
from rejected import ALL, BAD, GOOD, Workdir, written
from samples import some
from workdirs import SAVED, here, saved

from migrate.inputs.listing import sources
from migrate.sandbox.server import Sandbox


@pytest.fixture
def workdir(tmp_path):
    """A workdir with three open rejects."""
    made = Workdir(tmp_path)
    assert (made.done.returncode, made.lines()) == (3, ALL)
    assert made.status() == ({"bad_timestamp": 3}, 3)
    return made


@pytest.mark.law
@pytest.mark.parametrize("how", SAVED)
def test_a_mended_copy_closes_what_becomes_an_event(workdir, how):
    """However it is saved; what is rejected again is open once, as the row it was first."""
    copy = workdir.copy()
    lines = [json.loads(line) for line in copy.read_text().splitlines()]
    for line in lines:
        if (line["file"], line["row"]) != (str(workdir.first), 4):
            line["source"]["timestamp"] = GOOD
    copy.write_bytes(saved(how, "".join(json.dumps(line) + "\n" for line in lines)))
    done = workdir.plan(copy)
    assert done.returncode == 3  # one was rejected by this run
    assert done.summary["rows"]["rejected"] == {"bad_timestamp": 4}
    assert done.summary["rows"]["read"] == 9
    assert done.summary["balanced"]
    assert workdir.lines() == [("a.jsonl", 4, "bad_timestamp")]
    assert workdir.status() == ({"bad_timestamp": 1}, 3)
    assert workdir.plan(workdir.source, copy).returncode == 0
    last = workdir.copy((BAD, GOOD), name="last.jsonl")
    assert workdir.plan(last).returncode == 0
    assert (workdir.status(), workdir.file.read_text()) == (({}, 0), "")
    assert workdir.plan(workdir.source, copy, last).summary["events"]["planned"] == 6


def test_a_copy_that_is_mended_further_is_planned_again(workdir):
    """As any source that changed it waits for --again; what is mended by then is closed, the rest open once."""
    copy = workdir.copy((BAD, GOOD))
    text = copy.read_text()
    copy.write_text(text.replace(GOOD, BAD, 4))
    assert workdir.plan(copy).summary["open_rejects"] == {"bad_timestamp": 2}
    copy.write_text(text.replace(GOOD, "now", 2))
    done = workdir.plan(copy)
    assert done.returncode == 5
    assert "plan what is new in it with --again" in done.stderr
    done = workdir.plan(copy, "--again", copy)
    assert (done.returncode, done.summary["open_rejects"]) == (3, {"bad_timestamp": 1})
    assert workdir.lines() == ALL[:1]
    assert json.loads(workdir.file.read_text())["value"] == "now"
    copy.write_text(text)
    assert workdir.plan(copy, "--again", copy).returncode == 0
    assert workdir.status() == ({}, 0)
    assert workdir.plan(workdir.source, copy).summary["events"]["planned"] == 6


def test_a_row_that_is_filtered_or_bad_in_another_way_is_told_as_that(workdir):
    """Filtered is closed; another reason takes the place of the first."""
    copy = workdir.copy()
    first, second, third = [json.loads(line) for line in copy.read_text().splitlines()]
    first["source"] |= {"timestamp": GOOD, "event": "$snapshot"}
    second["source"] |= {"timestamp": GOOD, "distinct_id": ""}
    copy.write_text("".join(json.dumps(line) + "\n" for line in (first, second, third)))
    done = workdir.plan(copy)
    assert sum(done.summary["rows"]["filtered"].values()) == 1
    assert workdir.lines() == [("a.jsonl", 4, "no_distinct_id"), ("b.jsonl", 1, "bad_timestamp")]
    assert workdir.status()[0] == {"bad_timestamp": 1, "no_distinct_id": 1}


def test_rejects_of_another_workdir_are_rows_like_any(tmp_path, workdir):
    """They close nothing here; what is bad of them is a reject of the copy."""
    copy = workdir.copy()
    other = Workdir(tmp_path / "other")
    done = other.plan(copy)
    assert done.summary["open_rejects"] == {"bad_timestamp": 6}
    reason = "bad_timestamp"
    assert other.lines() == sorted(
        [*ALL, ("a.jsonl", 1, reason), ("a.jsonl", 2, reason), ("b.jsonl", 3, reason)]
    )


def test_what_is_new_is_noticed_where_others_were_closed(workdir):
    """One is mended, then another row is rejected: as many are open as were, and yet one is new."""
    assert workdir.plan(workdir.copy((BAD, GOOD))).returncode == 0
    written(workdir.source / "c.jsonl", [BAD, BAD, BAD])
    assert workdir.plan(workdir.source).returncode == 3
    assert workdir.plan(workdir.source).returncode == 0


def test_a_source_that_is_mended_and_planned_again_closes_its_rejects(workdir):
    """Rows that are rejected still are open once, and no news; those of other files stay as they are."""
    written(workdir.first, [GOOD, GOOD, GOOD, BAD])
    done = workdir.plan(workdir.source, "--again", workdir.first)
    assert done.returncode == 0, done.stderr
    assert workdir.lines() == ALL[1:]
    assert workdir.status() == ({"bad_timestamp": 2}, 3)
    written(workdir.first, [GOOD, GOOD, GOOD, BAD, BAD])
    assert workdir.plan(workdir.source, "--again", workdir.first).returncode == 3
    assert workdir.lines() == [ALL[1], ("a.jsonl", 5, "bad_timestamp"), ALL[2]]
    written(workdir.first, [GOOD] * 5)
    assert workdir.plan(workdir.source, "--again", workdir.first).returncode == 0
    assert workdir.lines() == ALL[2:]


def test_a_source_that_is_what_it_was_keeps_what_became_of_its_rejects(workdir):
    """Planned again for a harmed file: what was mended in a copy is not open again, nor what was dismissed."""
    copy = workdir.copy()
    lines = copy.read_text().replace(BAD, GOOD).splitlines(keepends=True)
    copy.write_text(next(line for line in lines if '"row":2' in line))
    assert workdir.plan(copy).returncode == 0
    assert here("rejects", workdir.path, "--dismiss", "bad_timestamp").returncode == 0
    assert workdir.lines() == ALL[1:]
    done = workdir.plan(workdir.source, "--again", workdir.first, "--again", workdir.second)
    assert done.returncode == 0, done.stderr
    assert (workdir.status(), workdir.lines()) == (({}, 0), ALL[1:])


def edited(how, file):
    """Do something to the file as a person would."""
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    if how == "deleted":
        file.unlink()
    elif how == "saved by vim":
        other = file.with_name("4913")
        other.write_text(text.replace(BAD, "later"))
        other.replace(file)
    else:
        file.write_bytes(
            {
                "mended": text.replace(BAD, GOOD),
                "same length": text.replace(BAD, "noon"),
                "shortened": "".join(lines[:-1]),
                "cut in a line": text[:-30],
                "lines added": text + '{"my": "note"}\n',
                "a newline added": text + "\n",
                "CRLF": text.replace("\n", "\r\n"),
                "BOM": "\ufeff" + text,
                "emptied": "",
                "another order": "".join(reversed(lines)),
            }[how].encode()
        )


EDITED = [
    *("mended", "same length", "shortened", "cut in a line", "lines added", "a newline added", "CRLF", "BOM"),
    *("emptied", "another order", "saved by vim", "deleted"),
]


@pytest.mark.law
@pytest.mark.parametrize(("how", "command"), some(product(EDITED, ["plan", "rejects"]), 14))
def test_an_edited_file_is_noticed_and_kept(workdir, how, command):
    """Nothing of it is cut or lost, and rejects.jsonl tells again of what is open; it is said once."""
    before = workdir.file.read_bytes()
    edited(how, workdir.file)
    found = workdir.file.read_bytes() if workdir.file.exists() else None
    (note,) = here("status", workdir.path, "--json").summary["notes"]
    assert note.startswith(
        f"{workdir.file}: is gone" if found is None else f"{workdir.file}: was changed by hand"
    )
    if command == "plan":
        written(workdir.source / "c.jsonl", [BAD])
        done = workdir.plan(workdir.source)
        assert workdir.lines() == [*ALL, ("c.jsonl", 1, "bad_timestamp")]
    else:
        done = here("rejects", workdir.path, "--json")
        assert workdir.file.read_bytes() == before
    assert done.returncode == 3
    kept = workdir.path / "rejects.edited-1.jsonl"
    if found is None:
        assert f"{workdir.file}: was gone, and is made again" in done.stderr
        assert not kept.exists()
    else:
        assert kept.read_bytes() == found
        assert f"{workdir.file}: was changed by hand, which has no effect there" in done.stderr
        assert f"migrate plan posthog {kept} --workdir {workdir.path}" in done.stderr
    (note,) = done.summary["notes"]
    assert note in done.stderr
    assert here("rejects", workdir.path, "--json").summary["notes"] == []


def test_a_workdir_that_begins_anew_forgets_its_rejects(tmp_path):
    """Nothing was planned in it, so it may be begun under other settings; each row is open once."""
    written(tmp_path / "in" / "a.jsonl", [BAD, BAD])
    words = ["plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json"]
    assert here(*words).returncode == 3
    done = here(*words, "--identity", "none")
    assert (done.returncode, done.summary["open_rejects"]) == (3, {"bad_timestamp": 2})
    assert len((tmp_path / "w" / "rejects.jsonl").read_text().splitlines()) == 2


def test_what_was_mended_in_place_can_be_planned(workdir):
    """From where it is kept, as it is said; a second time it is kept beside the first."""
    for number in (1, 2):
        edited("mended", workdir.file)
        here("rejects", workdir.path)
        assert (workdir.path / f"rejects.edited-{number}.jsonl").exists()
    assert workdir.plan(workdir.path / "rejects.edited-1.jsonl").returncode == 0
    assert workdir.status() == ({}, 0)


def test_the_file_itself_is_no_input(workdir):
    """It is written anew while it would be read; nothing is done."""
    done = workdir.plan(workdir.file)
    assert done.returncode == 2
    assert f"input {workdir.file}: it is written anew by migrate itself; name a copy of it" in done.stderr


def test_the_same_bytes_are_no_change(workdir):
    """A copied workdir, a restored backup, an editor that changed nothing."""
    other = workdir.path / "other"
    other.write_bytes(workdir.file.read_bytes())
    other.replace(workdir.file)
    assert here("rejects", workdir.path, "--json").summary["notes"] == []
    assert not list(workdir.path.glob("rejects.edited*"))


def test_a_copy_that_cannot_be_read_is_not_half_used(workdir):
    """It is set aside by name, with the line that is none; the others are planned."""
    text = workdir.file.read_text().replace(BAD, GOOD)
    lines = text.splitlines()
    copies = {
        "typo.jsonl": ("\n".join([lines[0], lines[1][:-2], lines[2]]).encode(), "line 2 cannot be read"),
        "pretty.jsonl": (
            "\n".join(json.dumps(json.loads(line), indent=2) for line in lines).encode(),
            "line 1 cannot be read",
        ),
        "packed.jsonl.gz": (gzip.compress(text.encode()), "unpack it, and name it .jsonl"),
        "renamed.txt": (text.encode(), "unpack it, and name it .jsonl"),
    }
    for name, (data, _) in copies.items():
        (workdir.folder / name).write_bytes(data)
    written(workdir.source / "c.jsonl", [GOOD])
    done = workdir.plan(workdir.source, *(workdir.folder / name for name in copies))
    assert done.returncode == 5
    for name, (_, why) in copies.items():
        assert why in done.summary["set_aside"][str(workdir.folder / name)]
    assert done.summary["events"]["planned"] == 4
    assert workdir.lines() == ALL


def test_what_is_open_is_listed_with_places_and_how_to_mend(workdir):
    """By reason; the way is the one that works."""
    done = here("rejects", workdir.path)
    assert done.returncode == 3
    places = f"{workdir.first}:2, {workdir.first}:4, {workdir.second}:1"
    assert f"rejected 3 rows: bad_timestamp  (at {places})" in done.stderr
    assert f"cp {workdir.file} mended.jsonl" in done.stderr
    assert f"migrate plan posthog mended.jsonl --workdir {workdir.path}" in done.stderr
    assert here("rejects", workdir.path, "--dismiss", "bad_timestamp").stderr == (
        "nothing is open: no row is rejected, no file set aside, no event refused by PostHog\n"
        "closed   3 rejected rows, dismissed, said no more of\n"
    )
    assert workdir.lines() == ALL  # what is lost stays on record


@pytest.mark.parametrize("how", ["flipped", "lost"])
def test_lines_that_are_harmed_where_they_are_kept_are_not_told(workdir, how):
    """They would be mended and planned as they are; it is said what brings them again."""
    paths = sorted((workdir.path / "rejects").iterdir())
    assert len(paths) == 1  # two small files, planned together
    if how == "lost":
        paths[0].unlink()
    else:
        paths[0].write_bytes(paths[0].read_bytes().replace(b"soon", b"sooN", 1))
    workdir.file.unlink()
    done = here("rejects", workdir.path, "--json")
    assert (done.returncode, workdir.file.exists()) == (3, False)
    assert f"with --again: {workdir.first}, {workdir.second}" in done.stderr
    assert workdir.plan(workdir.source, "--again", workdir.first).returncode == 0
    assert workdir.lines() == ALL


def test_what_was_sent_is_not_sent_again_when_its_source_is_mended(tmp_path):
    """Of a source planned again, and of a mended copy, only what is new leaves; the same rows are duplicates."""
    source = written(tmp_path / "in" / "a.jsonl", [GOOD, BAD, GOOD, BAD])
    with Sandbox() as sandbox:
        target = ["--host", sandbox.url, "--api-key", "phc_secret", "--yes", "--json"]
        words = ["run", "posthog", source, "--workdir", tmp_path / "w", *target]
        assert here(*words).returncode == 3
        written(source, [GOOD, GOOD, GOOD, BAD])
        done = here(*words, "--again", source)
        assert (done.returncode, done.summary["open_rejects"]) == (0, {"bad_timestamp": 1})
        copy = tmp_path / "mended.jsonl"
        copy.write_text((tmp_path / "w" / "rejects.jsonl").read_text().replace(BAD, GOOD))
        done = here(words[0], words[1], source, copy, *words[3:])
        assert (done.returncode, done.summary["open_rejects"]) == (0, {})
        numbers = sorted(row["properties"]["n"] for row in sandbox.events("raw"))
    assert numbers == [1, 2, 3, 4]
    assert done.summary["events"]["accepted"] == 4
    assert done.summary["events"]["duplicate"] == 2


def test_a_copy_that_is_removed_is_missed_by_no_other_file(workdir):
    """It is not planned together with files of the export, which could not be planned anew without it then."""
    copy = workdir.copy((BAD, GOOD))
    written(workdir.folder / "n.jsonl", [GOOD])
    written(workdir.folder / "l.jsonl", [GOOD])
    assert workdir.plan(workdir.folder / "l.jsonl", copy, workdir.folder / "n.jsonl").returncode == 0
    copy.unlink()
    assert workdir.plan(workdir.folder / "n.jsonl", "--again", workdir.folder / "n.jsonl").returncode == 0
    assert workdir.status() == ({}, 0)


def test_a_copy_of_rejects_of_many_files_is_read_once(tmp_path):
    """Not once for each of them: what is read grows with the lines, not with lines times files."""
    lines = []
    for number in range(60):
        source = {
            "event": "e",
            "distinct_id": "u",
            "timestamp": GOOD,
            "properties": {"n": number, "x": "x" * 9_000},
        }
        lines.append(
            {"file": f"/in/{number}.jsonl", "row": number + 1, "reason": "no_timestamp", "source": source}
        )
    copy = tmp_path / "mended.jsonl"
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = sources([str(copy)]).sources
    read = 0
    for source in found:
        with source.open() as stream:
            read += len(stream.read().lstrip(b"\n"))
    assert (len(found), read) == (60, sum(len(json.dumps(line["source"])) + 1 for line in lines))
    assert sum(source.size for source in found) == copy.stat().st_size
    assert [place for source in found for place in source.places()] == [
        (number + 1, (f"/in/{number}.jsonl", number + 1)) for number in range(60)
    ]


def test_what_is_dismissed_stays_so(tmp_path):
    """It is not open again where a copy that still holds it is planned with what was mended."""
    source, workdir = tmp_path / "in.jsonl", tmp_path / "w"
    row = {
        "event": "e",
        "distinct_id": "u",
        "uuid": "0190d1a0-0000-7000-8000-000000000001",
        "timestamp": "soon",
    }
    source.write_text(json.dumps(row) + "\n{bad\n")
    assert here("plan", "posthog", source, "--workdir", workdir).returncode == 3
    mended = tmp_path / "mended.jsonl"
    mended.write_text((workdir / "rejects.jsonl").read_text().replace('"soon"', '"2024-01-01T00:00:00Z"'))
    assert here("rejects", workdir, "--dismiss", "malformed_json").returncode == 3
    here("plan", "posthog", mended, "--workdir", workdir)
    shown = here("rejects", workdir, "--json")
    assert (shown.returncode, shown.summary["open_rejects"]) == (0, {})
    (line,) = (workdir / "rejects.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "malformed_json"
