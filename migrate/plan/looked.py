"""What a chunk's rows and events are like, for whoever looks at a plan: on which days, with which properties.

It is to cost next to nothing: one time a row, and of one event in 64 what its properties are called.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import compress
from typing import Final

import msgspec
import polars as pl

from migrate import numbering
from migrate.kit import events
from migrate.kit.declare import ROW, Table
from migrate.plan.transform import Transform
from migrate.workdir.looks import FIRST, ONE_IN, Look, Property, chosen

_BAGS: Final = ("$set", "$set_once", "$groups")
_OURS: Final = (
    *("$lib", "$lib_version", "$geoip_disable"),
    *("historical_migration", "analytics_source", "$import_job_id"),
)
"""What each payload has of ours."""
_CLOSELY: Final = 64
"""Of one in so many of these events values are looked at, too."""
_OF_TIME: Final = 0x165667B19E3779F9
_OF_ROW: Final = 0x27D4EB2F165667C5
"""Two of the primes by which xxHash mixes."""
_MOST: Final = 1 << 63
_LETTERS: Final = 80
_DAYS: Final = (date(1900, 1, 1), date(2199, 12, 31))
"""What lies beyond is no history: times that were misread are not to fill a calendar."""
_NUMBERS: Final = range(*((day - date(1970, 1, 1)).days for day in _DAYS))
"""Days since 1970, as polars numbers them."""
_NULL: Final = b"null"
_OBJECT: Final = ord("{")
_TYPES: Final = {
    **dict.fromkeys(b"-0123456789", "number"),
    **dict.fromkeys(b"tf", "boolean"),
    **dict(zip(b'"{[', ("text", "object", "list"), strict=True)),
}
_Bag = dict[str, msgspec.Raw]


class _Payload(msgspec.Struct, gc=False):
    """What is asked of a payload."""

    properties: _Bag


_PAYLOADS: Final = msgspec.json.Decoder(list[_Payload])
"""Of many at once, which takes less time than one by one."""
_INNER: Final = msgspec.json.Decoder(list[_Bag])


def dated(frame: pl.DataFrame, rows: pl.DataFrame, kept: pl.DataFrame, transform: Transform) -> Look:
    """Return on which day each row lies; the event `frame` is of those that are `kept`.

    The others were left out by rules of their table; their time is worked out, and nothing else of them.
    """
    times = [_days(frame)]
    if kept.height < rows.height:
        left_out = rows.filter(~pl.col(ROW).is_in(kept[ROW].implode()))
        if (found := _left_out(left_out, transform)) is not None:
            times.append(_days(found))
    by_day = Counter[str]()
    for days in times:
        found = days.value_counts()
        by_day.update(dict(zip(found.to_series(0).dt.to_string("iso"), found["count"], strict=True)))
    undated = rows.height - by_day.total()
    return Look(by_day, undated, renamed=_renamed(transform), dropped=_dropped(transform.table))


def _renamed(transform: Transform) -> dict[str, set[str]]:
    """Return what properties are renamed to by the table, and then by the user's rules → from."""
    pairs = [(old, new) for old, new in transform.table.rename.items() if new is not None and new != old]
    if transform.ruling is not None:
        pairs += transform.ruling.renames.items()
    found: dict[str, set[str]] = {}
    for old, new in pairs:
        found.setdefault(new, set()).add(old)
    return found


def _dropped(table: Table) -> set[str]:
    return {old for old, new in table.rename.items() if new is None}


def _left_out(rows: pl.DataFrame, transform: Transform) -> pl.DataFrame | None:
    """Return the times of rows that no event is to be made of; None where it turns out why not."""
    if transform.table.to_events is events.none:
        return None
    try:
        made = transform.table.to_events(rows.lazy(), transform.options)
        return made.select(ROW, "timestamp").collect()
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - whatever a mapping raises of rows it never sees
        return None


def _days(frame: pl.DataFrame) -> pl.Series:
    """Return the day of each row that has one: of several, that of its first event."""
    rows, days = frame[ROW], frame["timestamp"].dt.date()
    numbers = days.to_physical()
    ends = [one for one in (numbers.min(), numbers.max()) if isinstance(one, int)]
    if days.null_count() or any(one not in _NUMBERS for one in ends):
        is_one = days.is_between(*_DAYS)
        rows, days = (one.filter(is_one) for one in (rows, days))
    if not (rows.slice(1) > rows.head(max(0, rows.len() - 1))).all():
        days = days.filter(rows.is_first_distinct())
    return days


def see(look: Look, frame: pl.DataFrame, *, is_first: bool) -> None:
    """Add what properties a chunk's finished events have, of those that are looked at.

    `is_first`: whether the chunk is of the first input of the workdir.
    """
    is_one = _mixed().abs() < _MOST // ONE_IN
    if is_first:
        row, last = pl.col("row"), numbering.number(FIRST + 1)
        is_one |= (row <= FIRST) | ((row >= numbering.UNFOLDED) & (row < last))
    places = frame.select_seq(is_one.arg_true()).to_series()
    found = frame.select_seq(
        pl.col("timestamp").gather(places).dt.to_string("%Y-%m"),
        (_mixed(places).abs() < _MOST // ONE_IN // _CLOSELY).alias("close"),
        pl.col("payload").gather(places),
    )
    months, is_close, texts = (one.to_list() for one in found)
    payloads = _PAYLOADS.decode(f"[{','.join(texts)}]")
    bags = [one.properties for one in payloads]
    look.sampled.update(months)
    for name in _BAGS:
        has = [name in bag and bytes(bag[name])[0] == _OBJECT for bag in bags]
        if any(has):
            inner = _inner(name, compress(bags, has))
            its = ([*compress(one, has)] for one in (months, is_close))
            look.properties |= _seen(f"{name}.", inner, *its)
    look.properties |= _seen("", bags, months, is_close)
    for name in _OURS:
        look.properties.pop(name, None)


def _mixed(places: pl.Series | None = None) -> pl.Expr:
    """Return 64 bits of an event's time and row, the same on every machine; of those at some `places` if given.

    Multiplying mixes them.
    """
    time, row = pl.col("timestamp"), pl.col("row")
    time, row = (time, row) if places is None else (time.gather(places), row.gather(places))
    return time.dt.timestamp("us") * _OF_TIME + row * _OF_ROW


def _seen(
    prefix: str, bags: Sequence[_Bag], months: Sequence[str], is_close: Iterable[bool]
) -> dict[str, Property]:
    """Return what properties some objects have, each of a month; their names begin with `prefix`."""
    found: dict[str, Property] = {}
    for (month, names), count in Counter(zip(months, map(tuple, bags), strict=True)).items():
        for name in names:
            if (one := found.get(name)) is None:
                one = found[name] = Property()
            one.filled[month] += count
    _look_closely(found, bags, is_close)
    return {f"{prefix}{name}": one for name, one in found.items()}


def _look_closely(properties: dict[str, Property], bags: Sequence[_Bag], is_close: Iterable[bool]) -> None:
    """Note what some of the values are: those of a few events, and one at least of each property."""
    values: dict[str, list[bytes]] = {name: [] for name in properties}
    for bag in compress(bags, is_close):
        for name in bag.keys() & values.keys():
            values[name].append(bytes(bag[name]))
    without = {name for name, found in values.items() if not found}
    for bag in bags:
        if not without:
            break
        for name in bag.keys() & without:
            without.discard(name)
            values[name].append(bytes(bag[name]))
    for name, found in values.items():
        one = properties[name]
        for value in found:
            if kind := _TYPES.get(value[0]):
                one.types[kind] += 1
        one.examples = chosen({_shown(value) for value in found if value != _NULL})


def _inner(name: str, bags: Iterable[_Bag]) -> list[_Bag]:
    """Take what is inside of an object of this name out of each of these bags, which all have it."""
    return _INNER.decode(b"[%b]" % b",".join([bytes(bag.pop(name)) for bag in bags]))


def _shown(value: bytes) -> str:
    """Return the beginning of a value."""
    return value[: 4 * _LETTERS].decode(errors="ignore")[:_LETTERS]
