"""What the user's own rules did not mean, as notes: names that are near to theirs, and rules that found nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from migrate.rules.frames import Ruling

_MOST: Final = 5
"""Names that are told; of others their number."""


def near(ruling: Ruling | None) -> Iterator[str]:
    """Yield which properties go as they are though they end with a name that is to be left out or hashed."""
    for meant, names in sorted(ruling.bags.fates.near.items()) if ruling else ():
        yield f'[rules]: {meant} does not mean {_listed(sorted(names))}: sent as it is; "*{meant}" would mean it, too'


def unmet(ruling: Ruling | None) -> Iterator[str]:
    """Yield what the rules name that was in none of the rows."""
    if found := ruling.unmet() if ruling else {}:
        said = "; ".join(f"{rule} {_listed(names)}" for rule, names in found.items())
        yield f"[rules]: nothing in these rows of: {said}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"
