"""Work that is asked to stop: between two chunks, or in the middle of one that a storage does not give."""

from collections.abc import Iterator
from threading import Event

from migrate.readers.records import Chunk


class Interrupted(Exception):  # noqa: N818 - the word says what happened
    """Work was asked to stop; what is done whole stays done."""


def until_stopped(chunks: Iterator[Chunk], stopping: Event) -> Iterator[Chunk]:
    """Yield the chunks, and hold none of them; raises Interrupted as soon as it is asked to stop."""

    def going_on(chunk: Chunk) -> Chunk:
        if stopping.is_set():
            raise Interrupted
        return chunk

    try:
        yield from map(going_on, chunks)
    except KeyboardInterrupt:  # how a storage is left that gives no answer, in whatever thread
        if not stopping.is_set():
            raise
        raise Interrupted from None
