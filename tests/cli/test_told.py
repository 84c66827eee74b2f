"""An error is a sentence, the summary where one is asked for, and a code."""

import json

import click
import pytest
from commands import migrate, rows

from migrate.cli.told import tell_error
from migrate.errors import Refused, Stopped, UsageError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("a: wrong"), 2, "error: a: wrong\n"),
        (Refused("b: other"), 5, "error: b: other\n"),
        (Stopped("c: down"), 4, "error: c: down\n"),
        (click.UsageError("no such option"), 2, "error: no such option\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
)
@pytest.mark.parametrize("asked", ["typed", "in a file", "not"])
def test_an_error_is_told(capsys, error, code, said, asked):
    """In JSON, too, where it is asked for; once."""
    ctx = click.Context(click.Command("x"))
    if asked == "typed":
        ctx.params["as_json"] = True
    elif asked == "in a file":
        ctx.default_map = {"as_json": True}
    assert tell_error(error, ctx) == code
    out, err = capsys.readouterr()
    assert err == said
    if asked == "not":
        assert not out
    else:
        assert json.loads(out)["run"]["exit_code"] == code


def test_each_job_has_its_own_end_in_the_log(tmp_path):
    """With its error, and who was told; the next one begins after it."""
    rows(tmp_path / "app" / "a.jsonl")
    (tmp_path / "migrate.toml").write_text(
        'platform = "posthog"\nlog_file = "log"\nlog_json = true\nmetrics_file = "m.prom"\n'
        '[job.web]\ninputs = ["web"]\n[job.app]\ninputs = ["app"]\n'
    )
    assert migrate("plan", "--quiet", cwd=tmp_path).returncode == 2
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    seen = [(one["job"], one["event"], one.get("exit_code")) for one in told if "file" not in one]
    assert seen == [
        ("web", "begun", None),
        ("web", "told", None),
        ("web", "error", None),
        ("web", "ended", 2),
        ("app", "begun", None),
        ("app", "totals", None),
        ("app", "next", None),
        ("app", "told", None),
        ("app", "ended", 0),
    ]
