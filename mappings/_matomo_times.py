"""When an action of Matomo's Live API happened: its `timestamp` is the site's wall clock, written as if it were UTC.

Matomo adds the site's offset to the Unix time (`Date::factory(serverTime, timezone)` in
plugins/Actions/VisitorDetails.php; issues 12819 and 22720 of github.com/matomo-org/matomo, read 2026-11-29). The
visit's own `firstActionTimestamp` and `lastActionTimestamp` are true. So an action's offset is told by these:

1. It happened between the two. Offsets are quarters of an hour: in a visit that is shorter than one there is one that
   fits, seldom two.
2. `serverTimePretty` and `serverTimePrettyFirstAction` are the site's wall clock at the last and the first action.
   Where they are there, and clocks were not changed in between, they say it.
3. Else it is `--source-timezone`, where its time fits between the two.

What none of the three tells is no time, and the row a reject.
"""

from typing import Final

import polars as pl

from migrate.kit import expr
from migrate.kit.declare import Options

QUARTER: Final = 900
DAY: Final = 86_400
WEST: Final = -48
EAST: Final = 56
"""The quarters of an hour that zones are from UTC, at most."""
LATE: Final = 5
"""Seconds by which an action may be past the last one, as what is sent last is stored last."""


def happened(shown: pl.Expr, first: pl.Expr, last: pl.Expr, options: Options, *clocks: pl.Expr) -> pl.Expr:
    """Return an action's time; all are numbers of seconds, but for `clocks`, which are texts at `first` and `last`."""
    before, after = shown - last, shown - first
    fitting = _only(before, after)
    late = _only(before - LATE, after)
    told = [_shift(clock, at, before, after) for clock, at in zip(clocks, (first, last), strict=True)]
    agreed = pl.when((told[0] == told[1]).fill_null(value=True)).then(pl.coalesce(told))
    shift = pl.coalesce(fitting, late, agreed)
    own = expr.unix((shown - shift).cast(pl.String), "s")
    if options.source_timezone == "UTC":  # what is assumed where nobody says a zone
        return own
    wall = expr.unix(shown.cast(pl.String), "s").dt.replace_time_zone(None)
    zoned = expr.local(wall, options.source_timezone)
    seconds = zoned.dt.epoch("s")
    fits = ((seconds >= first) & (seconds <= last + LATE)).fill_null(value=True)
    return pl.coalesce(own, pl.when(fits).then(zoned))


def _only(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Return the one whole number of quarters between two numbers of seconds, in seconds; null where there is another.

    Of a visit without its bounds there is none.
    """
    lowest = (-((-before) // QUARTER)).clip(lower_bound=WEST)
    highest = (after // QUARTER).clip(upper_bound=EAST)
    return pl.when(lowest == highest).then(lowest * QUARTER)


def _shift(clock: pl.Expr, at: pl.Expr, before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Return how far a wall clock is from a time, as far as it fits the action; null where it cannot be read.

    Beside more than its digits stands which half of the day it is, in any language: then either may fit.
    """
    parts = clock.str.strip_chars().str.extract_groups(r"^(.*?)(\d{1,2}):(\d{2}):(\d{2})(.*)$")
    hour, minute, second = (parts.struct.field(name).cast(pl.Int64, strict=False) for name in "234")
    bare = (parts.struct.field("1") == "") & (parts.struct.field("5") == "")
    apart = pl.when(bare).then(hour).otherwise(hour % 12) * 3600 + minute * 60 + second - at % DAY
    ways = [(pl.lit(half % 2 == 0) | ~bare, apart + half * (DAY // 2)) for half in range(-3, 4)]
    return pl.coalesce(
        pl.when(may & (way >= before - LATE) & (way <= after) & _is_offset(way)).then(way)
        for may, way in ways
    )


def _is_offset(shift: pl.Expr) -> pl.Expr:
    """Return whether a zone may be so far from UTC."""
    return (shift % QUARTER == 0) & shift.is_between(WEST * QUARTER, EAST * QUARTER)
