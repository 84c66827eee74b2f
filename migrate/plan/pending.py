"""The units that are left to do: those that are still coming, and first those that are to be done again."""

from collections import deque
from collections.abc import Callable, Iterator

from migrate.plan.units import Unit


class Pending:
    """The units that are left to do: first those that are to be done again, last those that are to be done alone."""

    def __init__(
        self, coming: Iterator[Unit], count: int, is_alone: Callable[[Unit], bool] = lambda _: False
    ) -> None:
        """About so many are coming; `is_alone` says of one that is put back whether nothing is to be done beside it."""
        self._ready, self._alone, self._is_alone = deque[Unit](), deque[Unit](), is_alone
        self._coming, self._count = coming, count

    def __bool__(self) -> bool:
        """Whether there is any; the next one may have to be waited for."""
        if not self._ready:
            if (unit := next(self._coming, None)) is None:
                self._count = 0
            else:
                self._ready.append(unit)
                self._count -= 1
        return bool(self._ready or self._alone)

    def count(self) -> int:
        """Return how many there are, about."""
        return len(self._ready) + len(self._alone) + max(0, self._count)

    def take(self, *, is_busy: bool) -> Unit | None:
        """Take the next one; None where there is none, or none that may be begun while others are at work."""
        if not self or (is_busy and not self._ready):
            return None
        return (self._ready or self._alone).popleft()

    def put_back(self, *units: Unit) -> None:
        """Have some done before all others, those that are to be done alone after them."""
        for unit in reversed(units):
            (self._alone if self._is_alone(unit) else self._ready).appendleft(unit)
