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
        self._each = {one: re.compile(_pattern(one), flags) for one in self._names}
        self._known: dict[str, bool] = {}
        self.met: set[str] = set()
        """Those of which a name was asked for that is one, or fits."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._names)

    def __repr__(self) -> str:
        """How many there are."""
        return f"<{counted(len(self._names), 'name')}>"

    def unmet(self) -> list[str]:
        """Return those that nothing was asked for that is one, or fits."""
        return [one for one in self._names if one not in self.met]

    def like(self, name: str) -> str | None:
        """Return which of the names, if any, another one ends with, behind a sign: `context_email` with `email`."""
        for one in self._names:
            before, is_end = name[: -len(one)], name.lower().endswith(one.lower())
            if is_end and before and not before[-1].isalnum():
                return one
        return None

    def __contains__(self, name: str) -> bool:
        """Whether a name is one of these, or fits one of the patterns."""
        if not self._names:
            return False
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[name] = self._pattern.fullmatch(name) is not None
            if found:
                self.met.update(one for one, pattern in self._each.items() if pattern.fullmatch(name))
        return found


def _pattern(name: str) -> str:
    return re.escape(name).replace(r"\*", ".*").replace(r"\?", ".")
