"""A column with half of a time, or one that nothing reads as it is → what to ask, with SQL for the whole of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from migrate.inspection.formats import formats_of

_CLOCK: Final = re.compile(r"\s*\d{1,2}:\d\d(:\d\d(\.\d+)?)?(\s*[AaPp][Mm])?\s*")
_WHOLE_CLOCK: Final = re.compile(r"\s*\d\d:\d\d(:\d\d(\.\d+)?)?\s*")
_COMMA: Final = re.compile(r":\d\d,\d")
_HALF: Final = 0.5

Texts = Sequence[str | None]
"""The values of a column row by row."""


class Doubt(NamedTuple):
    """Why a column of times is not to be taken for the event's as it is."""

    why: str
    sql: str = ""
    """What holds the whole time, as far as that is known."""
    formats: Sequence[str] = ("iso",)
    """How that is written."""


def doubt_of(column: str, formats: Sequence[str], unread: int, texts: Mapping[str, Texts]) -> Doubt | None:
    """Return what speaks against a column of times in these formats, None where nothing does.

    `unread`: how many values are no time; `texts`: the values of all columns.
    """
    own = [text for text in texts[column] if text]
    if unread > _HALF * len(own):
        if any(map(_COMMA.search, own)):
            why = f"the seconds in {column} have a comma, where a point is read"
            return Doubt(why, f"REPLACE({_quoted(column)}, ',', '.')")
        return Doubt(f"{unread:,} of {len(own):,} values of {column} cannot be read as a time")
    if any(":" in text for text in own) or any(one.startswith("unix") for one in formats):
        return None
    for name, values in texts.items():
        some = [text for text in values if text]
        if name == column or not some or not all(map(_CLOCK.fullmatch, some)):
            continue
        why = f"{column} says the day alone, and {name} the hour: as it is, all would be at midnight"
        pairs = zip(texts[column], values, strict=True)
        joined = [f"{day.strip()} {hour.strip()}" for day, hour in pairs if day and hour]
        is_iso = [*formats] == ["iso"] and all(map(_WHOLE_CLOCK.fullmatch, some))
        shapes = ["iso"] if is_iso else [one.pattern for one in formats_of(joined)]
        sql = f"{_quoted(column)} || ' ' || {_quoted(name)}"
        return Doubt(why, sql, shapes) if shapes else Doubt(why)
    return None


def _quoted(name: str) -> str:
    """Return a column as SQL names it."""
    return '"' + name.replace('"', '""') + '"'
