"""`migrate check`: the target is looked at, and a verdict given; before a run it is looked at shortly."""

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from migrate.apply.delivery import Delivery
from migrate.apply.target import check_proxy, checked_key, host_url, is_sandbox
from migrate.asking.checked import Plan
from migrate.asking.planned import plan_of
from migrate.checking import Known, Target, check, check_shortly
from migrate.cli import exits
from migrate.cli.asking import AskOptions, TargetOptions
from migrate.cli.configured import is_from_file
from migrate.cli.options import TalkOptions
from migrate.cli.session import check_there, start_talk
from migrate.cli.target import SANDBOX, is_named_sandbox
from migrate.errors import Unasked, UsageError
from migrate.report import checked
from migrate.report.document import document, early
from migrate.report.numbers import NOTHING, Summary, of_run, summary
from migrate.report.states import states, with_states
from migrate.report.talk import Talk
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import FILE
from migrate.workdir.hold import writable


def check_target(
    workdir: Path | None, sending: TargetOptions, asking: AskOptions, talking: TalkOptions
) -> NoReturn:
    """Show what is seen of a target, and exit 5 where something speaks against sending."""
    talk = start_talk(talking)
    plan, planned_for, numbers = _planned(workdir)
    target = _target(sending, asking, planned_for)
    found = check(target, plan, datetime.now(UTC))
    is_against = any(one.weight in checked.AGAINST for one in found)
    code = exits.SET_ASIDE if is_against else exits.DONE
    talk.show(checked.lines(found))
    if talk.quiet:
        for one in found:
            if one.weight in checked.AGAINST:
                talk.warn(one.text)
    if talk.as_json:
        run = of_run(NOTHING, NOTHING, datetime.now(UTC), code, None)
        of_all = early(run) if numbers is None else document(numbers, run)
        click.echo(json.dumps(of_all | {"check": checked.document(found)}, ensure_ascii=False))
    sys.exit(code)


def look(delivery: Delivery, asking: AskOptions, talk: Talk, *, is_asked: bool) -> Known | None:
    """Look at a target before anything is planned; return the project, where it is known.

    `is_asked`: whether the first event is still to be asked about, for which the project is looked at, too. Nothing
    is looked at where events go to a sandbox. Raises Unasked where no PostHog is there, Refused for another's key.
    """
    if delivery.target == SANDBOX or is_sandbox(delivery.url):
        return None
    access = asking.access(delivery.url) if is_asked else None
    found = check_shortly(Target(delivery.url, delivery.key, access), is_packed=delivery.gzip)
    if isinstance(found, Unasked):
        talk.say(f"note: the project cannot be asked, so its retention and groups are not known: {found}")
        return None
    return found


def _planned(workdir: Path | None) -> tuple[Plan | None, str | None, Summary | None]:
    """Return what is planned in a workdir, where it was sent to, if it was, and the workdir's numbers."""
    if workdir is None or (is_from_file("workdir") and not (workdir / FILE).exists()):
        return None, None, None
    check_there(workdir)
    with ExitStack() as stack:
        stack.enter_context(writable(workdir))
        checkpoint = stack.enter_context(Checkpoint.open(workdir))
        numbers = summary(checkpoint)
        numbers = with_states(numbers, states(checkpoint, numbers))
        return plan_of(checkpoint), checkpoint.facts().get("target"), numbers


def _target(sending: TargetOptions, asking: AskOptions, planned_for: str | None) -> Target:
    """Return the target that is meant; raises UsageError where there is none."""
    host = sending.host or (None if planned_for == SANDBOX else planned_for)
    if not host or is_named_sandbox(host):
        raise UsageError(
            f"--host: {'missing' if not host else 'the sandbox of a command ends with it, and has nothing to check'}; "
            "give us, eu or the URL of a PostHog"
        )
    url = host_url(host)
    check_proxy(url)
    key = None if sending.api_key is None else checked_key(sending.api_key)
    return Target(url, key, asking.access(url))
