"""A plan whose files lie in a storage is as one that lies in its workdir: what is sent, every night, after a kill."""

import json
import signal
import threading

import pyarrow as pa
import pytest
from between import BUSY
from commands import started
from nights import DAYS, row
from pyarrow import parquet as pq
from sealing import exports, migrate, summary

from migrate.sandbox.server import Sandbox
from migrate.stores import waiting
from migrate.verifying.ledger import Ledger
from migrate.workdir import daynames
from migrate.workdir.checkpoint import Checkpoint

HARMED = "; nothing of this day (2024-04-04) or a later one is sent any more; it is of "


class Far:
    """A workdir whose plan lies in a bucket, a folder of exports, and the commands of every night."""

    def __init__(self, folder, sandbox, s3):
        self.folder, self.sandbox, self.s3 = folder, sandbox, s3
        self.workdir, self.address, self.source = folder / "w", f"{s3.url}plans", folder / "in"
        self.words = [self.source, "--workdir", self.workdir, "--host", sandbox.url, "--json"]
        self.source.mkdir()

    def run(self, *more, platform="posthog", code=0):
        """Plan what is in the folder, and send it; the summary."""
        done = migrate("run", platform, *self.words, *more)
        assert done.returncode == code, done.stderr
        found = summary(done)
        assert found["balanced"]
        return found | {"stderr": done.stderr}

    def plan(self, *more):
        """Plan what is in the folder."""
        words = [word for word in self.words if word not in {"--host", self.sandbox.url}]
        done = migrate("plan", "posthog", *words, *more)
        assert done.returncode == 0, done.stderr

    def write(self, name, *rows):
        """Write a file as an export does: anew."""
        (self.source / name).write_text("".join(json.dumps(one) + "\n" for one in rows))

    def objects(self):
        """The objects of the plan, those alone that its checkpoint knows, by their paths; it has no copies of any."""
        assert [*self.workdir.glob("days/*")] == []
        with Checkpoint.open(self.workdir) as checkpoint:
            prefix = checkpoint.depot.shown("").removeprefix(self.s3.url)
            keys = [key for key in map(str, self.s3.keys()) if key.startswith(prefix)]
            found = {key.removeprefix(prefix): key for key in keys}
            assert found.keys() == checkpoint.part_paths()
        return found

    def kept(self):
        """What PostHog keeps: the last digits of a uuid → its value."""
        return {int(one["uuid"][-12:]): one["properties"]["v"] for one in self.sandbox.events("collapsed")}


@pytest.fixture
def far(s3, s3_between, tmp_path):  # noqa: ARG001 - it stands between
    """Such a workdir, and a sandbox."""
    with Sandbox() as sandbox:
        yield Far(tmp_path, sandbox, s3)


def sent(sandbox):
    """The events that arrived, in any order."""
    names = ("uuid", "event", "distinct_id", "timestamp", "properties")
    return sorted(json.dumps([one[name] for name in names]) for one in sandbox.events())


def test_the_same_is_sent(far, tmp_path):
    """Of JSON lines and of columns of many days, planned by this process and by others; no file of it stays here."""
    times = [
        f"2024-0{4 + day // 25}-{day % 25 + 1:02}T12:{day:02}:00Z" for day in range(50)
    ]  # few of many days
    columns = {
        "event": ["e"] * 50,
        "distinct_id": ["u"] * 50,
        "properties": ['{"v":1}'] * 50,
        "timestamp": times,
    }
    pq.write_table(pa.table(columns), far.source / "b.parquet")
    far.write(
        "a.jsonl", *(row(number, number, day=number % 3) for number in range(30)), {"event": "no person"}
    )
    found = []
    for name in ("", "inline", "processes"):
        more = ["--parts", f"{far.address}/", "--executor", name, "--workers", "2"] if name else []
        with Sandbox() as sandbox:
            words = [far.source, "--workdir", tmp_path / f"w{name}", "--host", sandbox.url, "--json"]
            done = migrate("run", "posthog", *words, *more)
            assert done.returncode == 3, done.stderr
            numbers = summary(done)
            found.append(
                [sent(sandbox), *(numbers[of] for of in ("rows", "events", "warnings", "whole", "state"))]
            )
            assert len(found[0][0]) == 80
        if name:
            assert numbers["parts"].startswith(f"{far.address}/")
            assert [
                path for of in ("days", "spans") for path in (tmp_path / f"w{name}").glob(f"{of}/*")
            ] == []
    assert [key for key in map(str, far.s3.keys()) if "/spans/" in key] == []
    here, *there = found
    assert [here, here] == there


def test_every_night(far):
    """New files are added; a changed one is planned anew, and only what the checkpoint knows is in the bucket."""
    far.write("0.jsonl", row(0, 1), row(1, 1, day=1))
    far.run("--parts", far.address)
    first = far.objects()
    far.write("1.jsonl", row(2, 1), row(3, 1, day=2))
    assert far.run()["events"]["accepted"] == 4
    assert len(far.objects()) == 4
    far.write("0.jsonl", row(0, 2), row(4, 1, day=1))
    assert far.run("--resend-changed")["replanned"] == {"files": 1, "resent": 1, "vanished_sent": 1}
    assert far.kept() == {0: 2, 1: 1, 2: 1, 3: 1, 4: 1}
    assert first.keys() < far.objects().keys()
    far.write("1.jsonl", row(2, 1), row(3, 1, day=2), row(5, 1, day=2))
    far.plan()
    far.write("1.jsonl", row(2, 1), row(3, 1, day=2), row(6, 1, day=2))
    far.run()
    assert far.kept() == {0: 2, 1: 1, 2: 1, 3: 1, 4: 1, 6: 1}
    with Checkpoint.open(far.workdir) as checkpoint:
        waiting.begin()  # the commands of this process have ended it
        checkpoint.depot.take()
        ledger = Ledger(checkpoint)
        assert {day: ledger.of(day)["e"].events for day in ledger.days} == dict(
            zip(DAYS, (2, 2, 2), strict=True)
        )
        assert dict(daynames.events(checkpoint)) == {day: {"e": n} for day, n in checkpoint.by_day().items()}
    before = far.objects()
    far.run("--keep-days", "0")
    stripped = far.objects()
    assert {path.replace("k.parquet", ".parquet") for path in stripped} == before.keys()
    far.write("2.jsonl", row(2, 1))
    assert far.run()["events"]["duplicate"] > 0  # known by what is left of them
    far.run("--keep-days", "0", "--dedup-days", "0")
    assert far.objects() == {}
    done = migrate("status", far.workdir)
    assert f"the files of its plan: {far.address}/" in done.stderr


@pytest.mark.parametrize(
    ("place", "after"),
    [
        pytest.param("workdir.far.put", 3, id="planning"),
        pytest.param("workdir.rounds.settle", 2, id="sending"),
    ],
)
def test_a_kill_costs_nothing(far, place, after):
    """What was in the storage by then, or in the workdir, goes or counts; nothing is lost, and nothing twice."""
    exports(far.source, files=2)
    words = ["run", "segment", *far.words, "--parts", far.address, "--max-batch-events", "10"]
    assert migrate(*words, killed_at=place, after=after).returncode == 9
    assert far.s3.keys() != []
    found = far.run("--max-batch-events", "10", platform="segment")
    assert (found["events"]["pending"], found["rows"]["read"]) == (0, 80)
    assert len(far.sandbox.events("collapsed")) == found["events"]["accepted"]
    far.objects()


def test_what_is_harmed_or_gone_or_not_given_is_never_sent(far, s3_between):
    """It is said by its address, before anything of its day leaves; a storage that is silent is asked again later."""
    far.write("0.jsonl", *(row(number, 1, day=number) for number in range(3)))
    far.plan("--parts", far.address)
    key = next(key for path, key in far.objects().items() if "2024-04-04" in path)
    data = far.s3.get(key)
    s3_between.refused = ("2024-04-04", BUSY)
    found = far.run(code=4)
    assert "the storage answers 503; run the same command again later" in found["stderr"]
    s3_between.refused = None
    end = f"{HARMED}{far.source}/0.jsonl: plan it anew, with --again {far.source}/0.jsonl\n"
    for harmed, why in {
        data[:-1]: f"found {len(data) - 1:,} bytes where {len(data):,} were written",
        data[:90] + b"x" + data[91:]: "other bytes between 0 and 65,536",
        None: "found no such object",
    }.items():
        far.s3.delete(key) if harmed is None else far.s3.put(key, harmed)
        found = far.run(code=5)
        assert f"{far.s3.url}{key}: harmed since it was planned, {why}{end}" in found["stderr"]
    assert far.kept() == {0: 1}
    far.run("--again", far.source / "0.jsonl")
    assert far.kept() == {0: 1, 1: 1, 2: 1}
    assert key in far.objects().values()


def test_a_workdir_is_bound_to_its_storage(far, tmp_path):
    """Another address is refused, and what is none; a copy of it has no place in it."""
    far.write("0.jsonl", row(0, 1))
    words = ["plan", "posthog", far.source, "--workdir", far.workdir]
    for typed, message in {
        "plans": "--parts: no address of a storage, found 'plans'; write it as s3://bucket/folder",
        "https://a.example/b": "--parts: a web server takes no files, found 'https://a.example/b'; name "
        "s3://bucket/folder, gs:// or az://",
        "s3://": "--parts: s3://: no bucket is named; write it as s3://bucket/key",
        "s3://a/*/b": "--parts: a pattern, found 's3://a/*/b'; name one folder in which all files of the plan may lie",
        f"{far.s3.url}a//b": "--parts: an address with an empty part, '.', '..' or a control character in it, found "
        f"'{far.s3.url}a//b'; name another one",
    }.items():
        done = migrate(*words, "--parts", typed)
        assert (done.returncode, [*tmp_path.glob("w/*")]) == (2, [])
        assert f"error: {message}\n" in done.stderr
    done = migrate(*words, "--parts", "s3://no-such-bucket/x")
    assert done.returncode == 2
    assert "there is no such bucket; check its name, and the endpoint" in done.stderr
    assert not far.workdir.exists()
    far.plan("--parts", far.address)
    done = migrate(*words, "--parts", f"{far.address}2")
    assert done.returncode == 5
    assert (
        f"error: --parts: the files of this plan lie in {far.address}, found {far.address}2; leave it out, or plan "
        "into another --workdir\n"
    ) in done.stderr
    far.plan("--parts", far.address)
    done = migrate("run", "posthog", far.source, "--parts", far.address, "--dry-run")
    assert "note: a dry run writes nothing to --parts, and its plan goes with it\n" in done.stderr
    far.objects()


def test_an_interrupt_is_heard_while_a_storage_says_nothing(far, s3_between, monkeypatch):
    """What was sent is noted, and the same command goes on."""
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_sealed")
    far.write("0.jsonl", *(row(number, 1, day=number) for number in range(3)))
    far.plan("--parts", far.address)
    asked, goes_on = threading.Event(), threading.Event()

    def wait(request):
        if "2024-04-04" in request.path:
            asked.set()
            goes_on.wait()

    s3_between.before = wait
    with started("apply", far.workdir, "--host", far.sandbox.url) as process:
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    goes_on.set()
    assert process.returncode == 130, said
    assert "interrupted: finishing what is in flight" in said
    far.run()
    assert far.kept() == {0: 1, 1: 1, 2: 1}
    far.objects()
