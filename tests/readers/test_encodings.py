"""Text is read in its encoding, or not at all: what cannot be read would make one person of many."""

import json

import pyarrow.parquet as pq
import pytest
from commands import migrate
from readings import source

from migrate.readers.headers import read_header

SPEC = 'event = "event"\ndistinct_id = ["uid"]\ntimestamp = {column = "ts", format = "iso", zone = "UTC"}\n'
TIME = "2024-03-01T10:00:00Z"
TEXTS = {
    "cp1252": "müller “böse” größe",
    "cp1250": "Zażółć gęślą jaźń",
    "cp1251": "Жили-были дед и баба",  # noqa: RUF001 - another alphabet
    "shift_jis": "日本語のテキストです",
    "gb18030": "中文文本测试内容在这里",
}


def rows(*names):
    """Events of these people, as CSV."""
    return "event,uid,ts\n" + "".join(f"A,{name},{TIME}\n" for name in names)


def planned(folder, *words):
    """What planning a folder by the spec comes to: exit code, summary, and what was said."""
    (folder / "spec.toml").write_text(SPEC)
    done = migrate(
        "plan", "table", "in", "--spec", "spec.toml", "--workdir", "w", "--json", *words, cwd=folder
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def people(folder):
    """The distinct ids of a plan."""
    paths = (folder / "w" / "days").rglob("*.parquet")
    return {name for path in paths for name in pq.read_table(path).column("distinct_id").to_pylist()}


@pytest.fixture
def inputs(tmp_path):
    """The folder that is planned."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.law
@pytest.mark.parametrize("encoding", TEXTS)
def test_a_file_in_another_encoding_is_set_aside(tmp_path, inputs, encoding):
    """By name, with the place and a way out that works; the others are planned."""
    text = rows("anna", *(f"{name} {n}" for n, name in enumerate([TEXTS[encoding]] * 5)))
    (inputs / "a.csv").write_text(rows("bert"))
    (inputs / "b.csv").write_bytes(text.encode(encoding))
    code, summary, said = planned(tmp_path)
    assert (code, summary["events"]["planned"], summary["skipped_files"]) == (5, 1, {"wrong_encoding": 1})
    assert people(tmp_path) == {"bert"}
    assert "b.csv: set aside: 5 of 7 lines are not valid utf-8, the first bad byte is 0x" in said
    assert "on line 3, byte" in said
    assert f"--encoding {encoding}" in said
    (inputs / "a.csv").unlink()
    (tmp_path / "w").rename(tmp_path / "before")
    code, summary, _ = planned(tmp_path, "--encoding", encoding)
    assert (code, summary["events"]["planned"]) == (0, 6)
    assert people(tmp_path) == {"anna", *(f"{TEXTS[encoding]} {n}" for n in range(5))}


@pytest.mark.parametrize(("bad", "code"), [(1, 3), (2, 5)])
def test_a_hundredth_of_the_lines_may_be_bad(tmp_path, inputs, bad, code):
    """A bad byte costs its row where it is in an id, and the file where there are many."""
    lines = rows(*(f"u{n}" for n in range(149))).encode()
    (inputs / "a.csv").write_bytes(lines + b"".join(b"A,m\xfcller,%b\n" % TIME.encode() for _ in range(bad)))
    found, summary, _ = planned(tmp_path)
    assert found == code
    if code == 3:
        assert summary["rows"]["rejected"] == {"invalid_text": 1}
        assert summary["events"]["planned"] == 149


@pytest.mark.parametrize("column", ["event", "uid", "ts", "note"])
def test_a_bad_byte_costs_its_row_where_it_counts(tmp_path, inputs, column):
    """In what says who did what and when; elsewhere it is mended and counted."""
    head = ["event", "uid", "ts", "note"]
    good = "".join(f"A,u{n},{TIME},x\n" for n in range(200)).encode()
    cells = {"event": b"A", "uid": b"u", "ts": TIME.encode(), "note": b"x"}
    cells[column] += b"\xfc"
    (inputs / "a.csv").write_bytes(",".join(head).encode() + b"\n" + good + b",".join(cells.values()) + b"\n")
    _, summary, _ = planned(tmp_path)
    reasons = {"event": "invalid_text", "uid": "invalid_text", "ts": "bad_timestamp"}
    assert summary["rows"]["rejected"] == ({reasons[column]: 1} if column in reasons else {})
    assert summary["repairs"] == {"invalid_utf8": 1}


@pytest.mark.law
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["anna", "Жили были", "日本語のテキスト"])
@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.law
def test_utf_16_is_recognised_or_refused(tmp_path, inputs, encoding, text, mark):
    """Never read as what it is not."""
    names = [f"{text}{n}" for n in range(30)]
    stored = (("\ufeff" if mark else "") + rows(*names)).encode(encoding)
    (inputs / "a.csv").write_bytes(stored)
    code, summary, said = planned(tmp_path)
    if code == 0:
        assert people(tmp_path) == set(names)
        return
    assert (mark, code, summary["events"]["planned"]) == (False, 5, 0)
    assert f"--encoding {encoding}" in said


def test_characters_that_were_cut_are_no_sign_of_another_encoding(tmp_path, inputs):
    """Heap, Redshift and others cut texts after so many bytes."""
    (inputs / "a.csv").write_bytes(b"event,uid,ts,note\nA,u,%b,Jetzt \xf0\x9f\x91\n" % TIME.encode())
    code, summary, _ = planned(tmp_path)
    assert (code, summary["repairs"]) == (0, {"invalid_utf8": 1})


def test_a_file_of_one_long_line_is_judged_by_its_parts(tmp_path, inputs):
    """An array of thousands of rows may have one bad byte."""
    row = json.dumps({"event": "A", "uid": "u", "ts": TIME, "note": "x" * 100})
    good = ",".join(row for _ in range(9_000)).encode()
    bad = row.replace("xxx", "\xfcxx", 1).encode("latin-1")
    (inputs / "a.json").write_bytes(b"[" + good + b"," + bad + b"]")
    code, summary, _ = planned(tmp_path)
    assert (code, summary["rows"]["read"], summary["repairs"]["invalid_utf8"]) == (0, 9_001, 1)


def test_preview_and_dry_run_set_aside_too(tmp_path, inputs):
    """And say so."""
    (inputs / "a.csv").write_bytes(rows("müller", "möller").encode("cp1252"))
    (tmp_path / "spec.toml").write_text(SPEC)
    for words in (["preview"], ["run", "--dry-run"]):
        done = migrate(words[0], "table", "in", "--spec", "spec.toml", *words[1:], cwd=tmp_path)
        assert (done.returncode, done.stdout) == (5, "")
        assert "a.csv: set aside: 2 of 3 lines" in done.stderr


def test_text_with_nuls_in_cells_is_no_utf_16(tmp_path):
    """However short it is: its line breaks are those of one byte."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b,c\r\n,0,00\x00\r\n,0,00\x00\r\n,00\x00,\r\n")
    assert read_header(source(path)).encoding == "utf-8"
    path.write_bytes("a,b,c\r\nx,上,y\r\n".encode("utf-16-le"))
    assert read_header(source(path)).encoding == "utf-16-le"
