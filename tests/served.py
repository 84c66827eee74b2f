"""A page of `migrate serve` in this process, and a browser's requests to it over a socket."""

import asyncio
import http.client
import json
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from urllib.parse import parse_qs, urlsplit

from migrate.cli.options import SourceOptions
from migrate.cli.settings import build_settings
from migrate.serving.desk import Desk, Edited
from migrate.serving.server import serve_until
from migrate.serving.trial import Asked
from migrate.serving.visitors import HEADER, Visitors

SPEC = """\
event = "action"
distinct_id = ["user", "device"]
timestamp = "at"
dedup_key = ["id"]

[[links]]
anonymous = "device"
identified = "user"
"""
ROWS = """\
id,action,user,device,at,price,note
1,viewed,,d-1,2024-04-03T10:00:00Z,1.50,a
2,paid,u-1,d-1,2024-04-03T11:00:00Z,2.50,b
3,paid,u-2,,soon,3.50,c
4,paid,unknown,,2024-04-03T12:00:00Z,4.50,d
"""
USUAL = {"person_properties": "set", "identity": "link", "max_cluster": 1_000, "group_type": "company"}
USUAL |= {"group_key": (), "keep": (), "nulls": (), "skip_unknown": False, "no_header": False}
USUAL |= {"no_partitions": False}


def asked(platform, *inputs, limit=1_000, **typed):
    """What a page is asked to try."""
    nothing = {one.name: None for one in fields(SourceOptions)}
    given = {"platform": str(platform), "inputs": tuple(map(str, inputs))}
    source = SourceOptions(**nothing | USUAL | given | typed)
    return Asked(partial(build_settings, source), source.inputs, limit)


def table(folder, spec=SPEC, rows=ROWS):
    """Files of a spec and of rows, and what is asked of them."""
    (folder / "spec.toml").write_text(spec)
    (folder / "rows.csv").write_text(rows)
    return asked("table", folder / "rows.csv", spec=folder / "spec.toml")


class Page:
    """What a page of this server can ask; without `headers` it says the token, as ours does."""

    def __init__(self, address):
        there = urlsplit(address)
        self.netloc, self.token = there.netloc, parse_qs(there.query)["t"][0]

    def get(self, path, method="GET", body=None, headers=None):
        """Status, headers and body of an answer; a header that is None is left out."""
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        said = {HEADER: self.token} if headers is None else headers
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in ({"Host": self.netloc} | said).items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def ask(self, path, **body):
        """What is answered to JSON, or without any to a question."""
        sent = json.dumps(body).encode() if body else None
        return json.loads(self.get(path, "POST" if body else "GET", sent)[2])

    def tried(self, text, **view):
        """What becomes of the rows under a text."""
        return self.ask("/api/try", text=text, view=view)


@contextmanager
def serving(desk, port=0):
    """The address of a page, served in a thread of its own for as long as the block lasts."""
    ready = Future()

    async def run():
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell(address):
            ready.set_result((address, lambda: loop.call_soon_threadsafe(stop.set)))

        await serve_until(desk, port=port, visitors=Visitors(), ready=tell, stop=stop)

    def work():
        try:
            asyncio.run(run())
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name="serving", daemon=True)
    thread.start()
    try:
        address, end = ready.result()
        try:
            yield address
        finally:
            end()
    finally:
        thread.join()


@contextmanager
def page(work, kind="none", path=None, told=()):
    """A page of this, for as long as the block lasts."""
    with serving(Desk(work, Edited(kind, path), dict(told))) as address:
        yield Page(address)
