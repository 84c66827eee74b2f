"""An object where a file could be: what it is called, whether it is there, its stamp, its bytes."""

import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final, Literal, cast

from migrate.stores.buckets import Entry, bucket_of
from migrate.stores.reading import Reader
from migrate.stores.tallies import BLOCK, Tally
from migrate.stores.troubles import Trouble
from migrate.stores.urls import Url, parsed
from migrate.stores.waiting import answer, asked

_BUFFER: Final = 1 << 18


class Object:
    """An object by its address, `entry` as it was listed; else that is looked up once, when it is asked for.

    What is asked of its storage raises `Trouble`, UsageError where that cannot be opened, Stopped where nobody answers.
    """

    __slots__ = ("_entry", "url")

    def __init__(self, url: str, entry: Entry | None = None) -> None:
        self.url, self._entry = url, entry

    def __eq__(self, other: object) -> bool:
        """Whether it is the same object, as it was listed."""
        return isinstance(other, Object) and (other.url, other._entry) == (self.url, self._entry)

    def __hash__(self) -> int:
        return hash(self.url)

    def __repr__(self) -> str:
        return f"Object({self.url!r})"

    @property
    def name(self) -> str:
        """What follows its last slash."""
        return self.url.rpartition("/")[2]

    def as_posix(self) -> str:
        """Return its address, without what is secret in one."""
        return self.url

    @property
    def entry(self) -> Entry:
        """What its storage tells of it."""
        if self._entry is None:
            self._entry = bucket_of(self._at.container).entry(self._at.key)
        return self._entry

    @property
    def _at(self) -> Url:
        return parsed(self.url)

    def exists(self) -> bool:
        """Return whether it is there; what cannot be told is not said to be gone."""
        try:
            self.entry  # noqa: B018 - it is looked up
        except Trouble as error:
            return error.reason != "vanished"
        return True

    def open(
        self, mode: Literal["rb"] = "rb", *, tally: Tally | None = None, until: int | None = None
    ) -> BinaryIO:
        """Return its bytes, those of the object that was listed; what is read of it is noted in the tally.

        For who reads no byte from `until` on, it ends with the block of the last one, and no more is read ahead.
        """
        del mode
        return cast("BinaryIO", io.BufferedReader(self._reader(tally, until), _BUFFER))

    def ranges(self, most: int) -> Iterator[bytearray]:
        """Yield its bytes from front to back, so many at a time: for who reads all of them once, and keeps them."""
        at, entry = self._at, self.entry
        bucket = bucket_of(at.container)
        for start in range(0, entry.size, most):
            end = min(start + most, entry.size)
            yield answer(asked(partial(bucket.read, at.key, entry, start, end)))

    def warm(self) -> None:
        """Have its first bytes read, for who opens it soon."""
        self._reader(None).warm()

    def _reader(self, tally: Tally | None, until: int | None = None) -> Reader:
        at, entry = self._at, self.entry
        size = entry.size if until is None else min(entry.size, -(-until // BLOCK) * BLOCK)
        bucket = bucket_of(at.container)
        return Reader(
            lambda start, end: bucket.read(at.key, entry, start, end),
            (self.url, entry.stamp),
            size,
            tally,
        )


def below(prefix: Url) -> Iterator[Object]:
    """Yield all objects whose keys begin so, but for those that stand for folders; raises `Trouble`, page by page."""
    held: Object | None = None
    for key, entry in bucket_of(prefix.container).entries(prefix.key):
        if key.endswith("/") and not entry.size:
            continue
        one = Object(f"{prefix.scheme}://{prefix.host}/{key}", entry)
        if held is not None and (held.entry.size or not one.url.startswith(f"{held.url}/")):
            yield held
        held = one
    if held is not None:
        yield held
