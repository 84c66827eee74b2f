"""A new object, there whole or not at all; and one that goes."""

from collections.abc import Iterable, Sequence

from migrate.stores.buckets import bucket_of
from migrate.stores.urls import Url


def put(url: Url, chunks: Iterable[bytes]) -> None:
    """Write an object of these chunks, any that is there before it replaced; a reader sees the old one or the new one.

    Nothing appears where the chunks end with an exception, which is raised again. Raises `Trouble` where the storage
    does not take it, UsageError and Stopped as `bucket_of` does.
    """
    bucket_of(url.container).put(url.key, chunks)


def remove(url: Url, names: Sequence[str]) -> None:
    """Remove the objects whose keys are that of the address with these names behind it; those that are gone stay so.

    Raises `Trouble` where the storage refuses, UsageError and Stopped as `bucket_of` does.
    """
    bucket_of(url.container).delete([f"{url.key}{name}" for name in names])
