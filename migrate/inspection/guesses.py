"""First rows → what a spec of them could say: typed guesses, each with its reason, and what stands beside it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from migrate.inspection.columns import Column, Row, chosen
from migrate.inspection.formats import formats_of
from migrate.inspection.halves import doubt_of
from migrate.inspection.nested import alone, elements, nested
from migrate.inspection.roles import What
from migrate.inspection.values import TIMES, means_nothing
from migrate.inspection.words import PERSON, SESSION, bare, group_of, property_of
from migrate.screen import counted

_UNITS: Final = {"Unix seconds": "unix_s", "Unix milliseconds": "unix_ms", "Unix microseconds": "unix_us"}
_ANONYMOUS: Final = re.compile(r"anon|device|cookie|fingerprint|pseudo|visitor|client|domainuser")
_OWN_KEY: Final = re.compile(
    r"(event|message|insert|hit|row|record)_?(id|uuid|guid)|uuid|guid", re.IGNORECASE
)
_NO_NUMBER: Final = re.compile(
    r"(?i)(^|[^a-z])(ids?|keys?|code|zip|phone|mobile|version|number|no|sku|isbn|ean|iban)$|(id|key|code|zip|phone)$"
)
"""Columns whose digits are a name and no number."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
_DAY: Final = re.compile(r"(?i)date|day|(^|_)dt($|_)")
_ALWAYS: Final = 0.999
_OFTEN: Final = 0.5
_MOST_PATHS: Final = 12
_MOST_WORDS: Final = 6


class Told(NamedTuple):
    """A column, and why it is taken for what it is."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A column of times, and how they are written."""

    column: str
    why: str
    formats: Sequence[str]
    """`iso`, `unix_s` and so on, or patterns; several where the values do not say which."""
    unread: int = 0
    """So many values are no time in that format."""
    is_zoned: bool = False
    """Whether each says its zone, or needs none."""
    zone: str = ""
    """What the values say of their zone."""
    is_nanoseconds: bool = False
    """Whether three digits are to be taken off first."""
    doubt: str = ""
    """Why it is not to be taken as it is."""
    sql: str = ""
    """What is to be taken instead."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """A key inside of a column, and in how many of the rows it is."""

    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """What a spec could say of a kind of files; of several columns the one to take stands first."""

    rows: int
    is_whole: bool
    columns: Sequence[str]
    times: Sequence[Moment]
    persons: Sequence[Told]
    """Ids of who is known, then those of devices and browsers."""
    anonymous: Told | None
    """The id of a device or browser that stands beside `persons[0]`, of one who is known."""
    is_always_known: bool
    """Whether each row has `persons[0]`."""
    events: Sequence[Told]
    keys: Sequence[Told]
    is_key_sure: bool
    json: Sequence[str] = ()
    numbers: Sequence[str] = ()
    booleans: Sequence[str] = ()
    nulls: Mapping[str, int] = field(default_factory=dict)
    """Word for nothing → in how many cells it stands."""
    paths: Sequence[Path] = ()
    lists: Sequence[Told] = ()
    """Columns of lists of objects, where one is longer than one."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    person_properties: Sequence[str] = ()
    session: str | None = None

    @property
    def missing(self) -> list[What]:
        """Return what an event cannot do without, and is not told by the rows."""
        proven = self.times and len(self.times[0].formats) == 1 and not self.times[0].doubt
        found: list[tuple[What, object]] = [
            ("event", self.events),
            ("person", self.persons),
            ("time", proven),
        ]
        return [what for what, some in found if not some]


def guesses_of(columns: Sequence[Column], rows: Sequence[Row], *, is_whole: bool) -> Guesses:
    """Return what rows of these columns could be."""
    within, rows = nested(columns, rows)
    found = {what: [*some, *chosen(within)[what]] for what, some in chosen(columns).items()}
    moments = [_moment(one, rows) for one in found["time"]] + _other_moments([*columns, *within], rows)
    moments.sort(key=lambda one: not one.formats)
    times = [one for one in moments if one.formats]
    times[:1] = [_doubted(one, rows) for one in times[:1]]
    known = [one for one in found["person"] if not _ANONYMOUS.search(bare(one.name))]
    devices = [one for one in found["person"] if one not in known]
    persons = [*known, *devices]
    own = {one.column for one in times[:1]} | {one.name for one in persons[:1]}
    events = [one for one in found["event"] if one.name not in own]
    keys = [one for one in found["key"] if one.name not in own | {one.name for one in events[:1]}]
    used = own | {one.name for one in (*events[:1], *keys[:1])}
    others = [one.name for one in columns if one.values and one.name.strip() and one.name not in used]
    return Guesses(
        rows=len(rows),
        is_whole=is_whole,
        columns=[one.name for one in columns],
        times=times,
        persons=_told(persons, "person"),
        anonymous=_told(devices, "person")[0] if known and devices else None,
        is_always_known=bool(persons) and persons[0].filled >= _ALWAYS,
        events=_told(events, "event"),
        keys=_told(keys, "key"),
        is_key_sure=bool(keys) and (is_whole or _OWN_KEY.fullmatch(keys[0].name) is not None),
        **_kinds(columns, rows, used),
        nulls=_nulls(rows),
        paths=[*_paths([one for one in (*within, *alone(columns, rows)) if one.name not in used], len(rows))],
        lists=[*_lists(columns, rows)],
        renamed={one: name for one in others if (name := property_of(one)) is not None},
        groups={kind: one for one in others if (kind := group_of(one)) is not None},
        person_properties=[one for one in others if PERSON.fullmatch(bare(one))],
        session=next((one.name for one in columns if one.values and SESSION.fullmatch(bare(one.name))), None),
    )


def _told(columns: Sequence[Column], what: What) -> list[Told]:
    return [Told(one.name, role.why) for one in columns if one.name.strip() and (role := one.role(what))]


def _texts(name: str, rows: Sequence[Row]) -> list[str]:
    """Return what a column holds that is no word for nothing."""
    found = (row[name].text for row in rows if name in row)
    return [text for text in found if text and not means_nothing(text)]


def _moment(column: Column, rows: Sequence[Row]) -> Moment:
    """Return how the times of a column are written."""
    role, clock = column.role("time"), column.clock
    why = role.why if role else ""
    if column.type == "local date":
        return _patterned(column.name, why, _texts(column.name, rows))
    is_unix = column.type.startswith("Unix")
    return Moment(
        column=column.name,
        why=why,
        formats=[_UNITS.get(column.type, "unix_us") if is_unix else "iso"] if column.name.strip() else [],
        unread=clock.unreadable if clock else 0,
        is_zoned=clock is not None and clock.zone in {"in the text", "Unix"},
        zone=clock.why if clock else "",
        is_nanoseconds=column.type == "Unix nanoseconds",
    )


def _doubted(moment: Moment, rows: Sequence[Row]) -> Moment:
    """Return the time to take with what speaks against it."""
    texts: dict[str, list[str | None]] = {}
    for name in dict.fromkeys([moment.column, *(name for row in rows for name in row)]):
        found = (row[name].text if name in row else "" for row in rows)
        texts[name] = [None if means_nothing(text) else text for text in found]
    doubt = doubt_of(moment.column, moment.formats, moment.unread, texts)
    if doubt is None:
        return moment
    return replace(moment, doubt=doubt.why, sql=doubt.sql, formats=doubt.formats)


def _patterned(name: str, why: str, texts: Sequence[str]) -> Moment:
    found = formats_of(texts) if name.strip() else []
    is_zoned = bool(found) and all(one.says_zone for one in found)
    return Moment(
        column=name,
        why=why,
        formats=[one.pattern for one in found],
        unread=found[0].unread if found else 0,
        is_zoned=is_zoned,
        zone="each time ends with its offset" if is_zoned else "no offset stands behind the times",
    )


def _other_moments(columns: Sequence[Column], rows: Sequence[Row]) -> list[Moment]:
    """Return the columns whose texts are times in a form that is no type of a column: `Mar 5, 2024 2:30 PM`.

    Digits alone are a day, `20240305`, where the column is called like one.
    """
    found = []
    for one in columns:
        is_day = one.type == "whole number" and _DAY.search(one.name) is not None
        texts = _texts(one.name, rows) if one.type == "text" or is_day else []
        moment = _patterned(one.name, f"a date in {counted(len(texts), 'row')}", texts)
        if moment.formats:
            found.append(moment)
    return found


def _kinds(columns: Sequence[Column], rows: Sequence[Row], used: set[str]) -> dict[str, list[str]]:
    """Return the columns that hold more than text though the file has only text."""
    found: dict[str, list[str]] = {"json": [], "numbers": [], "booleans": []}
    for one in columns:
        if one.name in used or not one.name.strip() or one.type in TIMES or _is_typed(one.name, rows):
            continue
        if one.type in {"object", "list"}:
            found["json"].append(one.name)
        elif one.type == "yes or no" and not one.odd:
            found["booleans"].append(one.name)
        elif one.type in {"number", "whole number"} and _is_number(one, rows):
            found["numbers"].append(one.name)
    return found


def _is_typed(name: str, rows: Sequence[Row]) -> bool:
    """Return whether the file itself says what the values of a column are."""
    return all(row[name].form != "text" for row in rows if name in row)


def _is_number(column: Column, rows: Sequence[Row]) -> bool:
    """Return whether the digits of a column count something, and are not those of a name."""
    if column.role("person") or column.role("key") or _NO_NUMBER.search(column.name):
        return False
    return all(map(_NUMBER.fullmatch, _texts(column.name, rows)))


def _nulls(rows: Sequence[Row]) -> dict[str, int]:
    found = Counter(
        value.text
        for row in rows
        for value in row.values()
        if value.form == "text" and value.text.strip() and means_nothing(value.text)
    )
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_MOST_WORDS])


def _paths(within: Sequence[Column], rows: int) -> Iterator[Path]:
    """Yield the keys inside of objects that most of them have, and most rows; lists of one need not be in most."""
    frequent = [one for one in within if one.values >= _OFTEN * one.rows]
    yield from (Path(name=one.name, share=one.values / rows) for one in frequent[:_MOST_PATHS])


def _lists(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[Told]:
    """Yield the lists of which some hold more than one object."""
    for one in columns:
        found = elements(one, rows)
        if found is not None and found.most > 1:
            yield Told(one.name, f"{counted(len(found.bags), 'object')} in {counted(found.lists, 'list')}")
