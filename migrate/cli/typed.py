"""What was typed → the command to be shown again: options of the line and of the environment by name, never secrets."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from migrate.cli.config import chosen_here
from migrate.cli.kinds import Input
from migrate.errors import Unrecognised
from migrate.screen import command_line, masked
from migrate.stores.urls import named
from migrate.workdir.typed import Command, Option

_WORDS: Final = "migrate.words"
_SECRETS: Final = ("--api-key", "--personal-api-key", "--ping", "--notify")
_LEFT_OUT: Final = {"workdir", "api_key", "personal_api_key", "ping", "notify", "config", "job"}
"""The workdir is the one at hand, secrets stay in the environment; the file and its job are added, named or not."""


class Typed(click.Command):
    """A command that knows the words it was called with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words, then read them."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; where files look like another platform's, say what to type for that one."""
        try:
            return super().invoke(ctx)
        except Unrecognised as error:
            look = [Option("--dry-run")]
            commands = (
                replace(typed_command(), name="run", platform=name, options=look) for name in error.likely
            )
            error.ways = [command.shown(None) for command in commands]
            raise


def is_said(name: str) -> bool:
    """Return whether anybody has said what the command that runs has under this name: typed it, or in a file."""
    source = click.get_current_context().get_parameter_source(name)
    return source not in {None, ParameterSource.DEFAULT}


def typed_line() -> str:
    """Return the command that runs, word for word, without secrets."""
    ctx = click.get_current_context()
    words, typed = iter(ctx.meta[_WORDS]), ["migrate", ctx.command.name or ""]
    for word in words:
        if word in _SECRETS:
            next(words, None)
        elif word.partition("=")[0] not in _SECRETS:
            option, sign, value = word.partition("=") if word.startswith("-") else ("", "", word)
            typed.append(f"{option}{sign}{named(value)}")
    return masked(command_line(typed))


def typed_command() -> Command:
    """Return the command that runs, as it can be typed again."""
    ctx = click.get_current_context()
    given, _, order = ctx.command.make_parser(ctx).parse_args(list(ctx.meta[_WORDS]))
    options: list[Option] = []
    for param in dict.fromkeys(order):
        if isinstance(param, click.Option) and param.name not in _LEFT_OUT:
            options += _options(ctx, param, given[param.name])
    for param in ctx.command.params:
        source = ctx.get_parameter_source(param.name or "")
        if source is ParameterSource.ENVIRONMENT and param.name not in _LEFT_OUT:
            options += _options(ctx, param, param.value_from_envvar(ctx))
    if (chosen := chosen_here(ctx)) is not None:
        options.append(Option("--config", str(chosen.config.path), is_path=True))
        if chosen.job.name:
            options.append(Option("--job", chosen.job.name))
    inputs = ctx.params.get("inputs", ())
    return Command(
        name=ctx.command.name or "",
        platform=ctx.params.get("platform"),
        inputs=[masked(path) for path in inputs],
        options=options,
        folder=str(Path.cwd()),
        is_aimed=chosen is not None and "host" in chosen.job.options,
    )


def _options(ctx: click.Context, param: click.Parameter, given: object) -> Iterator[Option]:
    """Yield an option as often as it was given."""
    if isinstance(param, click.Option) and param.is_flag:
        name = param.opts[0] if ctx.params[param.name or ""] else next(iter(param.secondary_opts), None)
        if name is not None:
            yield Option(name)
        return
    for value in given if isinstance(given, list | tuple) else [given]:
        yield Option(param.opts[0], masked(named(str(value))), isinstance(param.type, click.Path | Input))
