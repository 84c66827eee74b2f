"""An archive is told by its content, and its members are read where they are."""

import bz2
import gzip
import lzma
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
import zstandard
from archives import tarred, zipped
from hypothesis import given
from hypothesis import strategies as st
from jsonvalues import COMPARED

from migrate.errors import Unfit
from migrate.inputs.archives import HEAD_BYTES, is_tar, members
from migrate.inputs.tars import close_idle

PACKED = {
    "zip": zipped,
    "zip, stored": lambda files: zipped(files, compression=0),
    "tar": lambda files: tarred(files, "w"),
    "tar.gz": tarred,
    "tar.bz2": lambda files: bz2.compress(tarred(files, "w")),
    "tar.xz": lambda files: lzma.compress(tarred(files, "w")),
    "tar.zst": lambda files: zstandard.compress(tarred(files, "w")),
    "tar.gz.gz": lambda files: gzip.compress(tarred(files)),
}
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
FILES = st.dictionaries(NAMES, st.binary(min_size=1, max_size=2_000), min_size=1, max_size=4)


@COMPARED
@given(files=FILES, kind=st.sampled_from([*PACKED]), name=st.sampled_from(["a.csv", "a.zip", "a"]))
def test_members_are_told_by_content_and_read_as_they_were_packed(files, kind, name):
    """Whatever the archive is called; nothing is written beside it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(PACKED[kind](files))
        found = {}
        for member in members(path):
            with member.open(path) as stream:
                found[member.name] = b"".join(iter(lambda: stream.read(1 << 16), b""))
            assert (member.skipped, member.trouble) == (None, None)
        close_idle()
        assert found == files
        assert [*Path(folder).iterdir()] == [path]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"a,b\n1,2\n", id="a table"),
        pytest.param(gzip.compress(b'{"a":1}\n' * 100), id="one that is compressed"),
        pytest.param(gzip.compress(b"a,b\n")[:-9], id="one that is compressed and cut"),
        pytest.param(b"P", id="the start of a mark"),
        pytest.param(b"x" * 257 + b"ustat" + b"x" * 500, id="nearly a tar"),
    ],
)
def test_a_file_is_no_archive(tmp_path, data):
    """Also where its name says so."""
    path = tmp_path / "export.zip"
    path.write_bytes(data)
    assert members(path) is None


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        pytest.param(zipped({"x": b"y" * 99})[:-30], "broken zip archive (cut off before its end)", id="zip"),
        pytest.param(
            tarred({"x": Random(0).randbytes(9_999)})[:5_000],
            "broken tar archive (the gzip data end early)",
            id="tar.gz",
        ),
    ],
)
def test_an_archive_that_is_broken_cannot_be_read(tmp_path, packed, message):
    """It is named, with what to do."""
    path = tmp_path / "export"
    path.write_bytes(packed)
    with pytest.raises(Unfit) as told:
        members(path)
    assert str(told.value) == f"{path}: {message}; fetch or pack it again"


def test_a_tar_is_told_by_its_first_bytes():
    """By no fewer than those that hold its mark."""
    packed = tarred({"x": b"y"}, "w")
    assert is_tar(packed[:HEAD_BYTES])
    assert not is_tar(packed[:256])
    assert not is_tar(zipped({"ustar": b"ustar" * 100}))
