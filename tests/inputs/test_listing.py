import bz2
import gzip
import io
import lzma
import os
import threading
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from archives import tarred, zipped

from migrate.errors import Refused, UsageError
from migrate.inputs.dated import Span
from migrate.inputs.listing import sources
from migrate.inputs.source import fingerprint, stamp
from migrate.inputs.streams import Truncated
from migrate.inputs.tars import close_idle

TEXT = b'{"a":1}\n{"a":2}\n'


def unpacked(stream):
    """Everything a stream delivers, however short its reads."""
    with stream:
        parts = []
        while part := stream.read(7):
            parts.append(part)
        return b"".join(parts)


def readable(stream):
    """What a damaged stream delivers, and the words it ends with, twice the same."""
    parts, words = [], []
    with stream:
        while len(words) < 2:
            try:
                parts.append(stream.read(1000))
            except Truncated as error:
                words.append(str(error))
            else:
                assert parts[-1]
    assert words[0] == words[1]
    return b"".join(parts), words[0]


def names(given, root):
    """The names of the sources below a folder."""
    return [source.name.removeprefix(f"{root.as_posix()}/") for source in sources(given).sources]


def write(root, files):
    """Write files below a folder."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@pytest.fixture(autouse=True)
def _no_idle_archives():
    yield
    close_idle()


def test_natural_order(tmp_path):
    """Numbers in names sort by value: hour 9 comes before hour 10, part 2 before part 11."""
    for name in ("p_10#0.json", "p_9#11.json", "p_9#2.json", "q/p_1#0.json", "p_9#0.json"):
        write(tmp_path, {name: TEXT})
    assert names([str(tmp_path)], tmp_path) == [
        "p_9#0.json",
        "p_9#2.json",
        "p_9#11.json",
        "p_10#0.json",
        "q/p_1#0.json",
    ]


def test_mixture_counts_each_file_once(tmp_path):
    """A folder, a file in it, a glob over it and a link to a file in it name each file once."""
    write(tmp_path, {"in/a.json": TEXT, "in/deep/b.json": TEXT})
    (tmp_path / "in" / "z.json").symlink_to(tmp_path / "in" / "a.json")
    given = [str(tmp_path / "in"), str(tmp_path / "in" / "a.json"), str(tmp_path / "**" / "*.json")]
    found = sources(given)
    assert [Path(source.name).name for source in found.sources] == ["a.json", "b.json"]
    assert found.skipped == {"duplicate": [(tmp_path / "in" / "z.json").as_posix()]}


def test_folder_linked_into_itself_is_read_once(tmp_path):
    """A link that leads back up does not go round for ever."""
    write(tmp_path, {"in/a.json": TEXT})
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    assert names([str(tmp_path)], tmp_path) == ["in/a.json"]


def test_what_is_left_aside_is_counted_by_reason(tmp_path):
    """Hidden, marker and empty files are skipped, and named."""
    write(
        tmp_path,
        {
            "a.json": TEXT,
            ".DS_Store": b"x",
            ".git/config": b"x",
            "__MACOSX/a.json": b"x",
            "complete": b"x",
            "_SUCCESS": b"",
            "_committed_123": b"x",
            "part.crc": b"x",
            "empty.json": b"",
        },
    )
    found = sources([str(tmp_path)])
    root = tmp_path.as_posix()
    assert [source.name for source in found.sources] == [f"{root}/a.json"]
    assert found.skipped == {
        "empty": [f"{root}/empty.json"],
        "hidden": [f"{root}/.DS_Store", f"{root}/.git", f"{root}/__MACOSX"],
        "marker": [f"{root}/_SUCCESS", f"{root}/_committed_123", f"{root}/complete", f"{root}/part.crc"],
    }


def test_a_log_of_ours_among_the_inputs_is_passed_over(tmp_path):
    """Whatever its name; text that only mentions one is not."""
    (tmp_path / "nightly.txt").write_text("2026-11-28T18:00:00.000Z migrate[7]: begun: migrate status w\n")
    (tmp_path / "notes.txt").write_text("see 2026-11-28T18:00:00.000Z migrate[7]: begun\n")
    found = sources([str(tmp_path)])
    assert [Path(source.name).name for source in found.sources] == ["notes.txt"]
    assert found.skipped == {"log": [f"{tmp_path}/nightly.txt"]}


def test_file_named_itself_is_read_whatever_its_name(tmp_path):
    """Only files found in folders and globs are left aside by name."""
    write(tmp_path, {".hidden": TEXT, "a[1].json": TEXT})
    assert names([str(tmp_path / ".hidden"), str(tmp_path / "a[1].json")], tmp_path) == [
        ".hidden",
        "a[1].json",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param("gone.json", "no such file or folder; check the path", id="missing"),
        pytest.param(
            "*.nothing", "nothing in it to read; name a folder or pattern that holds files", id="glob"
        ),
        pytest.param(
            "folder", "nothing in it to read; name a folder or pattern that holds files", id="folder"
        ),
        pytest.param("pipe", "not a file or folder; check the path", id="pipe"),
    ],
)
def test_input_with_nothing_in_it(tmp_path, given, message):
    """An input that stands for nothing is an error that names it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".hidden").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError) as error:
        sources([str(tmp_path / given)])
    assert str(error.value) == f"input {tmp_path / given}: {message}"


@pytest.mark.parametrize("given", ["~nosuchuser/x", "~nosuchuser/*.x", "~nosuchuser/{since:%Y}/x"])
def test_the_home_of_nobody_is_a_sentence(given):
    """Also in a pattern, and where the path holds a day."""
    with pytest.raises(UsageError) as error:
        sources([given], span=Span(since=datetime(2024, 1, 1, tzinfo=UTC)))
    assert str(error.value).endswith(": the home of somebody who is not known here; check the path")


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(lambda data: data, id="plain"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda data: gzip.compress(gzip.compress(data)), id="gzip in gzip"),
        pytest.param(lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]), id="gzip members"),
        pytest.param(lambda data: gzip.compress(data) + bytes(512), id="gzip padded with zeros"),
        pytest.param(zstandard.compress, id="zstd"),
        pytest.param(
            lambda data: zstandard.compress(data[:5]) + zstandard.compress(data[5:]), id="zstd frames"
        ),
        pytest.param(bz2.compress, id="bz2"),
        pytest.param(lambda data: bz2.compress(data[:5]) + bz2.compress(data[5:]), id="bz2 streams"),
        pytest.param(lzma.compress, id="xz"),
        pytest.param(
            lambda data: gzip.compress(zstandard.compress(bz2.compress(lzma.compress(data)))), id="four"
        ),
    ],
)
@pytest.mark.parametrize(
    "data", [pytest.param(TEXT, id="small"), pytest.param(os.urandom(700_000), id="large")]
)
def test_compression_is_told_by_content(tmp_path, pack, data):
    """Every layer comes off whatever the file is called."""
    packed = pack(data)
    (tmp_path / "a.gz").write_bytes(packed)
    (source,) = sources([str(tmp_path)]).sources
    assert unpacked(source.open()) == data
    assert unpacked(source.raw()) == packed


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda data: gzip.compress(gzip.compress(data)), id="gzip in gzip"),
        pytest.param(zstandard.compress, id="zstd"),
        pytest.param(lzma.compress, id="xz"),
        pytest.param(bz2.compress, id="bz2"),
    ],
)
def test_early_end_is_told_after_everything_readable(tmp_path, pack):
    """A cut file delivers what can be decompressed, then raises `Truncated`, again at every read."""
    data = os.urandom(1_000_000).hex().encode()
    packed = pack(data)
    (tmp_path / "a").write_bytes(packed[: len(packed) * 2 // 3])
    (source,) = sources([str(tmp_path)]).sources
    got, words = readable(source.open())
    assert words.endswith("data end early")
    assert len(got) > len(data) // 4
    assert data.startswith(got)


def test_damage_is_told_as_an_early_end(tmp_path):
    """Bytes that are no compressed data raise `Truncated` with the reason."""
    (tmp_path / "a").write_bytes(gzip.compress(TEXT) + b"no compressed data at all")
    (source,) = sources([str(tmp_path)]).sources
    data, words = readable(source.open())
    assert data == TEXT
    assert words.startswith("the gzip data are damaged: ")


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(zipped, id="zip"),
        pytest.param(lambda members: zipped(members, compression=zipfile.ZIP_STORED), id="zip, stored"),
        pytest.param(lambda members: zipped(members, compression=zipfile.ZIP_BZIP2), id="zip, bz2"),
        pytest.param(lambda members: tarred(members, "w"), id="tar"),
        pytest.param(tarred, id="tar.gz"),
        pytest.param(lambda members: tarred(members, "w:xz"), id="tar.xz"),
        pytest.param(lambda members: zstandard.compress(tarred(members, "w")), id="tar.zst"),
    ],
)
def test_archive_members_are_sources(tmp_path, pack):
    """Members are named after the archive, in natural order, their own compression taken off as well."""
    large = os.urandom(900_000)
    members = {
        "p/p_10#0.json.gz": gzip.compress(b"ten"),
        "p/p_9#0.json.gz": gzip.compress(gzip.compress(b"nine")),
        "p/complete": b"",
        "__MACOSX/p/._x": b"x",
        "large": large,
        "empty": b"",
    }
    archive = tmp_path / "export"
    archive.write_bytes(pack(members))
    found = sources([str(tmp_path)])
    stem = f"{archive.as_posix()}!"
    assert [source.name for source in found.sources] == [
        f"{stem}large",
        f"{stem}p/p_9#0.json.gz",
        f"{stem}p/p_10#0.json.gz",
    ]
    assert [unpacked(source.open()) for source in found.sources] == [large, b"nine", b"ten"]
    assert [unpacked(source.open()) for source in reversed(found.sources)] == [b"ten", b"nine", large]
    assert found.skipped == {
        "empty": [f"{stem}empty"],
        "hidden": [f"{stem}__MACOSX/p/._x"],
        "marker": [f"{stem}p/complete"],
    }


def test_members_of_a_compressed_tar_are_read_in_one_pass(tmp_path):
    """Reading 200 members in order decompresses the archive once, not 200 times."""
    members = {f"m{number}": os.urandom(20_000) for number in range(200)}
    (tmp_path / "a.tar.gz").write_bytes(tarred(members))
    found = sources([str(tmp_path / "a.tar.gz")]).sources
    started = time.process_time()
    assert [unpacked(source.open()) for source in found] == list(members.values())
    assert time.process_time() - started < 5


def test_member_names_are_only_names(tmp_path):
    """A member called ../../x is read like any other, and control characters in names are shown as escapes."""
    (tmp_path / "a.zip").write_bytes(zipped({"../../etc/x": TEXT, "/abs": TEXT, "re\x1b[31md\n": TEXT}))
    assert names([str(tmp_path)], tmp_path) == ["a.zip!../../etc/x", "a.zip!/abs", "a.zip!re\\x1b[31md\\n"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def encrypted(data):
    """A zip whose members say they are encrypted."""
    packed = bytearray(zipped({"secret": data}))
    packed[6] |= 1
    packed[packed.index(b"PK\1\2") + 8] |= 1
    return bytes(packed)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        pytest.param(
            encrypted(TEXT), "'secret' is encrypted; unpack the archive with its password first", id="locked"
        ),
        pytest.param(
            zipped({"x": TEXT}, compression=zipfile.ZIP_LZMA),
            "'x' is packed by zip method 14, which cannot be read; unpack the archive first",
            id="method",
        ),
        pytest.param(
            zipped({"x": TEXT})[:40],
            "broken zip archive (cut off before its end); fetch or pack it again",
            id="cut zip",
        ),
        pytest.param(
            tarred({"x": os.urandom(90_000)})[:50_000],
            "broken tar archive (the gzip data end early); fetch or pack it again",
            id="cut tar.gz",
        ),
    ],
)
def test_archive_that_cannot_be_read(tmp_path, packed, message):
    """Broken and encrypted archives are set aside by name, with what to do; the others are read."""
    (tmp_path / "a.zip").write_bytes(packed)
    (tmp_path / "b.json").write_bytes(TEXT)
    found = sources([str(tmp_path)])
    assert [str(error) for error in found.unfit] == [f"{tmp_path / 'a.zip'}: {message}"]
    assert [source.path.name for source in found.sources] == ["b.json"]


def test_member_that_cannot_be_read_costs_itself(tmp_path):
    """One encrypted member among others is set aside by its own name."""
    packed = bytearray(zipped({"a": TEXT, "b": TEXT}))
    packed[packed.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(packed)
    found = sources([str(tmp_path)])
    assert [(error.name, error.reason) for error in found.unfit] == [(f"{tmp_path / 'a.zip'}!a", "encrypted")]
    assert [source.name for source in found.sources] == [f"{tmp_path / 'a.zip'}!b"]


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param({"empty": [""], "marker": []}, id="no members"),
        pytest.param({"empty": [], "marker": ["!complete"]}, id="markers alone"),
    ],
)
def test_archive_with_nothing_in_it_is_passed_over(tmp_path, packed):
    """It is named; a night without events is no error."""
    members = {name.removeprefix("!"): b"" for name in packed["marker"]}
    (tmp_path / "a.zip").write_bytes(zipped(members))
    found = sources([str(tmp_path)])
    named = {reason: [f"{tmp_path / 'a.zip'}{name}" for name in names] for reason, names in packed.items()}
    assert (found.sources, found.unfit) == ([], [])
    assert found.skipped == {reason: names for reason, names in named.items() if names}


def test_archive_in_an_archive_is_refused(tmp_path):
    """A zip inside a zip is not guessed at."""
    (tmp_path / "a.zip").write_bytes(zipped({"b.zip": zipped({"x": TEXT})}))
    (source,) = sources([str(tmp_path)]).sources
    with pytest.raises(
        Refused, match=r"a.zip!b.zip: an archive inside an archive or a compressed file; unpack it"
    ):
        source.open()


def test_damaged_zip_member_is_told_at_its_end(tmp_path):
    """A member whose checksum is wrong delivers its bytes and then raises `Truncated`."""
    packed = zipped({"x": TEXT}, compression=zipfile.ZIP_STORED)
    (tmp_path / "a.zip").write_bytes(packed.replace(b'"a":2', b'"a":3'))
    (source,) = sources([str(tmp_path)]).sources
    assert readable(source.open()) == (
        TEXT.replace(b"2", b"3"),
        "the zip member is damaged: its checksum is another",
    )


def test_fingerprint_is_of_the_member_not_of_its_packing(tmp_path):
    """The same member packed another way has the same fingerprint; other bytes have another."""
    (tmp_path / "1.zip").write_bytes(zipped({"x": TEXT}))
    (tmp_path / "2.zip").write_bytes(zipped({"x": TEXT}, compression=zipfile.ZIP_STORED))
    (tmp_path / "3.tgz").write_bytes(tarred({"x": TEXT}))
    (tmp_path / "4.json").write_bytes(TEXT)
    (tmp_path / "5.json").write_bytes(TEXT + b"\n")
    *same, other = map(fingerprint, sources([str(tmp_path)]).sources)
    assert len(set(same)) == 1
    assert same[0].size == len(TEXT)
    assert other.digest != same[0].digest


def test_stamp_changes_with_the_file(tmp_path):
    """A file written again has another stamp; one left alone keeps its own."""
    path = tmp_path / "a.json"
    path.write_bytes(TEXT)
    (source,) = sources([str(path)]).sources
    before = stamp(source)
    assert stamp(source) == before
    os.utime(path, ns=(1, 1))
    assert stamp(source) != before


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(stamp, id="stamp"),
        pytest.param(fingerprint, id="fingerprint"),
        pytest.param(lambda source: source.open(), id="open"),
    ],
)
def test_file_gone_since_it_was_listed_is_refused(tmp_path, use):
    """A vanished file is named, with what to do."""
    path = tmp_path / "a.json"
    path.write_bytes(TEXT)
    (source,) = sources([str(path)]).sources
    path.unlink()
    with pytest.raises(Refused) as error:
        use(source)
    assert str(error.value) == (
        f"{path}: cannot be read any more (No such file or directory); put the file back or plan again"
    )


def test_fingerprint_of_a_cut_member_is_refused(tmp_path):
    """An archive that shrank since it was listed is named."""
    path = tmp_path / "a.tar"
    path.write_bytes(tarred({"x": os.urandom(90_000)}, "w"))
    (source,) = sources([str(path)]).sources
    os.truncate(path, 5000)
    with pytest.raises(Refused) as error:
        fingerprint(source)
    assert str(error.value) == f"{path}!x: the archive ends early; fetch it again"


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        pytest.param("a.parquet", lambda data: data, id="plain"),
        pytest.param("a.parquet.zst", lambda data: data, id="plain, called .zst"),
        pytest.param("a.parquet.gz", gzip.compress, id="gzip"),
        pytest.param("a.zip", lambda data: zipped({"x": data}), id="in a zip"),
    ],
)
def test_seekable_can_be_sought_in(tmp_path, name, pack):
    """Parquet is opened in place where it can be, else from a temporary copy."""
    written = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2]}), written)
    (tmp_path / name).write_bytes(pack(written.getvalue()))
    (source,) = sources([str(tmp_path)]).sources
    with source.seekable() as file:
        assert isinstance(file, Path) == name.startswith("a.parquet") or name == "a.parquet.gz"
        assert pq.read_table(file).to_pydict() == {"a": [1, 2]}


def test_members_are_read_from_several_threads_at_once(tmp_path):
    """Each open stands alone, in zips and in compressed tars."""
    members = {f"m{number}": os.urandom(300_000) for number in range(8)}
    (tmp_path / "a.zip").write_bytes(zipped(members))
    (tmp_path / "b.tgz").write_bytes(tarred(members))
    wrong = []

    def check(source):
        if unpacked(source.open()) != members[source.name.split("!")[1]]:
            wrong.append(source.name)

    threads = [threading.Thread(target=check, args=(one,)) for one in sources([str(tmp_path)]).sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(threads) == 16
    assert wrong == []


def test_thousands_of_files_list_quickly(tmp_path):
    """3,000 gzipped files take well under a second of work."""
    data = gzip.compress(TEXT)
    for number in range(3000):
        (tmp_path / f"{number}.json.gz").write_bytes(data)
    started = time.process_time()
    found = sources([str(tmp_path)]).sources
    assert time.process_time() - started < 3
    assert [source.path.name for source in found] == [f"{number}.json.gz" for number in range(3000)]


def test_rejects_of_ours_stand_for_their_rows(tmp_path):
    """A rejects.jsonl can be planned again: each line is the row it holds, a line without one its text.

    Text that is no object is a number, which goes on in no line. A line that is of a file as a whole holds no row.
    """
    lines = [
        '{"file": "/a", "row": 7, "reason": "no_timestamp", "value": null, "source": {"event": "e", "n": 1.50}}',
        '{"file": "/a", "row": 8, "reason": "malformed_json", "value": "{\\"event\\":"}',
        '{"file": "/a", "row": null, "reason": "truncated_file", "value": "the gzip data end early"}',
        "",
    ]
    path = tmp_path / "rejects.jsonl"
    path.write_text("\n".join(lines) + "\n")
    (source,) = sources([str(path)]).sources
    with source.open() as stream:
        assert stream.read() == b'{"event": "e", "n": 1.50}\n0\n\n'
    assert [(line, place.row) for line, place in source.places()] == [(1, 7), (2, 8), (3, None)]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("tracks.csv.gz", "tracks"),
        ("tracks_000000000012.json.gz", "tracks"),  # BigQuery
        ("tracks_0_7_12.csv.gz", "tracks"),  # Snowflake
        ("tracks000", "tracks"),  # Redshift, one after another
        ("tracks_0001_part_00.gz", "tracks"),  # Redshift, side by side
        ("tracks0001_part_00.gz", "tracks"),
        ("tracks-00001.csv", "tracks"),
        ("tracks-001.csv", "tracks"),
        ("tracks_000.parquet", "tracks"),
        ("web.tracks-00000-of-00010.avro", "web.tracks"),
        ("events_20240403_000.json", "events"),
        ("tracks/000", "tracks"),
        ("tracks/0001_part_00.gz", "tracks"),
        ("tracks/00003-of-00010.csv", "tracks"),
        ("tracks/part-00000-of-00010.csv", "tracks"),
        ("tracks/part-00000-tid-8744261537-1f2e-4d3c-0-1-c000.snappy.parquet", "tracks"),
        ("tracks/data_0_0_0.csv.gz", "tracks"),
        ("orders_2024.csv", "orders_2024"),
        ("orders_2024_01.csv", "orders_2024_01"),
        ("orders-2024-01-02.csv", "orders-2024-01-02"),
        ("top_100.csv", "top_100"),
        ("top1000.csv", "top1000"),
        ("level 007.csv", "level 007"),
        ("step_2.csv", "step_2"),
        ("party_01_part_two.csv", "party_01_part_two"),
    ],
)
def test_what_a_file_is_a_table_of(tmp_path, name, stem):
    """Numbers of parts are no part of a table's name; years, and numbers of other kinds, are."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(TEXT)
    (source,) = sources([str(tmp_path)]).sources
    assert source.stem == stem
