"""Days put together for a session, and sources planned anew settled: told to its watchers, held against the disk."""

from collections.abc import Callable
from typing import Final

from migrate.plan import again, diary
from migrate.plan.choosing import usual
from migrate.plan.interrupted import Interrupted
from migrate.plan.progress import Progress
from migrate.session import Session
from migrate.workdir import parting
from migrate.workdir.harm import explaining

_MOST: Final = 4
"""Threads at it: more of them would wait for Python's lock, and each takes up to 150 MB."""


def put_together(session: Session, on_progress: Callable[[Progress], None] = lambda _: None) -> None:
    """Put the days of a plan together that are not, as far as nobody stops it.

    Raises Interrupted where the session is stopping, Stopped before the disk is full, Refused where a file is harmed.
    """
    checkpoint = session.checkpoint

    def check() -> None:
        if session.is_stopping:
            raise Interrupted

    def tell(far: parting.Far) -> None:
        done = far.bytes, far.of_bytes, far.days, far.of_days
        on_progress(Progress("putting days together:", *done, far.events, counts=("event", "day")))

    room = None if checkpoint.depot.is_far else session.make_room(session.workdir, {}, {})
    watch = parting.Watch(
        check=check,
        on_far=tell,
        on_days=lambda days: session.on_log(diary.put_together(days)),
        hold=(lambda _: None) if room is None else room.hold,
    )
    most = min(_MOST, usual())
    with explaining(checkpoint):
        parting.part(checkpoint, watch, workers=min(most, session.workers or most))


def settle(
    session: Session, on_progress: Callable[[Progress], None] = lambda _: None, *, resend: bool = False
) -> None:
    """Settle what was planned anew, as far as nobody stops it; raises Interrupted where the session is stopping."""

    def tell(progress: Progress) -> None:
        if session.is_stopping:
            raise Interrupted
        on_progress(progress)

    again.settle(
        session.checkpoint, resend=resend, on_progress=tell, on_remark=lambda text: session.remark([text])
    )
