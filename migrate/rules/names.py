"""Names and patterns of names, as rules have them: `*` stands for any letters, `?` for one, all else for itself."""

import re
from collections.abc import Iterable
from typing import Final

from migrate.screen import counted

_MOST: Final = 50_000
"""Names whose answer is kept; a source may have any number of them."""


class Names:
    """Names and patterns; asked for the same name again it knows the answer."""

    def __init__(self, names: Iterable[str], *, ignores_case: bool = False) -> None:
        """`ignores_case`: whether `Email` is `email`, as where a rule is to protect."""
        self._names = sorted(names)
        flags = re.DOTALL | (re.IGNORECASE if ignores_case else 0)
        self._pattern = re.compile("|".join(map(_pattern, self._names)), flags)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._names)

    def __repr__(self) -> str:
        """How many there are."""
        return f"<{counted(len(self._names), 'name')}>"

    def __contains__(self, name: str) -> bool:
        """Whether a name is one of these, or fits one of the patterns."""
        if not self._names:
            return False
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[name] = self._pattern.fullmatch(name) is not None
        return found


def _pattern(name: str) -> str:
    return re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")
