"""What is known of a command however wrong it is: how it talks, and in which workdir it would have worked."""

import json

import pytest
from commands import migrate, rows
from prometheus_client.parser import text_string_to_metric_families

FILE = 'platform = "posthog"\ninputs = ["in"]\n'


def objects(done):
    """All that was said on stderr, which is JSON, as event and command."""
    return [(one["event"], one.get("command")) for one in map(json.loads, done.stderr.splitlines())]


@pytest.mark.parametrize("way", ["typed", "variable", "file"])
def test_stderr_speaks_json_from_the_first_word_to_the_last(tmp_path, way):
    """Whatever is said there, and whoever asks for it; the error comes before the end."""
    rows(tmp_path / "in" / "a.jsonl")
    (tmp_path / "migrate.toml").write_text(FILE + ("log_json = true\n" if way == "file" else ""))
    words, env = (
        ["--log-json"] if way == "typed" else [],
        {"MIGRATE_LOG_JSON": "1"} if way == "variable" else {},
    )
    done = migrate("plan", *words, cwd=tmp_path, env=env)
    told = objects(done)
    assert (told[0][0], told[1][0], told[-1][0]) == ("note", "begun", "ended")
    assert {event for event, _ in told} == {"note", "begun", "screen", "totals", "next", "ended"}
    assert {command for _, command in told} == {"plan"}
    for more, code in (
        (["--rate", "x"], 2),
        (["--log-json=x"], 2),
        (["--existing", "--workdir", "none"], 5),
        (["--people", "in"], 5),
    ):
        done = migrate("plan" if more[0] != "--rate" else "run", *words, *more, cwd=tmp_path, env=env)
        assert done.returncode == code, done.stderr
        events = [event for event, _ in objects(done)]
        assert events[-1] == ("error" if code == 2 else "ended")
        assert "error" in events
    loud = migrate("plan", *words, "-v", cwd=tmp_path, env=env)
    assert "planned_before" in dict(objects(loud))
    assert migrate("plan", *words, "--quiet", cwd=tmp_path, env=env).stderr == ""


def test_a_log_file_is_the_place_of_the_log(tmp_path):
    """People have stderr as it was."""
    rows(tmp_path / "in" / "a.jsonl")
    words = ["plan", "posthog", "in", "--workdir", "w", "--log-json", "--log-file", "log"]
    done = migrate(*words, cwd=tmp_path)
    assert "events   3 planned" in done.stderr
    assert all(
        json.loads(line)["workdir"] == f"{tmp_path}/w" for line in (tmp_path / "log").read_text().splitlines()
    )
    done = migrate(*words, "--rate", "1", cwd=tmp_path)
    assert done.stderr.startswith("error: --rate: no option of ")


JOBS = 'platform = "posthog"\nmetrics_file = "m.prom"\n[job.web]\ninputs = ["web"]\n[job.app]\ninputs = ["app"]\n'
TYPED = ["--metrics-file", "m.prom"]
WORKS = [
    pytest.param("", ["plan", "posthog", "in", "--workdir", "w", *TYPED], {("", "w", 0)}, id="named"),
    pytest.param("", ["plan", "PostHog", "in", *TYPED], {("", "posthog.workdir", 0)}, id="usual"),
    pytest.param("", ["plan", "posthog", "no", *TYPED], {("", "posthog.workdir", 2)}, id="no input"),
    pytest.param("", ["run", "posthog", "in", *TYPED], {("", "posthog.workdir", 2)}, id="no host"),
    pytest.param(
        "",
        ["plan", "posthog", "in", "--max-cluster", "x", *TYPED],
        {("", "posthog.workdir", 2)},
        id="mistyped",
    ),
    pytest.param("", ["apply", "w", "--host", "eu", *TYPED], {("", "w", 5)}, id="no workdir"),
    pytest.param("", ["verify", "w", *TYPED], {("", "w", 5)}, id="verify"),
    pytest.param("", ["plan", *TYPED], None, id="nobody knows where"),
    pytest.param("", ["run", "posthog", "in", "--host", "sandbox", *TYPED], {("", None, 0)}, id="trial"),
    pytest.param(JOBS, ["plan"], {("web", "web.workdir", 2), ("app", "app.workdir", 0)}, id="jobs"),
    pytest.param(JOBS, ["run", "--job", "app", "--host", "sandbox"], None, id="trial of a file"),
    pytest.param(JOBS, ["plan", "--lookback", "x"], {("web", "web.workdir", 2)}, id="a file, mistyped"),
]


@pytest.mark.parametrize(("file", "words", "known"), WORKS)
def test_metrics_are_of_the_workdir_that_is_meant(tmp_path, file, words, known):
    """However the command ends; nothing is written where nobody knows which it is, and of a file's trial."""
    for name in ("in", "app"):
        rows(tmp_path / name / "a.jsonl")
    if file:
        (tmp_path / "migrate.toml").write_text(file)
    done = migrate(*words, cwd=tmp_path)
    path = tmp_path / "m.prom"
    assert path.exists() == (known is not None), done.stderr
    if known is None:
        return
    families = text_string_to_metric_families(path.read_text())
    (codes,) = (one for one in families if one.name == "migrate_last_exit_code")
    found = {(one.labels["job_name"], one.labels["workdir"], one.value) for one in codes.samples}
    assert found == {(job, f"{tmp_path}/{name}" if name else "", code) for job, name, code in known}
