"""`migrate show`: a saved plan as the dry run shows it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from migrate.cli import exits
from migrate.cli.options import TalkOptions
from migrate.cli.session import say_why, start_talk
from migrate.preview import Preview
from migrate.report import commands, planned, status
from migrate.report.numbers import of_run, summary
from migrate.report.states import states, with_states
from migrate.report.talk import Talk
from migrate.workdir import samples
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.hold import holder, writable


def show_plan(workdir: Path, talking: TalkOptions) -> NoReturn:
    """Show what a workdir holds, first rows first, totals last; no source is read, and the workdir is not held."""
    talk = start_talk(talking)
    with writable(workdir), Checkpoint.open(workdir) as checkpoint:
        numbers = summary(checkpoint, is_whole=talk.is_whole)
        found = states(checkpoint, numbers, holder(workdir))
        numbers = with_states(numbers, found)
        show_planned(checkpoint, talk)
        needs = commands.needs(numbers.next) if numbers.next else ()
        talk.show(status.lines(numbers, found, needs, checkpoint.numbers().examples))
        code = exits.of_state(numbers)
        say_why(talk, code, numbers, found, checkpoint)
        talk.json(numbers, of_run(numbers, numbers, datetime.now(UTC), code, None))
    sys.exit(code)


def show_planned(checkpoint: Checkpoint, talk: Talk) -> None:
    """Show the first rows beside what they become, then what is planned; the totals are shown after it."""
    if not talk.quiet:
        talk.show_samples(Preview(**one) for one in samples.kept(checkpoint.workdir, talk.rows))
        talk.show(planned.lines(checkpoint))
