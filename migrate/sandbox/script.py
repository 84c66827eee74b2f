"""When the sandbox misbehaves: rules with their counters and dice, seeded."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from migrate.errors import UsageError
from migrate.sandbox.faults import AnyFault, Fault


class Script:
    """Rules with their counters and dice: the same rules meet the same requests with the same faults."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        try:
            self._faults: list[AnyFault] = msgspec.convert(list(rules), list[AnyFault])
        except msgspec.ValidationError as error:
            raise UsageError(f"--faults: {error}; see docs/reliability.md") from None
        self._seen = [0] * len(self._faults)
        self._fired = [0] * len(self._faults)
        # Dice for a test script, not for secrets.
        self._dice = [random.Random(fault.seed) for fault in self._faults]  # noqa: S311

    def fired(self) -> list[AnyFault]:
        """Return the faults that hit the next request."""
        return [fault for index, fault in enumerate(self._faults) if self._fires(index, fault)]

    def _fires(self, index: int, fault: Fault) -> bool:
        self._seen[index] += 1
        seen = self._seen[index] - fault.after
        if seen <= 0 or (fault.every and seen % fault.every):
            return False
        if fault.times is not None and self._fired[index] >= fault.times:
            return False
        if fault.rate is not None and self._dice[index].random() >= fault.rate:
            return False
        self._fired[index] += 1
        return True
