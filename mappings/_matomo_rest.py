"""What Matomo's tables say beside the columns that are known: variables, dimensions, columns of plugins, products."""

import re
from collections.abc import Mapping
from typing import Final

from mappings._matomo_actions import OURS
from migrate.kit import cells

SLOTS: Final = range(1, 6)
"""The custom variables and dimensions that Matomo has columns for, if nobody adds some."""
VARIABLES: Final = tuple(f"custom_var_{kind}{slot}" for slot in SLOTS for kind in "kv")
DIMENSIONS: Final = tuple(f"custom_dimension_{slot}" for slot in SLOTS)
ITEM: Final = "item "
"""Stands before the products of an order in what is told of it."""
RENAME: Final = {name: OURS + name for name in ("bandwidth", "time_spent_ref_action")}
_OF_VARIABLES: Final = re.compile(r"custom_var_[kv]\d+\Z|custom_dimension_\d+\Z")
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?\Z")
_SLOT: Final = "custom_dimension_"
_text: Final = cells.reader(str)


def variables(given: Mapping[str, str | None]) -> dict[str, object]:
    """Return custom variables and dimensions of columns, by the names that the site gave them, or by their places."""
    found: dict[str, object] = {}
    for name, value in given.items():
        slot = name.removeprefix("custom_var_v")
        if value and slot != name:
            found[f"custom_variable_{given.get(f'custom_var_k{slot}') or slot}"] = value
        elif value and name.startswith(_SLOT):
            found[name] = value
    return found


def rest(text: str) -> str | None:
    """Return what else a row says: custom variables and dimensions, and what plugins have columns for."""
    given = cells.value_of(text)
    found = variables(given) | {
        name if name in RENAME else OURS + name: typed(name, value)
        for name, value in given.items()
        if value not in {None, ""} and not _OF_VARIABLES.match(name)
    }
    return cells.object_text({name: cells.json_of(value) for name, value in found.items()})


def typed(name: str, value: object) -> object:
    """Return a number as one, where it is none of what other tables count by."""
    return (
        (float(value) if "." in value else int(value))
        if isinstance(value, str) and _NUMBER.match(value) and not name.startswith("id")
        else value
    )


def whole(given: str | None, recovered: str | None, *visit: str | None, conversion: bool) -> str | None:
    """Return what a row says beside its columns, then its visit's variables, then the products of an order.

    `visit` has the visit's columns in the order of `VARIABLES` and `DIMENSIONS`. A dimension is called by its own
    number, as the Live API calls it, where the table of dimensions was read, else by its column; what a conversion
    says of one is its visit's.
    """
    told = cells.members(recovered) or {} if recovered else {}
    of_row = cells.members(given or "{}") or {}
    of_visit = variables(dict(zip((*VARIABLES, *DIMENSIONS), visit, strict=True)))
    found = {
        _called(name, told, "visit" if conversion else "action"): value for name, value in of_row.items()
    }
    for name, value in of_visit.items():
        found.setdefault(_called(name, told, "visit"), cells.json_of(value))
    if items := [value for name, value in sorted(told.items()) if name.startswith(ITEM)]:
        found["products"] = cells.json_of([cells.value_of(_text(bytes(item))) for item in items])
    return cells.object_text(found)


def _called(name: str, told: cells.Members, scope: str) -> str:
    """Return what a property is called, which is another name for a dimension alone."""
    slot = name.removeprefix(_SLOT)
    if slot == name:
        return name
    number = told.get(f"{scope} {slot}")
    if number is not None:
        return f"dimension{_text(bytes(number))}"
    return f"visit_{name}" if scope == "visit" else name
