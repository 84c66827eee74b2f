"""A run as a trial: the folder it works in, which goes with it, and the command that does for good what it tried."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TypeVar

from migrate.apply.target import host_url, is_sandbox
from migrate.cli.configured import is_from_file
from migrate.cli.options import RunOptions, SendOptions, WorkOptions
from migrate.cli.target import is_named_sandbox
from migrate.cli.typed import typed_command
from migrate.errors import UsageError
from migrate.report.commands import UNKNOWN
from migrate.throwaway import TRIAL, throwaway
from migrate.workdir.hold import writable

W = TypeVar("W", bound=WorkOptions)


def is_trial(options: RunOptions, sending: SendOptions) -> bool:
    """Return whether it is tried: in a sandbox of its own, or with the first rows alone."""
    return is_named_sandbox(sending.host) or options.limit is not None


def is_untold(options: RunOptions, sending: SendOptions) -> bool:
    """Return whether nothing is told of people: first rows that go to a PostHog, and not to a sandbox."""
    if options.limit is None or not sending.host or is_named_sandbox(sending.host):
        return False
    return not is_sandbox(host_url(sending.host))


def unconfigured(options: W) -> W:
    """Return the options of a trial: workdir, parts and people that only a configuration file names are not its own."""
    options = replace(options, workdir=None) if is_from_file("workdir") else options
    options = replace(options, parts=None) if is_from_file("parts") else options
    return replace(options, people=None) if is_from_file("people") else options


def check_people(options: RunOptions) -> None:
    """Raise UsageError where a trial is to plan with people that other workdirs share."""
    if options.people is not None:
        raise UsageError(
            "--people: a trial would use up the merges of the project, planned once for ever; leave it out, or use "
            "--dry-run, which works on a copy"
        )


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a workdir that goes when the block ends."""
    with writable(Path(gettempdir())), throwaway(TRIAL) as folder:
        yield folder


def command_for_good(sending: SendOptions, options: RunOptions) -> str:
    """Return the command that was typed, as it is for all rows and for a PostHog."""
    command, host = typed_command().anew().without("--limit"), ""
    if is_named_sandbox(sending.host):
        command, host = command.without("--host"), f" --host {UNKNOWN}"
    given = "MIGRATE_LIMIT= " if options.limit is not None and os.environ.get("MIGRATE_LIMIT") else ""
    return f"{given}{command.shown(None)}{host}"
