"""`migrate verify`, and `--verify` of `run` and `apply`: what was sent beside what PostHog has, and the verdict."""

import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from migrate.apply.delivery import Delivery
from migrate.asking.target import SCOPES, Access
from migrate.cli import exits
from migrate.cli.asking import AskOptions
from migrate.cli.options import TalkOptions
from migrate.cli.session import check_there, look, open_session, start_talk, tell
from migrate.cli.target import SANDBOX
from migrate.cli.verifying import AfterOptions, VerifyOptions
from migrate.errors import Refused, UsageError
from migrate.logline import Record
from migrate.report import commands, verified
from migrate.report.sections import labelled
from migrate.report.talk import Talk
from migrate.session import Session
from migrate.verification import verify_sent
from migrate.workdir import rounds
from migrate.workdir.verified import keep

if TYPE_CHECKING:
    from migrate.sandbox.server import Sandbox

_OPEN: Final = "unverified"
"""The fact of a workdir that has the days which are to be compared, or compared once more."""
_OF_SANDBOX: Final = "phx_sandbox"
"""The sandbox of a command takes any key."""


def verify_workdir(workdir: Path, asking: VerifyOptions, talking: TalkOptions) -> NoReturn:
    """Show what PostHog has of all that was sent from a workdir, and exit as the verdict says."""
    talk = start_talk(talking)
    check_there(workdir)
    with open_session(workdir, talk) as session:
        access = access_of(session, asking)
        _verify(session, access, asking, talk, only=None)
        numbers, _ = look(session)
        code = exits.INTERRUPTED if session.verdict is None else exits.of_verdict(session.verdict)
        if session.verdict is None:
            talk.say("interrupted: the same command goes on where it was")
        tell(session, talk, numbers, code)
    sys.exit(code)


def access_of(session: Session, asking: AskOptions) -> Access:
    """Return how PostHog is asked for what was sent from a workdir; raises Refused, or UsageError without a key."""
    target = session.checkpoint.facts().get("target")
    if target is None:
        raise Refused(f"{session.workdir}: nothing was sent from here; send it first with 'migrate apply'")
    if target == SANDBOX:
        raise Refused(f"{session.workdir}: was sent to the sandbox of a command, which has gone with it")
    return _with_key(asking.access(target))


def check_askable(delivery: Delivery, local: "Sandbox | None", asking: AfterOptions) -> Access | None:
    """Return how PostHog is asked in the end, if it is; raises UsageError without a key, before anything is done."""
    if not asking.verify:
        return None
    if local is not None:
        return Access(local.app_url, _OF_SANDBOX)
    return _with_key(asking.access(delivery.url))


def to_verify(session: Session, access: Access | None) -> list[str]:
    """Return the days of which something is to be sent, and those that are open since a command before, if any.

    They are noted, so that what was sent and not compared is compared by a later command.
    """
    days = rounds.days(session.checkpoint)
    if access is not None:
        days = sorted({*days, *session.checkpoint.facts().get(_OPEN, [])})
        session.checkpoint.note(**{_OPEN: days})
    return days


def verify_after(
    session: Session, access: Access | None, asking: AfterOptions, talk: Talk, days: Collection[str]
) -> None:
    """Compare what was sent of these days; the verdict is the session's, and shown."""
    if access is None or session.is_stopping:
        return
    if not days:
        way = commands.status(session.checkpoint, "verify")
        talk.show(
            [labelled("compared", "nothing, as nothing was sent now; all that was ever sent: ", command=way)]
        )
        return
    _verify(session, access, asking, talk, only=days)


def _verify(
    session: Session, access: Access, asking: VerifyOptions, talk: Talk, *, only: Collection[str] | None
) -> None:
    with talk.verifying() as phase:
        session.verdict = verify_sent(
            session, access, wait=asking.wait, only=only, on_counted=phase.note, on_wait=phase.wait
        )
    if session.verdict is not None:
        session.checkpoint.note(**{_OPEN: session.verdict.open_days})
        said = verified.sentence(session.verdict)
        keep(
            session.checkpoint,
            datetime.now(UTC).isoformat(timespec="seconds"),
            session.verdict.by_day,
            findings=[one.kept() for one in session.verdict.findings],
            sentence=said,
            is_whole=only is None,
        )
        talk.show(verified.lines(session.verdict))
        if talk.quiet and not session.verdict.passes:
            talk.warn(f"{session.workdir}: {said}")
        fields = {"passes": session.verdict.passes, "causes": session.verdict.document()["causes"]}
        talk.log.keep(Record("verdict", f"verdict: {said}", fields))


def _with_key(access: Access | None) -> Access:
    if access is None:
        raise UsageError(
            "--personal-api-key: missing, and without it nobody can ask what PostHog has; set POSTHOG_PERSONAL_API_KEY "
            f"to a personal API key (phx_…) with the scopes {SCOPES}"
        )
    return access
