"""The workers of a Dask cluster plan what one process does, whoever of them dies; and nothing is left there."""

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from crews import DIES, DIES_ONCE, TAKES_LONG, Planned, own
from distributed import LocalCluster
from samples import EVERY, PLATFORMS, SAMPLES, settings
from sliced import compare, file_of, tear, telling

from migrate.errors import Refused, Stopped
from migrate.plan import cluster as clusters
from migrate.plan import dask, guest, worker
from migrate.plan.dask import Dask
from migrate.plan.executors import Inline

HERE = {"protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
KEPT = ("parts", "numbers", "rejects", "looks", "samples", "aside", "people")


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process with one thread."""
    with LocalCluster(n_workers=2, threads_per_worker=1, **HERE) as found:
        yield found


@pytest.fixture
def at(cluster):
    """The address of its scheduler; nothing of ours is there in the end."""
    address = cluster.scheduler_address.removeprefix("tcp://")
    yield address
    link = clusters.Cluster(address)
    assert {one for one in link.ask(guests).values() if isinstance(one, int)} == {0}
    link.close()


def guests():
    """How many there are in this process."""
    watching = [one for one in threading.enumerate() if one.name == "guest"]
    for one in watching:
        one.join(5)
    return sum(one.is_alive() for one in watching)


def leave():
    """What a guest does whom nobody asks."""
    for one in guest._guests.values():  # noqa: SLF001 - what its clock does
        one.stop()
        one.has_left.set()


@pytest.mark.parametrize("platform", [*(PLATFORMS if EVERY else ["posthog", "table"]), "killed"])
def test_they_plan_what_one_process_plans(tmp_path, at, platform):
    """Bytes, numbers, rejects, looks and samples are the same, though a worker is killed in the middle."""
    if platform == "killed":
        mapping = DIES_ONCE.format(str(tmp_path / "died"))
        work = own(tmp_path, mapping, "seen", "dies", "seen")
    else:
        work = settings(platform).work([str(SAMPLES / platform)])
    one = Planned(tmp_path / "one", work, Inline())
    two = Planned(tmp_path / "two", work, Dask(at, tries=2))
    assert one.parts
    assert two.workers
    assert ("warning" in two.events) == (tmp_path / "died").exists() == (platform == "killed")
    for name in KEPT:
        assert getattr(one, name) == getattr(two, name), name
    assert [*(tmp_path / "two" / "staging").glob("*")] == []


@pytest.mark.parametrize("platform", ["ga4", "segment"])
def test_a_large_file_is_planned_by_all_of_them(tmp_path, at, platform):
    """In slices, of which each is a unit; one that is torn is planned whole then, by the command itself."""
    is_torn = platform == "segment"
    path = telling(tmp_path / "in", platform) if is_torn else file_of(tmp_path, platform)
    if is_torn:
        tear(path)
    work = settings(platform).work([str(path)])
    one = Planned(tmp_path / "one", work, Inline())
    two = Planned(tmp_path / "two", work, Dask(at, slice_bytes=path.stat().st_size // 6))
    compare(one, two)
    assert (len(two.parts) > len(one.parts)) == (not is_torn)
    assert [*(tmp_path / "two" / "staging").glob("*")] == []


def test_a_file_that_kills_whoever_plans_it_is_set_aside_by_name(tmp_path, at):
    """Those that were planned with it are planned."""
    found = Planned(tmp_path / "w", own(tmp_path, DIES, "seen", "dies", "seen"), Dask(at, tries=1))
    assert list(found.aside) == ["1.jsonl"]
    assert "1 processes that planned it died, the last by the end of tcp://" in found.aside["1.jsonl"]
    assert (found.numbers.read, found.numbers.mapped) == (2, 2)


def test_they_stop_when_work_is_to_stop(tmp_path, at, monkeypatch):
    """Though a mapping does not answer; nothing of that is planned, whenever it comes to its end."""
    monkeypatch.setattr(dask, "_PATIENCE", 0.1)
    end = tmp_path / "end"
    work = own(tmp_path, TAKES_LONG.format(str(end)), "long", "seen")
    found = Planned(tmp_path / "w", work, Dask(at), stops=True)
    assert found.workers
    assert found.numbers.read == 0
    end.mkdir()
    assert Planned(tmp_path / "w", work, Dask(at)).numbers.mapped == 2


def test_workers_that_were_not_asked_for_long_plan_on(tmp_path, at):
    """The command was suspended, say; that is no try."""
    link, end = clusters.Cluster(at), tmp_path / "end"

    def fall_silent():
        assert link.ask(leave)
        end.mkdir()

    work = own(tmp_path, TAKES_LONG.format(str(end)), "long", "seen")
    found = Planned(tmp_path / "w", work, Dask(at, tries=1), then={"file_begun": fall_silent})
    link.close()
    assert found.numbers.mapped == 2
    assert "warning" not in found.events


def test_workers_that_cannot_plan_end_it_where_they_are_there_at_first(tmp_path, at, monkeypatch):
    """They are named, and keep nothing of ours."""
    (tmp_path / "in").touch()
    job = SimpleNamespace(source=SimpleNamespace(path=tmp_path / "in"))
    Dask(at).check(tmp_path, [job])
    (tmp_path / "in").unlink()
    with pytest.raises(
        Refused, match=r"the worker tcp://127\.0\.0\.1:\d+ does not see .*/in; the workdir and what is"
    ):
        Dask(at).check(tmp_path, [job])
    monkeypatch.setattr(worker, "VERSION", "0.0.9")
    with pytest.raises(
        Refused, match=r"the worker tcp://.* is of another version, found migrate .* where 0\.0\.9 began"
    ):
        Dask(at).check(tmp_path, [])


def test_a_worker_that_cannot_plan_is_passed_over_where_it_comes_later(tmp_path, cluster, at):
    """It has no migrate of ours, say; the others plan on."""
    (tmp_path / "other" / "migrate").mkdir(parents=True)
    (tmp_path / "other" / "migrate" / "__init__.py").touch()
    words = ["-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--no-nanny", "--no-dashboard"]
    joined, end = [], tmp_path / "end"

    def join():
        place = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path / "other")}}
        joined.append(subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL, **place))

    work = own(tmp_path, TAKES_LONG.format(str(end)), "long", "seen")
    found = Planned(tmp_path / "w", work, Dask(at), then={"file_begun": join, "warning": end.mkdir})
    joined[0].terminate()
    joined[0].wait()
    assert found.events.count("warning") == 1
    assert found.numbers.mapped == 2


def test_a_scheduler_that_is_gone_stops_it_and_the_same_goes_on(tmp_path, at, monkeypatch):
    """What was planned by then stands; a cluster without workers is waited for as long as there is patience."""
    monkeypatch.setattr(clusters, "_CONNECTS", 1.0)
    work = settings("posthog").work([str(SAMPLES / "posthog")])
    with LocalCluster(n_workers=1, processes=False, **HERE) as other:
        where = other.scheduler_address.removeprefix("tcp://")
        with pytest.raises(
            Stopped, match=r"does not answer any more, .*; nothing is lost: when it runs again, run"
        ):
            Planned(tmp_path / "w", work, Dask(where), then={"file_begun": other.close})
    with pytest.raises(Stopped, match=f"no scheduler of Dask answers at {where}, found"):
        Dask(where).check(tmp_path, [])
    with LocalCluster(n_workers=0, processes=False, **HERE) as other:
        where = other.scheduler_address.removeprefix("tcp://")
        with pytest.raises(
            Stopped, match=f"the cluster of Dask at {where} has had no worker for 0 s; start some"
        ):
            Dask(where, patience=0).check(tmp_path, [])
    assert Planned(tmp_path / "w", work, Dask(at)).numbers.mapped == 23
