"""Texts of times that are not ISO 8601 → the patterns that read them: one that the values prove, or all that may be."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

_SIGNS: Final = (".", "/", "-")
_NUMBERS: Final = (
    *("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d"),
    *("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d"),
)
_WORDS: Final = (
    *("%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d-%B-%Y", "%d/%B/%Y"),
    *("%a, %d %B %Y", "%a %B %d %Y"),
)
_BETWEEN: Final = (" ", ", ", "T", ":")
_CLOCKS: Final = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p")
_OFFSETS: Final = ("", " %z", "%z")
_SHAPES: Final = {
    **dict.fromkeys(("%d", "%m", "%H", "%I"), r"\d{1,2}"),
    **dict.fromkeys(("%y", "%M", "%S"), r"\d\d"),
    "%Y": r"(?:19|20)\d\d",
    "%B": r"[^\W\d]{3,9}",
    "%a": r"[^\W\d]{3}",
    "%p": r"[AaPp][Mm]",
    "%.f": r"\.\d+",
    "%z": r"[+-]\d\d:?\d\d",
}
_DIRECTIVE: Final = re.compile(r"%\.?[A-Za-z]")
_YEARS: Final = (1970, 2099)
_MOST: Final = 500
"""So many different texts are tried."""
_LOOKED: Final = 3
"""By so many the patterns are chosen that are tried."""
_SOUND: Final = 0.9
"""A pattern that reads fewer is none of theirs."""


class Format(NamedTuple):
    """A pattern, as `strftime` has them, and how many of the texts it does not read."""

    pattern: str
    unread: int

    @property
    def says_zone(self) -> bool:
        """Return whether the texts say their offset."""
        return "%z" in self.pattern


def formats_of(texts: Sequence[str]) -> list[Format]:
    """Return the patterns that read most of these texts, none where none does.

    More than one means that nothing in the texts says which it is, as with `05.03.2024` alone.
    """
    some = [*dict.fromkeys(text.strip() for text in texts)][:_MOST]
    column = pl.Series(some, dtype=pl.String)
    found: list[Format] = []
    for date in _dates():
        patterns = dict.fromkeys(one for text in some[:_LOOKED] for one in _patterns(date, text))
        tried = (Format(one, _unread(column, one)) for one in patterns)
        best = min(tried, key=lambda one: one.unread, default=None)
        if best is not None and best.unread <= (1 - _SOUND) * len(some):
            found.append(best)
    least = min((one.unread for one in found), default=0)
    return [one for one in found if one.unread == least]


def _unread(texts: pl.Series, pattern: str) -> int:
    zone = "UTC" if "%z" in pattern else None
    found = texts.str.to_datetime(pattern, time_unit="us", time_zone=zone, strict=False)
    return int((~found.dt.year().is_between(*_YEARS)).fill_null(value=True).sum())


def _patterns(date: str, text: str) -> Iterator[str]:
    """Yield the patterns that begin with that of a date and look like a text."""
    start = _shape(date).match(text)
    rest = text[start.end() :] if start else None
    if rest == "":
        yield date
    elif rest:
        yield from (date + clock for clock in _clocks() if _shape(clock).fullmatch(rest))


@cache
def _dates() -> tuple[str, ...]:
    numbers = (date.format(sign) for sign in _SIGNS for date in _NUMBERS)
    return (*(one for one in numbers if one != "%Y-%m-%d"), *_WORDS, "%Y%m%d")


@cache
def _clocks() -> tuple[str, ...]:
    """Return the patterns of times, as they stand behind a date."""
    return tuple(f"{a}{clock}{offset}" for a in _BETWEEN for clock in _CLOCKS for offset in _OFFSETS)


@cache
def _shape(pattern: str) -> re.Pattern[str]:
    """Return what texts of a pattern look like."""
    literals = _DIRECTIVE.split(pattern)
    directives = [_SHAPES[one] for one in _DIRECTIVE.findall(pattern)] + [""]
    return re.compile(
        "".join(re.escape(text) + shape for text, shape in zip(literals, directives, strict=True))
    )
