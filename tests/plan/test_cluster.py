"""A cluster's workers are asked, and given tasks; one that is not there is said so."""

import pytest
from distributed import LocalCluster

from migrate.errors import Stopped
from migrate.plan import cluster
from migrate.plan.cluster import Cluster

HERE = {"protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}


def divide(number, other):
    return number / other


def test_a_cluster_is_asked_and_given_tasks(monkeypatch):
    """An error of one worker is its answer; a cluster that is gone is a sentence, whatever is asked of it."""
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, **HERE) as one:
        (worker,) = one.scheduler_info["workers"]
        found = Cluster(one.scheduler_address.removeprefix("tcp://"))
        assert found.threads() == {worker: 2}
        assert found.ask(divide, 1, 2) == {worker: 0.5}
        assert isinstance(found.ask(divide, 1, 0)[worker], ZeroDivisionError)
        found.begin("a", worker, divide, 1, 2)
        assert [(mark, found.result(mark)) for mark in found.landed(30)] == [("a", 0.5)]
        found.begin("b", "tcp://127.0.0.1:1", divide, 1, 2)  # such a worker may still come
        assert list(found.landed(0)) == []
        found.drop("b")
        assert list(found.landed(30)) == ["b"]
        monkeypatch.setattr(cluster, "_CONNECTS", 0.5)
        other = Cluster(found.address)
    for call in (other.threads, lambda: other.ask(divide, 1, 2), other.threads):
        with pytest.raises(
            Stopped, match="does not answer any more, found '.*'; nothing is lost: when it runs"
        ):
            call()
    for one in (found, other):
        one.close()
    with pytest.raises(
        Stopped, match=f"--executor: no scheduler of Dask answers at {found.address}, found 'Timed"
    ):
        Cluster(found.address)
