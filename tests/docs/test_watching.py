"""docs/watching.md is true: what each watcher is shown, the names of metrics, events and fields."""

import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from commands import migrate, rows
from configs import cli, keys_of
from listening import Listener
from markdown import ROOT, blocks
from markdown import rows as cells
from samples import SAMPLES
from vendors import KEYS, Amplitude, amplitude_rows

from migrate.cli.config import read_config
from migrate.report.metrics import FAMILIES
from migrate.sandbox.server import Sandbox

PAGE = ROOT / "docs" / "watching.md"
COMMON = {"time", "logger", "pid", "level", "event", "message", "command"}


def names(cell):
    """The names in a cell of a table."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A night of one job, as the page tells of it: what a check and a webhook were told, the metrics, the log."""
    folder = tmp_path_factory.mktemp("night")
    with rows(folder / "in" / "a.jsonl").open("a") as file:
        file.write('{"event":"e","distinct_id":"u9","timestamp":"soon"}\n')
    (folder / "in" / "b.jsonl").touch()
    with Listener() as listener, Sandbox(faults=BUSY) as sandbox:
        (folder / "migrate.toml").write_text(
            f'platform = "posthog"\nhost = "{sandbox.url}"\nyes = true\nlog_file = "log"\nlog_json = true\n'
            'metrics_file = "m.prom"\nping = { env = "P" }\nnotify = { env = "N" }\n[job.web]\ninputs = ["in"]\n'
        )
        env = {"P": f"{listener.url}/check", "N": f"{listener.url}/hook", "POSTHOG_API_KEY": "phc_night"}
        env |= {"POSTHOG_PERSONAL_API_KEY": "phx_night", "POSTHOG_APP_HOST": sandbox.url}
        done = migrate("run", "--verify", "--app-host", sandbox.url, cwd=folder, env=env)
        assert done.returncode == 3, done.stderr
    return folder, listener


BUSY = [{"fault": "status", "status": 503, "retry_after": 0.11, "times": 1}]


def test_each_watcher_is_shown_what_the_page_says(night):
    """A check the signals, and the text of the last; a webhook this and more; Prometheus the lines."""
    folder, listener = night
    start, end = (one for one in listener.told if one.path.startswith("/check"))
    shown = [start.path.removeprefix("/check"), *f"{end.path.removeprefix('/check')}  {end.body}".split("\n")]
    (block,) = (one for one in blocks(PAGE, "") if one.startswith("/start"))
    said = [line.strip() for line in block.splitlines()]
    assert [line for line in shown if not line.startswith("in PostHog:")] == said
    (posted,) = listener.bodies("/hook")
    posted |= {"next": "migrate rejects nightly", "workdir": "nightly"}
    said = json.loads(blocks(PAGE, "json")[0])
    assert {name: posted[name] for name in said} == said
    lines = (folder / "m.prom").read_text().replace(str(folder), "/data").splitlines()
    (block,) = (one for one in blocks(PAGE, "") if one.startswith("migrate_rows_total"))
    assert [line for line in block.splitlines() if line not in lines] == []


def test_metrics_are_those_of_the_page():
    """In the table, and in the alerts."""
    table = [(names(name)[0], tuple(names(labels)), text) for name, labels, text in cells(PAGE, "Metrics")]
    assert table == [(one.name, one.labels, one.help) for one in FAMILIES]
    used = set(re.findall(r"migrate_\w+", "".join(blocks(PAGE, "yaml"))))
    assert used <= {one.name for one in FAMILIES}


def a_day(number):
    """An event of a day of its own: with so many days files have them in spans, which are put together."""
    when = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return f'{{"event":"e","distinct_id":"u","uuid":"{UUID(int=number)}","timestamp":"{when.isoformat()}"}}\n'


def test_events_and_fields_are_those_of_the_page(night, tmp_path):
    """Each line of some nights has the fields that its event has there, and each event there is told."""
    folder, _ = night
    found = (folder / "log").read_text().splitlines()
    changed = rows(tmp_path / "in" / "a.jsonl")
    words = ["plan", "posthog", "in", "--workdir", "w", "--log-json"]
    file = [*words, "--log-file", "log"]
    looked = ["plan", "amplitude", SAMPLES / "amplitude", "--log-json", "--log-file", "log"]
    migrate(*looked, "--executor", "processes", "--workers", "1", cwd=tmp_path)
    migrate(*file, cwd=tmp_path)
    migrate(*file, "--metrics-file", "/dev/full", cwd=tmp_path)
    first = datetime(2024, 4, 1)  # noqa: DTZ001 - a vendor's own clock
    with Amplitude({first: [*amplitude_rows(first, 1)]}, (503, "")) as vendor:
        span = ["--since", "2024-04-01", "--until", "2024-04-02", "--api-host", vendor.url]
        migrate("fetch", "amplitude", "e", *span, "--log-json", "--log-file", "log", cwd=tmp_path, env=KEYS)
    (tmp_path / "days.jsonl").write_text("".join(map(a_day, range(40))))
    migrate("plan", "posthog", "days.jsonl", "--log-json", "--log-file", "log", cwd=tmp_path)
    rows(changed, 4)
    migrate(*file, "--on-changed", "set-aside", cwd=tmp_path)
    found += (tmp_path / "log").read_text().splitlines()
    (tmp_path / "migrate.toml").write_text("")
    found += migrate(*words, "--on-changed", "replan", cwd=tmp_path).stderr.splitlines()
    table = {names(event)[0]: {*names(fields)} for event, fields, _ in cells(PAGE, "The log as JSON")}
    told = [json.loads(line) for line in found]
    for one in told:
        assert {*one} - {"job", "workdir"} == COMMON | table[one["event"]], one
    assert {one["event"] for one in told} == {*table} - {"bug"}
    assert {one["job"] for one in told if "job" in one} == {"web"}
    for line in blocks(PAGE, "json")[1].splitlines():
        one = json.loads(line)
        assert {*one} == COMMON | {"job", "workdir"} | table[one["event"]]


def test_its_configuration_can_be_meant(tmp_path):
    """Ours, and Vector's is TOML."""
    ours, vector = blocks(PAGE, "toml")
    (tmp_path / "m.toml").write_text(ours)
    (job,) = read_config(tmp_path / "m.toml", keys_of(cli.commands.values())).jobs
    assert {*job.options} == {"ping", "notify", "metrics_file", "log_file", "log_json"}
    assert {*tomllib.loads(vector)} == {"sources", "transforms"}
