"""Who plans, as it is typed."""

from click.testing import CliRunner
from commands import migrate

from migrate.cli.commands import cli


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
