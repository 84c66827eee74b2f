"""Where files are kept: whole or not at all, in a folder and in a bucket alike."""

import pytest

from migrate.errors import Refused, Stopped, UsageError
from migrate.fetching.shelf import opened, write


def test_a_folder_and_a_bucket_keep_alike(tmp_path, s3):
    """What is not whole yet is in neither; what is empty, no file, or below is not theirs, and leaves a hole."""
    for target in (str(tmp_path / "new" / "in"), f"{s3.url}in"):
        with opened(target) as shelf:
            path = shelf.aside("a.zip")
            path.write_bytes(b"1")
            assert (shelf.names() - {".fetch.lock", path.name}, shelf.read("a.zip")) == (set(), None)
            shelf.keep(path, "a.zip")
            write(shelf, "a.zip", b"22")
            assert (shelf.read("a.zip"), path.exists()) == (b"22", False)
            write(shelf, "b.zip", b"")
            assert shelf.names() == {"a.zip"}
    (tmp_path / "new" / "in" / "c.zip").mkdir()
    with opened(str(tmp_path / "new" / "in")) as shelf:
        assert shelf.names() == {"a.zip"}
    s3.put("in/below/b.zip", b"")
    with opened(f"{s3.url}in/") as shelf:
        assert (shelf.names(), shelf.shown, s3.get("in/a.zip")) == ({"a.zip"}, f"{s3.url}in/", b"22")


def test_a_folder_is_one_processs(tmp_path):
    """What a killed one had begun to write goes when the next one begins."""
    (tmp_path / ".a.zip.part").write_bytes(b"half")
    with opened(str(tmp_path)):
        assert not (tmp_path / ".a.zip.part").exists()
        with (
            pytest.raises(Refused, match="another migrate process fetches into this folder"),
            opened(str(tmp_path)),
        ):
            pass


@pytest.mark.usefixtures("s3")
def test_what_takes_no_files_is_a_sentence(tmp_path):
    """A file, a web server, a key that obstore cannot hold, a bucket that is not there."""
    (tmp_path / "file").touch()
    for target, said in (
        (str(tmp_path / "file"), "TARGET: a file"),
        ("https://a.example/x", "TARGET: a web server"),
        (
            "s3://bucket/a//b",
            "TARGET: an address with an empty part, .* found 's3://bucket/a//b'; name another one",
        ),
    ):
        with pytest.raises(UsageError, match=said), opened(target):
            pass
    with opened("s3://nowhere-at-all/") as shelf, pytest.raises(Stopped, match="there is no such bucket"):
        shelf.names()
