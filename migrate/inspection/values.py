"""One value of a column → its kind; all of them → the type that they have in common, and what is odd among them."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from migrate.kit.nulls import NO_ID

Type = Literal[
    "nothing",
    "text",
    "uuid",
    "whole number",
    "number",
    "yes or no",
    "time",
    "date",
    "local date",
    "Unix seconds",
    "Unix milliseconds",
    "Unix microseconds",
    "Unix nanoseconds",
    "object",
    "list",
    "mixed",
]
"""What the values of a column are. A `local date` is one whose order of day and month is not ISO's."""
TIMES: Final[frozenset[Type]] = frozenset(
    (
        "time",
        "date",
        "local date",
        "Unix seconds",
        "Unix milliseconds",
        "Unix microseconds",
        "Unix nanoseconds",
    )
)
"""The types that say when something was."""


Form = Literal["text", "number", "yes or no", "object", "list"]


_TYPES: Final[dict[str, Type]] = {"yes or no": "yes or no", "object": "object", "list": "list"}
"""What a value is by how it is written, where that says it."""


class Value(NamedTuple):
    """One value that is there."""

    form: Form
    """How the file writes it; what flat text writes is all text."""
    text: str


_WORD: Final = re.compile(NO_ID)
_ISO: Final = re.compile(
    r"\s*\d{4}-\d\d-\d\d(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?\s*",
    re.IGNORECASE,
)
_LOCAL: Final = re.compile(
    r"\d{1,2}([./-])\d{1,2}\1\d{2,4}(?:,?[ T]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?)?"
)
_SHAPES: Final[tuple[tuple[Type, re.Pattern[str]], ...]] = (
    ("whole number", re.compile(r"[+-]?\d+")),
    ("number", re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("yes or no", re.compile(r"(?i)true|false|yes|no")),
    ("local date", _LOCAL),
    ("object", re.compile(r"\s*\{.*\}\s*", re.DOTALL)),
    ("list", re.compile(r"\s*\[.*\]\s*", re.DOTALL)),
)
_UNIX: Final[tuple[tuple[Type, int, int], ...]] = (
    ("Unix seconds", 946_684_800, 4_102_444_800),
    ("Unix milliseconds", 946_684_800_000, 4_102_444_800_000),
    ("Unix microseconds", 946_684_800_000_000, 4_102_444_800_000_000),
    ("Unix nanoseconds", 946_684_800_000_000_000, 4_102_444_800_000_000_000),
)
"""Numbers of the years 2000 to 2099, by their unit."""
_WITHIN: Final[tuple[tuple[Type, Type], ...]] = (
    ("whole number", "number"),
    ("date", "time"),
    ("uuid", "text"),
)
"""Types whose values are of another, too."""
_SOUND: Final = 0.75
"""Where so many of a column's values are of one kind, that is its type, and the others are odd."""
_HALF: Final = 0.5
"""So many will do for times: a column in which every other text cannot be read is one of times that went wrong."""
_WHOLE_AS_FLOAT: Final = re.compile(r"-?\d+\.0+")


def means_nothing(text: str) -> bool:
    """Return whether a text is a word that programs write where there is nothing."""
    return bool(text) and text[0] not in "[{" and _WORD.match(text) is not None


def kind_of(value: Value) -> Type:
    """Return the kind of one value by itself: a type but for `nothing`, `mixed` and the numbers that are times."""
    if value.form in _TYPES:
        return _TYPES[value.form]
    text = value.text
    if iso := _ISO.fullmatch(text):
        return "time" if len(text.strip()) > len("2024-01-01") or iso[1] else "date"
    for name, shape in _SHAPES:
        if shape.fullmatch(text):
            return name
    return "text"


def zone_of(text: str) -> str | None:
    """Return the offset that the text of a time ends with; None where it has none."""
    found = _ISO.fullmatch(text)
    return found[1] if found else None


def is_float_like(text: str) -> bool:
    """Return whether a text is a whole number that a program wrote as a float: `123.0`."""
    return _WHOLE_AS_FLOAT.fullmatch(text) is not None


def unix_of(low: float, high: float) -> Type | None:
    """Return which unit numbers between these have if they are Unix times; None where they are none."""
    for name, first, last in _UNIX:
        if first <= low and high < last:
            return name
    return None


def type_of(kinds: Mapping[Type, int], forms: Mapping[Form, int]) -> tuple[Type, int]:
    """Return the type of a column by how many of its values are of each kind, and how many of them are odd.

    `forms`: how many are written in each way. Where it is `mixed` no kind has most of them.
    """
    total = sum(kinds.values())
    if not total:
        return "nothing", 0
    found = Counter(kinds)
    for narrow, wide in _WITHIN:
        if found[narrow] and found[wide]:
            found[wide] += found.pop(narrow)
    kind, most = max(found.items(), key=lambda one: (one[1], one[0] != "text"))
    if most == total:
        return kind, 0
    if kind == "text" and set(forms) == {"text"}:
        return kind, 0
    share = _HALF if kind in TIMES else _SOUND
    if most < share * total:
        return ("text", 0) if set(forms) == {"text"} else ("mixed", total - most)
    return kind, total - most
