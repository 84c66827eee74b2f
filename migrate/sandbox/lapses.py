"""What may go wrong when the sandbox is asked what it has, and what its project is like; each a rule of a script."""

from typing import Final, get_args

from migrate.sandbox.fault import Fault


class Lapse(Fault):
    """One rule for questions: it meets each request to the private API, and none to capture."""


class QueryLapse(Lapse):
    """One rule for queries alone."""


class Project(Lapse, tag="project"):
    """What the project is like: its zone, how far back it shows events, which group types it has before any come."""

    id: int = 1
    name: str = "sandbox"
    api_token: str | None = None
    timezone: str = "UTC"
    event_retention_months: int | None = None
    events_retention_enforced: bool = False
    drop_events_older_than_seconds: float | None = None
    group_types: tuple[str, ...] = ()


class AskStatus(Lapse, tag="ask_status"):
    """A question is answered with an error, in the private API's own form."""

    status: int = 429
    retry_after: float | None = None
    detail: str | None = None


class MissingScope(Lapse, tag="missing_scope"):
    """The key may not ask what needs this scope."""

    scope: str = "query:read"


class Lag(QueryLapse, tag="lag"):
    """Events are seen only so many queries after the first one that came after them."""

    asks: int = 1


class Lost(QueryLapse, tag="lost"):
    """Events that all of this holds for are never seen: each `nth` of them, of a day, a name, an id, from a time on."""

    nth: int = 1
    day: str | None = None
    event: str | None = None
    distinct_id: str | None = None
    since: str | None = None


class Doubled(QueryLapse, tag="doubled"):
    """Each `nth` event has two rows."""

    nth: int = 1


class TimeOut(QueryLapse, tag="time_out"):
    """Queries over more hours of events than these are given up."""

    hours: float = 0.0


class Cached(QueryLapse, tag="cached"):
    """A query is answered from a cache, in which there was nothing."""


class Asynchronous(QueryLapse, tag="asynchronous"):
    """The answer to a query is there only when it was looked for so many times more."""

    polls: int = 1


class RefusedMerges(QueryLapse, tag="refused_merges"):
    """Ids stay people of their own: all, or this one alone."""

    distinct_id: str | None = None


class NoWarnings(QueryLapse, tag="no_warnings"):
    """There is no table of ingestion warnings."""


class Warned(QueryLapse, tag="warned"):
    """Ingestion has warned so often of this."""

    type: str
    count: int = 1


AnyLapse = (
    Project
    | AskStatus
    | MissingScope
    | Lag
    | Lost
    | Doubled
    | TimeOut
    | Cached
    | Asynchronous
    | RefusedMerges
    | NoWarnings
    | Warned
)

KINDS: Final[dict[str, type[Lapse]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyLapse)}
"""The word of a lapse -> what it is."""
