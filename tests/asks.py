"""The private API of a sandbox, asked as `migrate` asks it, without patience."""

import asyncio
from random import Random

from migrate.apply.pacing import Backoff
from migrate.asking.api import Api

PERSONAL = "phx_a-key-nobody-may-see"


def asked(url, ask, *, key=PERSONAL, waits=None, **choices):
    """Return what `ask`, a coroutine function of an Api, comes to; `waits` gets why it waited."""

    async def run():
        hasty = Backoff(Random(0), base=0.01)
        heard = [] if waits is None else waits
        usual = {"backoff": hasty, "on_wait": lambda _, why: heard.append(why)}
        async with Api(url, key, **usual | choices) as api:
            return await ask(api)

    return asyncio.run(run())


def rows(sandbox, *queries, **choices):
    """Return the rows of queries that are asked one after another."""

    async def ask(api):
        return [await api.query(1, query, name="a test's") for query in queries]

    return asked(sandbox.app_url, ask, **choices)
