"""The digest of a stream of bytes, worked out as far as is asked for."""

import hashlib
import sys
from typing import BinaryIO, Self

from migrate.inputs.streams import STEP


class Digest:
    """The blake2b digest of a stream, which it closes. Passes on what reading raises."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._digest, self._size = stream, hashlib.blake2b(digest_size=32), 0

    def go_on(self, until: int) -> None:
        """Take in so many bytes in all, or as many as there are."""
        while self._size < until and (data := self._stream.read(STEP)):
            self._digest.update(data)
            self._size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def whole(self) -> tuple[int, str]:
        """Return how many bytes there are, and their digest."""
        self.go_on(sys.maxsize)
        return self._size, self._digest.hexdigest()
