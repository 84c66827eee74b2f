"""One command's verification: PostHog is asked what it has of a workdir, so that the session's `stop` reaches it."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final

from migrate.apply.halt import Abandoned, Halt
from migrate.asking.api import Api
from migrate.asking.target import Access
from migrate.session import Session
from migrate.verifying.patience import Patience
from migrate.verifying.verdict import Verdict
from migrate.verifying.verifier import Wishes, verify
from migrate.workdir.harm import explained
from migrate.workdir.seals import Harmed

_GRACE: Final = 2.0
"""Seconds that a question which is asked may still take when the command is to end."""


def verify_sent(  # noqa: PLR0913 - what is asked, how patiently, and who hears of it
    session: Session,
    access: Access,
    *,
    wait: float = 0.0,
    only: Collection[str] | None = None,
    on_counted: Callable[[int, int], None] = lambda _done, _days: None,
    on_wait: Callable[[float, str], None] = lambda _seconds, _why: None,
) -> Verdict | None:
    """Return what PostHog has of what it acknowledged, of all days or of some; None where that was interrupted.

    `wait`: seconds for which what is missing is asked for again. `on_counted` is told days, `on_wait` seconds and why.
    """
    halt = Halt(grace=_GRACE)
    wishes = Wishes(access.project_id, only, Patience(wait), on_counted, halt)

    async def run() -> Verdict:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(halt.call)

        with session.stopped_by(stop):
            if session.is_stopping:
                raise Abandoned
            async with Api(access.app_host, access.key, halt=halt, on_wait=on_wait) as api:
                return await verify(session.checkpoint, api, wishes, datetime.now(UTC))

    try:
        return asyncio.run(run())
    except Abandoned:
        return None
    except Harmed as error:
        raise explained(session.checkpoint, error) from error
