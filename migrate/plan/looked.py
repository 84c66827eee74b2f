"""What a chunk's rows and events are like, for whoever looks at a plan: on which days, with which properties.

It is to cost next to nothing: one time a row, and of one event in 64 what its properties are called.
"""

from collections import Counter
from typing import Final

import msgspec
import polars as pl

from migrate import numbering
from migrate.kit import events, uuids
from migrate.kit.declare import ROW
from migrate.plan.transform import Transform
from migrate.workdir.looks import FIRST, ONE_IN, Look, Property, chosen

_BAGS: Final = ("$set", "$set_once", "$groups")
_OURS: Final = (
    *("$lib", "$lib_version", "$geoip_disable"),
    *("historical_migration", "analytics_source", "$import_job_id"),
)
"""What each payload has of ours."""
_CLOSELY: Final = 8 * ONE_IN
"""Of one event in so many values are looked at, too."""
_LETTERS: Final = 80
_YEARS: Final = (1900, 2199)
"""What lies beyond is no history: times that were misread are not to fill a calendar."""
_TYPES: Final = {
    **dict.fromkeys(b"-0123456789", "number"),
    **dict.fromkeys(b"tf", "boolean"),
    **dict(zip(b'"{[', ("text", "object", "list"), strict=True)),
}
_Bag = dict[str, msgspec.Raw]


class _Payload(msgspec.Struct):
    """What is asked of a payload."""

    properties: _Bag


_PAYLOAD: Final = msgspec.json.Decoder(_Payload)
_BAG: Final = msgspec.json.Decoder(_Bag)


def dated(frame: pl.DataFrame, rows: pl.DataFrame, kept: pl.DataFrame, transform: Transform) -> Look:
    """Return on which day each row lies; the event `frame` is of those that are `kept`.

    The others were left out by rules of their table; their time is worked out, and nothing else of them.
    """
    times = [_times(frame)]
    if kept.height < rows.height:
        left_out = rows.filter(~pl.col(ROW).is_in(kept[ROW].implode()))
        if (found := _left_out(left_out, transform)) is not None:
            times.append(_times(found))
    days = pl.concat(times)["timestamp"].dt.date().value_counts()
    names = days.to_series(0).dt.to_string("iso")
    by_day = Counter(dict(zip(names, days["count"], strict=True)))
    return Look(by_day, rows.height - by_day.total())


def _left_out(rows: pl.DataFrame, transform: Transform) -> pl.DataFrame | None:
    """Return the times of rows that no event is to be made of; None where it turns out why not."""
    if transform.table.to_events is events.none:
        return None
    try:
        made = transform.table.to_events(rows.lazy(), transform.options)
        return made.select(ROW, "timestamp").collect()
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - whatever a mapping raises of rows it never sees
        return None


def _times(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the time of each row that has one: of several, that of its first event."""
    found = frame.select_seq(ROW, "timestamp")
    is_in = found["timestamp"].dt.year().is_between(*_YEARS)
    if not is_in.all(ignore_nulls=False):
        found = found.filter(is_in)
    if found.height > 1 and not (found[ROW].diff() > 0).all():
        found = found.unique(ROW, keep="first", maintain_order=True)
    return found


def see(look: Look, frame: pl.DataFrame, *, is_first: bool) -> None:
    """Add what properties a chunk's finished events have, of those that are looked at.

    `is_first`: whether the chunk is of the first input of the workdir.
    """
    marked = frame.select_seq("timestamp", "payload", "row", uuids.hashed("uuid").alias("hash"))
    is_one = marked["hash"] % ONE_IN == 0
    if is_first:
        last = numbering.number(FIRST + 1)
        row = marked["row"]
        is_one |= (row <= FIRST) | ((row >= numbering.UNFOLDED) & (row < last))
    few = marked.filter(is_one)
    months = few["timestamp"].dt.to_string("%Y-%m").to_list()
    is_close = few["hash"] % _CLOSELY == 0
    filled = {month: Counter[str]() for month in months}
    for month, payload, close in zip(months, few["payload"], is_close, strict=True):
        bag = _opened(_PAYLOAD.decode(payload).properties)
        filled[month].update(bag.keys())
        for name in bag if close else bag.keys() - look.properties.keys():
            _note(look.properties.setdefault(name, Property()), bytes(bag[name]))
    for month, names in filled.items():
        for name, count in names.items():
            look.properties[name].filled[month] = count
    for name in _OURS:
        look.properties.pop(name, None)
    look.sampled.update(months)


def _opened(bag: _Bag) -> _Bag:
    """Return properties with those inside of `$set`, `$set_once` and `$groups` in the place of these."""
    for name in _BAGS:
        if name in bag and bytes(bag[name]).startswith(b"{"):
            bag.update((f"{name}.{key}", value) for key, value in _BAG.decode(bag.pop(name)).items())
    return bag


def _note(known: Property, value: bytes) -> None:
    """Note of what type a value is, and how it looks."""
    if kind := _TYPES.get(value[0]):
        known.types[kind] += 1
        text = value[: 4 * _LETTERS].decode(errors="ignore")[:_LETTERS]
        if text not in known.examples:
            known.examples = chosen([*known.examples, text])
