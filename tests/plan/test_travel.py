"""Workers that see nothing of the workdir plan what one process does, where the plan's files lie in a storage."""

import json
import tempfile
from pathlib import Path
from threading import Event

import pytest
from crews import DIES_ONCE, ROW, Planned, known, own
from distributed import LocalCluster
from frames import LATER
from samples import SAMPLES, settings
from sliced import ALIKE, seen
from storage import Storage, environment

from migrate.errors import Refused, Stopped
from migrate.plan import guest, worker
from migrate.plan.bundles import Bundle
from migrate.plan.dask import Dask
from migrate.plan.elsewhere import handed
from migrate.plan.executors import Inline
from migrate.plan.handing import packed, unpacked
from migrate.plan.interrupted import Interrupted
from migrate.plan.planned import Setup
from migrate.plan.travel import Away
from migrate.plan.units import Unit
from migrate.stores import waiting
from migrate.throwaway import GUEST
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.far import FarDepot

UNSEEN = Path("/proc/self/cwd/w")
"""A workdir that no process sees as another one does: it is where each of them works."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """What workers have for a temporary place."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def cluster(s3_address, elsewhere):
    """Two workers, each a process with one thread, that may ask the storage."""
    here = {"protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with pytest.MonkeyPatch.context() as patch, environment(patch, s3_address):
        patch.setenv("TMPDIR", str(elsewhere))
        with LocalCluster(n_workers=2, threads_per_worker=1, **here) as found:
            yield found


@pytest.fixture
def far(cluster, s3, elsewhere, tmp_path, monkeypatch):
    """What plans a work there; of what travelled nothing is left anywhere."""
    monkeypatch.chdir(tmp_path)
    address = cluster.scheduler_address.removeprefix("tcp://")

    def planned(work, then=None, **more):
        found = Planned(UNSEEN, work, Dask(address, **more), parts=f"{s3.url}plans", then=then)
        found.address = address
        assert objects(s3) == {*found.parts}
        assert [*(tmp_path / "w" / "staging").glob("*")] == [*elsewhere.glob(f"{GUEST}*")] == []
        return found

    return planned


def objects(s3):
    """The names of all objects of the plan."""
    with Checkpoint.open(UNSEEN) as checkpoint:
        prefix = checkpoint.depot.shown("").removeprefix(s3.url)
    return {key.removeprefix(prefix) for key in map(str, s3.keys())}


def compare(one, other):
    """Compare two plans, one of them planned by workers."""
    assert other.workers
    for name in (*ALIKE, "people"):
        assert getattr(one, name) == getattr(other, name), name
    assert seen(one.look) == seen(other.look)


def test_they_plan_what_one_process_plans(tmp_path, far, s3):
    """With links, states and rejects; what a killed command has left there goes with the next one."""
    work = settings("mixpanel").work([str(SAMPLES / "mixpanel" / one) for one in ("engage", "export")])
    one, two = Planned(tmp_path / "one", work, Inline()), far(work, carried=0)
    compare(one, two)
    assert one.people["merged"]
    assert one.rejects
    Dask(two.address).check(UNSEEN, work.jobs, is_far=True)
    with pytest.raises(
        Refused, match="does not see /proc/self/cwd/w/staging/.*, or with --parts what is read alone"
    ):
        Dask(two.address).check(UNSEEN, work.jobs)
    (name, *_) = two.parts
    (key,) = (one for one in map(str, s3.keys()) if one.endswith(name))
    s3.put(key.replace(name, "staging/t/people.sqlite"), b"of somebody who is gone")
    assert far(work).payloads == one.payloads


def test_a_slice_whose_worker_is_killed_is_planned_by_another(tmp_path, far, s3):
    """The object is put together here, of what came of all of them; what the dead one had written is gone, too."""
    work = own(tmp_path, DIES_ONCE.format(str(tmp_path / "died")), "seen")
    rows = [ROW.format(number).replace("seen", "dies" if number == 20 else "seen") for number in range(40)]
    exports = Storage(s3.address, "exportsbucket")
    exports.put("0.jsonl", "".join([*rows[:7], '{"oops": \n[]}\n', *rows[7:]]).encode())
    work = work.settings.work([exports.url])
    one = Planned(tmp_path / "one", work, Inline())
    left = []

    def leave():
        folder = "/".join(next(map(str, s3.keys())).split("/")[:2])
        left.append(f"{folder}/days/2024-04-03/00000001-dead.parquet")
        s3.put(left[0], b"planned, and heard of by nobody")

    two = far(work, {"warning": leave}, slice_bytes=500)
    compare(one, two)
    assert left
    assert "warning" in two.events
    assert len(two.parts) > len(one.parts) == 1


@pytest.fixture
def given(tmp_path, s3, s3_between, monkeypatch):  # noqa: ARG001 - it stands between
    """How a file whose only row is a reject is planned away, in this process; the work, and its unit, as handed on."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    work, people = own(tmp_path, "def touched(text):\n    return text", "seen"), tmp_path / "people.sqlite"
    people.write_bytes(b"people")
    (job,) = work.jobs
    job.source.path.write_text('{"oops": []}\n')
    setup = Setup(
        workdir=tmp_path / "w",
        depot=FarDepot(tmp_path / "w", f"{s3.url}plans/w/"),
        files=[people],
        names=frozenset([job.source.name]),
        first=None,
        now=LATER,
        transform=work.settings.transform,
        examine=lambda *_: None,
        on_begin=waiting.begin,
        on_stop=waiting.end,
    )
    unit = Unit.of(Bundle([job]), known([job]))
    sent = handed([unit], setup, lambda _: None, setup.files)
    yield Away.of(setup, "t", 0), sent.setup, packed(unit, sent.shared)
    guest.leave("t")
    waiting.begin()
    assert [*tmp_path.glob(f"{GUEST}*")] == []


def greet(away, setup):
    """Have a guest come that does not see the workdir."""
    assert guest.greet("t", setup, worker.kind(), [], packed(away)) == (worker.kind(), [])


def test_what_is_harmed_or_gone_on_its_way_is_planned_by_nobody(tmp_path, given, s3, s3_between):
    """It is said by its address; what is whole is put where the coordinator looks for it."""
    away, setup, unit = given
    greet(away, setup)
    for number, harm in enumerate([s3.delete, lambda key: s3.put(key, b"{}\n"), lambda _: None]):
        _, what, parcel = unpacked(guest.plan("t", f"t/{number}", unit))
        assert what == worker.DONE
        key = f"plans/w/staging/t/{number}/00000001.rejects"
        assert key in [*map(str, s3.keys())]
        harm(key)
        if number < 2:
            found = "other bytes" if number else "no such object"
            with pytest.raises(
                Stopped, match=f"{s3.url}{key}: harmed since it was written, found {found}; not"
            ):
                away.received(parcel, Event(), Event().set)
    asked = Event()
    s3_between.before = lambda request: request.method == "GET" and asked.wait(60)
    made = away.received(
        parcel, Event(), asked.set
    )  # a large file takes longer than workers wait to be asked
    assert asked.is_set()
    assert made.rejects == tmp_path / "w" / "staging" / "t" / "2" / "00000001.rejects"
    assert json.loads(made.rejects.read_text())["source"] == {"oops": []}
    assert made.writer.workdir == tmp_path / "w"
    assert key not in [*map(str, s3.keys())]
    away.end(Event())
    assert s3.keys() == []


def test_people_are_fetched_once_a_machine(tmp_path, given, s3, s3_between):
    """Whoever comes second finds them; those that are harmed are nobody's."""
    away, setup, _ = given
    (tmp_path / "m").mkdir()
    for _ in range(2):
        work, _ = away.arrive(setup, tmp_path / "m", Event())
        assert work.work.files == [tmp_path / "m" / "people.sqlite"]
        assert work.work.files[0].read_bytes() == b"people"
    assert len(s3_between.gets("/people.sqlite")) == 1
    s3.put("plans/w/staging/t/people.sqlite", b"PEOPLE")
    (tmp_path / "n").mkdir()
    with pytest.raises(
        Stopped, match=r"/w/staging/t/people.sqlite: harmed since it was written, found other"
    ):
        away.arrive(setup, tmp_path / "n", Event())


def test_a_guest_leaves_while_a_storage_says_nothing(tmp_path, given, s3_between):
    """Its folder goes with the last that it was at; who waits for people waits no more."""
    away, setup, unit = given
    stopping, goes_on, left = Event(), Event(), []

    def leave(request):
        if request.method == "PUT" and "/staging/t/1/" in request.path:
            guest.leave("t")
            left.extend(tmp_path.glob(f"{GUEST}*"))
            goes_on.wait()
        if request.method == "GET" and "/people.sqlite" in request.path and left:
            stopping.set()
            goes_on.wait()

    s3_between.before = leave
    greet(away, setup)
    assert unpacked(guest.plan("t", "t/1", unit))[1:] == (worker.LEFT, None)
    assert [one.exists() for one in left] == [False]
    (tmp_path / "n").mkdir()
    with pytest.raises(Interrupted):
        away.arrive(setup, tmp_path / "n", stopping)
    goes_on.set()
