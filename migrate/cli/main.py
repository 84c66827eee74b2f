"""The way in and out: the process is made ready, the command line is run, an error becomes a sentence and its code."""

import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TextIO, cast

import click

from migrate.cli import exits
from migrate.cli.commands import cli
from migrate.cli.early import choose_voice
from migrate.cli.interrupt import asking, broke_off, interrupt
from migrate.cli.told import tell_early, tell_error
from migrate.cli.unread import Data, Lasting
from migrate.errors import MigrateError
from migrate.jsonlines import spoken
from migrate.stores import waiting
from migrate.stores.urls import forget


def prepare() -> None:
    """Set what Arrow and polars read when they are imported, unless the user has; none of it decides what is sent.

    What is written is the owner's alone: a plan holds what people did.
    """
    os.umask(0o077)
    # A plan knows its files by the hundred thousand, and a batch is thousands of objects: garbage is looked for seldom.
    gc.set_threshold(20_000, 20, 20)
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
    except BaseException as error:
        if isinstance(error, SystemExit) or not broke_off(error):
            raise
        for each in asking():
            signal.signal(each, signal.SIG_IGN)  # what is said now is all that is left to do
        click.echo("interrupted; run the same command again", err=True)
        tell_early(exits.INTERRUPTED, "interrupted")
        sys.exit(exits.INTERRUPTED)
    finally:
        if (stderr := spoken()) is not None:
            stderr.settle()
        _leave()


def _leave() -> None:
    """End at once where a storage still gives no answer: nobody waits for it any more."""
    waiting.end()
    leaving = sys.exception()
    try:
        is_settled = waiting.is_settled()
    except KeyboardInterrupt:  # once more
        is_settled = False
    if isinstance(leaving, SystemExit) and not is_settled:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(leaving.code if isinstance(leaving.code, int) else bool(leaving.code))


def _run() -> None:
    """Run the command line; raises Abort or KeyboardInterrupt where it is interrupted."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    waiting.begin()
    prepare()
    data = Data(sys.stdout)
    sys.stdout, sys.stderr = cast("TextIO", data), cast("TextIO", Lasting(sys.stderr))
    choose_voice()
    for each in asking():
        signal.signal(each, interrupt)  # what is temporary is removed on the way out
    try:
        try:
            cli.main(prog_name="migrate", standalone_mode=False)
        finally:
            forget()
            data.finish()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except (click.ClickException, MigrateError) as error:
        sys.exit(tell_error(error))
