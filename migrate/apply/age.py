"""How old a day is to be before it is sent: days younger than PostHog asks of history are held."""

from datetime import UTC, datetime, timedelta
from typing import Final

from migrate.apply.target import is_cloud

CLOUD_SECONDS: Final = 48 * 3_600.0
"""What PostHog Cloud asks: younger events, sent as history, are billed as live ones (posthog-ingestion.md §9.8)."""


def first_held(now: datetime, min_age: float) -> str | None:
    """Return the first day (UTC) that is not wholly older than `min_age` seconds; None where no age is asked for."""
    return (now - timedelta(seconds=min_age)).date().isoformat() if min_age else None


def goes(day: str, min_age: float) -> datetime:
    """Return the moment from which all of a day is older than `min_age` seconds, so that it may be sent."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1, seconds=min_age)


def usual(url: str) -> float:
    """Return the age in seconds that events sent to this URL are to have if the user says nothing."""
    return CLOUD_SECONDS if is_cloud(url) else 0.0
