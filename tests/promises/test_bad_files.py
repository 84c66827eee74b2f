"""One bad file costs one file, by name: those beside it are planned and sent, and what is passed over is named."""

import gzip
import io
import json
import lzma
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archives import tarred, zipped
from commands import migrate, summary

from migrate.errors import UsageError
from migrate.inputs.listing import sources
from migrate.inputs.names import source_name
from migrate.inputs.stored import stored_of
from migrate.inputs.tars import close_idle

pytestmark = pytest.mark.crash

TAR = shutil.which("tar") or "tar"
NAMES = ["event", "distinct_id", "timestamp"]


@pytest.fixture(autouse=True)
def _no_idle_archives():
    yield
    close_idle()


def lines(count, first):
    """Rows of their own as JSON lines."""
    rows = (
        {"event": "e", "distinct_id": f"u{n}", "timestamp": f"2024-04-03T12:00:{n % 60:02d}Z"}
        for n in range(first, first + count)
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(count, first):
    """The same as CSV."""
    rows = [",".join(json.loads(line)[name] for name in NAMES) for line in lines(count, first).splitlines()]
    return "\n".join([",".join(NAMES), *rows, ""]).encode()


def parquet(count, first):
    """The same as Parquet."""
    written = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist([json.loads(line) for line in lines(count, first).splitlines()]), written
    )
    return written.getvalue()


def lying(data, place, value):
    """A zip of two members, the first of which says something that is not so in the archive's directory."""
    packed = bytearray(zipped({"a.jsonl": data, "b.jsonl": lines(2, 900)}, compression=zipfile.ZIP_STORED))
    start = packed.index(b"PK\1\2") + place
    packed[start : start + len(value)] = value
    return bytes(packed)


def tar_of_size(size):
    """A tar whose first member says that it has another size."""
    packed = bytearray(tarred({"a.jsonl": lines(3, 0)}, "w"))
    packed[124:136] = size
    packed[148:156] = b" " * 8
    packed[148:156] = b"%06o\0 " % sum(packed[:512])
    return bytes(packed)


BAD = {
    # name: (bytes, rows of it that are planned, the reason it is set aside, by the name of what is)
    "cut.zip": (zipped({"x.jsonl": lines(9, 0)})[:-9], 0, {"cut.zip": "broken zip archive"}),
    "cut.tgz": (tarred({"x.jsonl": os.urandom(90_000)})[:50_000], 0, {"cut.tgz": "the gzip data end early"}),
    "endless.tar": (tar_of_size(b"\x80" + b"\xff" * 11), 0, {"endless.tar": "broken tar archive"}),
    "negative.tar": (tar_of_size(b"\xff" * 12), 0, {"negative.tar": "broken tar archive"}),
    "locked.zip": (lying(lines(9, 0), 8, b"\1"), 2, {"locked.zip!a.jsonl": "is encrypted"}),
    "long.zip": (
        lying(lines(9, 0), 20, struct.pack("<I", 99_999)),
        2,
        {"long.zip!a.jsonl": "the archive ends early"},
    ),
    "crc.zip": (lying(lines(9, 0), 16, b"abcd"), 2, {"crc.zip!a.jsonl": "its checksum is another"}),
    "none.zip": (lying(lines(9, 100), 24, bytes(4)), 11, {}),
    "nested.tar": (
        tarred({"in.tar": tarred({"x": b"x"}, "w"), "in.zip": zipped({"x": b"x"}), "c.jsonl": lines(2, 910)}),
        2,
        dict.fromkeys(["nested.tar!in.tar", "nested.tar!in.zip"], "an archive inside an archive"),
    ),
    "zeros.csv": (bytes(200_000), 0, {"zeros.csv": "its first line is no text"}),
    "zeros.jsonl": (lines(3, 0) + bytes(3_000_000), 0, {"zeros.jsonl": "hold bytes of zero"}),
    "noise.bin": (
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9,
        0,
        {"noise.bin": "its first line is no text"},
    ),
    "head.csv.gz": (
        gzip.compress(b"event,distinct_id,timest")[:-8],
        0,
        {"head.csv.gz": "the gzip data end early"},
    ),
    "cut.csv.xz": (lzma.compress(table(9, 200)) + b"junk" * 9, 9, {}),
    "cut.parquet": (parquet(9, 0)[:-9], 0, {}),
    "quote.csv": (b'"event,distinct_id,timestamp\n' + table(9, 0), 0, {"quote.csv": "is not closed"}),
    "torn.csv": (
        b'event,distinct_id,timestamp\n"a\\"b",u,2024-04-03\n"a""b",u,2024-04-03\n',
        0,
        {"torn.csv": "some quotes are doubled"},
    ),
    "row.csv": (b"e,u,2024-04-03 12:00:00\n", 0, {"row.csv": "its first line is a row"}),
    "wide.csv": (b"y" * 150_000 + b",event,distinct_id,timestamp\n1,e,w,2024-04-03\n", 1, {}),
    "first.csv": (b"x,event,distinct_id,timestamp\n" + b"y" * 150_000 + b",e,f,2024-04-03\n", 1, {}),
    "deep.jsonl": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + lines(3, 300), 3, {}),
}


def test_one_bad_file_costs_one_file(tmp_path):
    """Files bad in twenty ways beside a good one: it is sent, each is named, and what is readable of them goes."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(lines(10, 1_000))
    for name, (data, _, _) in BAD.items():
        (folder / name).write_bytes(data)
    words = ["run", "posthog", folder, "--workdir", tmp_path / "w", "--host", "sandbox", "--json"]
    done = migrate(*words)
    numbers = summary(done)
    assert (done.returncode, "Traceback" in done.stderr) == (5, False), done.stderr
    found = {name.removeprefix(f"{folder}/"): why for name, why in numbers["set_aside"].items()}
    expected = {name: why for _, _, named in BAD.values() for name, why in named.items()}
    assert found.keys() == expected.keys()
    assert {name: why for name, why in expected.items() if why not in found[name]} == {}
    assert [name for name in expected if f"error: {folder}/{name}: set aside: " not in done.stderr] == []
    assert {name.rpartition("/")[2] for name in numbers["damaged_files"]} == {"cut.csv.xz", "cut.parquet"}
    events = numbers["events"]
    assert (events["planned"], events["pending"]) == (10 + sum(rows for _, rows, _ in BAD.values()), 0)
    assert summary(migrate(*words))["run"]["exit_code"] == 3  # what is rejected, now that no file is new
    # What is mended is planned, and its archive is set aside no more.
    (folder / "cut.zip").write_bytes(zipped({"x.jsonl": lines(9, 0)}))
    mended = migrate(*words)
    assert (mended.returncode, summary(mended)["events"]["accepted"]) == (
        0,
        numbers["events"]["accepted"] + 9,
    )
    assert f"{folder}/cut.zip" not in summary(mended)["set_aside"]


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        pytest.param(
            b"e,u,2024-04-03 12:00:00\n", 2, "its first line is a row and no header", id="an option"
        ),
        pytest.param(b"a,b\n1,2\n", 2, "no table of PostHog", id="another platform"),
        pytest.param(bytes(10_240), 5, "its first line is no text", id="no text"),
        pytest.param(b"PK\3\4", 5, "broken zip archive", id="broken"),
    ],
)
def test_what_the_command_can_mend_is_its_error_where_there_is_no_other_file(tmp_path, data, code, message):
    """Nothing is done then; a file that is broken is set aside even if it is the only one."""
    (tmp_path / "a.csv").write_bytes(data)
    done = migrate("plan", "posthog", tmp_path / "a.csv", "--workdir", tmp_path / "w", "--json")
    assert (done.returncode, summary(done)["events"]["planned"]) == (code, 0)
    assert f"{tmp_path / 'a.csv'}: " in done.stderr
    assert message in done.stderr
    assert (tmp_path / "w").exists() == (code == 5)


def huge(folder):
    """Files of which something is longer than any record may be, and what they come to."""
    blanks = b"\n" * (66 << 20)
    (folder / "blank.csv").write_bytes(blanks + table(2, 20))
    (folder / "first.csv").write_bytes(b"y" * (66 << 20) + b",event\n")
    quoted = b'x,event,distinct_id,timestamp\n"' + b"z" * 99 + b",e,open,2024-04-03\n"
    (folder / "quote.csv").write_bytes(quoted + (b"y" * 990 + b",e,u9,2024-04-03\n") * (66 << 10))
    with gzip.open(folder / "bomb.gz", "wb", compresslevel=1) as file:
        for _ in range(20):
            file.write(bytes(1 << 20))
    return {"rows": 2 + (66 << 10), "aside": ["bomb.gz", "first.csv"]}


def test_huge_cells_and_blanks_and_bombs_are_flat(tmp_path):
    """A first cell and blank lines of 66 MB, a quote that is never closed, zeros without end: within little memory."""
    (tmp_path / "in").mkdir()
    expected = huge(tmp_path / "in")
    command = [
        sys.executable,
        "-m",
        "migrate",
        "plan",
        "posthog",
        tmp_path / "in",
        "--workdir",
        tmp_path / "w",
    ]
    limit = partial(resource.setrlimit, resource.RLIMIT_DATA, (3 << 30, 3 << 30))
    with subprocess.Popen(
        [*map(str, command), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limit,  # noqa: PLW1509 - no threads here
    ) as process:
        out, err = process.communicate(timeout=100)
    numbers = json.loads(out.splitlines()[-1])
    assert process.returncode == 5, err
    assert sorted(name.rpartition("/")[2] for name in numbers["set_aside"]) == expected["aside"]
    assert numbers["events"]["planned"] == expected["rows"]
    assert numbers["rows"]["rejected"] == {"unclosed_quote": 1}


ODD = [
    b"\xff.jsonl",
    b"\\xff.jsonl",
    "\u00ff.jsonl".encode(),
    "\u0085.jsonl".encode(),
    b"\x85.jsonl",
    b"a\nb.jsonl",
    b"a\\nb.jsonl",
    b"a!b.jsonl",
    b"a\\x21b.jsonl",
    b"b\\",
    b"'\"$(x)\x1b[31m\x07.jsonl",
    b"n" * 250 + b".json",
    b"_01234" * 40 + b"x.jsonl",
]


def test_no_two_names_are_alike():
    """Whatever bytes they have, and each leads back to its file."""
    names = [os.fsdecode(b"/in/" + name) for name in ODD] + ["/in/a", "/in/\ud800"]
    called = {name: source_name(name) for name in names}
    assert len({*called.values()}) == len(names)
    assert [name for name in called.values() if not name.isprintable() or "!" in name] == []
    assert [str(stored_of(name)) for name in called.values()] == names
    assert stored_of(source_name("/a!b.zip", "m!\n")) == stored_of(source_name("/a!b.zip"))


def test_names_of_any_bytes_are_planned_rejected_mended_and_planned_again(tmp_path):
    """In folders and in archives: each is its own source, by whatever name it is shown."""
    folder = tmp_path / "in"
    folder.mkdir()
    spoiled = b'{"event": "e", "distinct_id": "u", "timestamp": "never"}\n'
    for number, name in enumerate(ODD):
        (folder / os.fsdecode(name)).write_bytes(lines(2, 10 * number) + spoiled)
    digits = ["9" * 5_000 + ".jsonl", "8" * 5_000 + ".jsonl"]
    (folder / "d.zip").write_bytes(zipped({name: lines(1, 500 + n) for n, name in enumerate(digits)}))
    names = [os.fsdecode(name) for name in ODD] + digits
    (folder / "d.tar").write_bytes(tarred({name: lines(1, 600 + n) for n, name in enumerate(names)}, "w"))
    words = ["posthog", folder, "--json"]
    count = 2 * len(ODD) + len(digits) + len(names)
    assert summary(migrate("run", *words, "--dry-run"))["events"]["planned"] == count
    done = migrate("plan", *words, "--workdir", tmp_path / "w")
    assert (done.returncode, summary(done)["events"]["planned"]) == (3, count), done.stderr
    rejects = [json.loads(line) for line in (tmp_path / "w" / "rejects.jsonl").read_text().splitlines()]
    assert {stored_of(one["file"]).name for one in rejects} == {os.fsdecode(name) for name in ODD}
    mended = tmp_path / "mended.jsonl"
    mended.write_text((tmp_path / "w" / "rejects.jsonl").read_text().replace("never", "2024-04-05"))
    again = migrate("plan", "posthog", mended, "--workdir", tmp_path / "w", "--json")
    assert (again.returncode, summary(again)["run"]["events"]["planned"]) == (0, len(ODD)), again.stderr
    name = folder / os.fsdecode(ODD[0])
    name.write_bytes(lines(2, 0) + lines(1, 700))
    aside = migrate("plan", *words, "--workdir", tmp_path / "w", "--on-changed", "set-aside")
    assert (aside.returncode, [stored_of(one).name for one in summary(aside)["set_aside"]]) == (
        5,
        [name.name],
    )
    anew = migrate("plan", *words, "--workdir", tmp_path / "w", "--again", name)
    assert (anew.returncode, summary(anew)["set_aside"]) == (0, {}), anew.stderr


def test_a_workdir_below_a_pattern_is_passed_over(tmp_path):
    """Its plan is no export by whatever way it is come upon, but for the rejects in it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(lines(2, 0) + b"no row\n")
    workdir = tmp_path / "in" / "deep" / "w"
    assert migrate("plan", "posthog", tmp_path / "in", "--workdir", workdir).returncode == 3
    found = sources([f"{tmp_path}/**/*"])
    assert {source.path.name for source in found.sources} == {"a.jsonl", "rejects.jsonl"}
    assert set(found.skipped["workdir"]) == {str(workdir)}
    with pytest.raises(UsageError, match="nothing in it to read"):
        sources([f"{tmp_path}/gone/*.jsonl"])


def test_later_members_replace_earlier_ones_of_their_name(tmp_path):
    """As unpacking has it; what gives way is counted and named."""
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        for name, data in (("x", b"old"), ("./x", b"new"), ("y", b"y")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    (tmp_path / "b.zip").write_bytes(zipped({"w0": b"old", "x0": b"newer"}, compression=zipfile.ZIP_STORED))
    (tmp_path / "b.zip").write_bytes((tmp_path / "b.zip").read_bytes().replace(b"w0", b"x0"))
    found = sources([str(tmp_path)])
    assert {source.name: source.open().read() for source in found.sources} == {
        f"{archive}!./x": b"new",
        f"{archive}!y": b"y",
        f"{tmp_path / 'b.zip'}!x0": b"newer",
    }
    assert found.skipped == {"replaced": [f"{archive}!x", f"{tmp_path / 'b.zip'}!x0"]}


@pytest.mark.parametrize("form", ["gnu", "pax", "oldgnu"])
def test_sparse_members_are_read_as_they_were(tmp_path, form):
    """Of `tar -S`: the zeros that are not stored stand where they were, plain and compressed."""
    data = b"a" * 4_096 + bytes(1 << 20) + b"b" * 4_096 + bytes(1 << 16)
    with (tmp_path / "s").open("wb") as file:
        for part in (data[:4_096], data[4_096 + (1 << 20) : -(1 << 16)]):
            file.write(part)
            file.seek(1 << 20, os.SEEK_CUR)
        file.truncate(len(data))
    (tmp_path / "z").write_bytes(b"z")
    (tmp_path / "in").mkdir()
    packed = tmp_path / "in" / "a.tar"
    subprocess.run([TAR, "-S", f"--format={form}", "-cf", packed, "-C", tmp_path, "s", "z"], check=True)
    (tmp_path / "in" / "b.tgz").write_bytes(gzip.compress(packed.read_bytes()))
    for source in sources([str(tmp_path / "in")]).sources:
        with source.open() as stream:
            assert b"".join(iter(lambda: stream.read(1 << 20), b"")) == (
                data if source.name.endswith("s") else b"z"
            )
        assert source.size < 20_000


def test_what_is_passed_over_is_named(tmp_path, monkeypatch):
    """On the screen and in the JSON: links to nothing, pipes, sockets, what a tar has beside files, what is empty."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(lines(2, 0))
    (folder / "nowhere").symlink_to(folder / "gone")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "null").symlink_to("/dev/null")
    os.mkfifo(folder / "pipe.jsonl")
    os.mkfifo(folder / "checkpoint.sqlite")
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "empty.csv").touch()
    with tarfile.open(folder / "a.tar", "w") as tar:
        for name, kind in (
            ("s", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("f", tarfile.FIFOTYPE),
            ("c", tarfile.CHRTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type = kind
            tar.addfile(entry)
    with socket.socket(socket.AF_UNIX) as bound:
        with monkeypatch.context() as there:
            there.chdir(folder)  # the path of a socket is short
            bound.bind("socket")
        words = ["plan", "posthog", folder, "--workdir", tmp_path / "w", "--skip-unknown", "--json"]
        done = migrate(*words)
    expected = {
        "dangling_link": ["loop", "nowhere"],
        "device": ["a.tar!c", "null"],
        "empty": ["empty.csv"],
        "link": ["a.tar!h", "a.tar!s"],
        "pipe": ["a.tar!f", "checkpoint.sqlite", "pipe.jsonl"],
        "socket": ["socket"],
        "unknown": ["other.csv"],
    }
    assert done.returncode == 0, done.stderr
    named = {
        reason: [name.removeprefix(f"{folder}/") for name in names]
        for reason, names in summary(done)["skipped_names"].items()
    }
    assert named == expected
    assert summary(done)["skipped_files"] == {reason: len(names) for reason, names in expected.items()}
    assert f"1 file, not read: unknown  ({folder}/other.csv)" in done.stderr
    assert (
        f"3 files, not read: pipe  ({folder}/a.tar!f, {folder}/checkpoint.sqlite, {folder}/pipe.jsonl)"
        in done.stderr
    )


@pytest.mark.parametrize("given", ["pipe", "/dev/null", "n" * 5_000])
def test_an_input_that_is_no_file_is_refused(tmp_path, given):
    """It is never opened."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="check the path"):
        sources([str(tmp_path / given)])


@contextmanager
def deep(folder, names):
    """Make folders that lie one in the other, deeper than a path can say, for a while."""
    before = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    for name in names:
        Path(name).mkdir()
        os.chdir(name)
    try:
        os.fchdir(before)
        yield
    finally:
        os.chdir(folder)
        for name in names:
            os.chdir(name)
        for name in reversed(names):
            os.chdir("..")
            shutil.rmtree(name)
        os.fchdir(before)
        os.close(before)


@pytest.mark.parametrize("pattern", ["", "**/*"])
def test_a_folder_that_cannot_be_read_is_refused(tmp_path, pattern):
    """Named as an input, below one, or below a pattern: unless it is to be passed over, and then it is named."""
    (tmp_path / "good.jsonl").write_bytes(lines(1, 0))
    given = str(tmp_path / pattern)
    with deep(tmp_path, ["d" * 250] * 17):
        with pytest.raises(UsageError, match="cannot be looked into .*--skip-unknown"):
            sources([given])
        found = sources([given], skip_unreadable=True)
    assert {source.path.name for source in found.sources} == {"good.jsonl"}
    assert len(found.skipped["unreadable"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("pattern", ["", "*/*", "**/*.jsonl"])
def test_a_folder_without_permission_is_refused(tmp_path, pattern):
    """A pattern that looks into it finds nothing in it, and that is no answer."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "good.jsonl").write_bytes(lines(1, 0))
    (tmp_path / "shut").mkdir(mode=0)
    with pytest.raises(UsageError, match=f"{tmp_path / 'shut'}: cannot be looked into"):
        sources([str(tmp_path / pattern)])
    found = sources([str(tmp_path / pattern)], skip_unreadable=True)
    assert found.skipped == {"unreadable": [f"{tmp_path / 'shut'}"]}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_set_aside(tmp_path):
    """By name; the others are read."""
    (tmp_path / "good.jsonl").write_bytes(lines(1, 0))
    (tmp_path / "shut.jsonl").write_bytes(lines(1, 0))
    (tmp_path / "shut.jsonl").chmod(0)
    found = sources([str(tmp_path)])
    assert [str(error) for error in found.unfit] == [
        f"{tmp_path / 'shut.jsonl'}: cannot be read (Permission denied); see to its permissions"
    ]
    assert [source.path.name for source in found.sources] == ["good.jsonl"]


def test_folders_a_thousand_deep_are_read(tmp_path):
    """How deep a file lies is no matter."""
    with deep(tmp_path, ["d"] * 1_500):
        (tmp_path.joinpath(*["d"] * 1_500) / "low.jsonl").write_bytes(lines(1, 5))
        assert [source.path.name for source in sources([str(tmp_path)]).sources] == ["low.jsonl"]


def test_nothing_tonight_is_no_failure(tmp_path):
    """Headers without rows, in any format, archives without members, empty files: 0, and it is said in words."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in {
        "a.csv": b"event,distinct_id,timestamp\n",
        "b.csv": b"event,distinct_id,timestamp",
        "c.json": b"[]",
        "n.json": b"null\n",
        "d.zip": zipped({"x/": b"", "e.csv": b"event,distinct_id,timestamp\n"}),
        "e.tar": tarred({"e": b""}, "w"),
        "f.jsonl": b"",
        "g.gz": gzip.compress(b""),
    }.items():
        (folder / name).write_bytes(data)
    schema = pa.schema([(name, pa.string()) for name in NAMES])
    pq.write_table(schema.empty_table(), folder / "h.parquet")
    said = "none of the inputs has a row"
    for given in (folder, folder / "f.jsonl"):
        words = ["posthog", given, "--json", "--host", "sandbox", "--workdir", tmp_path / f"w-{given.name}"]
        done = migrate("run", *words)
        numbers = summary(done)
        assert (done.returncode, numbers["rows"]["read"], numbers["whole"]) == (0, 0, True), done.stderr
        assert said in done.stderr
        assert said in numbers["notes"][0]
    (folder / "f.jsonl").write_bytes(lines(2, 0))
    later = migrate("run", "posthog", folder, "--json", "--host", "sandbox", "--workdir", tmp_path / "w-in")
    assert (later.returncode, summary(later)["events"]["accepted"]) == (0, 2)
