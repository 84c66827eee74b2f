"""`migrate run`: plan, then send."""

from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from migrate.cli.consent import check_answer
from migrate.cli.options import RunOptions, SendOptions, SourceOptions, TalkOptions
from migrate.cli.plan import find_todo, plan_todo
from migrate.cli.send import following, send_pending
from migrate.cli.session import end, open_session, start_talk, stop_after
from migrate.cli.settings import build_settings
from migrate.cli.target import SANDBOX, open_target
from migrate.errors import UsageError
from migrate.report import arrived


def run(source: SourceOptions, options: RunOptions, sending: SendOptions, talking: TalkOptions) -> NoReturn:
    """Plan what is new, and send what is pending; all that was typed is checked before anything is made."""
    talk = start_talk(talking)
    settings = build_settings(source, limit=options.limit)
    workdir = options.workdir or Path(f"{settings.platform}.workdir")
    todo = find_todo(settings, source.inputs, workdir, options.again)
    if options.people is not None and (sending.host == SANDBOX or settings.limit is not None):
        raise UsageError(
            "--people: a trial would use up the merges of the project, planned once for ever; leave it out, or use "
            "--dry-run, which works on a copy"
        )
    with ExitStack() as stack:
        delivery, local = open_target(sending, stack)
        check_answer(workdir, delivery, yes=sending.yes)
        session = stack.enter_context(open_session(workdir, talk, create=True))
        stack.enter_context(stop_after(session, sending.max_duration, "--max-duration"))
        plan_todo(session, todo, talk, options.people, following(session, delivery))
        send_pending(session, delivery, sending, talk)
        if local:
            talk.show(arrived.lines(local))
        end(session, talk, sending=True)
