"""Text is read in its encoding, or not at all: what cannot be read would make one person of many."""

import codecs
import io
import json
from collections import deque

import pyarrow.parquet as pq
import pytest
from commands import migrate
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from readings import source

from migrate.readers.blocks import Text
from migrate.readers.encodings import LineCount, Unsettled, detect, is_fine, text_of
from migrate.readers.headers import read_header
from migrate.readers.records import Header

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


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (codecs.BOM_UTF8 + b"a", "utf-8"),
        ("\ufeffé".encode("utf-16-le"), "utf-16-le"),
        ("\ufeffé".encode("utf-16-be"), "utf-16-be"),
        ("name,age\né,1\n".encode("utf-16-le"), "utf-16-le"),
        ("name,age\né,1\n".encode("utf-16-be"), "utf-16-be"),
        ("naïve,é\n".encode(), "utf-8"),
        (b"a\0b\0", "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_an_encoding_is_told_by_its_mark_or_its_zeros(head, encoding):
    """Else it is UTF-8."""
    assert detect(head) == encoding


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("name\ncafé\n".encode("cp1252") * 20, "the first bad byte is 0xe9 on line 2, byte 4"),
        (("name\n" + "a" * 9 + "\u20ac").encode()[:-1], None),
        (b"name\n" * 150 + b"caf\xe9\n", None),
        ("é\n".encode() * 9, None),
    ],
    ids=["another encoding", "a character that was cut", "one of very many", "valid"],
)
def test_another_encoding_is_complained_of(stored, said):
    """Not a few bad bytes among very many lines, nor a character that was cut."""
    lines = LineCount(Text(io.BytesIO(stored), "utf-8"))
    lines.read()
    complaint = lines.complaint()
    if said is None:
        assert complaint is None
    else:
        reason, sentence = complaint
        assert reason == "wrong_encoding"
        assert sentence.startswith("20 of 40 lines are not valid utf-8, ")
        assert said in sentence
        assert "--encoding cp1252" in sentence


@pytest.mark.parametrize("before", ["name\n" * 50, "é\n" * 50, "a,b\n" * 3 + "c,"])
def test_a_torn_copy_is_complained_of_as_one(before):
    """Zeros are no text in any encoding but UTF-16 and UTF-32; where there is another bad byte they are not all."""
    stored = before.encode() + bytes(2_000)
    lines = LineCount(Text(io.BytesIO(stored), "utf-8"))
    lines.read()
    reason, sentence = lines.complaint()
    last = before.rpartition("\n")[2]
    count = before.count("\n") + 1
    first = f"1 of {count} lines hold bytes of zero, which no text has, the first on line {count}, byte {len(last) + 1}"
    assert sentence == f"{first}: the file is torn, as a copy that was cut off is; fetch it again"
    assert reason == "nul_bytes"
    lines = LineCount(Text(io.BytesIO(b"caf\xe9\n" + stored), "utf-8"))
    lines.read()
    assert lines.complaint()[0] == "wrong_encoding"


def test_zeros_that_fill_up_a_cell_are_no_sign_of_a_torn_copy():
    """ClickHouse writes texts of a fixed length so; zeros that end in no quote, or are too many, are a torn file's."""
    for cell, may_be in (
        ('"\0\0\0"', True),
        ('"EU\0"', True),
        ("\0\0\0", False),
        ('"' + 400 * "\0" + '"', False),
    ):
        lines = LineCount(Text(io.BytesIO(f"a,{cell}\n".encode() * 40), "utf-8"))
        lines.read()
        assert (lines.complaint() is None) is may_be, cell


def test_a_text_in_utf_16_is_not_torn():
    """Its zeros say what it is."""
    lines = LineCount(Text(io.BytesIO(b"name\n" + "name,b\n".encode("utf-16-le") * 9), "utf-8"))
    lines.read()
    assert "--encoding utf-16" in lines.complaint()[1]


@COMPARED
@given(
    text=st.lists(
        st.sampled_from([b"a,b\n", b"\xe9", "é€".encode(), b"\0", b"\n", b'"x\\"y"', b"\\N\t"]), max_size=8
    ),
    size=st.integers(8, 16),
    is_plain=st.booleans(),
)
def test_a_text_is_watched_for_what_it_would_have_been_looked_through_for(
    tmp_path_factory, text, size, is_plain
):
    """Wherever its pieces end, where they are longer than lines."""
    stored = b"\n".join(text)
    found = source(tmp_path_factory.getbasetemp() / "a.csv", b"a,b\n")
    header = Header("csv", ("a", "b"), delimiter="\t", seems_plain=is_plain, is_unsettled=True)
    pieces = text_of(io.BytesIO(stored), found, header).pieces(size)
    if is_fine(Text(io.BytesIO(stored), "utf-8"), header.plain()):
        assert b"".join(pieces) == stored
        return
    with pytest.raises(Unsettled) as odd:
        deque(pieces, maxlen=0)
    assert odd.value.name == found.name
