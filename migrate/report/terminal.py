"""The terminal, or what stands in for one; the only module that knows rich."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console

from migrate.report.sections import Line
from migrate.screen import shown


class Terminal:
    """Stderr, on which text from elsewhere stays text."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, emoji=False, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether a line can be written over."""
        return self._console.is_terminal

    def print(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        for line in lines:
            self._console.print(shown(line.text), style=line.style, markup=False)

    @contextmanager
    def live(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show one line while work goes on; yield what changes it."""
        with self._console.status(text) as status:
            yield status.update
