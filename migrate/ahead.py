"""Iterators that work ahead: the next item is made while this one is in use, or several at the same time.

Items are large: an iterator that is waiting for the next one to be asked for holds nothing of the one it gave.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(items: Iterator[T]) -> Generator[T]:
    """Yield the items, the next one made in a thread of its own while this one is in use; never more than that."""
    ready: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    wanted = threading.Semaphore(0)
    given_up = threading.Event()

    def read() -> None:
        error: BaseException = StopIteration()
        try:
            for item in items:
                ready.put((item, None))
                del item
                wanted.acquire()
                if given_up.is_set():
                    return
        except BaseException as found:  # noqa: BLE001 - carried over to the thread that reads on
            error = found
        ready.put((None, error))

    thread = threading.Thread(target=read, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            wanted.release()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            handed = [item]
            del item
            yield handed.pop()  # type: ignore[misc]
    finally:
        given_up.set()
        wanted.release()
        thread.join()


def numbered(items: Iterable[T]) -> Iterator[tuple[int, T]]:
    """Return the items with their numbers; `enumerate` would hold each of them until the next one is asked for."""
    return map(lambda number, item: (number, item), count(), items)


def in_parallel(
    function: Callable[[T], R],
    items: Iterable[T],
    workers: int,
    on_end: Callable[[], object] = lambda: None,
) -> Generator[R]:
    """Yield what the function makes of each item, in their order, several made at the same time.

    `on_end` is called as soon as no more is wanted, before those that are being made are waited for.
    """
    if workers == 1:
        for item in items:
            made = [function(item)]
            del item
            yield made.pop()
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="parallel") as pool:
        under_way: deque[Future[R]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(function, item))
                if len(under_way) >= workers:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            on_end()
            for future in under_way:
                future.cancel()
