"""What was read of an object, told by digests of its blocks: so that no byte is read to know it again but those."""

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, Self

BLOCK: Final = 1 << 18
"""Bytes; objects are read in whole blocks, the last of which may be shorter."""
_TEXT: Final = re.compile(r"((?:\d+-\d+,)*(?:\d+-\d+)?):[0-9a-f]+")


class Tally:
    """Digests of the blocks of an object that were read; several threads may add."""

    def __init__(self) -> None:
        self._digests: dict[int, bytes] = {}
        self.stream: tuple[int, str] | None = None
        """Of what was read from front to back, and is a part of an object: how many bytes it has, and their digest."""

    @property
    def is_begun(self) -> bool:
        """Whether any block was read."""
        return bool(self._digests)

    def add(self, start: int, data: memoryview) -> None:
        """Note whole blocks, the first of which begins at this place."""
        for place in range(0, len(data), BLOCK):
            number = (start + place) // BLOCK
            if number not in self._digests:
                block = data[place : place + BLOCK]
                self._digests[number] = hashlib.blake2b(block, digest_size=16).digest()

    def join(self, other: Self) -> None:
        """Note what another tally of the same object has noted."""
        self._digests |= other._digests

    def text(self) -> str:
        """Return which blocks were read, as `0-3,17-17`, and a digest of them all, in hex."""
        numbers = sorted(self._digests)
        digest = hashlib.blake2b(b"".join(map(self._digests.__getitem__, numbers)), digest_size=32)
        breaks = [place for place, (one, two) in enumerate(pairwise(numbers), 1) if two != one + 1]
        starts, ends = [0, *breaks], [*breaks, len(numbers)]
        spans = [f"{numbers[one]}-{numbers[two - 1]}" for one, two in zip(starts, ends, strict=True) if two]
        return f"{','.join(spans)}:{digest.hexdigest()}"


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where the blocks reach that a tally's text names, in bytes; none of another text."""
    found = _TEXT.fullmatch(text)
    for span in found[1].split(",") if found and found[1] else ():
        first, _, last = span.partition("-")
        yield int(first) * BLOCK, (int(last) + 1) * BLOCK
