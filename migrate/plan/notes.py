"""What is told of a unit while it is worked at."""

from collections.abc import Callable
from typing import NamedTuple

from migrate.logline import Record

Key = int | tuple[int, int]
"""What tells units apart: the number of the first input; and of a slice its place."""


class Read(NamedTuple):
    """More rows of a unit were read; `read` is how many bytes of its sources are by now."""

    unit: Key
    rows: int
    read: int


class Opened(NamedTuple):
    """A unit's sources are being read: their kind, and their bytes."""

    unit: Key
    kind: str
    size: int


class Wrote(NamedTuple):
    """How many bytes of a unit's sources are read, and how many are written of them."""

    unit: Key
    read: int
    written: int


class Fell(NamedTuple):
    """A source cannot be planned as it is."""

    unit: Key
    name: str
    reason: str
    why: str


class Lost(NamedTuple):
    """What was told of a unit is void: whoever planned it is gone, and it is planned from its beginning."""

    unit: Key


Note = Record | Read | Opened | Wrote | Fell | Lost
Hear = Callable[[Note], None]
"""Is told what goes on in a unit, in any thread of the coordinator's process."""
