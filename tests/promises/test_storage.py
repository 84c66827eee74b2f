"""What lies in a storage is planned as if it lay on the disk: the same bytes, the same nights, faults said by name."""

import gzip
import json
import re
import shlex

import pyarrow as pa
import pytest
from archives import tarred, zipped
from between import BUSY, DENIED
from commands import KEY, migrate, summary
from nights import row
from pyarrow import orc
from pyarrow import parquet as pq
from samples import EVERY, PLATFORMS, SAMPLES, spec

from migrate.inputs.listing import sources
from migrate.sandbox.server import Sandbox
from migrate.stores import buckets


def planned(workdir):
    """The payloads of a plan, byte for byte."""
    paths = workdir.glob("days/*/*.parquet")
    return sorted(text for path in paths for text in pq.read_table(path)["payload"].to_pylist())


def lines(*rows):
    """Rows as a file of JSON lines."""
    return "".join(json.dumps(one) + "\n" for one in rows).encode()


def test_every_sample_is_the_same_bytes_in_a_bucket(s3):
    """All sources of all platforms, unpacked; what their names say is the same."""
    s3.fill(SAMPLES)
    for platform in PLATFORMS:
        here, there = sources([str(SAMPLES / platform)]), sources([f"{s3.url}{platform}"])
        assert [one.stem for one in there.sources] == [one.stem for one in here.sources]
        assert [*there.skipped] == [*here.skipped]
        for one, other in zip(here.sources, there.sources, strict=True):
            assert other.name == s3.url + one.name.removeprefix(f"{SAMPLES}/")
            with one.open() as stream, other.open() as far:
                assert far.read(1 << 20) == stream.read(1 << 20)


@pytest.mark.parametrize("platform", PLATFORMS if EVERY else ["amplitude", "table"])
def test_a_sample_is_planned_to_the_same_payloads_from_a_bucket(s3, tmp_path, platform):
    """With what is read beside it, and the same rejects."""
    s3.fill(SAMPLES / platform)
    s3.delete("spec.toml")
    words = ["--spec", spec(platform)] if spec(platform) else []
    here = migrate("plan", platform, SAMPLES / platform, *words, "--workdir", tmp_path / "here")
    there = migrate("plan", platform, s3.url, *words, "--workdir", tmp_path / "there")
    assert there.returncode == here.returncode, there.stderr
    assert planned(tmp_path / "there") == planned(tmp_path / "here") != []
    here, there = (
        [path.read_text() for path in (tmp_path / name).glob("rejects.jsonl")] for name in ("here", "there")
    )
    assert [text.replace(s3.url, f"{SAMPLES / platform}/") for text in there] == here


def columnar(write, rows):
    """Rows as a file of columns."""
    columns = {name: [one[name] for one in rows] for name in rows[0]} | {
        "properties": [json.dumps(one["properties"]) for one in rows]
    }
    sink = pa.BufferOutputStream()
    write(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def test_archives_and_columns_are_read_where_they_lie(s3, s3_between, tmp_path):
    """Each kind of container gives the same events as on the disk, and is not downloaded for its members."""
    rows = [row(number, number) for number in range(60)]
    parts = [rows[start : start + 10] for start in range(0, 60, 10)]
    noise = bytes(range(256)) * 40_000
    files = {
        "a.jsonl.gz": gzip.compress(lines(*parts[0])),
        "b.zip": zipped({"x/1.jsonl": lines(*parts[1]), "x/.noise": noise}, compression=0),
        "c.tar": tarred({"2.jsonl": lines(*parts[2]), ".noise": noise}, "w"),
        "d.tar.gz": tarred({"3.jsonl": lines(*parts[3])}),
        "e.parquet": columnar(pq.write_table, parts[4]),
        "f.orc": columnar(orc.write_table, parts[5]),
    }
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
        s3.put(name, data)
    for name, given in (("here", tmp_path / "in"), ("there", s3.url)):
        done = migrate("plan", "posthog", given, "--workdir", tmp_path / name)
        assert done.returncode == 0, done.stderr
    assert planned(tmp_path / "there") == planned(tmp_path / "here")
    assert len(planned(tmp_path / "there")) == 60
    assert s3_between.sent < 4 << 20  # of 20 MB


@pytest.fixture
def nights(s3, s3_between, tmp_path):  # noqa: ARG001 - it stands between
    """The command of every night over a bucket, into a sandbox."""
    with Sandbox() as sandbox:

        def run(*more, code=0):
            words = ["run", "posthog", f"{s3.url}in/", "--workdir", tmp_path / "w", "--host", sandbox.url]
            done = migrate(*words, "--json", *more, env={"POSTHOG_API_KEY": KEY})
            assert done.returncode == code, done.stderr
            found = summary(done)
            assert found["balanced"]
            return found | {"stderr": done.stderr}

        run.sandbox, run.workdir = sandbox, tmp_path / "w"
        yield run


def values(sandbox):
    """What PostHog keeps: the last digits of a uuid → its value."""
    return {int(one["uuid"][-12:]): one["properties"]["v"] for one in sandbox.events("collapsed")}


def test_a_bucket_every_night(s3, s3_between, nights):
    """New objects alone are read; one written anew is judged by its content, and read where it was read before."""
    for number in range(3):
        s3.put(f"in/{number}.jsonl", lines(row(number, 1)))
    table = columnar(pq.write_table, [row(9, 1)])
    s3.put("in/9.parquet", table)
    assert nights()["events"]["accepted"] == 4
    s3_between.asked.clear()
    assert nights()["events"]["planned"] == 4
    assert s3_between.gets() == []  # a listing is all

    s3.put("in/3.jsonl", lines(row(3, 1)))
    for key, data in {"in/0.jsonl": lines(row(0, 1)), "in/9.parquet": table}.items():
        before = s3.tag(key)
        s3.put_in_parts(key, data)
        assert s3.tag(key) != before
    found = nights()
    assert found["events"]["accepted"] == 5
    assert found["replanned"] == {}
    assert {one.path.rpartition("/")[2] for one in s3_between.asked if one.range} == {
        "0.jsonl",
        "3.jsonl",
        "9.parquet",
    }
    s3_between.asked.clear()
    nights()
    assert s3_between.gets() == []  # both are known by their new e_tags

    s3.put("in/1.jsonl", lines(row(1, 2), row(4, 1)))
    s3.put("in/9.parquet", columnar(pq.write_table, [row(9, 2)]))
    s3.delete("in/2.jsonl")
    found = nights("--resend-changed")
    assert found["replanned"]["files"] == 2
    assert values(nights.sandbox) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 1, 9: 2}


def test_what_is_set_aside_in_a_bucket_is_planned_by_the_command_that_is_shown(s3, nights):
    """Its address is typed again as it is."""
    s3.put("in/0 a.jsonl", lines(row(0, 1)))
    nights()
    s3.put("in/0 a.jsonl", lines(row(0, 1), row(1, 1)))
    found = nights("--on-changed", "set-aside", code=5)
    assert [name.removeprefix(s3.url) for name in found["set_aside"]] == ["in/0 a.jsonl"]
    words = shlex.split(found["next"])
    assert words[words.index("--again") + 1] == f"{s3.url}in/0 a.jsonl"
    done = migrate(*words[1:], env={"POSTHOG_API_KEY": KEY})
    assert done.returncode == 0, done.stderr
    nights()
    assert values(nights.sandbox) == {0: 1, 1: 1}


def test_objects_of_any_key_are_planned_as_all_others(s3, s3_between, nights):
    """Every night, and by the word that is shown for each; folders' markers are nothing."""
    keys = ["in//a b.jsonl", "in/../b.jsonl", "in/\x01c.jsonl", "in/d.jsonl"]
    for number, key in enumerate(keys):
        s3.put(key, lines(row(number, 1)))
    s3.put("in//", b"")
    found = nights()
    assert (found["events"]["accepted"], found["skipped_files"]) == (4, {})
    s3_between.asked.clear()
    nights()
    assert s3_between.gets() == []
    for number, key in enumerate(keys):
        s3.put(key, lines(row(number, 1), row(number + 10, 1)))
    again = nights("--on-changed", "set-aside", code=5)["set_aside"]
    assert {*again} == {f"{s3.url}{key}".replace("\x01", "\\x01") for key in keys}
    words = [word for why in again.values() for word in shlex.split(why.partition(" with ")[2])]
    nights(*words)
    assert values(nights.sandbox) == dict.fromkeys([0, 1, 2, 3, 10, 11, 12, 13], 1)


def test_faults_cost_what_they_are_of_alone_and_are_said(s3, s3_between, nights):
    """An object replaced, deleted or forbidden after it was listed is set aside; what is busy or cut is asked again."""
    for number in range(5):
        s3.put(f"in/{number}.jsonl", lines(row(number, 1)) + b" " * 2_000_000)
    looked = []

    def spoil(asked):
        # Each was looked at once when it is asked for behind its first block.
        if asked.range and not asked.range.startswith("bytes=0-") and not looked:
            looked.append(asked)
            s3.put("in/1.jsonl", lines(row(1, 2)) + b" " * 3_000_000)
            s3.delete("in/2.jsonl")
            s3_between.refused = ("in/3.jsonl", DENIED)
            s3_between.answers = [BUSY] * 3

    s3_between.before = spoil
    s3_between.cut_after, s3_between.cuts = 300_000, 3
    buckets.met.clear()
    found = nights(code=5)
    reasons = {name.rpartition("/")[2]: why for name, why in found["set_aside"].items()}
    assert reasons == {
        "1.jsonl": "was replaced by another object since it was listed; run the same command again",
        "2.jsonl": "is not there; check the address",
        "3.jsonl": "may not be read with these credentials (403 AccessDenied); needed are s3:GetObject on the objects "
        "and s3:ListBucket on the bucket",
    }
    assert values(nights.sandbox) == {0: 1, 4: 1}
    assert re.search(
        r"note: a storage was asked again: it was busy, 3x; the connection was cut inside an answer, [1-3]x\n",
        found["stderr"],
    )
    s3_between.before = s3_between.refused = None
    found = nights()
    assert values(nights.sandbox) == {0: 1, 1: 2, 3: 1, 4: 1}


def test_a_storage_that_falls_silent_stops_the_night_which_goes_on(s3, s3_between, nights):
    """Exit 4: nothing is lost, nothing is left out, and the same command goes on."""
    s3.put("in/0.jsonl", lines(row(0, 1)))
    nights()
    s3.put("in/1.jsonl", lines(row(1, 1)))
    s3_between.refused = ("1.jsonl", BUSY)
    words = ["run", "posthog", f"{s3.url}in/", "--workdir", nights.workdir, "--host", nights.sandbox.url]
    done = migrate(*words, env={"POSTHOG_API_KEY": KEY})
    assert done.returncode == 4
    assert "the storage answers 503 SlowDown; run the same command again later" in done.stderr
    s3_between.refused = None
    nights()
    assert values(nights.sandbox) == {0: 1, 1: 1}


def test_what_is_secret_in_an_address_is_nowhere(s3, tmp_path):
    """Not in the workdir, on a screen, in a log or in JSON; with another signature it is the same source."""
    s3.put("in/a b.jsonl", lines(row(0, 1)) + b"broken\n")

    def signed(seconds):
        given = {"Bucket": s3.bucket, "Key": "in/a b.jsonl"}
        return s3.client.generate_presigned_url("get_object", given, seconds)

    secrets, said = [], []
    for seconds, code, how in ((1_000, 3, "-v"), (2_000, 0, "--log-json")):
        url = signed(seconds)
        secrets += re.findall(r"(?:Signature|Credential)=([^&]+)", url)
        words = [
            "plan",
            "posthog",
            url,
            "--workdir",
            tmp_path / "w",
            how,
            "--log-file",
            tmp_path / f"log{how}",
        ]
        done = migrate(*words, "--json")
        assert done.returncode == code, done.stderr
        said += [done.stdout, done.stderr]
        assert summary(done)["events"]["planned"] == 1
        assert summary(done)["replanned"] == {}
    done = migrate("plan", "posthog", url.replace("in/", "none/"), "--workdir", tmp_path / "x")
    said += [done.stdout, done.stderr]
    for name in ("status", "rejects"):
        done = migrate(name, tmp_path / "w")
        said += [done.stdout, done.stderr]
    said += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert len({*secrets}) >= 2
    assert [secret for secret in secrets if any(secret in text for text in said)] == []
    assert f"{s3.address}/{s3.bucket}/in/a%20b.jsonl" in "".join(said)


def test_a_workdir_lies_on_a_disk(s3, tmp_path):
    """One in a bucket is refused in a sentence, and nothing is made."""
    done = migrate("plan", "posthog", tmp_path, "--workdir", f"{s3.url}w", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        f"--workdir: a workdir lies on a disk, found '{s3.url}w'; name a folder on this machine"
        in done.stderr
    )
    assert [*tmp_path.iterdir()] == []
