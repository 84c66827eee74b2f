"""How a file of Mixpanel is told: by its columns and by the folders it lies in."""

import re
from collections.abc import Sequence
from typing import Final

EVENTS: Final = frozenset(
    ("time", "event", "event name", "event_name", "mp_event_name", "insert_id", "mp_insert_id")
)
"""What no profile has, in lower case."""
PLACED: Final = re.compile(r"[/!]\d+[/!]([^/!]+)(?:[/!](?:\w+=)?\d+){3,4}[/!][^/!]+$")
"""A file in the folders of the old pipelines, project/event/year/month/day, of days or of hours."""


def is_bagged_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people with their properties as one JSON object."""
    return {"distinct_id", "properties"} <= columns and not columns & EVENTS


def is_stitch(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events as Stitch writes them."""
    return {"event", "time"} <= columns and any(name.startswith("mp_reserved_") for name in columns)


def is_flat(columns: frozenset[str]) -> bool:
    """Return whether these are columns of events, one a property: Airbyte, or the CSV of the events page."""
    return "time" in columns and bool(columns & {"event", "event name"})


def is_people(columns: frozenset[str]) -> bool:
    """Return whether these are columns of people, one a property; lists of a cohort's members are none."""
    owned = bool(columns & {"distinct_id", "$distinct_id", "distinct id"})
    return owned and not columns & {*EVENTS, "name_of_cohort", "cohort_id"}


def placed_events(files: Sequence[str]) -> frozenset[str]:
    """Return the events whose folders files lie in, in lower case."""
    found = (PLACED.search(name) for name in files)
    return frozenset(one[1].lower() for one in found if one) - {"mp_master_event"}
