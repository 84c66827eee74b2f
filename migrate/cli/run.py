"""`migrate run`: plan, then send."""

import time
from contextlib import ExitStack
from typing import NoReturn

from migrate.cli.check import look
from migrate.cli.config import rules_here
from migrate.cli.consent import check_answer, is_confirmed
from migrate.cli.fetch import fetch_first
from migrate.cli.first import check_first, kept_if_stopped
from migrate.cli.kinds import SOME
from migrate.cli.options import RunOptions, SendOptions, SourceOptions, TalkOptions
from migrate.cli.plan import check_existing, parts_of, plan_todo, wishes_of, workdir_of
from migrate.cli.send import following, send_pending, stay_small
from migrate.cli.session import end, open_session, start_talk, stop_after
from migrate.cli.settings import build_settings
from migrate.cli.target import checked_target, open_target
from migrate.cli.trial import check_people, command_for_good, is_trial, is_untold, open_folder, unconfigured
from migrate.cli.verify import check_askable, to_verify, verify_after
from migrate.cli.verifying import AfterOptions
from migrate.report import arrived
from migrate.todo import find_todo


def run(
    source: SourceOptions,
    options: RunOptions,
    sending: SendOptions,
    asking: AfterOptions,
    talking: TalkOptions,
) -> NoReturn:
    """Plan what is new, and send what is pending; all that was typed is checked before anything is made."""
    talk = start_talk(talking)
    settings = build_settings(source, limit=options.limit, rules=rules_here())
    is_tried = is_trial(options, sending)
    first = None if is_tried else check_first(source, options)
    if is_tried:
        options = unconfigured(options)
        check_people(options)
        if options.fetch:
            talk.say("note: a trial fetches nothing, and reads what is there")
        settings = settings.untold() if is_untold(options, sending) else settings
    with ExitStack() as stack:
        is_throwaway = is_tried and options.workdir is None
        workdir = stack.enter_context(open_folder()) if is_throwaway else workdir_of(options, settings)
        if not is_throwaway:
            check_existing(options, workdir)
        parts = parts_of(options)
        if parts is not None and is_throwaway:
            talk.say("note: a trial writes nothing to --parts, and its plan goes with it")
            parts = None
        fetched, began = {}, time.monotonic()
        if first is not None:
            checked_target(sending)
            with kept_if_stopped(workdir):
                fetched = {"fetch": fetch_first(first, source, talk, sending.max_duration)}
        spent = time.monotonic() - began
        todo = find_todo(settings, source.inputs, workdir, wishes_of(options))
        delivery, local = open_target(sending, stack)
        check_answer(workdir, delivery, yes=sending.yes, is_throwaway=is_throwaway)
        access = check_askable(delivery, local, asking)
        known = look(delivery, asking, talk, is_asked=not is_confirmed(workdir, delivery))
        session = stack.enter_context(open_session(workdir, talk, create=True, is_throwaway=is_throwaway))
        session.fetched = fetched
        session.for_good = command_for_good(sending, options) if is_tried else ""
        stack.enter_context(stop_after(session, _rest(sending.max_duration, spent), "--max-duration"))
        plan_todo(session, todo, talk, options, following(session, delivery), parts=parts)
        days = to_verify(session, access)
        send_pending(session, delivery, sending, talk, known)
        verify_after(session, access, asking, talk, days)
        stay_small(session, sending, talk)
        if local:
            talk.show(arrived.lines(local))
        end(session, talk, sending=True)


def _rest(seconds: float | None, spent: float) -> float | None:
    """Return how much is left of the time that is given, of which fetching has spent some."""
    return None if seconds is None else max(SOME, seconds - spent)
