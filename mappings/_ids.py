"""What mappings of several platforms share about ids."""

from typing import Final

import polars as pl

from migrate import expr, values

_REFUSED: Final = frozenset({"undefined", "null", "none"})
"""What programs write for "nothing", in lower case, and PostHog merges with no one."""
_NOTHING: Final = tuple(word for word in values.NOTHING if word.lower() not in _REFUSED)


def linkable(*names: str) -> pl.Expr:
    """Return the first of these ids as a link has it.

    "undefined" and the like are no one's ids and stay here all the same: such a link is refused and counted. What a
    vendor itself writes for "nothing" is no id at all.
    """
    return pl.coalesce(expr.without(expr.stripped(pl.col(name)), *_NOTHING) for name in names)
