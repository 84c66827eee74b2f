"""An error is a sentence, the summary where one is asked for, and a code."""

import json

import click
import pytest

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
