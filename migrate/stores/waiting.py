"""What is asked of storages, in threads of its own: whoever waits for an answer can be interrupted, whatever comes."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeVar

_AT_ONCE: Final = 16
"""So much is asked at once."""
_TICK: Final = 0.2
"""Seconds after which one who waits looks whether all is over."""
_LAST: Final = 2.0
"""Seconds that answers on their way have at the end."""

_Answer = TypeVar("_Answer")


class _Asking:
    """Threads that ask. They are daemons: the process ends without those that get no answer."""

    def __init__(self) -> None:
        self.is_over = False
        self.open: set[Future[Any]] = set()
        """What is asked, or waits for its turn."""
        self._tasks = queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]()
        self._threads: list[threading.Thread] = []

    def submit(self, call: Callable[[], _Answer]) -> Future[_Answer]:
        if self.is_over:
            raise KeyboardInterrupt
        future = Future[_Answer]()
        self.open.add(future)
        future.add_done_callback(self.open.discard)
        self._tasks.put((future, call))
        if len(self._threads) < _AT_ONCE:
            thread = threading.Thread(target=self._work, name="storage", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _work(self) -> None:
        while True:
            future, call = self._tasks.get()
            if self.is_over:
                future.cancel()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - carried over to whoever waits
                    future.set_exception(error)
            del future, call


_asking: Final = _Asking()


def asked(call: Callable[[], _Answer]) -> Future[_Answer]:
    """Have something asked in a thread of its own; raises KeyboardInterrupt where all is over."""
    return _asking.submit(call)


def answer(future: Future[_Answer]) -> _Answer:
    """Wait for what was asked, and return or raise it; raises KeyboardInterrupt where all is over before it comes."""
    while not future.done():
        if _asking.is_over:
            raise KeyboardInterrupt
        wait([future], _TICK)
    return future.result()


def rest(seconds: float) -> None:
    """Sleep; raises KeyboardInterrupt where all is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if _asking.is_over:
            raise KeyboardInterrupt
        time.sleep(min(left, _TICK))


def begin() -> None:
    """Let storages be asked: a command begins."""
    _asking.is_over = False


def end() -> None:
    """Have nobody wait for a storage any more. It takes no lock, and so may be called in a signal's handler."""
    _asking.is_over = True


@contextmanager
def left_by(stopped_by: Callable[[Callable[[], None]], AbstractContextManager[None]]) -> Iterator[None]:
    """Have nobody wait where work is stopped, as long as the block lasts; `stopped_by` has what ends it called."""
    try:
        with stopped_by(end):
            yield
    finally:
        begin()


def is_settled() -> bool:
    """Return whether, a moment after the end, no thread waits for a storage that gives no answer."""
    return not wait(list(_asking.open), _LAST).not_done
