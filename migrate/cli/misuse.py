"""What click refuses → one sentence in the form of all errors: where, what is wrong, what to do."""

import os
from collections.abc import Iterator

import click
from click.core import ParameterSource


def sentence(error: click.ClickException) -> str:
    """Return what is wrong with what was typed."""
    text = _said(error)
    ctx = getattr(error, "ctx", None)
    if ctx is None or "; " in text:
        return text
    return f"{text}; see '{ctx.command_path} --help'"


def _said(error: click.ClickException) -> str:
    """Return what is wrong, where that is known with its place before it."""
    if isinstance(error, click.NoSuchOption):
        return _no_option(error)
    if isinstance(error, click.NoSuchCommand):
        return f"{error.command_name}: no command of migrate's{_instead(error.possibilities)}"
    if isinstance(error, click.BadOptionUsage):
        known = f"Option '{error.option_name}' "
        return f"{error.option_name}: {_plain(error.message, known)}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        is_missing = isinstance(error, click.MissingParameter)
        return f"{_place(error.param, error.ctx)}: {'missing' if is_missing else _plain(error.message)}"
    return _plain(error.format_message())


def _no_option(error: click.NoSuchOption) -> str:
    """Return that a command has no such option, and which have it."""
    name, command = error.option_name, error.ctx.command_path if error.ctx else "migrate"
    text = f"{name}: no option of '{command}'"
    if not (owners := [f"'migrate {one}'" for one in _owners(name, error.ctx)]):
        return text + _instead(error.possibilities)
    *others, last = owners
    where = "leave it out here, it belongs to" if " " in command else "it goes behind the command, of"
    return f"{text}; {where} {', '.join(others)}{' and ' if others else ''}{last}"


def _owners(name: str, ctx: click.Context | None) -> Iterator[str]:
    """Yield the commands that have an option."""
    root = None if ctx is None else ctx.find_root().command
    for command in root.commands.values() if isinstance(root, click.Group) else ():
        if any(name in (*param.opts, *param.secondary_opts) for param in command.params):
            yield command.name or ""


def _instead(names: list[str] | None) -> str:
    """Return what may have been meant."""
    return f", did you mean {' or '.join(sorted(names))}?" if names else ""


def _place(param: click.Parameter, ctx: click.Context | None) -> str:
    """Return an option or argument as it is typed, with the variable that it comes from."""
    place = (
        param.opts[0]
        if isinstance(param, click.Option)
        else param.make_metavar(ctx or click.Context(click.Command("migrate")))
    )
    if ctx is None or ctx.get_parameter_source(param.name or "") is not ParameterSource.ENVIRONMENT:
        return place
    names = [param.envvar] if isinstance(param.envvar, str) else param.envvar or ()
    return f"{place} ({next((name for name in names if os.environ.get(name)), 'its variable')})"


def _plain(message: str, known: str = "") -> str:
    """Return a message of click's as ours are: without what is known before it, lower case, no full stop."""
    text = message.removeprefix(known).removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
