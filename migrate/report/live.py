"""One line of any width: what does not fit is said shorter, then left out, the least important first."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

_SEPARATOR: Final = " · "


class Part(NamedTuple):
    """A part of a line, as long as it may be, and what it becomes from a narrowness on: shorter, or nothing."""

    text: str
    narrower: tuple[tuple[int, str], ...] = ()

    def at(self, narrowness: int) -> str:
        """Return the part as it is at a narrowness, 0 where there is room for all."""
        return next((text for least, text in reversed(self.narrower) if narrowness >= least), self.text)


def line(parts: Iterable[Part], width: int | None) -> str:
    """Return the parts as one line of so many characters at the most; None is any number."""
    parts = list(parts)
    text = _joined(parts, 0)
    if width is None:
        return text
    for narrowness in sorted({least for part in parts for least, _ in part.narrower}):
        if len(text) <= width:
            return text
        text = _joined(parts, narrowness)
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _joined(parts: Sequence[Part], narrowness: int) -> str:
    return _SEPARATOR.join(text for part in parts if (text := part.at(narrowness)))
