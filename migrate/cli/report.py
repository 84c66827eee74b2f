"""`migrate report`: how a workdir is, as one page, for people."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import start_talk
from migrate.cli.showing import ReportOptions
from migrate.errors import UsageError
from migrate.page import written
from migrate.report.numbers import of_run, summary
from migrate.report.sections import labelled
from migrate.report.states import states, with_states
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import holder, writable


def write_report(workdir: Path, options: ReportOptions, talking: TalkOptions) -> NoReturn:
    """Write the page, and say where it lies; no source is read, and the workdir is not held."""
    talk = start_talk(talking)
    if str(options.output) == "-":
        raise UsageError("--output: the page is written to a file, found '-'; name one, such as report.html")
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        working = holder(workdir)
        try:
            path = written.write(checkpoint, options.output, is_whole=talk.is_whole, working=working)
        except OSError as error:
            if options.output is None:
                raise
            raise UsageError(
                f"--output: {options.output} cannot be written, {error.strerror}; name a file in a folder that is there"
            ) from None
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        numbers = with_states(numbers, states(checkpoint, numbers, working))
        numbers = replace(numbers, asked={"report": str(path)})
        talk.show([labelled("report", str(path))])
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), exits.DONE, None))
    sys.exit(exits.DONE)
