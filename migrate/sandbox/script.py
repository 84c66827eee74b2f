"""When the sandbox misbehaves: rules with their counters and dice, seeded."""

import random
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from migrate.errors import UsageError
from migrate.sandbox.faults import KINDS, AnyFault, Fault


class Script:
    """Rules with their counters and dice: the same rules meet the same requests with the same faults."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        given = list(rules)
        for number, rule in enumerate(given, 1):
            _check(number, rule)
        try:
            self._faults: list[AnyFault] = msgspec.convert(given, list[AnyFault])
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


def _check(number: int, rule: object) -> None:
    """Raise UsageError where a rule names a fault, or a field of one, that there is not."""
    if not isinstance(rule, Mapping) or not isinstance(name := rule.get("fault"), str):
        return  # told by its type
    kind = KINDS.get(name)
    if kind is None:
        raise _unknown(f"rule {number}: no fault", name, KINDS)
    fields = kind.__struct_fields__
    if odd := next((field for field in rule if field not in {"fault", *fields}), None):
        raise _unknown(f"rule {number}, {name}: no field", str(odd), fields)


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return that there is no such name, and the nearest that there is, or all."""
    near = get_close_matches(name, names := list(known), n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return UsageError(f"--faults: {what} '{name}'; {advice}; see docs/reliability.md")
