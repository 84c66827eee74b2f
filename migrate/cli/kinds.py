"""What is typed for a duration, for hours of the day and for a moment → what it means."""

import math
import re
from datetime import UTC, datetime, time
from typing import Final

import click

from migrate.apply.pacing import Window

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Blank(click.types.StringParamType):
    """A text that may be blanks, such as a delimiter."""


class Real(click.FloatRange):
    """A number within bounds; NaN, which no comparison finds outside of them, is none."""

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"'{value}' is not a number", param, ctx)
        return number


class Duration(click.ParamType[float]):
    """Seconds, or a number with s, m, h or d."""

    name = "duration"

    def __init__(self, least: float = 0.0) -> None:
        """`least`: the shortest time there is, in seconds."""
        self.least = least

    def convert(self, value: float | str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value.strip())
        if not found:
            self.fail(f"a number of seconds, or one with s, m, h or d; found '{value}'", param, ctx)
        seconds = float(found[1]) * _SECONDS[found[2]]
        if seconds > _LONGEST:
            self.fail(f"at most a hundred years; found '{value}'", param, ctx)
        if seconds < self.least:
            self.fail(f"at least {self.least:g} seconds; found '{value}'", param, ctx)
        return seconds


_LONGEST: Final = 100 * 366 * 86_400.0
"""Seconds; what is longer is no time to wait, and dates would not hold it."""


class Hours(click.ParamType[Window]):
    """Hours of the day, 01:00-06:00."""

    name = "hours"

    def convert(
        self, value: Window | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Window:
        """Return the window."""
        if isinstance(value, Window):
            return value
        try:
            start, end = (time.fromisoformat(part.strip()) for part in value.split("-"))
        except ValueError:
            self.fail(f"two times of day such as 01:00-06:00; found '{value}'", param, ctx)
        return Window(start, end)


class Moment(click.ParamType[datetime]):
    """ISO 8601; a time without a zone is UTC."""

    name = "time"

    def convert(
        self, value: datetime | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return a time in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"an ISO 8601 date or time such as 2024-04-03T12:00:00Z; found '{value}'", param, ctx)
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            self.fail(f"a time of the years 1 to 9999 in UTC; found '{value}'", param, ctx)
