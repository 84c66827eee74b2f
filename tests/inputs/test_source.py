"""A source gives its rows' bytes whatever they are packed in, and is known again by what it holds."""

import gzip
import hashlib
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from archives import tarred, zipped
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED
from readings import source

from migrate.errors import Unfit
from migrate.inputs.listing import sources
from migrate.inputs.source import Fingerprint, Source, fingerprint, stamp
from migrate.inputs.stored import stamp_of
from migrate.inputs.streams import Meter

TEXT = b'{"event":"e"}\n' * 1_000
TABLES = st.sampled_from(["tracks", "Order Completed", "über_uns", "a-b", "web.tracks", "orders_2024"])
ENDINGS = st.sampled_from(["", ".csv", ".JSON.gz", ".jsonl.zst", ".snappy.parquet", ".avro", ".csv.zip"])
NUMBERS = ["-00000-of-00010", "_000000000012", "_0001_part_00", "_0_7_12", "_001", "_20240403"]
PARTS = ["part-00003-of-00010", "000000000012", "0001_part_00", "data_0_7_12", "part-0-tid-87-1f2e-c000", "7"]
FOLDERS = st.lists(st.sampled_from(["dt=2024-04-03", "month=April", "2024", "04", "Hour=7"]), max_size=3)


def named(*parts):
    """A source of this name."""
    return Source(name="/".join(["/in", *parts]), size=0, path=Path())


@COMPARED
@given(
    table=TABLES,
    ending=ENDINGS,
    number=st.sampled_from(["", *NUMBERS]),
    part=st.sampled_from(PARTS),
    folders=FOLDERS,
)
def test_all_parts_of_a_table_are_of_that_table(table, ending, number, part, folders):
    """Told by the file, or by the nearest folder that is no number and no date; of `key=value` it is the value."""
    assert named(f"{table}{number}{ending}").stem == table
    assert named(table, *folders, f"{part}{ending}").stem == table
    assert named(f"event={table}", *folders, f"{part}{ending}").stem == table
    assert named(f"export.zip!{table}{number}{ending}").stem == table


def test_what_is_escaped_in_a_name_is_itself_in_the_table():
    """A name on the screen has `!` and a backslash otherwise than the file."""
    assert named("who\\x21.csv").stem == "who!"
    assert named("a\\\\b.csv").stem == "a\\b"


NESTED = ("nested_archive", "an archive inside an archive or a compressed file; unpack it first")
HIDDEN = (
    "unreadable",
    "a rejects.jsonl in an archive, compressed or under another ending; unpack it, and name it .jsonl",
)
REJECT = b'{"file":"/a","row":1,"reason":"r","source":{}}\n'


@pytest.mark.parametrize(
    ("name", "data", "reason", "why"),
    [
        pytest.param("a.gz", gzip.compress(zipped({"x": TEXT})), *NESTED, id="a zip in a gzip"),
        pytest.param("a.zip", zipped({"x": tarred({"y": TEXT}, "w")}), *NESTED, id="a tar in a zip"),
        pytest.param("a.gz", gzip.compress(REJECT), *HIDDEN, id="rejects in a gzip"),
        pytest.param("a.zip", zipped({"rejects.jsonl": REJECT}), *HIDDEN, id="rejects in a zip"),
    ],
)
def test_what_is_to_be_unpacked_first_says_so(tmp_path, name, data, reason, why):
    """Nothing of it is read."""
    one = source(tmp_path / name, data)
    with pytest.raises(Unfit) as told:
        one.open()
    assert (told.value.reason, str(told.value)) == (reason, f"{one.name}: {why}")


def test_a_source_that_is_known_to_be_broken_is_not_read(tmp_path):
    """It says why."""
    one = replace(source(tmp_path / "a.csv", TEXT), fault="its first line is none; mend it")
    with pytest.raises(Unfit, match="its first line is none; mend it"):
        one.open()


@COMPARED
@given(data=st.binary(min_size=1, max_size=200), place=st.integers(0, 199))
def test_a_fingerprint_is_of_the_bytes_that_are_stored(tmp_path, data, place):
    """Of a member of the bytes that unpacking gives; another bit makes another."""
    changed = bytearray(data)
    changed[place % len(data)] ^= 1
    (tmp_path / "c.zip").write_bytes(zipped({"x": data}))
    (member,) = sources([str(tmp_path / "c.zip")]).sources
    known = Fingerprint(len(data), hashlib.blake2b(data, digest_size=32).hexdigest())
    one = Source(name="/a", size=len(data), path=tmp_path / "a")
    one.path.write_bytes(data)
    assert fingerprint(one) == fingerprint(member) == known
    one.path.write_bytes(changed)
    assert fingerprint(one) != known


def test_the_rows_of_a_rejects_file_are_known_by_the_whole_file(tmp_path):
    """A line that is mended makes others of all its sources, also at the same size."""
    lines = [
        {"file": f"/{name}", "row": 1, "reason": "r", "source": {"x": "x" * 200_000, "n": 1}} for name in "ab"
    ]
    path = tmp_path / "rejects.jsonl"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(text)
    found = sources([str(path)]).sources
    whole = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
    assert [one.name.endswith(name) for one, name in zip(found, "ab", strict=True)] == [True, True]
    assert [fingerprint(one) for one in found] == [Fingerprint(len(text), whole)] * 2
    os.utime(path, ns=(1, 1))
    before = stamp(found[0])
    path.write_text(text[::-1].replace("1", "2", 1)[::-1])
    assert stamp(found[0]) == stamp_of(path) != before
    assert {fingerprint(one) for one in found}.isdisjoint({Fingerprint(len(text), whole)})


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_meter_is_told_how_much_of_the_stored_bytes_is_read(tmp_path, pack):
    """All of them, once nothing is left to read."""
    data = pack(TEXT * 100)
    one = replace(source(tmp_path / "a", data), meter=Meter())
    with one.open() as stream:
        assert 0 < one.meter.share <= 1
        while stream.read(10_000):
            pass
    assert one.meter.share == 1


@pytest.mark.parametrize(
    ("pack", "is_copied"), [(bytes, False), (gzip.compress, True)], ids=["plain", "packed"]
)
def test_what_can_be_sought_in_is_the_file_itself_or_what_is_in_it(tmp_path, pack, is_copied):
    """The copy lies nowhere where it could be left behind."""
    one = source(tmp_path / "a", pack(TEXT))
    with one.seekable() as found:
        assert (found == one.path) is not is_copied
        with io.BytesIO(found.read_bytes()) if isinstance(found, Path) else found as file:
            assert file.read(5) == TEXT[:5]
            file.seek(len(TEXT) - 5)
            assert file.read() == TEXT[-5:]
        assert [*tmp_path.iterdir()] == [one.path]
