"""What is known of a command before it works, or however wrong it was typed: how it talks, and where it would work."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from click.core import ParameterSource

from migrate.cli.config import chosen_here
from migrate.jsonlines import speak_json, spoken
from migrate.naming import named

if TYPE_CHECKING:
    import click

_TRUE: Final = {"1", "true", "t", "yes", "y", "on"}
"""What an environment variable of an option without a value says where it is given."""
_GIVEN: Final = {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


def is_asked(ctx: click.Context | None, param: str, *options: str) -> bool:
    """Return whether one of these options without a value was given: typed, or as a variable, or in a file."""
    if ctx is not None and (ctx.params.get(param) or (ctx.default_map or {}).get(param)):
        return True
    variable = f"MIGRATE_{options[-1].removeprefix('--').replace('-', '_').upper()}"
    words = {word.partition("=")[0] for word in sys.argv[1:]}  # a value is refused later on
    return not words.isdisjoint(options) or os.environ.get(variable, "").lower() in _TRUE


def choose_voice(ctx: click.Context | None = None) -> None:
    """Make stderr speak JSON where `--log-json` asks for it, and no `--log-file` is the place of that log."""
    if is_asked(ctx, "log_json", "--log-json") and not _has_log_file(ctx):
        speak_json()
    if ctx is not None and (stderr := spoken()) is not None:
        stderr.context = context_of(ctx)


def context_of(ctx: click.Context) -> dict[str, object]:
    """Return which command it is, of which job, and in which workdir it works, as far as that is known."""
    chosen, workdir = chosen_here(ctx), meant_workdir(ctx)
    found = {
        "command": ctx.info_name,
        "job": chosen.job.name if chosen else "",
        "workdir": str(workdir) if workdir else "",
    }
    return {name: value for name, value in found.items() if value}


def meant_workdir(ctx: click.Context) -> Path | None:
    """Return the workdir a command works in, or would have, from the root; None where there is none that stays."""
    workdir, platform, is_tried = ctx.params.get("workdir"), ctx.params.get("platform"), is_trial(ctx)
    if is_tried and ctx.get_parameter_source("workdir") is ParameterSource.DEFAULT_MAP:
        workdir = None
    if ctx.params.get("dry_run") or "workdir" not in {param.name for param in ctx.command.params}:
        return None
    if workdir is None and platform and not is_tried:
        workdir = Path(f"{named(platform)}.workdir")
    return Path(os.path.realpath(workdir)) if workdir else None


def is_trial(ctx: click.Context) -> bool:
    """Return whether a command tries what it does; what is typed for it may be wrong."""
    if ctx.params.get("dry_run") or ctx.get_parameter_source("limit") in _GIVEN:
        return True
    if (host := ctx.params.get("host")) is None:
        return False
    from migrate.cli.target import is_named_sandbox  # noqa: PLC0415 - it knows the sandbox

    return is_named_sandbox(host)


def _has_log_file(ctx: click.Context | None) -> bool:
    if ctx is not None and (ctx.params.get("log_file") or (ctx.default_map or {}).get("log_file")):
        return True
    typed = any(word == "--log-file" or word.startswith("--log-file=") for word in sys.argv[1:])
    return typed or bool(os.environ.get("MIGRATE_LOG_FILE"))
