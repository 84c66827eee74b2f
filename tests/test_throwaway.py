"""What is temporary goes away with its process, or at the next start, and nobody else's folder does."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager

import pytest
from commands import KEY, migrate, rows

from migrate.sandbox.server import Sandbox
from migrate.throwaway import DRY_RUN, GUEST, MARK, PREVIEW, SANDBOX, TRIAL, shared, sweep, throwaway

pytestmark = pytest.mark.crash


@contextmanager
def started(*words, env=None):
    """Start the command line; it does not outlive the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "migrate", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (env or {}),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def halted(process, parent, kind, known=()):
    """Wait until a process has a folder of this kind and stop it there; return the folder."""
    while not (found := {path.parent for path in parent.glob(f"{kind}*/*.sqlite")} - set(known)):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGSTOP)
    return found.pop()


def test_dry_runs_of_killed_processes_are_removed_and_those_of_living_ones_are_not(tmp_path):
    """SIGKILL leaves a folder until the next start; SIGTERM leaves nothing."""
    source = rows(tmp_path / "in" / "a.jsonl", 150_000)
    words = ["run", "posthog", source, "--dry-run", "--workdir", tmp_path / "w"]
    with started(*words) as killed:
        dead = halted(killed, tmp_path, DRY_RUN)
        with started(*words) as living:
            held = halted(living, tmp_path, DRY_RUN, [dead])
            killed.kill()
            killed.wait()
            few = rows(tmp_path / "few.jsonl")
            done = migrate("run", "posthog", few, "--dry-run", "--workdir", tmp_path / "w")
            assert done.returncode == 0, done.stderr
            assert list(tmp_path.glob(f"{DRY_RUN}*")) == [held]
            living.terminate()
            living.send_signal(signal.SIGCONT)
            assert (living.wait(60), list(tmp_path.glob(f"{DRY_RUN}*"))) == (130, [])


def test_what_a_killed_sandbox_kept_is_removed_by_whatever_is_temporary_next(tmp_path):
    """Also `run --host sandbox`; one that is asked to end removes it itself."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    source = rows(tmp_path / "in" / "a.jsonl")
    with started("sandbox", "--port", "0", env=env) as asked:
        halted(asked, temporary, SANDBOX)
        asked.terminate()
        asked.send_signal(signal.SIGCONT)
        assert asked.wait(60) in {0, 130}  # while it serves, or before
        assert list(temporary.iterdir()) == []
    words = ["run", "posthog", source, "--workdir", tmp_path / "w", "--host", "sandbox"]
    with started(*words, env=env) as killed:
        dead = halted(killed, temporary, SANDBOX)
        killed.kill()
        killed.wait()
    assert stat.S_IMODE(dead.stat().st_mode) == 0o700
    assert migrate("preview", "posthog", source, env=env).returncode == 0
    assert list(temporary.iterdir()) == []


def test_a_trials_workdir_goes_however_it_ends(tmp_path):
    """At once where it is asked to end, at the next start where it is killed."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    source = rows(tmp_path / "in" / "a.jsonl", 150_000)
    words = ["run", "posthog", source, "--host", "sandbox"]
    with started(*words, env=env) as killed:
        halted(killed, temporary, TRIAL)
        killed.kill()
        killed.wait()
    few = rows(tmp_path / "in" / "few.jsonl")
    assert migrate("run", "posthog", few, "--host", "sandbox", env=env).returncode == 0
    assert list(temporary.iterdir()) == []
    for number in (signal.SIGINT, signal.SIGTERM):
        with started(*words, env=env) as asked:
            held = halted(asked, temporary, TRIAL)
            assert list(temporary.glob(f"{TRIAL}*")) == [held]
            asked.send_signal(number)
            asked.send_signal(signal.SIGCONT)
            assert asked.wait(60) == 130, asked.communicate()
            assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "tmp"]


def test_what_is_not_unmistakably_ours_stays(tmp_path):
    """A folder of the same name without our mark, with another's, a file, a link, one that is held."""
    (tmp_path / f"{DRY_RUN}notes").mkdir()
    (tmp_path / f"{DRY_RUN}notes" / "plan.txt").write_text("mine")
    (tmp_path / f"{PREVIEW}other").mkdir()
    (tmp_path / f"{PREVIEW}other" / MARK).write_text("another's")
    (tmp_path / f"{SANDBOX}file").write_text("mine")
    with throwaway(DRY_RUN, tmp_path) as folder:
        (tmp_path / f"{DRY_RUN}link").symlink_to(folder)
        (folder / "sub").mkdir()
        (folder / "sub" / "rows").write_text("rows")
        (folder / "out").symlink_to(tmp_path / f"{DRY_RUN}notes")
        before = set(tmp_path.rglob("*"))
        sweep(tmp_path)
        assert set(tmp_path.rglob("*")) == before
        mark = (folder / MARK).read_bytes()
    assert not folder.exists()
    assert (tmp_path / f"{DRY_RUN}notes" / "plan.txt").read_text() == "mine"
    folder.mkdir()
    (folder / MARK).write_bytes(mark)  # as a killed process leaves it
    (folder / "rows").write_text("rows")
    sweep(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [f"{DRY_RUN}link", f"{DRY_RUN}notes", f"{PREVIEW}other", f"{SANDBOX}file"]


def test_what_several_share_goes_with_the_last_of_them(tmp_path, monkeypatch):
    """Whoever comes while it goes has a new one; what killed ones shared goes with the next; a file is no folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with shared(GUEST, "a") as folder:
        with shared(GUEST, "a") as same:
            assert same == folder
            (folder / "sub").mkdir()
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        sweep(tmp_path)
        assert (folder / "sub").is_dir()
        mark = (folder / MARK).read_bytes()
    assert not folder.exists()
    folder.mkdir()
    (folder / MARK).write_bytes(mark)  # as killed processes leave it
    with shared(GUEST, "b") as other:
        assert [*tmp_path.iterdir()] == [other]
    folder.touch()
    with pytest.raises(FileExistsError), shared(GUEST, "a"):
        pass


def test_what_a_killed_apply_or_plan_wrote_aside_is_removed_at_the_next_start(tmp_path):
    """By whatever works in the workdir next, also where it has nothing to plan."""
    workdir = tmp_path / "w"
    source = rows(tmp_path / "in" / "a.jsonl")
    assert migrate("plan", "posthog", source, "--workdir", workdir).returncode == 0
    for name in ("merge-abc", "staging/00000001"):
        (workdir / name).mkdir(parents=True)
        (workdir / name / "0-0.parquet").write_text("what people did")
    with Sandbox() as sandbox:
        done = migrate("apply", workdir, "--host", sandbox.url, "--api-key", KEY)
    assert done.returncode == 0, done.stderr
    assert not list(workdir.glob("merge-*"))
    assert not (workdir / "staging").exists()


def test_what_is_in_a_folder_of_the_users_own_is_the_owners_only(tmp_path):
    """A workdir, or a sandbox's folder, that was there keeps its mode; what is made in it is nobody else's."""
    workdir, data = tmp_path / "w", tmp_path / "data"
    source = rows(tmp_path / "in" / "a.jsonl")
    source.write_text(source.read_text() + '{"event": "e", "distinct_id": ""}\n')
    before = os.umask(0)
    try:
        workdir.mkdir(mode=0o755)
        data.mkdir(mode=0o755)
        with Sandbox(faults=[{"fault": "poison", "event": "e"}]) as sandbox:
            words = ["posthog", source, "--workdir", workdir, "--host", sandbox.url, "--api-key", KEY]
            done = migrate("run", *words)
        with started("sandbox", "--port", "0", "--data", data) as running:
            assert "listening on" in running.stderr.readline()
            found = [*workdir.rglob("*"), *data.rglob("*")]
    finally:
        os.umask(before)
    assert done.returncode == 3, done.stderr
    names = {path.name for path in found}
    assert names >= {
        "checkpoint.sqlite",
        "lock",
        "days",
        "rejects.jsonl",
        "parked.jsonl",
        "report.json",
        "sandbox.sqlite",
    }
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert [stat.S_IMODE(path.stat().st_mode) for path in (workdir, data)] == [0o755, 0o755]
