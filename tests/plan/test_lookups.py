"""Lookups are found beside the file that needs them, read once, and never larger than what is held in memory."""

import polars as pl
import pytest
from readings import source

from migrate.beside import Beside
from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.kit import events
from migrate.kit.declare import Join, Lookup, Platform, Table, has
from migrate.plan.jobs import Job
from migrate.plan.lookups import Lookups, changed
from migrate.readers.headers import read_header


def lookup():
    """A table of names."""
    return Table(
        name="names",
        columns={"id": pl.String, "name": pl.String},
        matches=has("id", "name"),
        to_events=events.none,
        lookup=Lookup(key="id", files=["names*"]),
    )


def rows(*, required=False):
    """A table whose rows have a name."""
    return Table(
        name="rows",
        columns={"a": pl.String},
        matches=has("a"),
        to_events=events.none,
        joins={"n": Join(table="names", on="a", columns=["name"], required=required)},
    )


@pytest.fixture
def joined(tmp_path):
    """What rows of the first of these files get, why it waits, and what is said."""

    def of(files, *, required=False, aside=(), **most):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        found = sources([str(tmp_path)]).sources
        beside = Beside([one.name for one in found], found)
        table = rows(required=required)
        first = source(tmp_path / next(iter(files)))
        jobs = [Job(source=first, header=read_header(first), table=table)]
        aside = [f"{tmp_path}/{name}" for name in aside]
        lookups = Lookups([table, lookup()], beside.called, beside.source, read_header, aside, **most)
        ready, waiting = lookups.joined(jobs)
        indices = [one.joined.joins[0].index for one in ready]
        found = [one and one.column("name", one.places(pl.Series(["1"]))).item() for one in indices]
        said = [one.why for one in waiting.values()] + lookups.remarks
        return (
            found,
            [one.reason for one in waiting.values()],
            [text.replace(str(tmp_path), "") for text in said],
        )

    return of


DATA = "a\n1\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"in/a.csv": DATA, "in/names.csv": "id,name\n1,x\n"}, "x"),
        ({"in/a.csv": DATA, "in/names.jsonl": '{"id":1,"name":"x","more":2}\n'}, "x"),
        ({"in/a.csv": DATA, "in/names-1.csv": "id,name\n1,y\n", "in/names-2.csv": "NAME,ID\nz,2\n"}, "y"),
        ({"in/a.csv": DATA, "lookups/names.csv": "id,name\n1,x\n"}, "x"),
        ({"in/a.csv": DATA, "in/names.csv": "id,name\n2,x\n"}, None),
        ({"in/a.csv": DATA, "in/names.csv": ""}, None),
        ({"in/a_2024-04-03.csv": DATA, "in/names_2024-04-03.csv": "id,name\n1,x\n",
          "in/names_2024-04-04.csv": "id,name\n1,y\n"}, "x"),
    ],
)  # fmt: skip
def test_the_nearest_lookup_is_read(joined, files, found):
    """Of any format, of several files, elsewhere, of its day, or one in which there is nothing."""
    if "" in files.values():
        assert joined(files, required=False)[0] == [None]
        return
    assert joined(files, required=True) == ([found], [], [])


def test_a_lookup_that_is_not_there(joined):
    """The platform says whether a file waits for it; that its columns are empty is said."""
    assert joined({"in/a.csv": DATA}) == (
        [None],
        [],
        [
            "/in/a.csv: n is empty in all of its rows: no input called names* is in /in, and none of its day elsewhere"
        ],
    )
    said = "a is looked up in names, and no input called names* is in /in, and none of its day elsewhere; name it, or "
    said += "its folder, as an input, too"
    assert joined({"in/a.csv": DATA}, required=True)[1:] == (["no_lookup"], [said])


def test_a_lookup_is_not_missed_where_nothing_is_looked_up(joined):
    """A header that lacks the column says so; what the first of some objects lack may come later."""
    assert joined({"in/a.csv": "b\n1\n"}) == ([None], [], [])
    assert len(joined({"in/a.jsonl": '{"b":1}\n'})[2]) == 1


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    ("files", "aside", "why"),
    [
        ({"b/names.csv": "id,name\n", "c/names.csv": "id,name\n"}, (), "whether in /b or /c; leave the one"),
        ({"in/names.csv": "id,title\n1,x\n"}, (), "/in/names.csv, which is called as names are, and has not"),
        (
            {"in/names.csv": "id,name\n1,x\n"},
            ("in/names.csv",),
            "/in/names.csv, which is set aside as it is; it",
        ),
    ],
)
def test_nothing_is_guessed(joined, files, aside, why, required):
    """A file whose lookup is there and cannot be read waits for it, whether it is required or not."""
    found, reasons, said = joined({"in/a.csv": DATA} | files, aside=aside, required=required)
    assert found == []
    assert reasons[0] in {"no_lookup", "several_lookups"}
    assert why in said[0]


def test_a_torn_lookup_is_not_read_as_far_as_it_goes(joined, tmp_path):
    """What is missing in it would be null without a word."""
    import gzip  # noqa: PLC0415 - for this test alone

    whole = gzip.compress(b"id,name\n" + b"".join(b"%d,x%d\n" % (n, n * n) for n in range(9999)))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "names.csv").write_bytes(whole[: len(whole) // 2])
    assert joined({"in/a.csv": DATA})[1] == ["no_lookup"]


def test_what_is_not_small_is_refused(joined):
    """With its size, and what to do, before anything is planned."""
    files = {"in/a.csv": DATA, "in/names.csv": "id,name\n1,x\n2,y\n"}
    with pytest.raises(UsageError) as refused:
        joined(files, most_rows=1)
    assert str(refused.value).endswith(
        "names.csv: names is looked up row by row, and held in memory for it; found more than 2 rows and 4 bytes in "
        "id, name, where 1 rows and 268,435,456 bytes are held; join it in SQL before the export, and leave the file "
        "out"
    )
    with pytest.raises(UsageError, match="where 5,000,000 rows and 3 bytes are held"):
        joined(files, most_bytes=3)


def test_rows_with_one_key_are_said(joined):
    """If they say different things of it."""
    files = {"in/a.csv": DATA, "in/names.csv": "id,name\n1,x\n1,x\n1,y\n"}
    said = "/in/names.csv: 1 row of names beside one that says something else of the same id; of each id the last row "
    assert joined(files) == (["y"], [], [f"{said}counts"])


def test_a_lookup_that_has_changed_is_said():
    """Of other files that have, something else is."""
    jobs = {
        name: Job(source=None, header=None, table=table) for name, table in [("l", lookup()), ("r", rows())]
    }
    assert changed(jobs, ["l", "r", "gone"]) == [
        "l: has changed since rows were planned with it; those stand, rows planned now have what it says now"
    ]


def test_a_join_names_what_there_is():
    """Its table, its columns and its key."""
    whole = rows()
    for join, said in (
        (Join(table="no", on="a", columns=["name"]), "no lookup 'no', known are names"),
        (Join(table="names", on="b", columns=["name"]), r"joins\['n'\].on: no column 'b', known are a"),
        (Join(table="names", on="a", columns=["title"]), r"joins\['n'\].columns: no column 'title'"),
    ):
        wrong = Table(**{**vars(whole), "joins": {"n": join}})
        with pytest.raises(UsageError, match=said):
            Platform(title="P", tables=[wrong, lookup()])
