"""The actions of a visit of Matomo, each as one flat object of properties.

What Matomo says of an action is `matomo_<field>` in snake case, where PostHog has no name for it; custom variables are
`custom_variable_<name>`, of the visit as of the action. Texts made for a screen, in the language of whoever asked, and
pictures are left out; custom dimensions are called `dimension<n>`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from migrate.kit import cells

OURS: Final = "matomo_"
FACE: Final = re.compile(
    r"(Icon|IconSVG|Pretty|Symbol|Flag|Description)$|^(icon|iconSVG|title|subtitle|plugins)$"
)
"""Names of what is made for a screen."""
GONE: Final = frozenset(("generationTime", "pageLoadTime", "timestamp", "pluginsIcons"))
"""What stands beside its own number, and what an event's time is made of."""
KEPT: Final = ("url", "pageTitle")
TEXTS: Final = frozenset(
    ("type", "pageId", "pageIdAction", "goalId", "goalPageId", "orderId", "idVisit", "idSite")
)
NUMBERS: Final = re.compile(
    r"(Milliseconds|Count|Position|Spent|Value|Duration|Visit|Order|Items|Conversions|Carts|Level|Amount)$"
    r"|^(revenue|total)|^(items|price|quantity|bandwidth)$"
)
"""Names of what is a number, be it written as one or as text; ids are text."""
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?\Z")
_DIMENSION: Final = re.compile(r"dimension\d+\Z")
_VARIABLE: Final = re.compile(r"customVariable(?:Page)?Name(\d+)\Z")
_BORDER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """Return a name in snake case: `goalName` -> `goal_name`."""
    return _BORDER.sub("_", name).lower()


def action(text: str) -> str | None:
    """Return an action as one flat object; raises one of `cells.FAILURES` where what is in it is something else."""
    given = cells.value_of(text)
    told = dict(_variables(given.pop("customVariables", None)))
    if items := given.pop("itemDetails", None):
        told["products"] = [{name: _typed(name, value) for name, value in one.items()} for one in items]
    for name, value in given.items():
        if name in KEPT or name.startswith(OURS) or _DIMENSION.match(name):
            told[name] = value
        elif name == "timestamp":
            told[f"{OURS}timestamp"] = value
        elif name not in GONE and not FACE.search(name) and value not in (None, "", [], {}):
            told[OURS + snake(name)] = _typed(name, value)
    return cells.object_text(
        {name: cells.json_of(value) for name, value in told.items() if value is not None}
    )


def variables(text: str) -> str | None:
    """Return a visit's custom variables as an object; there are none in a list."""
    return cells.object_text({name: cells.json_of(value) for name, value in _variables(cells.value_of(text))})


def others(text: str) -> str | None:
    """Return what else a visit says, without what is made for a screen."""
    found = cells.value_of(text)
    return cells.object_text(
        {
            name: cells.json_of(_typed(name, value))
            for name, value in found.items()
            if not FACE.search(name) and name not in GONE and value not in (None, "", [], {})
        }
    )


def _typed(name: str, value: object) -> object:
    """Return a value as what its name says that it is."""
    if name in TEXTS:
        return str(value)
    if isinstance(value, str) and NUMBERS.search(name) and _NUMBER.match(value):
        return float(value) if "." in value else int(value)
    return value


def _variables(given: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - an object by index, or an empty list
    """Yield custom variables by the name that the site gave them."""
    for one in given.values() if isinstance(given, dict) else given or ():
        for name, called in one.items():
            if found := _VARIABLE.match(name):
                value = one.get(name.replace("Name", "Value"))
                yield f"custom_variable_{called or found[1]}", value


READ: Final[dict[str, Callable[[str], str | None]]] = {"actionDetails": action, "customVariables": variables}
