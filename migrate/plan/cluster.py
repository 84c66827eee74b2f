"""A Dask cluster as far as we use it: its workers are asked, beside their tasks; and tasks are bound to a worker.

The cluster is its owner's: nothing of it is started or ended here.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import dask
from distributed import Client, Future

from migrate.errors import Stopped

_CONNECTS: Final = 10.0
"""Seconds that the scheduler has to answer."""
_CLOSES: Final = 3.0
"""Seconds that it has to hear that we are gone."""


class Cluster:
    """The cluster whose scheduler is at an address, HOST:PORT; all methods raise Stopped where that does not answer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._landed = SimpleQueue[str]()
        self._tasks: dict[str, Future[Any]] = {}
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said here
        scheme = "tls" if dask.config.get("distributed.comm.require-encryption") else "tcp"
        try:
            self._client: Any = Client(  # type: ignore[no-untyped-call]
                f"{scheme}://{address}", timeout=_CONNECTS, set_as_default=False, name="migrate"
            )
        except OSError as error:
            raise Stopped(
                f"--executor: no scheduler of Dask answers at {address}, found '{error}'; look whether it runs there, "
                "then run the same command again",
                "worker",
            ) from None

    def close(self) -> None:
        """Disconnect; tasks that have not come to an end are cancelled."""
        with suppress(Exception):  # the scheduler may be gone, and cancels them then
            self._client.cancel(list(self._tasks.values()))
            self._client.close(_CLOSES)

    def ask(
        self, call: Callable[..., Any], *given: object, among: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Call a function in the process of each worker, or of some; return by their addresses what it returns.

        It holds the worker's heartbeat up, and so is to be short. What goes wrong with a worker is returned as the
        exception, an OSError where it is gone.
        """
        with self._answering():
            found: dict[str, Any] = self._client.run(call, *given, workers=among, on_error="return")
        return found

    def threads(self) -> dict[str, int]:
        """Return how many threads each worker has, by its address."""
        with self._answering():
            found: dict[str, int] = self._client.nthreads()
        return found

    def begin(self, mark: str, worker: str, call: Callable[..., Any], *given: object) -> None:
        """Have a function called by a thread of a worker, as a task of this mark: it waits until that one is free."""
        with self._answering():
            task: Future[Any] = self._client.submit(
                call, *given, key=f"migrate-{mark}", workers=[worker], pure=False
            )
            self._tasks[mark] = task
            task.add_done_callback(lambda _: self._landed.put(mark))  # type: ignore[no-untyped-call]

    def landed(self, seconds: float) -> Iterator[str]:
        """Yield the marks of tasks that have come to their ends; wait so long for the first."""
        with suppress(Empty):
            yield self._landed.get(timeout=seconds)
            while True:
                yield self._landed.get_nowait()

    def result(self, mark: str) -> Any:  # noqa: ANN401 - whatever the function returns
        """Return what a task that has come to its end returns, or raise what Dask says of it."""
        return self._tasks.pop(mark).result()

    def drop(self, mark: str) -> None:
        """Cancel a task, which may wait for a worker that is gone."""
        with self._answering():
            self._tasks.pop(mark).cancel()  # type: ignore[no-untyped-call]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raise Stopped where the scheduler is gone."""
        try:
            yield
        except Exception as error:
            if self._client.status == "running" and not isinstance(error, OSError):
                raise
            raise Stopped(
                f"--executor: the scheduler of Dask at {self.address} does not answer any more, found '{error}'; "
                "nothing is lost: when it runs again, run the same command again",
                "worker",
            ) from None
