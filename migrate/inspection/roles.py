"""Columns → what each could be of an event: its time, its person, its name, its key; a guess, with its reason."""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol

from migrate.inspection.values import TIMES, Type
from migrate.screen import counted

What = Literal["time", "person", "event", "key"]
ORDER: Final[tuple[What, ...]] = ("time", "person", "event", "key")


class Role(NamedTuple):
    """What a column could be, and why."""

    what: What
    why: str
    weight: int
    """How much speaks for it; the greatest of several columns is the one to take."""


class Facts(Protocol):
    """What is known of a column; `columns.Column` has it."""

    @property
    def name(self) -> str:
        """As the file spells it."""

    @property
    def type(self) -> Type:
        """What its values are."""

    @property
    def filled(self) -> float:
        """The share of rows that have something in it."""

    @property
    def distinct(self) -> int:
        """How many different values were seen."""

    @property
    def rows(self) -> int:
        """Among so many rows."""


_TIME_NAMES: Final = (
    r"(event|client|device)?(time|timestamp|ts|datetime)|occurred(at|on)?|happenedat|at|when",
    r".*(event|hit|action).*(time|timestamp|tstamp|date)|(ordered|created|visited|viewed|logged|sent|fired)(at|on)?",
    r".*(time|timestamp|tstamp|date|datetime)|.*at|.*on|.*ts|day",
)
_LATE: Final = re.compile(
    r".*(received|updated|modified|loaded|synced|processed|upload|ingest|collector|etl|deleted|birth|signup|firstseen).*"
)
"""When something else was than what the row tells of."""
_PERSON_NAMES: Final = (
    r"distinctid|userid|uid|customerid|personid|memberid|visitorid|profileid|user|customer|username|login|useruuid",
    r".*(user|customer|person|visitor|member|client|profile|account|contact|domainuser)(id|uuid|uid|key)|email",
    r"anonymousid|anonid|deviceid|cookieid|fingerprint|clientid|.*(anonymous|pseudo|device|cookie|visitor).*id|.*email",
)
_EVENT_NAMES: Final = (
    r"event|eventname|eventtype|action|activity|eventaction",
    r".*event(name|type)?|.*action|type|kind|name|category|verb|operation|hittype",
)
_KEY_NAMES: Final = (
    r"(event|message|insert|row|record|hit|log|order|transaction)?(uuid|guid)|(event|message|insert|hit|row|record)id",
    r"id|key|.*(uuid|guid)|.*id",
)
_MOST_EVENTS: Final = 500
_FEW_ROWS: Final = 2
_ALWAYS: Final = 0.999
_MOSTLY: Final = 0.5
_NEARLY: Final = 0.8
"""An id that rows repeat more often tells of something else than events."""
_STEP: Final = 10


def roles(columns: Sequence[Facts]) -> list[tuple[Role, ...]]:
    """Return for each column what it could be, what most speaks for first."""
    found = [[role for judge in (_time, _person, _event, _key) if (role := judge(one))] for one in columns]
    return [tuple(sorted(some, key=lambda role: -role.weight)) for some in found]


def _name(column: Facts) -> str:
    """Return a column's name as it is compared: its letters and digits alone, in lower case."""
    return re.sub(r"[^a-z0-9]+", "", column.name.lower())


def _rank(name: str, patterns: Sequence[str]) -> int:
    """Return how well a name fits, most where the first pattern does; 0 where none does."""
    places = (place for place, pattern in enumerate(patterns) if re.fullmatch(pattern, name))
    return next((len(patterns) - place for place in places), 0)


def _time(column: Facts) -> Role | None:
    rank = _rank(_name(column), _TIME_NAMES)
    if column.type not in TIMES or (column.type.startswith("Unix") and not rank):
        return None
    late = _LATE.fullmatch(_name(column)) is not None
    kind = (
        column.type if column.type.startswith("Unix") else {"time": "ISO 8601"}.get(column.type, column.type)
    )
    why = f"{kind}, {_share(column)}" + (", called like a time" if rank else "")
    why += ", but perhaps of something later, or earlier, than the event" if late else ""
    weight = _STEP * rank + round(_STEP * column.filled) - (2 * _STEP if late else 0)
    return Role("time", why, weight - (_STEP if column.type in {"date", "local date"} else 0))


def _person(column: Facts) -> Role | None:
    rank = _rank(_name(column), _PERSON_NAMES)
    if not rank or column.type in {"nothing", "yes or no", "object", "list", *TIMES}:
        return None
    why = f"called like an id of someone, {_different(column)}, {_share(column)}"
    return Role("person", why, _STEP * rank + round(_STEP * column.filled))


def _event(column: Facts) -> Role | None:
    rank = _rank(_name(column), _EVENT_NAMES)
    if not rank or column.type != "text" or column.filled < _MOSTLY or column.distinct > _MOST_EVENTS:
        return None
    repeats = column.distinct < column.rows * column.filled
    why = f"called like an event's name, {_different(column)}"
    return Role("event", why, _STEP * rank + (_STEP // 2 if repeats else 0))


def _key(column: Facts) -> Role | None:
    name = _name(column)
    rank = _rank(name, _KEY_NAMES)
    if (
        column.type in {"object", "list", "yes or no", "nothing", *TIMES}
        or column.rows < _FEW_ROWS
        or not rank
    ):
        return None
    if _rank(name, _PERSON_NAMES) or column.filled < _ALWAYS:
        return None
    weight = _STEP * rank + (_STEP // 2 if column.type == "uuid" else 0)
    if column.distinct == column.rows:
        return Role("key", f"in every row, and another in each of {column.rows:,}", weight)
    if rank == len(_KEY_NAMES) and column.distinct >= _NEARLY * column.rows:
        again = column.rows - column.distinct
        return Role(
            "key", f"called like an event's id; {again:,} of {column.rows:,} rows repeat one", weight - _STEP
        )
    return None


def _share(column: Facts) -> str:
    return "in every row" if column.filled >= _ALWAYS else f"in {column.filled:.0%} of the rows"


def _different(column: Facts) -> str:
    return f"{column.distinct:,} different in {counted(column.rows, 'row')}"
