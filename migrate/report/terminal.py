"""The terminal, or what stands in for one; the only module that knows rich."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from migrate.report.sections import Line
from migrate.screen import shown

_A_SECOND: Final = 4
"""How often the live line is made anew in a second."""


class Terminal:
    """Stderr, on which text from elsewhere stays text."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, emoji=False, highlight=False, soft_wrap=True)

    @property
    def is_live(self) -> bool:
        """Whether a line can be written over: on a terminal that is not a dumb one, and on nothing that is none."""
        return self._console.is_interactive and self._console.file.isatty()

    @property
    def width(self) -> int | None:
        """How many characters fit on a line, None where there is no terminal."""
        return self._console.width - 1 if self._console.file.isatty() else None

    def print(self, lines: Iterable[Line]) -> None:
        """Print lines."""
        for line in lines:
            self._console.print(shown(line.text), style=line.style, markup=False)

    @contextmanager
    def live(self, line: Callable[[], str]) -> Iterator[None]:
        """Show one line while work goes on, asked for anew several times a second, also while nothing happens."""

        def text() -> Text:
            found = Text(shown(line()), no_wrap=True)
            found.truncate(self._console.width - 1, overflow="ellipsis")
            return found

        with Live(
            get_renderable=text,
            console=self._console,
            refresh_per_second=_A_SECOND,
            transient=True,
            redirect_stdout=False,
        ):
            yield
