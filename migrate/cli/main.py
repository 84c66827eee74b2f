"""The way in and out: the process is made ready, the command line is run, an error becomes a sentence and its code."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TextIO, cast

import click

from migrate.cli import exits
from migrate.cli.commands import cli
from migrate.cli.interrupt import asking, interrupt
from migrate.cli.misuse import sentence
from migrate.cli.unread import Data, Lasting
from migrate.errors import MigrateError, Unrecognised
from migrate.screen import masked, shown

_TRUE: Final = {"1", "true", "t", "yes", "y", "on"}
"""What an environment variable of an option without a value says where it is given."""


def prepare() -> None:
    """Set what Arrow and polars read when they are imported, unless the user has; none of it decides what is sent.

    What is written is the owner's alone: a plan holds what people did.
    """
    os.umask(0o077)
    # Of Arrow's pools jemalloc keeps least of what it once had: 290 MB at the peak of sending three million events,
    # where the default takes 510 (measured, pyarrow 26).
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
    # What polars has freed goes back sooner: 484 MB instead of 547 at the peak of planning Amplitude, in the same time;
    # one arena keeps 10 MB less than two (measured, polars 2.1).
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:1")
    # Files and chunks are worked on side by side, each query in the thread that asks: a chunk is too small for several
    # threads of polars' own, or for its streaming engine, to be worth their while (a quarter of planning, measured).
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    os.environ.setdefault("POLARS_ENGINE_AFFINITY", "in-memory")


def main() -> None:
    """Run the command line; an error of ours is one sentence and its exit code, an interrupt is a line and 130."""
    try:
        _run()
    except (click.Abort, KeyboardInterrupt):
        for each in asking():
            signal.signal(each, signal.SIG_IGN)  # what is said now is all that is left to do
        click.echo("interrupted; run the same command again", err=True)
        _tell_early(exits.INTERRUPTED, "interrupted")
        sys.exit(exits.INTERRUPTED)


def _run() -> None:
    """Run the command line; raises Abort or KeyboardInterrupt where it is interrupted."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    prepare()
    data = Data(sys.stdout)
    sys.stdout, sys.stderr = cast("TextIO", data), cast("TextIO", Lasting(sys.stderr))
    for each in asking():
        signal.signal(each, interrupt)  # what is temporary is removed on the way out
    try:
        try:
            cli.main(prog_name="migrate", standalone_mode=False)
        finally:
            data.finish()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        text = sentence(error)
        click.echo(shown(f"error: {text}"), err=True)
        _tell_early(error.exit_code, text)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except MigrateError as error:
        _tell(error)
        sys.exit(error.exit_code)


def _tell(error: MigrateError) -> None:
    """Say what is wrong, and what to try."""
    from migrate.report.sections import labelled  # noqa: PLC0415 - help needs none of it
    from migrate.report.talk import say  # noqa: PLC0415

    say(f"error: {error}")
    names = error.names if isinstance(error, Unrecognised) else ()
    for number, way in enumerate(error.ways if isinstance(error, Unrecognised) else ()):
        say(labelled("or" if number else "next", "", command=way))
    if _is_asked("-v", "--verbose"):
        for name in names:
            say(f"unknown: {name}")
    if not error.is_told:
        _tell_early(error.exit_code, str(error), names)


def _is_asked(*options: str) -> bool:
    """Return whether one of these options without a value was given, the last of them perhaps as a variable."""
    variable = f"MIGRATE_{options[-1].removeprefix('--').upper()}"
    return not {*options}.isdisjoint(sys.argv[1:]) or os.environ.get(variable, "").lower() in _TRUE


def _tell_early(code: int, error: str, names: Sequence[str] = ()) -> None:
    """Print the JSON summary of a command that did not come to a workdir, where one is asked for.

    `names`: files of which nobody knows whose they are.
    """
    from migrate.report.document import early  # noqa: PLC0415 - help needs none of it
    from migrate.report.numbers import NOTHING, of_run  # noqa: PLC0415

    if _is_asked("--json"):
        run = of_run(NOTHING, NOTHING, datetime.now(UTC), code, masked(error))
        unknown = {"unknown_files": [*names]} if names else {}
        click.echo(json.dumps(early(run) | unknown))
