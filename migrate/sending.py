"""One command's sending: the workdir bound to its target, what is planned or parked sent, what stops it told."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial

from migrate.apply import protocol
from migrate.apply.applier import Applier
from migrate.apply.beginning import check
from migrate.apply.delivery import Delivery
from migrate.apply.halt import Abandoned, Halt
from migrate.apply.target import bind
from migrate.apply.watch import Watch
from migrate.errors import Refused
from migrate.inputs.held import holds
from migrate.inputs.source import Fingerprint
from migrate.plan.interrupted import Interrupted
from migrate.session import Session, collect_rarely
from migrate.together import put_together
from migrate.workdir import halves, harm, lost
from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.depot import Left
from migrate.workdir.harm import explaining
from migrate.workdir.typed import RESEND_LOST, Command


def send(
    session: Session,
    delivery: Delivery,
    watch: Watch,
    command: Command | None = None,
    *,
    resend_lost: bool = False,
) -> None:
    """Send what is planned and pending; `command` is what was typed for it.

    With `resend_lost` what was sent, and whose file is lost, may be sent again; that holds for this one time.
    """
    collect_rarely()
    bind(session.checkpoint, delivery)
    _part(session)
    typed = command and command.without(RESEND_LOST).fact()
    session.begin("sending", min_age=delivery.min_age, sent_by=typed)
    if resend_lost:
        _give_up_lost(session)
    session.remark(halves.remarks(session.checkpoint))
    asyncio.run(_run(session, delivery, watch, resend=False))


def _part(session: Session) -> None:
    """Put the days together of a plan that is sent though it is not whole."""
    with suppress(Interrupted):
        put_together(session)


def _give_up_lost(session: Session) -> None:
    """Go on without files that were sent and are lost, unless one not sent is harmed, or one can be put back."""
    checkpoint = session.checkpoint

    def is_over() -> bool:
        return session.is_stopping

    with suppress(Left), explaining(checkpoint):
        check(checkpoint, is_over, under_way=False)
        found = lost.give_up(checkpoint, is_over, check=partial(_check_that_none_stands, checkpoint))
        session.remark(found.remarks())


def _check_that_none_stands(checkpoint: Checkpoint, found: Sequence[lost.File]) -> None:
    """Raise Refused where the sources of a lost file lie there as they were planned, so that nothing is sent twice."""

    @cache
    def stands(name: str) -> bool:
        known = checkpoint.inputs([name])[name]
        return holds(name, known.stamp, Fingerprint(known.size, known.digest))

    for one in found:
        names = harm.all_standing(checkpoint, one.path)
        if names and all(map(stands, names)):
            raise Refused(
                f"{RESEND_LOST}: {checkpoint.depot.shown(one.path)} is lost or harmed, and {names[0]} is as it was "
                f"planned; plan it anew, with --again {names[0]}, which puts the file back, so that nothing is sent "
                "twice"
            )


def resend(session: Session, delivery: Delivery, watch: Watch) -> None:
    """Send the parked events again."""
    collect_rarely()
    bind(session.checkpoint, delivery)
    asyncio.run(_run(session, delivery, watch, resend=True))


async def _run(session: Session, delivery: Delivery, watch: Watch, *, resend: bool) -> None:
    """Send, so that the session's `stop` reaches the sender."""
    loop, halt = asyncio.get_running_loop(), Halt()

    def stop() -> None:
        loop.call_soon_threadsafe(halt.call)

    with session.stopped_by(stop):
        if session.is_stopping:
            return
        on_warning = session.on_warning
        try:
            spoken = await protocol.spoken(
                session.checkpoint, delivery, halt, watch=watch, on_warning=on_warning
            )
        except Abandoned:
            return
        work = Applier(
            session.checkpoint, delivery, watch=watch, on_warning=on_warning, spoken=spoken, halt=halt
        )
        work.on_remarks = session.remark
        try:
            with explaining(session.checkpoint):
                await (work.resend() if resend else work.run())
        finally:
            session.judged = work.judged
