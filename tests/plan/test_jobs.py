"""Every file is recognised before anything is planned; a bad one costs itself, one that nobody knows the command."""

import polars as pl
import pytest
from readings import source

from migrate.errors import Unrecognised, UsageError
from migrate.kit.declare import Platform, Table, has
from migrate.plan.jobs import Job, recognise
from migrate.readers.headers import read_header


def table(*columns, **more):
    """A table of files that have these columns."""
    return Table(
        name="-".join(columns),
        columns=dict.fromkeys(columns, pl.String),
        matches=has(*columns),
        to_events=lambda rows, _: rows,
        **more,
    )


PLATFORM = Platform(
    title="P", tables=(table("a", "b"), table("c"), table("old", refusal="too old; export anew"))
)


@pytest.fixture
def given(tmp_path):
    """What is recognised of files of this text: tables by file, why others are set aside, and what is skipped."""

    def found(*texts, skip_unknown=False, is_alone=True, likely=lambda *_: {}):
        files = [source(tmp_path / f"{number}.csv", text.encode()) for number, text in enumerate(texts)]
        skipped = {}
        jobs, unfit = recognise(
            *(files, PLATFORM, read_header),
            skip_unknown=skip_unknown,
            skipped=skipped,
            is_alone=is_alone,
            likely=likely,
        )
        names = {one.name: number for number, one in enumerate(files)}
        return (
            {names[job.source.name]: job.table.name for job in jobs},
            {names[one.name]: one.reason for one in unfit},
            {reason: [names[name] for name in files] for reason, files in skipped.items()},
        )

    return found


def test_a_file_belongs_to_the_first_table_that_has_its_columns(given):
    """Names of columns count in any case, others beside them do not."""
    assert given("B,A,x\n1,2,3\n", "c\n1\n", "c,a,b\n1,2,3\n") == ({0: "a-b", 1: "c", 2: "a-b"}, {}, {})


def test_files_that_nobody_knows_are_a_wrong_command(given):
    """All are counted, the first is named with what it has; with --skip-unknown they are passed over."""
    with pytest.raises(UsageError, match=r"0\.csv, .*2\.csv: no table of P .* found x, y"):
        given("x,y\n1,2\n", "a,b\n1,2\n", "z\n1\n")
    assert given("x,y\n1,2\n", "a,b\n1,2\n", skip_unknown=True) == ({1: "a-b"}, {}, {"unknown": [0]})


LIKELY = {"x": {"x": "X", "w": "W"}, "z": {"x": "X"}, "old": {"o": "O"}, "c": {"o": "O"}}


def looks_like(columns, _file, _table):
    """What files look like, by their first column."""
    return LIKELY.get(columns[0], {})


def test_files_of_another_platform_are_said_to_be_that(given):
    """Also those that a table takes which is there to refuse them, or one that knows little of them."""
    with pytest.raises(Unrecognised) as refused:
        given("q,r\n1,2\n", "x,y\n1,2\n", "z\n1\n", "b,a\n1,2\n", likely=looks_like)
    assert str(refused.value).split("csv: ", 1)[1] == (
        "the columns look like X's, not like P's, found x, y; try 'migrate run x …', or pass over such "
        "files with --skip-unknown"
    )
    assert [name[-5:] for name in refused.value.names] == ["0.csv", "1.csv", "2.csv"]
    with pytest.raises(
        Unrecognised, match=r"look like X's or W's, .* try 'migrate run x …' or 'migrate run w …'"
    ):
        given("x,y\n1,2\n", likely=looks_like)
    for text in ("old\n1\n", "c\n1\n"):
        with pytest.raises(Unrecognised, match="look like O's, not like P's"):
            given(text, likely=looks_like)
        assert given(text, likely=looks_like, skip_unknown=True) == ({}, {}, {"unknown": [0]})


def test_the_first_files_are_named(given):
    """The others are counted; the error has all of them."""
    with pytest.raises(
        Unrecognised, match=r"0\.csv, .*1\.csv, .*2\.csv and 2 more files \(-v\): no table"
    ) as refused:
        given(*["x,y\n1,2\n"] * 5)
    assert len(refused.value.names) == 5


def test_a_file_that_is_not_to_be_imported_is_set_aside_beside_others(given):
    """Alone it is a wrong command: there is nothing to plan."""
    assert given("old\n1\n", "c\n1\n") == ({1: "c"}, {0: "not_to_be_imported"}, {})
    assert given("old\n1\n", is_alone=False) == ({}, {0: "not_to_be_imported"}, {})
    with pytest.raises(UsageError, match="too old; export anew"):
        given("old\n1\n")


def test_a_first_line_that_is_no_text_is_set_aside(given):
    """Whatever it is, it is no header of a table."""
    assert given("\x01\x02,b\n1,2\n", "c\n1\n") == ({1: "c"}, {0: "no_text"}, {})
    assert given('"a\nb",c"\n', "c\n1\n")[1] == {0: "unclosed_quote"}


@pytest.mark.parametrize("text", ['"x,y\n1,2\n', '"x,y\n1,"2"\n', '"x,y\n1",2,3\n1,2\n', 'x,"y\n1,2\n"1,2\n'])
def test_a_quote_that_is_not_closed_is_told(given, text):
    """Whether another one comes below, or none: what is read for the names are rows."""
    assert given(text, "c\n1\n") == ({1: "c"}, {0: "unclosed_quote"}, {})


@pytest.mark.parametrize(
    "text",
    [
        '"x\nz",y\n1,2\n',
        '{"x\\nz": 1}\n',
        'y,"x, in\nEUR"\n1,2\n',
        '"x\nz"\n',
        '"x\nz",y\n1,2,\n',
        '{"\\u0001": 1}\n',
    ],
)
def test_a_name_may_have_a_line_break(given, text):
    """In quotes that are closed, and in JSON: such a file is one that nobody knows, shown on one line."""
    with pytest.raises(UsageError, match=r"0\.csv: no table of P .* found [^\n]*;") as told:
        given(text, "c\n1\n")
    assert str(told.value).isprintable()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("A.CSV", "a-b .csv"),
        ("2024.01.02.csv.gz", "a-b .csv .gz"),
        ("a.b.c", "a-b"),
        ("export.v2.csv", "a-b .csv"),
    ],
)
def test_the_kind_of_a_source_is_its_table_and_what_it_is_written_in(tmp_path, name, kind):
    """Whatever else stands between dots is none of it."""
    found = source(tmp_path / name, b"a,b\n1,2\n")
    assert Job(source=found, header=None, table=PLATFORM.tables[0]).kind == kind
