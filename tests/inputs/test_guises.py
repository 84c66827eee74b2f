"""What is called an archive, compressed or columnar and is none is told in words, and never by its bytes."""

import gzip
import os

import pytest

from migrate.errors import Unfit
from migrate.inputs.guises import guise, hollow, no_text
from migrate.inputs.source import Source
from tests.archives import tarred, zipped
from tests.commands import migrate, rows, summary

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
AGAIN = "fetch it again"
MEANT = "fetch it again, or name it otherwise if it is meant as it is"


def source(path, data):
    """A file of these bytes."""
    path.write_bytes(data)
    return Source(path.as_posix(), len(data), path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((f"a.{ending}", ending) for ending in ("zip", "tar", "bz2", "xz")),
        *(("A.GZ", "gzip"), ("a.csv.gz", "gzip"), ("a.zst", "zstd"), ("a.parquet", "Parquet")),
        *(("a.avro", "Avro"), ("a.orc", "ORC"), ("a.tar.gz", "tar"), ("a.tgz", "tar")),
    ],
)
def test_a_page_is_no_archive_and_no_table(tmp_path, name, kind):
    """Whatever its name promises: it says what was found, and what to do."""
    assert guise(source(tmp_path / name, PAGE)) == f"it is no {kind} file, found an HTML page; {AGAIN}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b" <!-- x --> <HTML lang=en>", f"an HTML page; {AGAIN}"),
        (b'<?xml version="1.0"?><a/>', f"XML text; {AGAIN}"),
        (b'{"error":"expired"}', f"JSON text; {MEANT}"),
        (b"no such export", f"text; {MEANT}"),
        (bytes(9_999), f"zeros alone; {AGAIN}"),
        (b"\x01\x02\x03", f"bytes of no kind that is known here; {AGAIN}"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive; unpack it first"),
        (b"Rar!\x1a\x07\1\0", "a RAR archive; unpack it first"),
        (b"%PDF-1.4", f"a PDF; {AGAIN}"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", f"an old Excel or Word file; {AGAIN}"),
        (b"\x89PNG\r\n\x1a\n", f"a picture; {AGAIN}"),
        (b"SQLite format 3\0", f"a SQLite database; {AGAIN}"),
    ],
)
def test_what_a_file_looks_like_is_said_in_words(tmp_path, data, said):
    """By its first bytes."""
    assert guise(source(tmp_path / "a.zip", data)) == f"it is no zip file, found {said}"


def test_a_page_is_none_of_an_export_under_any_name(tmp_path):
    """Also compressed; other text may be anything, and is told by its columns."""
    why = f"it is an HTML page, and no export; {AGAIN}"
    assert guise(source(tmp_path / "a.csv", PAGE)) == why
    assert guise(source(tmp_path / "a.csv.gz", gzip.compress(PAGE))) == why
    assert guise(source(tmp_path / "a.csv", b"<htmlish>,b\n")) is None
    assert guise(source(tmp_path / "zip", b"a,b\n")) is None
    assert guise(source(tmp_path / "a.csv.gz", gzip.compress(b"a,b\n"))) is None


def test_a_file_without_a_byte_is_a_file_of_nothing_only_where_there_is_such_a_thing():
    """A table of no line is one, a zip of no byte is none."""
    assert hollow("/a/b.zip") == "it is no zip file, found nothing in it, not a byte; fetch it again"
    assert [name for name in ("a.csv", "a.gz", "zip", "a.tar", "a.parquet/b") if hollow(name)] == []
    assert all(hollow(f"a!{name}") for name in ("a.PARQUET", "b.avro", "c.orc"))


def test_a_first_line_that_is_no_text_is_told_in_words(tmp_path):
    """An encoding is no help to what is packed."""
    assert no_text(source(tmp_path / "a", b"\x89PNG\r\n")) == (
        "its first line is no text, found a picture; fetch it again, or say what it is written in with --encoding"
    )
    assert no_text(source(tmp_path / "b", b"7z\xbc\xaf\x27\x1c")) == (
        "its first line is no text, found a 7z archive; unpack it first"
    )


def test_what_no_download_brought_is_set_aside_and_told_once(tmp_path):
    """The others are planned; why stands once on the screen, and what is fetched again is planned, too."""
    folder = tmp_path / "in"
    rows(folder / "good.jsonl")
    cut = tarred({"x": os.urandom(9_000)}, "w")[:5_000]
    bad = {"page.zip": PAGE, "none.zip": b"", "cut.zip": zipped({"x": b"y" * 99})[:-30], "cut.tar": cut}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    words = ("plan", "posthog", folder, "--workdir", tmp_path / "w", "--json")
    done = migrate(*words)
    assert (done.returncode, summary(done)["events"]["planned"]) == (5, 3)
    why = summary(done)["set_aside"]
    assert {name.rpartition("/")[2]: text for name, text in why.items()} == {
        "page.zip": "it is no zip file, found an HTML page; fetch it again",
        "none.zip": "it is no zip file, found nothing in it, not a byte; fetch it again",
        "cut.zip": "broken zip archive (cut off before its end); fetch or pack it again",
        "cut.tar": "broken tar archive (cut off before its end); fetch or pack it again",
    }
    for name in bad:
        assert done.stderr.count(f"error: {folder / name}: set aside: {why[f'{folder / name}']}") == 1
        assert f"aside    not planned: {folder / name}: said above\n" in done.stderr
    assert [done.stderr.count(text) for text in why.values()] == [1, 1, 1, 1]
    rows(folder / "page.zip", start=10)
    again = migrate(*words)
    assert (again.returncode, summary(again)["events"]["planned"]) == (0, 6)
    assert f"aside    not planned: {folder / 'none.zip'}: {why[f'{folder}/none.zip']}" in again.stderr


def test_a_download_that_is_none_is_set_aside_in_a_preview(tmp_path):
    """It is an error there, too."""
    done = migrate("preview", "posthog", source(tmp_path / "a.parquet", PAGE).path)
    assert done.returncode == 5
    assert f"error: {tmp_path}/a.parquet: set aside: it is no Parquet file, found an HTML page" in done.stderr


def test_a_file_that_is_gone_is_unfit(tmp_path):
    """It is told by its name."""
    with pytest.raises(Unfit, match="put the file back"):
        guise(Source((tmp_path / "a.zip").as_posix(), 9, tmp_path / "a.zip"))
