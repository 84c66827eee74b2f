"""An error → a sentence on stderr, the JSON summary where one is asked for, and the exit code."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import click

from migrate.cli import exits
from migrate.cli.misuse import sentence
from migrate.errors import MigrateError, Unrecognised
from migrate.screen import masked, shown

_TRUE: Final = {"1", "true", "t", "yes", "y", "on"}
"""What an environment variable of an option without a value says where it is given."""


def tell_error(error: BaseException, ctx: click.Context | None = None) -> int:
    """Tell of an error of ours, of click's, or of an interruption, and return its exit code.

    `ctx` is the command's, where the error itself does not say it.
    """
    ctx = ctx or getattr(error, "ctx", None)
    from migrate.report.sections import labelled  # noqa: PLC0415 - help needs none of it
    from migrate.report.talk import say  # noqa: PLC0415

    if isinstance(error, click.ClickException):
        text = sentence(error)
        click.echo(shown(f"error: {text}"), err=True)
        tell_early(error.exit_code, text, ctx)
        return error.exit_code
    if not isinstance(error, MigrateError):
        tell_early(exits.INTERRUPTED, "interrupted", ctx)
        return exits.INTERRUPTED
    say(f"error: {error}")
    names = error.names if isinstance(error, Unrecognised) else ()
    for number, way in enumerate(error.ways if isinstance(error, Unrecognised) else ()):
        say(labelled("or" if number else "next", "", command=way))
    if _is_asked(ctx, "verbose", "-v", "--verbose"):
        for name in names:
            say(f"unknown: {name}")
    if not error.is_told:
        tell_early(error.exit_code, str(error), ctx, names)
    return error.exit_code


def _is_asked(ctx: click.Context | None, param: str, *options: str) -> bool:
    """Return whether one of these options without a value was given: typed, or as a variable, or in a file."""
    if ctx is not None and (ctx.params.get(param) or (ctx.default_map or {}).get(param)):
        return True
    variable = f"MIGRATE_{options[-1].removeprefix('--').upper()}"
    return not {*options}.isdisjoint(sys.argv[1:]) or os.environ.get(variable, "").lower() in _TRUE


def tell_early(code: int, error: str, ctx: click.Context | None = None, names: Sequence[str] = ()) -> None:
    """Print the JSON summary of a command that did not come to a workdir, where one is asked for.

    `names`: files of which nobody knows whose they are.
    """
    from migrate.report.document import early  # noqa: PLC0415 - help needs none of it
    from migrate.report.numbers import NOTHING, of_run  # noqa: PLC0415

    if _is_asked(ctx, "as_json", "--json"):
        run = of_run(NOTHING, NOTHING, datetime.now(UTC), code, masked(error))
        unknown = {"unknown_files": [*names]} if names else {}
        click.echo(json.dumps(early(run) | unknown))
