"""Who plans, as it is typed."""

import json

import pytest
from click.testing import CliRunner
from commands import migrate
from samples import SAMPLES

from migrate.cli.commands import cli
from migrate.plan import cluster


def test_a_cluster_is_named_by_its_scheduler(tmp_path):
    """What is no address is said before anything is read; the shell offers the words."""
    found = migrate("plan", "posthog", tmp_path, "--executor", "dask://node")
    assert found.returncode == 2
    assert found.stderr.endswith(
        "error: --executor: inline, processes, or dask://HOST:PORT; found 'dask://node'\n"
    )
    words = {
        "COMP_WORDS": "migrate plan --executor d",
        "COMP_CWORD": "3",
        "_MIGRATE_COMPLETE": "bash_complete",
    }
    offered = CliRunner().invoke(cli, env=words, prog_name="migrate").output
    assert offered == "plain,dask://\n"


@pytest.mark.parametrize("is_there", [False, True])
def test_a_scheduler_that_is_not_there_leaves_no_workdir_behind(tmp_path, monkeypatch, is_there):
    """One that was there, though nothing was planned in it, stays."""
    monkeypatch.setattr(cluster, "_CONNECTS", 0.1)
    if is_there:
        (tmp_path / "w").mkdir()
    words = (
        "plan",
        "posthog",
        SAMPLES / "posthog",
        "--workdir",
        "w",
        "--executor",
        "dask://127.0.0.1:1",
        "--json",
    )
    found = migrate(*words, cwd=tmp_path)
    told = json.loads(found.stdout)
    assert (found.returncode, told["workdir"]) == (4, "w" if is_there else None)
    assert found.stderr == f"error: {told['run']['error']}\n"
    assert found.stderr.startswith("error: --executor: no scheduler of Dask answers at 127.0.0.1:1, found ")
    assert [one.name for one in tmp_path.iterdir()] == (["w"] if is_there else [])
