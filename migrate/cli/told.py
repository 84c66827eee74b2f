"""How a command ends → a sentence on stderr, the JSON summary, the exit code; and who is to be told is told.

Text and JSON are of errors: what ends well has shown and told its numbers itself.
"""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

import click

from migrate.cli import exits
from migrate.cli.early import choose_voice, is_asked
from migrate.cli.misuse import sentence
from migrate.cli.secrets import WATCHING
from migrate.errors import MigrateError, Unrecognised
from migrate.jsonlines import spoken
from migrate.screen import masked, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate.cli.notices import Notices

_TELLING: Final = {*WATCHING, "host", "platform", "workdir"}
"""What of a configuration file says who is to be told, of what, and whether it is a trial."""
_NOTICES: Final = "migrate.notices"
"""Under which name a context that is invoked keeps who is to be told, if anybody is."""
_CLOSING: Final = "migrate.closing"
"""Under which name it keeps what is closed once that is done."""
T = TypeVar("T")


def tell_error(error: BaseException, ctx: click.Context | None = None) -> int:
    """Tell of an error of ours, of click's, or of an interruption, and return its exit code.

    `ctx` is the command's, where the error itself does not say it.
    """
    ctx = ctx or getattr(error, "ctx", None)
    choose_voice(ctx)
    code = _tell_error(error, ctx)
    if (stderr := spoken()) is not None:
        stderr.settle()
    return code


def _tell_error(error: BaseException, ctx: click.Context | None) -> int:
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
    if is_asked(ctx, "verbose", "-v", "--verbose"):
        for name in names:
            say(f"unknown: {name}")
    if not error.is_told:
        tell_early(error.exit_code, str(error), ctx, names)
    return error.exit_code


def tell_early(code: int, error: str, ctx: click.Context | None = None, names: Sequence[str] = ()) -> None:
    """Print the JSON summary of a command that did not come to a workdir, where one is asked for.

    Who is to be told of one that was not even begun is told, too. `names`: files of which nobody knows whose they are.
    """
    in_json = is_asked(ctx, "as_json", "--json")
    reread = None if ctx is None or _NOTICES in ctx.meta else _reread(ctx)
    if not in_json and reread is None:
        return
    found = _early(code, error, names)
    if in_json:
        click.echo(json.dumps(found))
    if reread is not None:
        from migrate.cli.notices import Notices  # noqa: PLC0415 - few commands tell anybody

        Notices.of(reread).tell(code, found)


def _early(code: int, error: str | None, names: Sequence[str]) -> dict[str, object]:
    """Return the summary of a command that did not come to a workdir."""
    from migrate.report.document import early  # noqa: PLC0415 - help needs none of it
    from migrate.report.numbers import NOTHING, of_run  # noqa: PLC0415

    run = of_run(NOTHING, NOTHING, datetime.now(UTC), code, error and masked(error))
    return early(run) | ({"unknown_files": [*names]} if names else {})


def _reread(ctx: click.Context) -> click.Context | None:
    """Return what of a command can be read, whatever else is wrong with it; None where that tells nobody."""
    if not any(param.name in WATCHING for param in ctx.command.params):
        return None
    said = {name: value for name, value in (ctx.default_map or {}).items() if name in _TELLING}
    with suppress(
        MigrateError, click.ClickException
    ):  # an address that is not there; it is what is said already, or less
        found = ctx.command.make_context(
            *(ctx.info_name, sys.argv[2:], ctx.parent),
            default_map=said,
            obj=ctx.obj,
            resilient_parsing=True,
            ignore_unknown_options=True,
        )
        return found if any(found.params.get(name) for name in WATCHING) else None
    return None


@contextmanager
def telling(ctx: click.Context) -> Iterator[None]:
    """Tell who is to be told that a command, or a job of it, begins, and how it ended: in whatever way, once."""
    ctx.meta[_NOTICES] = None
    choose_voice(ctx)
    with ExitStack() as ctx.meta[_CLOSING], _noticing(ctx):
        yield


def until_told(resource: AbstractContextManager[T]) -> T:
    """Enter what is closed once the command that runs, or the job of it, has ended and that was told."""
    ctx = click.get_current_context()
    stack: ExitStack | None = ctx.meta.get(_CLOSING)
    return ctx.with_resource(resource) if stack is None else stack.enter_context(resource)


@contextmanager
def _noticing(ctx: click.Context) -> Iterator[None]:
    if not any(ctx.params.get(name) for name in WATCHING):
        yield
        return
    from migrate.cli.notices import Notices  # noqa: PLC0415 - few commands tell anybody

    notices = ctx.meta[_NOTICES] = Notices.of(ctx)
    notices.begin()
    code, text = exits.DONE, None
    names: Sequence[str] = ()
    try:
        yield
    except BaseException as error:
        code, text = _ending(error)
        names = error.names if isinstance(error, Unrecognised) else ()
        raise
    finally:
        notices.tell(code, notices.summary(code) or _early(code, text, names))


def notices_here() -> Notices | None:
    """Return who is to be told how the command that runs ends."""
    found: Notices | None = click.get_current_context().meta.get(_NOTICES)
    return found


def _ending(error: BaseException) -> tuple[int, str | None]:
    """Return with which exit code a command ends, and why."""
    if isinstance(error, SystemExit):
        return (error.code if isinstance(error.code, int) else exits.DONE), None
    if isinstance(error, click.ClickException):
        return error.exit_code, sentence(error)
    if isinstance(error, MigrateError):
        return error.exit_code, str(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return exits.INTERRUPTED, "interrupted"
    return 1, exits.BUG
