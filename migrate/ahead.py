"""An iterator read ahead: the next item is made while this one is in use."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


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
