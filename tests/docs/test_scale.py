"""The commands of docs/scale.md run as they stand there."""

import shlex

from commands import migrate
from distributed import LocalCluster
from distributed.cli import dask_scheduler, dask_worker
from markdown import ROOT, blocks
from samples import SAMPLES
from storage import Storage

DASK = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}


def test_the_commands_of_the_page_run(tmp_path, s3):
    """On a cluster in this process; those of Dask can be typed."""
    (tmp_path / "exports").symlink_to(SAMPLES / "amplitude")
    Storage(s3.address, "acme-exports").fill(SAMPLES / "amplitude", "amplitude/")
    plans = Storage(s3.address, "acme-plans")
    lines = [line for block in blocks(ROOT / "docs" / "scale.md", "sh") for line in block.splitlines()]
    here = {"protocol": "tcp://", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    ran = []
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, **here) as cluster:
        for line in lines:
            words = shlex.split(
                line.replace("dask://node-1:8786", cluster.scheduler_address.replace("tcp", "dask"))
            )
            if "dask" in words:
                _, name, *given = words[words.index("dask") :]
                DASK[name].make_context(name, given)
            elif words[0] == "migrate":
                done = migrate(*words[1:], cwd=tmp_path)
                assert done.returncode == 3, done.stderr
                ran.append("dask" in line)
    assert ran == [False, True, True]
    assert plans.keys() != []
