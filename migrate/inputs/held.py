"""A source by its name and what it held when it was planned → whether it is there and holds the same."""

from migrate.errors import Unfit, UsageError
from migrate.inputs.listing import sources
from migrate.inputs.names import path_text
from migrate.inputs.source import Fingerprint, fingerprint
from migrate.inputs.stored import UNREADABLE, stamp_now


def holds(name: str, stamp: str, before: Fingerprint) -> bool:
    """Return whether a source holds what it held: it has the stamp that it had, or is told by its bytes."""
    if stamp_now(name) == stamp:
        return True
    try:
        for one in sources([path_text(name)]).sources:
            if one.name == name:
                is_whole = one.member is None and one.lines is None
                return not (is_whole and one.size != before.size) and fingerprint(one, before) == before
    except (Unfit, UsageError, *UNREADABLE):
        return False
    return False
