"""What is still rejected in a copy of rejects.jsonl stays open, once, as the row it was first, whatever it is of."""

import gzip
import json
import re
import shutil
from itertools import product

import pytest
from rejected import BAD, GOOD, Workdir, written
from samples import FEW, SAMPLES, some, spec
from workdirs import here

pytestmark = pytest.mark.law
CUT = '{"event":"y","distinct_id":"u","timest'
CSV = "event,distinct_id,timestamp\ne,u,2024-04-03\n"


def lines(workdir):
    """What rejects.jsonl says, a line each, in order."""
    return sorted((workdir / "rejects.jsonl").read_text().splitlines())


def copied(workdir, *changes, name="mended.jsonl"):
    """A copy of rejects.jsonl in which texts are replaced."""
    path = workdir.parent / name
    text = (workdir / "rejects.jsonl").read_text()
    for old, new in changes:
        text = text.replace(old, new)
    path.write_text(text)
    return path


@pytest.mark.parametrize("platform", FEW)
def test_a_copy_that_is_not_mended_changes_nothing(tmp_path, platform):
    """Of no platform: rows with a time that cannot be read, and text that is no row, keep line and reason."""
    shutil.copytree(SAMPLES / platform, tmp_path / "in")
    for file in (tmp_path / "in").rglob("*"):
        if file.suffix in {".csv", ".json", ".jsonl"}:
            text = re.sub(r"\b20(\d\d)-(\d\d)-", r"Y\1-M\2-", file.read_text(errors="surrogateescape"))
            file.write_text(text + '\n{"broken\n', errors="surrogateescape")
    words = ["--workdir", tmp_path / "w", "--until", "2026-01-01", "--json"]
    words += ["--spec", SAMPLES / platform / "spec.toml"] if spec(platform) else []
    first = here("plan", platform, tmp_path / "in", *words)
    before = lines(tmp_path / "w")
    assert before, first.stderr
    done = here("plan", platform, copied(tmp_path / "w"), *words)
    assert lines(tmp_path / "w") == before
    assert done.summary["open_rejects"] == first.summary["open_rejects"]
    assert done.summary["rows"]["rejected"] == {
        reason: 2 * count for reason, count in first.summary["rows"]["rejected"].items()
    }


def planned(tmp_path, name, data, *words):
    """A workdir with a file of which something is rejected, beside one with a row that can be mended."""
    source = tmp_path / "in" / name
    written(tmp_path / "in" / "z.jsonl", [BAD])
    source.write_bytes(data)
    done = here("plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json", *words)
    assert done.returncode == 3, done.stderr
    return [line for line in lines(tmp_path / "w") if name in line]


ROW = '{"event":"e","distinct_id":"u","timestamp":"2024-04-03"}\n'
CASES = {
    "cut-off JSON": ("a.jsonl", f"{ROW}{CUT}\n".encode(), "malformed_json"),
    "JSON over lines": (
        "a.jsonl",
        ROW.encode() + b'{"event": "e",\n "distinct_id":\n "u" "x"\n',
        "malformed_json",
    ),
    "long JSON": ("a.jsonl", ROW.encode() + b'{"event": "' + 900 * b"x" + b'", "n": }\n', "malformed_json"),
    "a list": ("a.jsonl", ROW.encode() + b"[1]\n", "malformed_json"),
    "deep JSON": (
        "a.jsonl",
        ROW.encode() + b'{"a":' + 200 * b"[" + b"x" + 200 * b"]" + b"}\n",
        "nested_too_deep",
    ),
    "a torn row": ("a.csv", (CSV + 'e,u,2024-04-03,"x}{y"\n').encode(), "ragged_row"),
    "a row like JSON": ("a.csv", (CSV + '{"event":,u\n').encode(), "ragged_row"),
    "bytes that are no text": (
        "a.csv",
        (CSV + 200 * "e,u,2024-04-03\n" + "e,u,2024-04-03,").encode() + b"\xff\n",
        "ragged_row",
    ),
    "an id that is no text": (
        "a.jsonl",
        200 * ROW.encode() + ROW.encode().replace(b'"u"', b'"\xff"'),
        "invalid_text",
    ),
    "no record": ("a.jsonl", b"{]\n", "no_record"),
    "a file cut short": ("a.csv.gz", gzip.compress((CSV + 4000 * "e,u,2024-04-03\n").encode())[:-9], None),
    "JSON cut short": ("a.jsonl.gz", gzip.compress(f"{ROW}{CUT}".encode())[:-9], None),
}


HOW = ["mended beside it", "untouched", "twice", "its own alone", "removed"]


@pytest.mark.parametrize(("case", "how"), some(product(CASES, HOW), 12))
def test_what_is_no_row_stays_open_as_it_was(tmp_path, case, how):
    """Of whatever kind it is; the row beside it is mended, or not, or its line is not in the copy."""
    name, data, reason = CASES[case]
    before = planned(tmp_path, name, data)
    assert reason is None or [json.loads(line)["reason"] for line in before] == [reason]
    copy = copied(tmp_path / "w", *([] if how == "untouched" else [(f'"{BAD}"', f'"{GOOD}"')]))
    text = copy.read_text().splitlines(keepends=True)
    if how in {"its own alone", "removed"}:
        copy.write_text("".join(line for line in text if (name in line) is (how == "its own alone")))
    for number in range(2 if how == "twice" else 1):
        done = here("plan", "posthog", copy, "--workdir", tmp_path / "w", "--json")
        assert done.returncode in {0, 3}, done.stderr
        is_mended = how in {"mended beside it", "twice", "removed"}
        assert [line for line in lines(tmp_path / "w") if name in line] == before
        assert len(lines(tmp_path / "w")) == len(before) + (not is_mended)
        assert not any("mended.jsonl" in one for one in done.summary["damaged_files"])
        copy = copied(tmp_path / "w", name=f"mended.jsonl-{number}.jsonl")
    source = tmp_path / "in" / name
    words = ["plan", "posthog", tmp_path / "in", "--workdir", tmp_path / "w", "--json"]
    done = here(*words, "--again", source)
    assert done.returncode in {0, 3}, done.stderr
    assert [line for line in lines(tmp_path / "w") if name in line] == before


def test_the_readme_s_steps_lose_no_row_from_sight(tmp_path):
    """A file's only line in the copy is cut-off JSON: it stays what it was, and can be mended then."""
    (tmp_path / "a.json").write_text(
        '{"event_type":"x","user_id":"u1","event_time":"2024-01-01 00:00:00"}\n{"event_type":"y","user_\n'
    )
    (tmp_path / "b.json").write_text('{"event_type":"z","user_id":"u1","event_time":"gestern"}\n')
    workdir = tmp_path / "w"
    assert here(
        "plan", "amplitude", tmp_path / "a.json", tmp_path / "b.json", "--workdir", workdir
    ).returncode
    first = next(line for line in lines(workdir) if "malformed_json" in line)
    copy = copied(workdir, ('"gestern"', '"2024-01-02 00:00:00"'))
    done = here("plan", "amplitude", copy, "--workdir", workdir, "--json")
    assert done.summary["open_rejects"] == {"malformed_json": 1}
    assert lines(workdir) == [first]
    line = json.loads(first) | {
        "value": '{"event_type":"y","user_id":"u1","event_time":"2024-01-03 00:00:00"}'
    }
    copy.with_name("more.jsonl").write_text(json.dumps(line) + "\n")
    done = here("plan", "amplitude", copy.with_name("more.jsonl"), "--workdir", workdir, "--json")
    assert (done.returncode, done.summary["open_rejects"], lines(workdir)) == (0, {}, [])
    assert done.summary["events"]["planned"] == 3


def test_text_that_is_mended_badly_says_what_is_wrong_by_now(tmp_path):
    """It is the row it was first, with the text and the fault of today."""
    (before,) = planned(tmp_path, "a.jsonl", f"{ROW}{CUT}\n".encode())
    known = json.loads(before)
    copy = tmp_path / "mended.jsonl"
    copy.write_text(json.dumps(known | {"value": '{"event":"y" "distinct_id":"u"}'}) + "\n")
    assert here("plan", "posthog", copy, "--workdir", tmp_path / "w").returncode == 3
    (after,) = [json.loads(line) for line in lines(tmp_path / "w") if "a.jsonl" in line]
    assert after == known | {
        "value": '{"event":"y" "distinct_id":"u"}',
        "why": "character 14: expecting ',' delimiter, found '\"'",
    }


def test_text_that_is_no_row_takes_no_other_with_it(tmp_path):
    """Two halves of an object, a row mended between them: no line is read together with another."""
    data = 'x,y\n{"a":,u,,\n'
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text(
        CSV + '{"event":,,,,\ne,u,soon\n},,,,\ne,u,2024-04-03,}{\ne,u,later\n' + data
    )
    words = ["--workdir", tmp_path / "w", "--json"]
    first = here("plan", "posthog", tmp_path / "in", *words)
    before = lines(tmp_path / "w")
    copy = copied(
        tmp_path / "w", ('{\\"event\\":,,,,', '{\\"event\\":'), ("},,,,", "}"), ('"soon"', f'"{GOOD}"')
    )
    done = here("plan", "posthog", copy, *words)
    assert len(lines(tmp_path / "w")) == len(before) - 1
    assert done.summary["open_rejects"]["ragged_row"] == first.summary["open_rejects"]["ragged_row"]
    assert done.summary["open_rejects"]["bad_timestamp"] == 1
    assert done.summary["events"]["planned"] == 2


def test_a_copy_is_utf_8_whatever_the_export_is(tmp_path):
    """--encoding is of the export's files; a name keeps its letters."""
    (tmp_path / "a.jsonl").write_bytes(
        '{"event":"Käufe","distinct_id":"Zoë","timestamp":"soon"}\n'.encode("latin-1")
    )
    words = ["--workdir", tmp_path / "w", "--json", "--encoding", "latin-1"]
    assert here("plan", "posthog", tmp_path / "a.jsonl", *words).returncode == 3
    before = lines(tmp_path / "w")
    assert "Käufe" in before[0]
    assert here("plan", "posthog", copied(tmp_path / "w"), *words).returncode == 3
    assert lines(tmp_path / "w") == before
    copy = copied(tmp_path / "w", (f'"{BAD}"', f'"{GOOD}"'))
    done = here("plan", "posthog", copy, "--again", copy, *words)
    assert (done.returncode, done.summary["open_rejects"]) == (0, {})
    shown = here("preview", "posthog", copy, "--encoding", "latin-1")
    assert '"event":"Käufe","distinct_id":"Zoë"' in shown.stdout


def test_a_row_bad_in_another_way_stays_open_when_its_source_is_planned_again(tmp_path):
    """The source is what it was: what the copy made of the row counts, mended or not."""
    workdir = Workdir(tmp_path)
    copy = workdir.copy()
    first, *_ = [json.loads(line) for line in copy.read_text().splitlines()]
    first["source"] |= {"timestamp": GOOD, "distinct_id": ""}
    copy.write_text(json.dumps(first) + "\n")
    assert workdir.plan(copy).returncode == 3
    before = lines(workdir.path)
    assert workdir.status()[0] == {"bad_timestamp": 2, "no_distinct_id": 1}
    for _ in range(2):
        assert workdir.plan(workdir.source, "--again", workdir.first).returncode in {0, 3}
        assert lines(workdir.path) == before
        assert workdir.status()[0] == {"bad_timestamp": 2, "no_distinct_id": 1}
