"""Files without a header have the columns that their platform says, or that stand in a file beside them."""

import pytest
from readings import source

from migrate.errors import Unfit
from migrate.kit.declare import Headerless
from migrate.readers.headers import read_header, settled
from migrate.readers.unnamed import Unnamed

THREE = Headerless(columns=("id", "name", "x"))


def no_file(name, glob):
    """No file is beside another."""
    raise Unfit(name, "no_header_file", glob)


@pytest.fixture
def header(tmp_path):
    """The header of a file of these bytes, with the names of `names.tsv` where there is one."""

    def of(data, *kinds, name="a.tsv", **said):
        names = tmp_path / "names.tsv"
        beside = (lambda *_: source(names)) if names.exists() else no_file
        return read_header(source(tmp_path / name, data), unnamed=Unnamed(kinds, beside, said))

    return of


@pytest.mark.parametrize(
    ("data", "columns", "has_header"),
    [
        pytest.param(b"1\tb\tc\n", ("id", "name", "x"), False, id="as many cells"),
        pytest.param(b"1\tb\n1\tb\tc\n2\tb\tc", ("id", "name", "x"), False, id="as most rows have"),
        pytest.param(b"\t\t{\n", ("id", "name", "x"), False, id="no JSON, however it begins"),
        pytest.param(b'\n1\t"b\t\\"\n', ("id", "name", "x"), False, id="quotes are data"),
        pytest.param(b"ID\tName\tmore\n1\t2\t3\n", ("ID", "Name", "more"), True, id="with a header"),
        pytest.param(b"1\tb\tc\td\n", ("1", "b", "c", "d"), True, id="more cells"),
        pytest.param(b"1,b,c\n", ("1", "b", "c"), True, id="another delimiter"),
        pytest.param(b"\n", None, None, id="nothing"),
    ],
)
def test_files_are_told_by_how_many_cells_their_rows_have(header, data, columns, has_header):
    """All others are read as they are without it."""
    found = header(data, THREE)
    assert (found and found.columns, found and found.layout.has_header) == (columns, has_header)


def test_files_are_told_by_their_names(header):
    """Whatever they are compressed with; and where their rows have other cells than that, they are not read so."""
    kind = Headerless(columns=("id", "name"), files=["B*.tsv"])
    assert header(b"1\tb\n", kind).columns == ("1", "b")
    assert header(b"1\tb\n", kind, name="b.tsv").columns == ("id", "name")
    assert header(b"1\tb\n", kind, name="b.tsv.gz").columns == ("id", "name")
    with pytest.raises(Unfit, match="3 cells in a row, found 2 names for them in what its platform writes"):
        header(b"1\tb\tc\n", kind, name="b.tsv")


def test_names_are_taken_from_the_file_beside(header, tmp_path):
    """Which is no such file itself; of another number they are another file's."""
    kind = Headerless(header_file="names*.tsv", files=["*.tsv"], dialect="clickhouse")
    with pytest.raises(Unfit) as refused:
        header(b"1\tb\n", kind)
    assert (refused.value.reason, refused.value.why) == ("no_header_file", "names*.tsv")
    (tmp_path / "names.tsv").write_bytes(b"id\tname")
    assert header(b"1\tb\\\tc\n", kind).columns == ("id", "name")
    assert header(b"id\tname\n", kind, name="names.tsv").layout.has_header
    with pytest.raises(
        Unfit, match=r"3 cells in a row, found 2 names for them in .*names\.tsv; put the file"
    ):
        header(b"1\tb\tc\n", kind)
    (tmp_path / "names.tsv").write_bytes(b"\n")
    with pytest.raises(Unfit, match=r"names\.tsv: no line of names in it"):
        header(b"1\tb\n", kind)


def test_what_the_user_says_wins(header):
    """Names are then of no interest, and nothing is looked for beside."""
    kind = Headerless(header_file="names.tsv", files=["*.tsv"])
    assert header(b"1\tb\n", kind, columns=("u", "v"), has_header=False).columns == ("u", "v")
    assert header(b"1\tb\n", kind, has_header=False).columns == ("column_1", "column_2")
    assert header(b"1;b;c\n", THREE, delimiter=";").columns == ("id", "name", "x")
    assert header(b"1\t2\t'3'\n", THREE, quote="'").layout.dialect is None


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"1\tcaf\xe9\n", "latin-1"),
        ("1\tcafé\n".encode(), "utf-8"),
        ("1\tcafé\n2\tcafé\n".encode() + b"3\tcaf\xe9\n", "utf-8"),
        (b"1\ta\n" * 1000 + b"2\tcaf\xe9", "latin-1"),
        (b"1\ta\n", "utf-8"),
    ],
)
def test_text_that_is_no_utf8_is_what_the_platform_says(header, tmp_path, data, encoding):
    """One line is enough, unless more of them are UTF-8."""
    found = header(data, Headerless(columns=("id", "name"), encoding="latin-1"))
    assert settled(source(tmp_path / "a.tsv"), found)[0].encoding == encoding
