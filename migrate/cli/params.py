"""How an option is a field: its name, its type and its help stand together, and a command gets the whole object.

    @dataclass(frozen=True, kw_only=True)
    class TalkOptions:
        quiet: bool = flag(help="Show warnings and errors only.")

    @cli.command()
    @takes("talking", TalkOptions)
    def status(talking: TalkOptions) -> None: ...

The field `max_batch_bytes` is the option `--max-batch-bytes` and the environment variable `MIGRATE_MAX_BATCH_BYTES`.
That click turns the text into what the field is declared as is checked by mypy.

Nothing typed is a value where a value is due: `''`, as a variable of the shell that is not set gives it, is refused. An
environment variable without a value is one that is not set. Of an option that may be repeated, the variable holds one
value a line, each as it is.
"""

from __future__ import annotations

from dataclasses import field, fields
from functools import partial, wraps
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar, cast

import click

from migrate.cli.kinds import Blank, Folder
from migrate.screen import is_text, masked, secret_in
from migrate.stores.urls import is_url, named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from _typeshed import DataclassInstance

T = TypeVar("T")
R = TypeVar("R")
_PARAM: Final = "param"
"""Under which name a field keeps how click is told of it: a function from the field's name to a decorator."""


class Sections(click.Command):
    """A command whose help shows its options in groups."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Title -> the names of the options, in the order in which they are shown; what is in none comes last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        found = {one.name: record for one in options if (record := one.get_help_record(ctx))}
        grouped = {name for names in self.groups.values() for name in names}
        others = [name for name in found if name not in grouped]
        for title, names in {**self.groups, "Other options": others}.items():
            if records := [found[name] for name in names if name in found]:
                with formatter.section(title):
                    formatter.write_dl(records)


def takes(name: str, kind: type[DataclassInstance]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a command the options of a class, in their order, and call it with one object of that class."""

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @wraps(command)
        def called(**given: object) -> R:
            mine = {one.name: given.pop(one.name) for one in fields(kind)}
            return command(**given, **{name: kind(**mine)})

        decorated: Callable[..., R] = called
        for one in reversed(fields(kind)):
            decorated = one.metadata[_PARAM](one.name)(decorated)
        return decorated

    return decorate


def argument(kind: click.ParamType[T]) -> T:
    """Declare an argument."""
    return cast("T", field(metadata={_PARAM: partial(click.argument, cls=Argument, type=kind)}))


def arguments(kind: click.ParamType[str], metavar: str, *, is_required: bool = True) -> tuple[str, ...]:
    """Declare the arguments that are left; there is at least one, where that is required."""
    param = partial(click.argument, cls=Argument, type=kind, metavar=metavar, nargs=-1, required=is_required)
    return cast("tuple[str, ...]", field(metadata={_PARAM: param}))


def option(  # noqa: PLR0913 - what click can be told of one
    kind: click.ParamType[T],
    summary: str,
    *,
    metavar: str | None = None,
    envvar: Sequence[str] = (),
    short: str | None = None,
    is_typed_only: bool = False,
) -> T | None:
    """Declare an option that is None where it is not given; its own variable wins over those in `envvar`."""
    how = _option(
        envvar=envvar, short=short, is_typed_only=is_typed_only, type=kind, metavar=metavar, help=summary
    )
    return cast("T | None", how)


def preset(
    kind: click.ParamType[T],
    default: T | str,
    summary: str,
    *,
    metavar: str | None = None,
    short: str | None = None,
) -> T:
    """Declare an option with a default, which the help shows; a text is read as if it had been typed."""
    how = _option(short=short, type=kind, default=default, show_default=True, metavar=metavar, help=summary)
    return cast("T", how)


def required(kind: click.ParamType[T], summary: str) -> T:
    """Declare an option that is always given."""
    return cast("T", _option(type=kind, required=True, help=summary))


def repeated(
    kind: click.ParamType[T],
    summary: str,
    *,
    metavar: str,
    word: str | None = None,
    is_typed_only: bool = False,
) -> tuple[T, ...]:
    """Declare an option that may be given several times; `word`: its name where that is not the field's."""
    how = _option(word, is_typed_only=is_typed_only, type=kind, multiple=True, metavar=metavar, help=summary)
    return cast("tuple[T, ...]", how)


def flag(
    summary: str, *, word: str | None = None, short: str | None = None, is_typed_only: bool = False
) -> bool:
    """Declare an option without a value; `word`: its name where that is not the field's, `short`: one letter for it."""
    how = _option(word, short=short, is_typed_only=is_typed_only, is_flag=True, help=summary)
    return cast("bool", how)


def switch(word: str, summary: str, *, default: bool) -> bool:
    """Declare an option that `--no-…` turns off."""
    return cast("bool", _option(f"{word}/--no-{word}", default=default, show_default=True, help=summary))


def _option(
    word: str | None = None,
    *,
    short: str | None = None,
    envvar: Sequence[str] = (),
    is_typed_only: bool = False,
    **how: object,
) -> object:
    """Return the field of an option that is also the environment variable MIGRATE_<NAME>, unless it is typed only."""

    def named(name: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
        spoken = word or name.replace("_", "-")
        own = spoken.partition("/")[0].replace("-", "_").upper()
        variables = None if is_typed_only else [f"MIGRATE_{own}", *envvar]
        letters = [] if short is None else [f"-{short}"]
        # of one with a value the long name is the first, by which it is called
        names = [f"--{spoken}", *letters] if "type" in how else [*letters, f"--{spoken}"]
        return click.option(*names, name, cls=Option, envvar=variables, **how)

    found: object = field(metadata={_PARAM: named})
    return found


_MAY_BE_SECRETS: Final = ("api_key", "personal_api_key", "host", "app_host", "ping", "notify")
"""Where a secret belongs, and where one is refused with more words."""
_INPUTS: Final = ("inputs", "again")
"""Of which an address may be signed: what is secret in it stays in this process."""
_ANY_BYTES: Final = ("inputs", "again", "ping", "notify")
"""What exists under the name it has, or is refused without being shown; other names are for people to choose."""


class Option(click.Option):
    """An option whose value is not empty, nor blank unless it is a `Blank`; its help shows its variables."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return what is typed, and what it does."""
        record = super().get_help_record(ctx)
        if record is None or not self.envvar:
            return record
        names = [self.envvar] if isinstance(self.envvar, str) else self.envvar
        return record[0], f"{record[1]}  [env: {', '.join(names)}]"

    def type_cast_value(self, ctx: click.Context, value: object) -> object:
        """Return the value, as what it is declared as."""
        _check_given(self, ctx, value)
        return super().type_cast_value(ctx, value)

    def value_from_envvar(self, ctx: click.Context) -> str | Sequence[str] | None:
        """Return what the variable says: of an option that may be repeated each line, without those with nothing."""
        if not self.multiple:
            return cast("str | None", super().value_from_envvar(ctx))
        lines = (self.resolve_envvar_value(ctx) or "").split("\n")
        return [line for one in lines if (line := one.removesuffix("\r"))] or None


class Argument(click.Argument):
    """An argument whose value is not empty, nor blank."""

    def process_value(self, ctx: click.Context, value: object) -> object:
        """Return the value; where no input follows the first word, say what that word is."""
        try:
            return cast("object", super().process_value(ctx, value))
        except click.MissingParameter:
            if (word := ctx.params.get("platform")) is None:
                raise
            raise click.UsageError(
                f"INPUT: missing; the first word is a platform, found '{word}', and what to read follows it: "
                f"'migrate {ctx.info_name} PLATFORM INPUT...'; 'migrate platforms' lists them",
                ctx,
            ) from None

    def type_cast_value(self, ctx: click.Context, value: object) -> object:
        """Return the value, as what it is declared as."""
        _check_given(self, ctx, value)
        return super().type_cast_value(ctx, value)


def _check_given(param: click.Parameter, ctx: click.Context, value: object) -> None:
    """Raise BadParameter where a text says nothing, is no text, or looks like a secret where none belongs."""
    texts = value if isinstance(value, (list, tuple)) else [value]
    for text in texts:
        if isinstance(text, str) and not (text if isinstance(param.type, Blank) else text.strip()):
            raise click.BadParameter(
                f"nothing is said, found '{text}'; a variable may not be set where it comes from", ctx, param
            )
        if isinstance(text, str) and not is_text(text) and param.name not in _ANY_BYTES:
            raise click.BadParameter(f"not UTF-8, found {text!a}; give another name", ctx, param)
        if not isinstance(text, str) or param.name in _MAY_BE_SECRETS:
            continue
        if isinstance(param.type, click.Path) and not isinstance(param.type, Folder) and is_url(text):
            raise click.BadParameter(
                f"lies on a disk, found '{masked(named(text))}'; download it, and name the file", ctx, param
            )
        if (secret := secret_in(named(text) if param.name in _INPUTS else text)) is not None:
            raise click.BadParameter(
                f"looks like {secret.what}, found '{masked(text)}'; {secret.where}", ctx, param
            )
