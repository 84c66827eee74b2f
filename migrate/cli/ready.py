"""What a job of a configuration file needs is looked for before anything is done: its key, its target, its rules.

What speaks against the file in the environment is refused, and what is wrong is said with its place in the file.
"""

from __future__ import annotations

import os
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from click.core import ParameterSource

from migrate.cli.config import chosen_here
from migrate.errors import MigrateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

    from migrate.cli.config import Job

T = TypeVar("T")
KEY: Final = "api_key"
"""What is asked for only where something is sent to a PostHog."""
_AMBIENT: Final = {"host": "POSTHOG_HOST", KEY: "POSTHOG_API_KEY"}
"""Options that a variable may say which is meant for other programs, too."""
_PLACE: Final = re.compile(r"(?:--([a-z-]+)|(PLATFORM)|(INPUT)): (?!missing)")


def unlock(ctx: click.Context) -> None:
    """Give a command the key that its file refers to, if it sends anything to a PostHog.

    Raises UsageError where there is none, and where POSTHOG_HOST or POSTHOG_API_KEY say something else than the file:
    what went to the wrong project cannot be taken back, and nobody typed it.
    """
    chosen = chosen_here(ctx)
    if chosen is None or KEY not in ctx.params:
        return
    job = chosen.job
    host = job.options.get("host")
    if host is not None and _is_ambient(ctx, "host") and _meant(ctx.params["host"]) != _meant(str(host)):
        raise _other(job, "host", "names another PostHog")
    refers = job.options.get(KEY)
    if not callable(refers) or not _needs_key(ctx):
        return
    if _is_ambient(ctx, KEY):
        if ctx.params[KEY].strip() != refers():
            raise _other(job, KEY, "holds another key")
    elif ctx.params[KEY] is None:
        ctx.params[KEY] = refers()
        ctx.set_parameter_source(KEY, ParameterSource.DEFAULT_MAP)


def make_ready(ctx: click.Context) -> None:
    """Raise UsageError, with the job, where it cannot be meant: what can be known before any of them has begun."""
    job = ctx.obj.job
    try:
        _check(ctx, job)
    except UsageError as error:
        locate(error, ctx)
        path = f"{ctx.obj.config.path}: "
        if not str(error).startswith(path):
            error.args = (f"{path}[job.{job.name}] {error}",)
        vars(error)["ctx"] = ctx
        raise


def _check(ctx: click.Context, job: Job) -> None:
    from migrate.cli.options import SendOptions, SourceOptions  # noqa: PLC0415 - they know what help needs none of
    from migrate.cli.settings import build_settings  # noqa: PLC0415
    from migrate.cli.target import checked_target  # noqa: PLC0415

    if "inputs" in ctx.params:
        build_settings(_typed(SourceOptions, ctx), rules=job.rules())
    if ctx.params.get("fetch") and not _is_tried(ctx):
        from migrate.cli.fetching import FirstOptions  # noqa: PLC0415 - as above
        from migrate.cli.first import check_first  # noqa: PLC0415

        check_first(_typed(SourceOptions, ctx), _typed(FirstOptions, ctx))
    if KEY in ctx.params and not ctx.params.get("dry_run"):
        checked_target(_typed(SendOptions, ctx))


def _is_tried(ctx: click.Context) -> bool:
    """Return whether nothing is fetched: of a dry run, of first rows, and in a sandbox of the command's own."""
    from migrate.cli.target import is_named_sandbox  # noqa: PLC0415 - it knows the sandbox

    is_first = ctx.params.get("dry_run") or ctx.params.get("limit") is not None
    return bool(is_first) or is_named_sandbox(ctx.params["host"])


def _typed(kind: Callable[..., T], ctx: click.Context) -> T:
    """Return what was typed as the object that the command will get."""
    names: Any = kind
    return kind(**{one.name: ctx.params[one.name] for one in fields(names)})


def locate(error: MigrateError, ctx: click.Context) -> None:
    """Have an error name the place in the file of what the file says, and not the option that nobody typed."""
    chosen, found = chosen_here(ctx), _PLACE.match(str(error))
    if chosen is None or found is None:
        return
    option, platform, inputs = found.groups()
    name = "platform" if platform else "inputs" if inputs else _name(ctx, f"--{option}")
    place = chosen.job.places.get(name)
    if place is not None and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
        error.args = (f"{place}: {str(error)[found.end() :]}",)


def _name(ctx: click.Context, option: str) -> str:
    return next((param.name or "" for param in ctx.command.params if option in param.opts), "")


def _is_ambient(ctx: click.Context, name: str) -> bool:
    """Return whether an option has its value from a variable that is not of ours."""
    is_ours = bool(os.environ.get(f"MIGRATE_{name.upper()}"))
    return ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT and not is_ours


def _needs_key(ctx: click.Context) -> bool:
    from migrate.cli.target import is_named_sandbox  # noqa: PLC0415 - it knows the sandbox

    return not ctx.params.get("dry_run") and not is_named_sandbox(ctx.params["host"])


def _meant(host: str) -> str:
    """Return what a host stands for, as far as that is known."""
    from migrate.apply.target import host_url  # noqa: PLC0415 - help needs none of it

    try:
        return host_url(host)
    except UsageError:
        return host.strip().lower()


def _other(job: Job, name: str, what: str) -> UsageError:
    variable, option = _AMBIENT[name], name.replace("_", "-")
    return UsageError(
        f"{job.places[name]}: {variable} in the environment {what}; unset it, or say which one is meant with "
        f"--{option} or MIGRATE_{name.upper()}"
    )
