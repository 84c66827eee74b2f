"""What inputs are: their files by kind, looked at in part, and what is none."""

import gzip
import json
import tarfile
import zipfile

import polars as pl
import pytest
from commands import rows
from samples import SAMPLES

from migrate import inspecting
from migrate.errors import UsageError
from migrate.inspecting import inspect


def table(path, count=3, start=0, names="id,user,ts,action"):
    """Write a table of anyone."""
    lines = (f"{n},u{n % 2},2024-03-01T10:00:{n % 60:02d},view\n" for n in range(start, start + count))
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(f"{names}\n" + "".join(lines))


def kinds(found):
    """Each kind as its platform and table, with the names of its files."""
    return {
        (one.order[0].platform if one.order else None, tuple(file.source.path.name for file in one.files))
        for one in found.kinds
    }


def test_files_that_are_alike_are_one_kind(tmp_path):
    """Of a platform by table and format; of none by their columns, in any order."""
    rows(tmp_path / "a.jsonl")
    rows(tmp_path / "b.jsonl", extra=1)
    table(tmp_path / "c.csv")
    table(tmp_path / "d.csv", names="user,id,ts,action")
    table(tmp_path / "e.csv", names="user,id,ts,other")
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress((tmp_path / "c.csv").read_bytes()))
    found = inspect([str(tmp_path)])
    assert kinds(found) == {
        ("posthog", ("a.jsonl", "b.jsonl")),
        (None, ("c.csv", "d.csv")),
        (None, ("e.csv",)),
        (None, ("f.csv.gz",)),
    }
    assert found.files == 6


def test_json_of_no_platform_is_one_kind_where_keys_are_mostly_the_same(tmp_path):
    """As objects leave keys out."""
    lines = {"a": {"level": 1, "msg": 2, "pid": 3}, "b": {"level": 1, "msg": 2}, "c": {"x": 1, "y": 2}}
    for name, line in lines.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    assert kinds(inspect([str(tmp_path)])) == {(None, ("a.jsonl", "b.jsonl")), (None, ("c.jsonl",))}


def test_rows_of_the_first_the_middle_and_the_last_file_are_looked_at(tmp_path):
    """Their days are those between which the others lie; all columns are those of all files."""
    for n in range(9):
        rows(tmp_path / f"{n}.jsonl", 2, **({"odd": 1} if n == 5 else {}))
    (kind,) = inspect([str(tmp_path)]).kinds
    assert [name.rpartition("/")[2] for name in kind.looked] == ["0.jsonl", "4.jsonl", "8.jsonl"]
    assert (kind.rows, kind.about, kind.is_whole) == (6, 18, False)
    assert "odd" in kind.names
    assert not [column.name for column in kind.columns if column.name == "odd" and column.values]


def test_of_very_many_files_the_first_stretch_is_looked_at(tmp_path, monkeypatch):
    """If that says what they are; else all that is looked at of few."""
    monkeypatch.setattr(inspecting, "MANY", 1)
    rows(tmp_path / "a.jsonl")
    first = {"noise": "x" * (100 << 10)}
    line = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {}}
    (tmp_path / "b.jsonl").write_text(json.dumps(first) + "\n" + json.dumps(line) + "\n")
    assert kinds(inspect([str(tmp_path)])) == {("posthog", ("a.jsonl", "b.jsonl"))}


def test_what_a_file_lies_in_and_is_compressed_with(tmp_path):
    """Told by content; members of archives are files of their own."""
    rows(tmp_path / "a.jsonl")
    data = (tmp_path / "a.jsonl").read_bytes()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("x.jsonl.gz", gzip.compress(data))
    with tarfile.open(tmp_path / "c.tar", "w") as archive:
        archive.add(tmp_path / "a.jsonl", "y.jsonl")
    (tmp_path / "d.tgz").write_bytes(gzip.compress((tmp_path / "c.tar").read_bytes()))
    found = inspect([str(tmp_path)])
    assert {one.file.packed for one in found.kinds} == {(), ("zip", "gzip"), ("tar",), ("compressed tar",)}
    assert {one.order[0].platform for one in found.kinds} == {"posthog"}


def test_what_is_no_export_has_its_sentence(tmp_path):
    """And does not keep the others from being looked at; empty files are named."""
    (tmp_path / "page.csv").write_text("<!doctype html><html></html>")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"event": "e"}\n' * 9000)[:60])
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "no.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "scalar.json").write_text("[1, 2]")
    (tmp_path / "nothing.csv").write_text("\n")
    (tmp_path / "empty.csv").write_text("")
    table(tmp_path / "c.csv")
    found = inspect([str(tmp_path)])
    assert kinds(found) >= {(None, ("c.csv",))}
    unfit = {name.rpartition("/")[2]: why for name, why in found.unfit.items()}
    assert unfit["page.csv"] == "it is an HTML page, and no export; fetch it again"
    nothing = "nothing in it can be read as a row; see what it is, or fetch it again"
    assert (unfit["scalar.json"], unfit["no.parquet"]) == (nothing, nothing)
    assert unfit["cut.jsonl.gz"].endswith("; fetch it again")
    assert "a picture" in unfit["picture.png"]
    assert {name.rpartition("/")[2] for name in found.skipped["empty"]} == {"nothing.csv", "empty.csv"}
    assert not any(one.order for one in found.kinds)


def test_text_in_another_encoding_is_a_fault_of_its_file(tmp_path):
    """As it would be set aside; with the encoding it is read."""
    path = tmp_path / "a.csv"
    path.write_bytes("event,uid,ts\nA,müller,2024-03-01T10:00:00Z\n".encode("cp1252"))
    (kind,) = inspect([str(path)]).kinds
    assert "not valid utf-8" in kind.faults[str(path)]
    assert (kind.rows, kind.looked) == (0, [])
    (kind,) = inspect([str(path)], encoding="cp1252").kinds
    assert (kind.faults, kind.rows) == ({}, 1)


def test_the_likelier_of_two_platforms_is_first():
    """The one that values speak of, or that other files are of; else the one without tables of its own."""
    files = {"segment": ["aliases.csv"], "rudderstack": ["users.csv", "pages.csv"]}
    for name, some in files.items():
        found = inspect([str(SAMPLES / name / "warehouse" / file) for file in some])
        assert {kind.order[0].platform for kind in found.kinds} == {name}


def test_times_and_zone(tmp_path):
    """Of a platform as its mapping reads them, of none as the likeliest column has them."""
    (kind,) = inspect([str(SAMPLES / "heap" / "all_events.csv")]).kinds
    assert kind.clock.zone == "unknown"
    assert kind.clock.why == "no offset stands behind the times, and Heap writes its project's own clock"
    (kind,) = inspect([str(SAMPLES / "mixpanel" / "airbyte" / "export.jsonl")]).kinds
    assert (
        kind.clock.why == "each time ends with its offset, 'Z', but Mixpanel writes its project's own clock"
    )
    (kind,) = inspect([str(SAMPLES / "ga4" / "kaggle")]).kinds
    assert (kind.clock.zone, kind.clock.first) == ("Unix", "2024-04-08T10:00:00Z")
    table(tmp_path / "a.csv")
    (kind,) = inspect([str(tmp_path)]).kinds
    assert (kind.clock.zone, kind.clock.last) == ("unknown", "2024-03-01T10:00:02")


@pytest.mark.parametrize(
    "columns", [["^x$", "*", "a b", 'a"b', "_row", "ä"], ["c0"] * 2, [" "], ["x" * 5000]]
)
def test_odd_names_of_columns(tmp_path, columns):
    """Are names like others."""
    path = tmp_path / "a.csv"
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in columns)
    path.write_text(f"{quoted}\n{','.join('1' for _ in columns)}\n")
    (kind,) = inspect([str(path)]).kinds
    assert len(kind.columns) == len(columns)


def test_formats_side_by_side_are_looked_at_alike(tmp_path):
    """Parquet beside CSV beside JSON: the same columns, types and roles."""
    frame = pl.DataFrame(
        {
            "uid": ["u1", "u2"],
            "ts": ["2024-03-01T10:00:00Z", "2024-03-01T11:00:00Z"],
            "n": [1, 2],
            "e": ["a", "a"],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    found = inspect([str(tmp_path)])
    told = {
        tuple(
            (one.name, one.type, one.distinct, tuple(role.what for role in one.roles)) for one in kind.columns
        )
        for kind in found.kinds
    }
    assert len(found.kinds) == 3
    assert len(told) == 1


def test_there_is_no_such_input(tmp_path):
    """Then nothing is looked at."""
    with pytest.raises(UsageError):
        inspect([str(tmp_path / "none")])
