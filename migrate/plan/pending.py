"""The units that are left to do: those that are still coming, and first those that are to be done again."""

from collections import deque
from collections.abc import Iterator

from migrate.plan.units import Unit


class Pending:
    """The units that are left to do: first those that are to be done again."""

    def __init__(self, coming: Iterator[Unit], count: int) -> None:
        """About so many are coming."""
        self._ready, self._coming, self._count = deque[Unit](), coming, count

    def __bool__(self) -> bool:
        """Whether there is any; the next one may have to be waited for."""
        if not self._ready:
            if (unit := next(self._coming, None)) is None:
                self._count = 0
            else:
                self._ready.append(unit)
                self._count -= 1
        return bool(self._ready)

    def count(self) -> int:
        """Return how many there are, about."""
        return len(self._ready) + max(0, self._count)

    def take(self) -> Unit:
        """Take the next one."""
        return self._ready.popleft()

    def put_back(self, *units: Unit) -> None:
        """Have some done before all others."""
        self._ready.extendleft(reversed(units))
