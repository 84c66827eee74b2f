"""Units of schedulers, the Dockerfile, metrics, checked by each system's own validator: `.ci/validators` has them."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import migrate, rows
from hypothesis import HealthCheck, given, settings
from markdown import ROOT, blocks
from schedules import NAMES, ODD, night, odd

from migrate.cli.units import units

pytestmark = pytest.mark.validators

AIRFLOW = """
import importlib.util, json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowException, AirflowFailException
bag = DagBag(sys.argv[1])
told = {name: [str(dag.timetable.expression), str(dag.timezone), dag.max_active_runs, dag.catchup, dag.tasks[0].retries]
        for name, dag in bag.dags.items()}
spec = importlib.util.spec_from_file_location("unit", sys.argv[2])
spec.loader.exec_module(unit := importlib.util.module_from_spec(spec))
codes = {}
for code in (0, 6, 4, 2, 3, 5):
    unit.COMMAND = ["sh", "-c", f'[ "$POSTHOG_API_KEY" = phc_night ] || exit 9; exit {code}']
    unit.FOLDER = sys.argv[1]
    try:
        unit.Migrate(task_id="run").execute({})
        codes[code] = "well"
    except AirflowException as error:
        codes[code] = type(error).__name__
print()
print(json.dumps([bag.import_errors, told, codes]))
"""
"""Loads a unit as Airflow does; what there is, and what becomes of exit codes."""
DAGSTER = """
import importlib.util, json, sys
import dagster as dg
spec = importlib.util.spec_from_file_location("unit", sys.argv[1])
spec.loader.exec_module(unit := importlib.util.module_from_spec(spec))
codes = {}
for code in (0, 6, 4, 2, 3, 5):
    unit.COMMAND = ["sh", "-c", f'''echo '{{"seconds": 1}}'; exit {code}''']
    unit.FOLDER = "/"
    try:
        codes[code] = unit.history(dg.build_asset_context()).metadata["told"].value
    except (dg.RetryRequested, dg.Failure) as error:
        codes[code] = [type(error).__name__, getattr(error, "allow_retries", None)]
with dg.DagsterInstance.local_temp() as instance:
    asked = dg.build_schedule_context(instance=instance)
    told = [type(unit.every_night(asked)).__name__]
    job = unit.defs.resolve_job_def(unit.job.name)
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    told.append(type(unit.every_night(asked)).__name__)
print()
print(json.dumps([unit.every_night.cron_schedule, unit.every_night.execution_timezone, codes, told]))
"""
"""Loads a unit; its schedule, what becomes of exit codes, and what the schedule asks for before and during a run."""


def tool(name):
    """The path of a program: of this Python's environment, or of the machine."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or pytest.skip(f"{name} is not installed; .ci/validators has it")


def needs(module):
    """Skip where a library is not installed."""
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed; .ci/validators has it")


def written(folder, scheduler, **other):
    """The units as files."""
    made = units(scheduler, night(**other))
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


def run(*words, given=None, **env):
    """Run a validator, with this text on its stdin; what it said, where it found nothing."""
    done = subprocess.run(
        [*map(str, words)],
        env=os.environ | env,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", ["acme", """a b%h$HOME`id`$(id)${{x}}[g]*ü;#=:~\u3000"""])
def test_systemd_verifies_the_service_and_its_timer(tmp_path, name):
    """Without a word; also that the command is one."""
    analyze = tool("systemd-analyze")
    command = tmp_path / name / "migrate"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    files = written(tmp_path, "systemd", config=tmp_path / name / "migrate.toml", command=str(command))
    done = run(analyze, "verify", "--user", "--man=no", *files, XDG_RUNTIME_DIR=str(tmp_path))
    assert done.stdout + done.stderr == ""
    calendar = run(analyze, "calendar", "*-*-* 02:30:00 Europe/Berlin")
    assert "Normalized form: *-*-* 02:30:00 Europe/Berlin" in calendar.stdout


def test_kubernetes_validates_volume_and_cron_job(tmp_path):
    """Strictly: no field that it does not know."""
    needs("kubernetes_validate")
    (file,) = written(tmp_path, "kubernetes")
    said = run(tool("kubernetes-validate"), "--strict", file)
    assert (said.stdout + said.stderr).count(" passed for resource ") == 2


def test_github_validates_the_workflow(tmp_path):
    """By the schema of workflows that check-jsonschema brings."""
    (file,) = written(tmp_path, "github-actions")
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", file)


def test_airflow_loads_the_dag(tmp_path):
    """Without an error; and 4 is tried again, 6 is well, all else fails at once."""
    needs("airflow")
    (tmp_path / "dags").mkdir()
    (file,) = written(tmp_path / "dags", "airflow")
    env = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW_CONN_POSTHOG": '{"conn_type": "http", "password": "phc_night"}',
    }
    said = run(sys.executable, "-c", AIRFLOW, file.parent, file, **env)
    errors, dags, codes = json.loads(said.stdout.splitlines()[-1])
    assert errors == {}
    assert dags == {"migrate": ["30 2 * * *", "Europe/Berlin", 1, False, 3]}
    fails = dict.fromkeys("235", "AirflowFailException")
    assert codes == {"0": "well", "6": "well", "4": "AirflowException"} | fails


def test_dagster_loads_asset_job_and_schedule(tmp_path):
    """A night whose run is at work is skipped; and 4 is tried again, 6 is well, all else fails at once."""
    needs("dagster")
    (file,) = written(tmp_path, "dagster")
    run(tool("dagster"), "definitions", "validate", "-f", file, DAGSTER_HOME=str(tmp_path))
    said = run(sys.executable, "-c", DAGSTER, file)
    cron, zone, codes, asked = json.loads(said.stdout.splitlines()[-1])
    assert (cron, zone) == ("30 2 * * *", "Europe/Berlin")
    assert codes["0"] == codes["6"] == [{"seconds": 1}]
    assert codes["4"] == ["RetryRequested", None]
    assert [codes[code] for code in "235"] == [["Failure", False]] * 3
    assert asked == ["RunRequest", "SkipReason"]


@pytest.mark.parametrize("scheduler", ["kubernetes", "github-actions"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES)
def test_yaml_reads_paths_as_they_are(scheduler, name):
    """Whatever their letters."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed; .ci/validators has it")
    for one in (name, ODD):
        path = odd(one)
        (text,) = units(scheduler, night(**path)).values()
        *_, found = yaml.safe_load_all(text)
        if scheduler == "kubernetes":
            (container,) = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
            assert container["args"][2].replace("$$", "$") == f"/data/{one}.toml"
        else:
            (step,) = found["jobs"]["migrate"]["steps"]
            assert step["env"]["CONFIG"].replace("${{ '${{' }}", "${{") == str(path["config"])
            assert step["env"]["COMMAND"].replace("${{ '${{' }}", "${{") == path["command"]


def test_hadolint_finds_nothing_in_the_dockerfile():
    """Not a word."""
    assert run(tool("hadolint"), ROOT / "Dockerfile").stdout == ""


def test_promtool_checks_metrics_and_alerts(tmp_path):
    """Without a word; of several workdirs, and the rules of docs/watching.md."""
    promtool = tool("promtool")
    rows(tmp_path / "in" / "a.jsonl")
    for workdir, source in (("w", "in"), ("v", "in"), ("w", "none")):
        migrate("plan", "posthog", source, "--workdir", workdir, "--metrics-file", "m.prom", cwd=tmp_path)
    said = run(promtool, "check", "metrics", given=(tmp_path / "m.prom").read_text())
    assert said.stdout + said.stderr == ""
    (rules,) = blocks(ROOT / "docs" / "watching.md", "yaml")
    (tmp_path / "rules.yml").write_text(rules)
    assert "SUCCESS: 5 rules found" in run(promtool, "check", "rules", tmp_path / "rules.yml").stdout
