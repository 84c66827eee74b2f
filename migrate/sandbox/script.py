"""When the sandbox misbehaves: rules with their counters and dice, seeded."""

import random
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

import msgspec

from migrate.errors import UsageError
from migrate.sandbox.fault import Fault
from migrate.sandbox.faults import KINDS as FAULTS
from migrate.sandbox.faults import AnyFault
from migrate.sandbox.lapses import KINDS as LAPSES
from migrate.sandbox.lapses import AnyLapse, Lapse, QueryLapse

_KINDS: Final[Mapping[str, type[Fault]]] = {**FAULTS, **LAPSES}


class Script:
    """Rules with their counters and dice: the same rules meet the same requests with the same faults."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = ()) -> None:
        given = list(rules)
        for number, rule in enumerate(given, 1):
            _check(number, rule)
        try:
            self._faults = msgspec.convert(given, list[AnyFault | AnyLapse])
        except msgspec.ValidationError as error:
            raise UsageError(f"--faults: {error}; see docs/reliability.md") from None
        self._seen = [0] * len(self._faults)
        self._fired = [0] * len(self._faults)
        # Dice for a test script, not for secrets.
        self._dice = [random.Random(fault.seed) for fault in self._faults]  # noqa: S311

    def fired(self) -> list[AnyFault]:
        """Return the faults that hit the next request to capture."""
        return cast("list[AnyFault]", self._hit(lambda fault: not isinstance(fault, Lapse)))

    def lapses(self, *, is_query: bool) -> list[AnyLapse]:
        """Return the lapses that hit the next question; those for queries alone are met by queries alone."""

        def is_met(fault: Fault) -> bool:
            return isinstance(fault, Lapse) and (is_query or not isinstance(fault, QueryLapse))

        return cast("list[AnyLapse]", self._hit(is_met))

    def _hit(self, is_meant: Callable[[Fault], bool]) -> list[Fault]:
        faults = enumerate(self._faults)
        return [fault for index, fault in faults if is_meant(fault) and self._fires(index, fault)]

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
    kind = _KINDS.get(name)
    if kind is None:
        raise _unknown(f"rule {number}: no fault", name, _KINDS)
    fields = kind.__struct_fields__
    if odd := next((field for field in rule if field not in {"fault", *fields}), None):
        raise _unknown(f"rule {number}, {name}: no field", str(odd), fields)


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Return that there is no such name, and the nearest that there is, or all."""
    near = get_close_matches(name, names := list(known), n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return UsageError(f"--faults: {what} '{name}'; {advice}; see docs/reliability.md")
