"""Iterators that work ahead: the next item is made while this one is in use, or several at the same time."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items, the next one made in a thread of its own while this one is in use."""
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=1)
    given_up = threading.Event()

    def read() -> None:
        try:
            for item in items:
                if not _offer(ready, (item, None), given_up):
                    return
            _offer(ready, (None, StopIteration()), given_up)
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that reads on
            _offer(ready, (None, error), given_up)

    thread = threading.Thread(target=read, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        given_up.set()
        thread.join()


def _offer(ready: "queue.Queue[T]", item: T, given_up: threading.Event) -> bool:
    """Put an item as soon as there is room; return False when nobody wants it any more."""
    while not given_up.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False


def in_parallel(function: Callable[[T], R], items: Iterator[T], workers: int) -> Iterator[R]:
    """Yield what the function makes of each item, in their order, several made at the same time."""
    if workers == 1:
        yield from map(function, items)
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
            for future in under_way:
                future.cancel()
