"""Events that PostHog has accepted with a warning: how many, by its words."""

import re
from collections.abc import Mapping
from typing import Final

from migrate.workdir.checkpoint import Checkpoint
from migrate.workdir.database import Database, add_count

_NAME: Final = "warned:"
_ANY_NUMBER: Final = re.compile(r"[0-9a-fA-F-]*\d[0-9a-fA-F-]*")
_LETTERS: Final = 200
_WORDS: Final = 100
"""So many different words are counted by themselves."""


def add(db: Database, warnings: Mapping[str, int]) -> None:
    """Count events by what is said of them, numbers left out, within the transaction that settles them."""
    if not warnings:
        return
    known = {name for (name,) in db.execute("SELECT name FROM counts WHERE name GLOB ?", (f"{_NAME}*",))}
    for words, count in warnings.items():
        name = _NAME + _ANY_NUMBER.sub("…", words)[:_LETTERS]
        name = name if name in known or len(known) < _WORDS else f"{_NAME}(other words)"
        known.add(name)
        add_count(db, name, count)


def by_words(checkpoint: Checkpoint) -> dict[str, int]:
    """Return what PostHog says of events that it has accepted → of how many, most first."""
    found = checkpoint.query("SELECT name, n FROM counts WHERE name GLOB ?", (f"{_NAME}*",)).fetchall()
    return {name.removeprefix(_NAME): n for name, n in sorted(found, key=lambda one: (-one[1], one[0]))}
