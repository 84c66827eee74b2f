"""So many requests in so long: when the next one may be made; pure, clock injected."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from migrate.fetching.vendor import Quota


class Limits:
    """When requests may be made, of whatever process: `before` are those of an earlier one, in seconds since 1970.

    In no stretch of a quota's seconds there are more requests than it allows. The clock is that of the day, as the
    vendor's window goes on while nothing runs.
    """

    def __init__(
        self, quotas: Sequence[Quota], before: Iterable[float] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self._quotas = quotas
        self._clock = clock
        now = clock()
        most = max((one.most for one in quotas), default=0)
        self._times = deque(sorted(one for one in before if one <= now), maxlen=most)

    def reserve(self) -> float:
        """Take the place of one request, and return the seconds to wait before it is made."""
        now = self._clock()
        due = max([now, *(self._free(one) for one in self._quotas)])
        self._times.append(due)
        return due - now

    @property
    def times(self) -> list[float]:
        """When requests were made or will be, as far as they count for a later process."""
        longest = max((one.seconds for one in self._quotas), default=0.0)
        least = self._clock() - longest
        return [one for one in self._times if one > least]

    def _free(self, quota: Quota) -> float:
        """Return when there is room again in a quota."""
        before = len(self._times) - quota.most
        return next(islice(self._times, before, None)) + quota.seconds if before >= 0 else 0.0
