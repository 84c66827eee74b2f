"""What is typed for a platform, an input, a host, a duration, hours or a time of the day, a moment → what it means."""

import math
import os
import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from click.shell_completion import CompletionItem

from migrate import platforms
from migrate.apply.pacing import Window
from migrate.naming import is_path
from migrate.stores.urls import entrusted, is_url, named

if TYPE_CHECKING:
    _Path = click.Path[Path]
else:
    _Path = click.Path

MOST: Final = 1_000_000_000_000
"""More than there is of anything that is counted; numbers of any length would go where there is no room for them."""
_FULL: Final = "full"
_ROWS: Final = 3
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Suggested(click.ParamType[str], ABC):
    """A text of which the shell completes what can be known."""

    @abstractmethod
    def suggestions(self, incomplete: str) -> list[CompletionItem]:
        """Return what may follow."""

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return what the shell offers."""
        return self.suggestions(incomplete)


class PlatformName(_Suggested):
    """A platform, in any case, or the path of a mapping."""

    name = "platform"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the name as its mapping is called; a path as it is."""
        return value if is_path(value) else value.strip().lower()

    def suggestions(self, incomplete: str) -> list[CompletionItem]:
        """Return the platforms that begin so, or have the shell complete a path."""
        names = _beginning(incomplete, platforms.names())
        return names or [CompletionItem(incomplete, type="file")]


class Input(_Suggested):
    """A file, an archive, a folder, or an address; what is secret in one stays in this process."""

    name = "input"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return a path as it is, an address by its name."""
        return entrusted(value)

    def suggestions(self, incomplete: str) -> list[CompletionItem]:
        """Have the shell complete the name of a file."""
        return [CompletionItem(incomplete, type="file")]


class Folder(_Path):
    """A folder, there or to be made."""

    def __init__(self, *, is_any: bool = False) -> None:
        """`is_any`: nothing is said of what is no folder."""
        super().__init__(path_type=Path, file_okay=False)
        self._is_any = is_any

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return its path; a link has to lead somewhere."""
        if is_url(os.fspath(value)):
            why = (
                f"a workdir lies on a disk, found '{named(os.fspath(value))}'; name a folder on this machine"
            )
            self.fail(why, param, ctx)
        path = Path(value)
        if self._is_any:
            return path
        if path.is_symlink() and not path.exists():
            where = f"found '{path}' to '{path.readlink()}'"
            self.fail(f"a link to nothing, {where}; look whether the disk it leads to is there", param, ctx)
        return super().convert(value, param, ctx)


class Host(_Suggested):
    """Where to send; what it means is found out by who sends."""

    name = "host"

    def suggestions(self, incomplete: str) -> list[CompletionItem]:
        """Return the words that begin so."""
        return _beginning(incomplete, ["us", "eu", "sandbox"])


def _beginning(incomplete: str, words: list[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete.lower())]


class Blank(click.types.StringParamType):
    """A text that may be blanks, such as a delimiter."""


class Name(click.types.StringParamType):
    """A name that is searched for later: one line of text, without blanks around it."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is."""
        if not value.isprintable() or value != value.strip():
            self.fail(f"one line of text without blanks around it; found {value!r}", param, ctx)
        return value


class _Number:
    """A number, which the help calls N."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """Return what stands for it in the help."""
        return "N"


class Count(_Number, click.IntRange):
    """How many: at least so many, and no more than there is of anything, which the help need not say."""

    name = "whole number"

    def __init__(self, least: int) -> None:
        super().__init__(least, MOST)

    def _describe_range(self) -> str:
        return f"x>={self.min}"


class Whole(_Number, click.IntRange):
    """A whole number within bounds."""

    name = "whole number"


class Real(_Number, click.FloatRange):
    """A number within bounds; NaN, which no comparison finds outside of them, is none."""

    name = "number"

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
            least = "more than 0" if self.least == SOME else f"at least {self.least:g}"
            self.fail(f"{least} seconds; found '{value}'", param, ctx)
        return seconds


SOME: Final = 1e-9
"""Seconds; the shortest time that is one."""
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
        if start == end:
            why = "hours that end when they begin; leave it out to send at any time"
            self.fail(f"{why}, found '{value}'", param, ctx)
        return Window(start, end)


class Clock(click.ParamType[time]):
    """A time of day, 02:30."""

    name = "hh:mm"

    def convert(self, value: time | str, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """Return the time."""
        if isinstance(value, time):
            return value
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value.strip())
        if not found:
            self.fail(f"a time of day such as 02:30; found '{value}'", param, ctx)
        return time(int(found[1]), int(found[2]))


class Shown(NamedTuple):
    """How many rows are shown as samples, and whether ids, long values and long rows are shown whole."""

    rows: int
    is_full: bool = False


class Samples(click.ParamType[Shown]):
    """A number of rows, or `full`: three rows, nothing shortened."""

    name = "samples"

    def convert(self, value: Shown | str, param: click.Parameter | None, ctx: click.Context | None) -> Shown:
        """Return what is shown."""
        if isinstance(value, Shown):
            return value
        if value.strip().lower() == _FULL:
            return Shown(_ROWS, is_full=True)
        if not value.strip().isdecimal():
            self.fail(f"a number of rows, or full; found '{value}'", param, ctx)
        if len(value.strip()) >= len(str(MOST)):
            self.fail(f"less than {MOST:,} rows, or full; found '{value}'", param, ctx)
        return Shown(int(value))


_DAYS: Final = {"today": 0, "yesterday": 1}
_AGO: Final = re.compile(r"-(\d{1,5})d")


class Day(NamedTuple):
    """The beginning of a day, told from today: 1 is yesterday."""

    ago: int

    def at(self, now: datetime) -> datetime:
        """Return the time in UTC at which it began, as the zone of `now` counts days."""
        return datetime.combine(now.date() - timedelta(days=self.ago), time(), now.tzinfo).astimezone(UTC)


class Moment(click.ParamType[datetime | Day]):
    """ISO 8601, where a time without a zone is UTC; or a day told from today, such as `yesterday` or `-3d`."""

    name = "time"

    def convert(
        self, value: datetime | Day | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | Day:
        """Return a time in UTC, or a day."""
        if isinstance(value, datetime | Day):
            return value
        if value.strip().lower() in _DAYS:
            return Day(_DAYS[value.strip().lower()])
        if ago := _AGO.fullmatch(value.strip()):
            return Day(int(ago[1]))
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            kinds = "an ISO 8601 date or time such as 2024-04-03T12:00:00Z, yesterday, or -3d"
            self.fail(f"{kinds}; found '{value}'", param, ctx)
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except OverflowError:
            self.fail(f"a time of the years 1 to 9999 in UTC; found '{value}'", param, ctx)
