"""Members of a zip are read where they are, and one that cannot be read says why."""

import zipfile

import pytest
from archives import zipped

from migrate.errors import Unfit
from migrate.inputs.streams import Truncated, read_up_to
from migrate.inputs.zips import zip_members

FILES = {"a.csv": b"a,b\n1,2\n" * 50, "in/b.csv": b"a\n", "folder/": b"", "empty.csv": b""}


def members(tmp_path, data):
    """The archive, and its members by name."""
    path = tmp_path / "z.zip"
    path.write_bytes(data)
    return path, {one.name: one for one in zip_members(path)}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"], ids=["alone", "behind a script"])
def test_a_member_gives_what_was_packed(tmp_path, method, before):
    """By any method, and wherever the archive begins, an empty one too; folders are none."""
    path, found = members(tmp_path, before + zipped(FILES, compression=method))
    assert {*found} == {"a.csv", "in/b.csv", "empty.csv"}
    assert found["empty.csv"].size == 0
    for name, one in found.items():
        with one.open(path) as stream:
            assert (one.trouble, stream.read()) == (None, FILES[name])


def test_a_harmed_member_says_so_at_its_end(tmp_path):
    """After all of it."""
    data = zipped({"a": b"abcdef"}, compression=zipfile.ZIP_STORED).replace(b"abcdef", b"abcdeX", 1)
    path, found = members(tmp_path, data)
    with found["a"].open(path) as stream:
        assert read_up_to(stream, 9) == b"abcdeX"
        with pytest.raises(Truncated, match=r"^the zip member is damaged: its checksum is another$"):
            stream.read(1)


def test_a_member_of_another_method_is_one_that_cannot_be_read(tmp_path):
    """The archive is none for it."""
    packed = zipped({"a": b"x", "b": b"y"}, compression=zipfile.ZIP_LZMA)
    _, found = members(tmp_path, packed)
    why = "is packed by zip method 14, which cannot be read; unpack the archive first"
    assert [one.trouble for one in found.values()] == [("unknown_packing", why)] * 2


def test_a_zip_that_was_cut_is_broken(tmp_path):
    """Its directory stands at its end."""
    with pytest.raises(Unfit, match=r"broken zip archive \(.*\); fetch or pack it again"):
        members(tmp_path, zipped(FILES)[:-30])
