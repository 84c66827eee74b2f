"""`migrate show`: a saved plan as the dry run shows it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import start_talk
from migrate.preview import Preview
from migrate.report import planned, status
from migrate.report.numbers import of_run, summary
from migrate.report.talk import Talk
from migrate.workdir import samples
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.harm import explained
from migrate.workdir.hold import writable
from migrate.workdir.seals import Harmed, check_present


def show_plan(workdir: Path, talking: TalkOptions) -> NoReturn:
    """Show what a workdir holds, first rows first, totals last; no source is read, and the workdir is not held.

    Raises Refused where files of the plan are missing.
    """
    talk = start_talk(talking)
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        try:
            for _, file in checkpoint.pending():
                check_present(file.path, file.seal)
        except Harmed as error:
            raise explained(checkpoint, error) from error
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        show_planned(checkpoint, talk)
        talk.show(
            status.lines(numbers, status.next_command(checkpoint, numbers), checkpoint.numbers().examples)
        )
        code = exits.of_state(numbers)
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
    sys.exit(code)


def show_planned(checkpoint: Checkpoint, talk: Talk) -> None:
    """Show the first rows beside what they become, then what is planned; the totals are shown after it."""
    if not talk.quiet:
        talk.show_samples(Preview(**one) for one in samples.kept(checkpoint.workdir, talk.rows))
        talk.show(planned.lines(checkpoint))
